"""Which partitions a run may be asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

import segue as sg
from segue.decide.asked_partitions import require_run_partitions
from segue.decide.requests import wanted_run
from segue.model.graph import AssetGraph
from segue.model.manifest import decode_manifest
from segue.model.partitions.loading import DynamicPartitionsStore
from segue.model.tick_task import RequestedRun

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Squares(sg.PartitionsDefinition):
    """Partitions that only the code that declares them knows."""

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        return ["0", "1", "4"]


@sg.asset(partitions_def=sg.StaticPartitionsDefinition(["x", "y"]))
def parted() -> None: ...


@sg.asset(partitions_def=Squares())
def squares() -> None: ...


@sg.asset
def plain() -> None: ...


@sg.observable_source_asset(partitions_def=sg.StaticPartitionsDefinition(["x", "y"]))
def looked_at() -> sg.DataVersionsByPartition:
    return sg.DataVersionsByPartition({})


def ask(name: str, first: str | None = None, last: str | None = None) -> None:
    definitions = sg.Definitions(assets=[parted, squares, plain, looked_at])
    graph = AssetGraph(decode_manifest(definitions.encoded_manifest))
    request = RequestedRun(asset_selection=(sg.AssetKey(name),), partition_start=first, partition_end=last or first)
    wanted = wanted_run(request, graph, run_id="r", now=0.0, location="here", manifest_hash=None, tags={})
    require_run_partitions(graph, wanted.run, NOW)


@pytest.mark.parametrize(
    "asked", [("parted", "x"), ("parted", "x", "y"), ("plain",), ("looked_at",), ("looked_at", "y"), ("squares", "2")]
)
def test_what_is_there_or_only_the_code_knows_may_be_asked_for(asked: tuple[str, ...]) -> None:
    ask(*asked)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("parted", "z"), "Partition key 'z' not found; available partition keys: 'x', 'y'."),
        (("parted", "x", "z"), "Partition key 'z' not found"),
        (("looked_at", "z"), "Partition key 'z' not found"),
        (("parted",), "Choose one with"),
        (("squares",), "Choose one with"),
        (("plain", "x"), "Leave the partition out"),
    ],
)
def test_anything_else_is_refused(asked: tuple[str, ...], said: str) -> None:
    with pytest.raises(sg.SegueError, match=re.escape(said)):
        ask(*asked)
