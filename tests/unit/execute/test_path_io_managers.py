"""IO managers that keep each value under a path, and files that steps hand on."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic
import pytest

import segue as sg

DAYS = sg.StaticPartitionsDefinition(["mon", "tue", "wed"])


class Json(sg.UPathIOManager):
    extension = ".json"

    def dump_to_path(self, context: sg.OutputContext, obj: Any, path: Path) -> None:
        path.write_text(json.dumps(obj))

    def load_from_path(self, context: sg.InputContext, path: Path) -> Any:
        return json.loads(path.read_text())

    def get_metadata(self, context: sg.OutputContext, obj: Any) -> Mapping[str, Any]:
        return {"size": len(json.dumps(obj))}


class Later(sg.ConfigurableIOManager, sg.UPathIOManager):
    folder: str
    _base_path: Any = pydantic.PrivateAttr()

    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        self._base_path = Path(self.folder)

    def dump_to_path(self, context: sg.OutputContext, obj: Any, path: Path) -> None:
        path.write_text(json.dumps(obj))

    async def load_from_path(self, context: sg.InputContext, path: Path) -> Any:
        return json.loads(path.read_text())


@sg.asset(key_prefix="deep", metadata={"m": 1})
def total() -> int:
    return 12


@sg.asset(partitions_def=DAYS)
def day(context: sg.AssetExecutionContext) -> str:
    return context.partition_keys[0]


@sg.asset
def all_days(day: dict[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in day.items()]


@sg.asset(ins={"day": sg.AssetIn(metadata={"allow_missing_partitions": True})})
def some_days(day: dict[str, str]) -> list[str]:
    return list(day)


@sg.asset
def as_list(day: list[str]) -> int:
    return len(day)


@sg.asset(ins={"total": sg.AssetIn(["deep", "total"])})
def more(total: int) -> int:
    return total + 1


def managers(folder: Path) -> list[sg.IOManager]:
    return [Json(folder), Json(str(folder)), Later(folder=str(folder))]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_values_lie_under_their_keys(tmp_path: Path, number: int) -> None:
    manager = managers(tmp_path)[number]
    ending = "" if number == 2 else ".json"
    result = sg.materialize([total, more], resources={"io_manager": manager})
    assert result.asset_value("more") == 13
    assert json.loads((tmp_path / "deep" / f"total{ending}").read_text()) == 12
    [made] = result.asset_materializations_for_node("deep__total")
    assert made.metadata["path"] == sg.MetadataValue.path(str(tmp_path / "deep" / f"total{ending}"))
    assert ("size" in made.metadata) is (number < 2)


@pytest.mark.parametrize("number", [0, 2])
def test_partitions_lie_below_and_come_as_a_dict(tmp_path: Path, number: int) -> None:
    manager = managers(tmp_path)[number]
    resources = {"io_manager": manager}
    for key in ("mon", "tue"):
        sg.materialize([day], partition_key=key, resources=resources)
    with pytest.raises(FileNotFoundError) as caught:
        sg.materialize([day, all_days], selection=[all_days], resources=resources)
    assert "No value of day is stored for partition wed" in caught.value.__notes__[0]
    kept = sg.materialize([day, some_days], selection=[some_days], resources=resources)
    assert kept.asset_value("some_days") == ["mon", "tue"]
    sg.materialize([day], partition_key="wed", resources=resources)
    made = sg.materialize([day, all_days], selection=[all_days], resources=resources)
    assert made.asset_value("all_days") == ["mon=mon", "tue=tue", "wed=wed"]
    with pytest.raises(
        sg.InvariantViolationError, match=r"takes 3 partitions of day, but its type is typing.List.*Use a dict"
    ):
        sg.materialize([day, as_list], selection=[as_list], resources=resources)
    tags = {"dagster/asset_partition_range_start": "mon", "dagster/asset_partition_range_end": "tue"}
    with pytest.raises(
        sg.InvariantViolationError, match="stores one partition at a time, but this run materializes 2 of day"
    ):
        sg.materialize([day], tags=tags, resources=resources)


def path_of(partition: str, folder: Path) -> str:
    context = sg.build_output_context(asset_key="a", partition_key=partition)
    manager = Json(folder)
    manager.handle_output(context, 1)
    assert manager.has_output(context)
    return context.get_logged_metadata()["path"].value[len(str(folder)) + 1 :]  # pyright: ignore[reportIndexIssue] reason: a path


@pytest.mark.parametrize(
    ("partition", "path"),
    [
        ("2024", "a/2024.json"),
        ("0.5-to-1.0", "a/0.5-to-1.0.json"),
        ("x/y", "a/x/y.json"),
        ("/etc/passwd", "a/%2Fetc/passwd.json"),
        ("../../out", "a/%2E%2E/%2E%2E/out.json"),
        ("x//y", "a/x/%2F/y.json"),
        ("my..backup", "a/my..backup.json"),
        (".", "a/%2E.json"),
    ],
)
def test_no_partition_key_leaves_the_folder(tmp_path: Path, partition: str, path: str) -> None:
    assert path_of(partition, tmp_path) == path


def test_several_dimensions_are_folders_by_name_of_the_dimension(tmp_path: Path) -> None:
    definition = sg.MultiPartitionsDefinition({"z": sg.StaticPartitionsDefinition(["1"]), "b": DAYS})

    @sg.asset(partitions_def=definition)
    def cut() -> int:
        return 1

    sg.materialize([cut], partition_key="tue|1", resources={"io_manager": Json(tmp_path)})
    assert (tmp_path / "cut" / "tue" / "1.json").exists()


def test_between_ops_it_is_run_step_and_output(tmp_path: Path) -> None:
    @sg.op
    def one() -> int:
        return 1

    @sg.op
    def two(given: int) -> int:
        return given + 1

    @sg.job(resource_defs={"io_manager": Json(tmp_path)})
    def both() -> None:
        two(one())

    result = both.execute_in_process()
    assert result.output_for_node("two") == 2
    assert (tmp_path / result.run_id / "one" / "result.json").exists()


def test_values_lie_on_other_file_systems_too() -> None:
    manager = Json("memory://values")
    assert sg.materialize([total], resources={"io_manager": manager}).success
    assert manager.fs.cat("/values/deep/total.json") == b"12"


def test_other_file_systems_need_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "upath", None)  # as where it is not installed
    with pytest.raises(sg.NotSupportedError, match=r"Install universal-pathlib.*segue\[paths\]"):
        Json("s3://bucket/folder")
    local = Json()
    assert local.storage_options == {}
    with pytest.raises(sg.InvariantViolationError, match="a local path, so it has no fsspec file system"):
        _ = local.fs


@pytest.mark.parametrize("config", [None, {"base_dir": "given"}])
@pytest.mark.parametrize(
    "manager", [sg.fs_io_manager, sg.FilesystemIOManager(), sg.FilesystemIOManager.configure_at_launch()]
)
def test_the_folder_of_the_default_one_stands_in_config(
    tmp_path: Path, manager: object, config: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_config = {"resources": {"io_manager": {"config": config}}} if config else None
    with sg.Instance.ephemeral() as instance:
        folder = Path("given") if config else Path(instance.storage_directory())
        sg.materialize([total, more], resources={"io_manager": manager}, run_config=run_config, instance=instance)
        assert (folder / "deep" / "total").exists()
    with pytest.raises(sg.InvalidConfigError, match="base"):
        sg.materialize(
            [total],
            resources={"io_manager": manager},
            run_config={"resources": {"io_manager": {"config": {"bas_dir": "x"}}}},
        )


def test_in_memory_as_a_definition() -> None:
    assert sg.materialize([total, more], resources={"io_manager": sg.mem_io_manager}).asset_value("more") == 13


def test_paths_that_outputs_name(tmp_path: Path) -> None:
    @sg.op(out=sg.Out(metadata={"path": "a/b"}))
    def one() -> int:
        return 1

    @sg.op
    def two(given: int) -> None:
        assert given == 1

    @sg.op
    def unnamed() -> int:
        return 1

    @sg.job(resource_defs={"io_manager": sg.custom_path_fs_io_manager})
    def both() -> None:
        two(one())

    @sg.job(resource_defs={"io_manager": sg.custom_path_fs_io_manager})
    def fails() -> None:
        unnamed()

    config = {"resources": {"io_manager": {"config": {"base_dir": str(tmp_path)}}}}
    both.execute_in_process(run_config=config)
    assert (tmp_path / "a" / "b").exists()
    with pytest.raises(sg.InvariantViolationError, match="'result' of 'unnamed' has no path"):
        fails.execute_in_process(run_config=config)


def test_files_are_handed_on_by_name(tmp_path: Path) -> None:
    seen: list[sg.LocalFileHandle] = []

    @sg.op(required_resource_keys={"files"})
    def writes(context: sg.OpExecutionContext) -> sg.LocalFileHandle:
        files = context.resources.files
        copied = files.write(io.BytesIO(b"copied"))
        assert files.read_data(copied) == b"copied"
        handle = files.write_data(b"hello", ext="txt")
        seen.append(handle)
        return handle

    @sg.op(required_resource_keys={"files"})
    def reads(context: sg.OpExecutionContext, file: sg.LocalFileHandle) -> str:
        with context.resources.files.read(file) as opened:
            assert opened.read() == b"hello"
        copy = context.resources.files.copy_handle_to_local_temp(file)
        assert Path(copy).read_bytes() == b"hello"
        return copy

    @sg.job(resource_defs={"files": sg.local_file_manager})
    def hands_on() -> None:
        reads(writes())

    result = hands_on.execute_in_process(
        run_config={"resources": {"files": {"config": {"base_dir": str(tmp_path / "files")}}}}
    )
    assert not Path(result.output_for_node("reads")).exists()
    [handle] = seen
    assert isinstance(handle, sg.FileHandle)
    assert handle.path == handle.path_desc
    assert Path(handle.path).parent == tmp_path / "files"
    assert handle.path.endswith(".txt")
    assert handle == sg.LocalFileHandle(handle.path)
    with sg.Instance.ephemeral() as instance:
        result = hands_on.execute_in_process(instance=instance)
        assert seen[-1].path.startswith(str(Path(instance.storage_directory(), "file_manager")))
