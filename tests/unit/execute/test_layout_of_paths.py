"""Where an IO manager over paths puts things, and what it says about them; each part may be overridden."""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import segue as sg

LETTERS = sg.StaticPartitionsDefinition(["a", "b"])


class Texts(sg.UPathIOManager):
    """Texts in files, partitions beside each other, and a log line for each."""

    extension = ".txt"

    def dump_to_path(self, context: sg.OutputContext, obj: Any, path: Any) -> None:
        path.write_text(str(obj))

    def load_from_path(self, context: sg.InputContext, path: Any) -> Any:
        return path.read_text()

    def get_asset_relative_path(self, context: Any) -> Any:
        return PurePosixPath("assets").joinpath(super().get_asset_relative_path(context))

    def get_op_output_relative_path(self, context: Any) -> Any:
        return PurePosixPath("steps").joinpath(*context.get_identifier()[1:])

    def get_path_for_partition(self, context: Any, path: Any, partition: str) -> Any:
        return path.with_name(f"{path.name}-{partition}")

    def get_writing_output_log_message(self, path: Any) -> str:
        return f"WROTE {path.name}"

    def get_loading_input_log_message(self, path: Any) -> str:
        return f"READ {path.name}"

    def get_loading_input_partition_log_message(self, path: Any, partition_key: str) -> str:
        return f"READ {partition_key} of {path.name}"

    def get_missing_partition_log_message(self, partition_key: str) -> str:
        return f"NO {partition_key}"


@sg.asset(partitions_def=LETTERS)
def parts(context: sg.AssetExecutionContext) -> str:
    return context.partition_key


@sg.asset(
    ins={"parts": sg.AssetIn(metadata={"allow_missing_partitions": True}, partition_mapping=sg.AllPartitionMapping())}
)
def whole(parts: dict[str, str]) -> str:
    return "".join(parts.values())


def test_a_layout_of_ones_own_is_used_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    manager = {"io_manager": Texts(tmp_path)}
    assert sg.materialize([parts], resources=manager, partition_key="a").success
    assert sg.materialize([parts, whole], resources=manager, selection=[whole]).success

    @sg.op
    def give() -> str:
        return "given"

    @sg.op
    def take(given: str) -> str:
        return given

    @sg.job(resource_defs=manager)
    def handing() -> None:
        take(give())

    assert handing.execute_in_process().output_for_node("take") == "given"
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"assets/parts-a.txt", "assets/whole.txt", "steps/give/result.txt", "steps/take/result.txt"}
    for said in ("WROTE parts-a.txt", "READ a of parts-a.txt", "NO b", "READ result.txt"):
        assert said in caplog.text


def test_paths_of_partitions_stay_below_their_asset(tmp_path: Path) -> None:
    manager = Texts(tmp_path)
    for partition, path in {"p": "p", "p/q": "p/q", "/p": "%2Fp", "..": "%2E%2E", "": "%2F"}.items():
        assert manager.make_safe_partition_path(tmp_path, partition) == tmp_path.joinpath(*path.split("/"))


def test_folders_are_made_and_found(tmp_path: Path) -> None:
    manager = Texts(tmp_path)
    assert not manager.path_exists(tmp_path / "x" / "y")
    manager.make_directory(tmp_path / "x" / "y")
    manager.make_directory(tmp_path / "x" / "y")
    assert manager.path_exists(tmp_path / "x" / "y")
