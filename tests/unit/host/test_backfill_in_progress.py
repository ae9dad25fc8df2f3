"""`AutomationCondition.backfill_in_progress()`: what of which asset backfills are still going to make."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

import segue as sg
from segue.model.backfill import Backfill, BackfillStatus, BackfillTarget
from segue.model.event import Event, RunFailureData, RunStartData, StepMaterializationData
from segue.model.partitions.subset import PartitionSubset
from segue.model.run import FailureReason, Run
from segue.model.tags import BACKFILL_TAG
from segue.storage.sqlite import SqliteStore
from segue.storage.sqlite.control import control_of

IN_PROGRESS = sg.AutomationCondition.backfill_in_progress()
NAMES = sg.StaticPartitionsDefinition(["a", "b", "c"])


@sg.asset(partitions_def=NAMES, automation_condition=IN_PROGRESS)
def parts() -> None: ...


@sg.asset(partitions_def=sg.DynamicPartitionsDefinition(name="kinds"), automation_condition=IN_PROGRESS)
def kinds() -> None: ...


@sg.asset(automation_condition=IN_PROGRESS)
def whole() -> None: ...


@sg.asset_check(asset=whole, automation_condition=IN_PROGRESS)
def is_good() -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=True)


DEFINITIONS = sg.Definitions(assets=[parts, kinds, whole], asset_checks=[is_good])
BC = BackfillTarget(parts.key, PartitionSubset((("b", "c"),)))
B = BackfillTarget(parts.key, PartitionSubset((("b", "b"),)))
WHOLE = BackfillTarget(whole.key)
WANTED = Backfill(backfill_id="one", location="main", targets=(BC, WHOLE))


class Recorded:
    """A store with backfills, and what conditions say of it."""

    def __init__(self, *backfills: Backfill) -> None:
        self.instance = sg.Instance.ephemeral()
        assert isinstance(self.instance.store, SqliteStore)
        self.store = self.instance.store
        self.control = control_of(self.store)
        for each in backfills:
            self.control.create_backfill(each)

    def in_progress(self) -> dict[str, set[str | None]]:
        """What is part of a backfill, by asset."""
        said = sg.evaluate_automation_conditions(DEFINITIONS, self.instance)
        found = {key.to_user_string(): set(said.get_requested_partitions(key)) for key in DEFINITIONS.asset_graph.nodes}
        return {name: partitions for name, partitions in found.items() if partitions}


def changed(**fields: object) -> Backfill:
    return msgspec.structs.replace(WANTED, **fields)


NOW: Mapping[str, tuple[list[Backfill], dict[str, set[str | None]]]] = {
    "none": ([], {}),
    "all that one is for": ([WANTED], {"parts": {"b", "c"}, "whole": {None}}),
    "one that is paused": ([changed(status=BackfillStatus.PAUSED)], {"parts": {"b", "c"}, "whole": {None}}),
    "one that is being canceled": ([changed(status=BackfillStatus.CANCELING)], {}),
    "one that was canceled": ([changed(status=BackfillStatus.CANCELED)], {}),
    "one that ended": ([changed(status=BackfillStatus.COMPLETED_SUCCESS)], {}),
    "what failed is not in progress": ([changed(failed=(B, WHOLE))], {"parts": {"c"}}),
    "what is made is not in progress": ([changed(requested=(B, WHOLE), done=(B, WHOLE))], {"parts": {"c"}}),
    "two": (
        [changed(requested=(BC, WHOLE)), Backfill(backfill_id="two", location="other", targets=(B,))],
        {"parts": {"b"}},
    ),
    "an asset that is cut otherwise now": (
        [changed(targets=(BackfillTarget(parts.key), BackfillTarget(whole.key, BC.partitions)))],
        {},
    ),
    "an asset that is not there": ([changed(targets=(BackfillTarget(sg.AssetKey("gone")), WHOLE))], {"whole": {None}}),
    "of a job only its runs": (
        [Backfill(backfill_id="job", location="main", job_name="j", job_partitions=BC.partitions)],
        {},
    ),
}


@pytest.mark.parametrize(("backfills", "expected"), NOW.values(), ids=NOW)
def test_what_is_in_progress_is_what_is_neither_made_nor_given_up(
    backfills: list[Backfill], expected: dict[str, set[str | None]]
) -> None:
    assert Recorded(*backfills).in_progress() == expected


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_run_of_a_backfill_works_on_is_in_progress_until_it_is_made_or_the_run_ends(fails: bool) -> None:
    recorded = Recorded(changed(requested=(BC, WHOLE)))
    run = Run(
        run_id="r",
        job_name="j",
        asset_selection=frozenset({parts.key}),
        partition_start="b",
        partition_end="c",
        tags={BACKFILL_TAG: "one"},
    )
    recorded.store.create_run(run, b"", b"", [Event(1.0, RunStartData(), run_id="r")])
    other = msgspec.structs.replace(run, run_id="other", asset_selection=frozenset({whole.key}), tags={})
    recorded.store.create_run(other, b"", b"", [Event(1.0, RunStartData(), run_id="other")])
    assert recorded.in_progress() == {"parts": {"b", "c"}}
    made = StepMaterializationData(sg.AssetMaterialization(parts.key, partition="b"))
    recorded.store.append([Event(2.0, made, run_id="r")])
    assert recorded.in_progress() == {"parts": {"c"}}
    made = StepMaterializationData(sg.AssetMaterialization(parts.key, partition="c"))
    last = RunFailureData(FailureReason.STEP_FAILURE, "") if fails else made
    recorded.store.append([Event(3.0, last, run_id="r")])
    assert recorded.in_progress() == {}


def test_partitions_that_were_removed_since_are_left_out() -> None:
    kept = PartitionSubset((("k", "k"), ("m", "m")))
    recorded = Recorded(Backfill(backfill_id="one", location="main", targets=(BackfillTarget(kinds.key, kept),)))
    recorded.instance.add_dynamic_partitions("kinds", ["k", "l", "m"])
    assert recorded.in_progress() == {"kinds": {"k", "m"}}
    recorded.instance.delete_dynamic_partition("kinds", "k")
    assert recorded.in_progress() == {"kinds": {"m"}}
