"""Where the IO manager for files keeps values: names, folders, what is refused, what other systems stored."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg

DAILY = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01")


def asset_of(value: Any, **arguments: Any) -> sg.AssetsDefinition:
    @sg.asset(**arguments)
    def made() -> Any:
        return value

    return made


def stored(store: sg.IOManager, key: sg.AssetKey, value: object) -> None:
    sg.materialize([asset_of(value, key=key)], resources={"io_manager": store})


def loaded(store: sg.IOManager, key: sg.AssetKey) -> Any:
    @sg.asset(ins={"value": sg.AssetIn(key)}, name="reader")
    def reader(value: Any) -> Any:
        return value

    assets = [sg.AssetSpec(key), reader]
    keep = {"io_manager": store, "other": sg.InMemoryIOManager()}
    return sg.materialize(assets, resources=keep, selection=[reader]).asset_value("reader")


ODD_NAMES = [
    *["..", ".", "...", "/", "/etc", "a b", "ü", "日本", "%2F..", "=", "a.pickle", "~", '*?<>|:\\"', "\n", "\0"],
    *["x" * 255, "x" * 256, "x" * 300, "x" * 301, "ü" * 200, "a", "é", "e\u0301", "my..backup"],
]


def test_values_under_odd_names_never_meet(tmp_path: Path) -> None:
    store = sg.FilesystemIOManager(tmp_path / "values")
    for number, name in enumerate(ODD_NAMES):
        stored(store, sg.AssetKey([name]), number)
        stored(store, sg.AssetKey(["deep", name, "x"]), -number)
    for number, name in enumerate(ODD_NAMES):
        assert loaded(store, sg.AssetKey([name])) == number
        assert loaded(store, sg.AssetKey(["deep", name, "x"])) == -number
    assert [path.name for path in tmp_path.iterdir()] == ["values"]
    assert not list(tmp_path.rglob("*.tmp"))


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=3))
def test_no_name_leads_out_of_the_folder(names: list[str]) -> None:
    path = sg.FilesystemIOManager("base")._path(names)
    assert os.path.normpath(path) == path
    assert path.startswith("base" + os.sep)
    assert "\0" not in path
    assert max(len(os.fsencode(part)) for part in path.split(os.sep)) <= 255


KEYS = sg.DynamicPartitionsDefinition(name="keys")


@pytest.mark.parametrize(
    ("key", "below"),
    [
        ("red", "red"),
        ("a/b", "a/b"),
        ("a//b/", "a/b"),
        ("/etc/passwd", "%2Fetc/passwd"),
        ("//x", "%2F/x"),
        ("/", "%2F"),
        ("../x", "%2E%2E/x"),
        ("a/../../x", "a/%2E%2E/%2E%2E/x"),
        ("..x", "..x"),
        (".", "%2E"),
    ],
)
def test_partitions_lie_below_their_asset(tmp_path: Path, key: str, below: str) -> None:
    made = asset_of(1, key=["deep", "p"], partitions_def=KEYS)
    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("keys", [key])
        store = {"io_manager": sg.FilesystemIOManager(tmp_path)}
        result = sg.materialize([made], partition_key=key, resources=store, instance=instance)
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [Path("deep", "p", *below.split("/"))]
    [event] = result.asset_materializations_for_node("deep__p")
    assert event.metadata["path"] == sg.MetadataValue.path(str(tmp_path / files[0]))


GRID = sg.MultiPartitionsDefinition(
    {"b": sg.StaticPartitionsDefinition(["1"]), "a": sg.StaticPartitionsDefinition(["x"])}
)


@pytest.mark.parametrize("place", ["x/1", "x|1"])
def test_pickles_of_another_system_are_read_in_place(tmp_path: Path, place: str) -> None:
    files = {"plain": [1], "deep/more": [2], "by_day/2024-01-02": [3], f"grid/{place}": [4]}
    for name, value in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(pickle.dumps(value, 5))

    @sg.asset(
        ins={
            "more": sg.AssetIn(["deep", "more"]),
            "by_day": sg.AssetIn(partition_mapping=sg.SpecificPartitionsPartitionMapping(["2024-01-02"])),
            "grid": sg.AssetIn(partition_mapping=sg.SpecificPartitionsPartitionMapping(["x|1"])),
        }
    )
    def total(plain: list[int], more: list[int], by_day: list[int], grid: list[int]) -> list[int]:
        return [*plain, *more, *by_day, *grid]

    elsewhere = [sg.AssetSpec("plain"), sg.AssetSpec(["deep", "more"])]
    elsewhere += [sg.AssetSpec("by_day", partitions_def=DAILY), sg.AssetSpec("grid", partitions_def=GRID)]
    store = {"io_manager": sg.FilesystemIOManager(tmp_path)}
    result = sg.materialize([*elsewhere, total], selection=[total], resources=store)
    assert result.asset_value("total") == [1, 2, 3, 4]
    assert pickle.loads((tmp_path / "total").read_bytes()) == [1, 2, 3, 4]  # and the other way round


@pytest.mark.parametrize("is_partition_first", [True, False])
def test_two_values_in_one_file_are_refused(tmp_path: Path, is_partition_first: bool) -> None:
    store = {"io_manager": sg.FilesystemIOManager(tmp_path)}
    colors = sg.StaticPartitionsDefinition(["red"])
    partition, whole = asset_of("partition", name="p", partitions_def=colors), asset_of("asset", key=["p", "red"])
    names = ['asset ["p"], partition "red"', 'asset ["p", "red"]']

    def store_partition() -> None:
        sg.materialize([partition], partition_key="red", resources=store)

    def store_whole() -> None:
        sg.materialize([whole], resources=store)

    first, second = (store_partition, store_whole) if is_partition_first else (store_whole, store_partition)
    first()
    there = names[0] if is_partition_first else names[1]
    with pytest.raises(sg.InvariantViolationError) as caught:
        second()
    assert f"must be stored in {tmp_path / 'p' / 'red'}, which already contains the value of {there}" in str(
        caught.value
    )
    first()  # again: its own value
    if is_partition_first:
        with pytest.raises(
            sg.InvariantViolationError,
            match=r"The value of p/red .*already contains the value of asset",
        ):
            loaded(sg.FilesystemIOManager(tmp_path), sg.AssetKey(["p", "red"]))


def test_a_file_where_a_folder_must_be_and_the_other_way_round_name_both(tmp_path: Path) -> None:
    store = sg.FilesystemIOManager(tmp_path)
    stored(store, sg.AssetKey("a"), 1)
    with pytest.raises(
        sg.InvariantViolationError,
        match=r"The value of a/b must be stored in the folder .* is a file with the value of asset",
    ):
        stored(store, sg.AssetKey(["a", "b"]), 2)
    stored(store, sg.AssetKey(["c", "d"]), 3)
    with pytest.raises(
        sg.InvariantViolationError,
        match=r'The value of c must be stored.*folder, which contains the value of asset \["c", "d"',
    ):
        stored(store, sg.AssetKey("c"), 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]
    assert (loaded(store, sg.AssetKey("a")), loaded(store, sg.AssetKey(["c", "d"]))) == (1, 3)


def test_an_asset_that_gets_partitions_keeps_its_value_from_before(tmp_path: Path) -> None:
    stored(sg.FilesystemIOManager(tmp_path), sg.AssetKey("a"), "before")
    parts = asset_of("part", name="a", partitions_def=sg.StaticPartitionsDefinition(["red"]))
    sg.materialize([parts], partition_key="red", resources={"io_manager": sg.FilesystemIOManager(tmp_path)})
    assert pickle.loads((tmp_path / "a" / "red").read_bytes()) == "part"
    assert pickle.loads((tmp_path / "a.without_partitions").read_bytes()) == "before"


def test_the_path_stands_on_the_materialization(tmp_path: Path) -> None:
    result = sg.materialize([asset_of(1, name="x")], resources={"io_manager": sg.FilesystemIOManager(tmp_path)})
    [made] = result.asset_materializations_for_node("x")
    assert made.metadata["path"] == sg.MetadataValue.path(str(tmp_path / "x"))


@pytest.mark.parametrize(
    ("stored", "expected"), [((), {}), (("a",), {"a": 1}), (("a", "b"), {"a": 1, "b": 1})], ids=str
)
def test_partitions_that_are_not_stored_may_be_left_out(
    tmp_path: Path, stored: tuple[str, ...], expected: dict[str, int]
) -> None:
    letters = sg.StaticPartitionsDefinition(["a", "b"])
    seen: list[object] = []

    @sg.asset(partitions_def=letters)
    def parts() -> int:
        return 1

    @sg.asset(ins={"parts": sg.AssetIn(metadata={"allow_missing_partitions": True})})
    def lenient(parts: dict[str, int]) -> None:
        seen.append(parts)

    @sg.asset(partitions_def=letters, ins={"parts": sg.AssetIn(metadata={"allow_missing_partitions": True})})
    def single(parts: Any) -> None:
        seen.append(parts)

    @sg.asset
    def strict(parts: dict[str, int]) -> None: ...

    def make(asset: sg.AssetsDefinition, partition_key: str | None = None) -> bool:
        resources = {"io_manager": sg.FilesystemIOManager(str(tmp_path))}
        made = sg.materialize(
            [parts, asset] if asset is not parts else [parts],
            selection=[asset],
            resources=resources,
            partition_key=partition_key,
            raise_on_error=False,
        )
        return made.success

    assert all(make(parts, key) for key in stored)
    assert make(lenient)
    assert make(single, "b")
    assert seen == [expected, expected.get("b")]
    assert make(strict) is (len(stored) == 2)


def test_none_is_stored_and_nothing_is_said_of_its_path(tmp_path: Path) -> None:
    result = sg.materialize([asset_of(None, name="x")], resources={"io_manager": sg.FilesystemIOManager(tmp_path)})
    [made] = result.asset_materializations_for_node("x")
    assert "path" not in made.metadata
    assert loaded(sg.FilesystemIOManager(tmp_path), sg.AssetKey("x")) is None


def test_values_between_ops_lie_by_run_step_and_output(tmp_path: Path) -> None:
    @sg.op(out={"left": sg.Out(), "right": sg.DynamicOut()})
    def both() -> Iterator[Any]:
        yield sg.Output(1, "left")
        yield sg.DynamicOutput(2, "k", "right")

    @sg.job(resource_defs={"io_manager": sg.FilesystemIOManager(tmp_path)})
    def work() -> None:
        both()

    result = work.execute_in_process()
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {f"{result.run_id}/both/left", f"{result.run_id}/both/right/k"}


def nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


class Breaks:
    """Cannot be pickled, and breaks off in the middle."""

    def __reduce__(self) -> Any:
        raise ValueError("half way")


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (lambda: None, sg.InvariantViolationError, "value of x .function. cannot be pickled.*io_manager_key"),
        (threading.Lock(), sg.InvariantViolationError, "value of x .lock. cannot be pickled"),
        (nested(), sg.InvariantViolationError, "value of x .list. cannot be pickled"),
        ([0, Breaks()], ValueError, "half way"),
    ],
)
def test_what_cannot_be_pickled_leaves_nothing(
    tmp_path: Path, value: object, error: type[Exception], words: str
) -> None:
    store = sg.FilesystemIOManager(tmp_path)
    with pytest.raises(error, match=words):
        stored(store, sg.AssetKey("x"), value)
    assert list(tmp_path.iterdir()) == []


def test_the_default_one_lies_in_the_instance() -> None:
    with sg.Instance.ephemeral() as instance:
        sg.materialize([asset_of(1, name="x")], instance=instance)
        folder = Path(instance.storage_directory())
        assert [path.name for path in folder.iterdir()] == ["x"]
    assert not folder.exists()


def test_a_folder_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEGUE_TEST_VALUES", str(tmp_path))
    stored(sg.FilesystemIOManager(sg.EnvVar("SEGUE_TEST_VALUES")), sg.AssetKey("x"), 1)
    assert (tmp_path / "x").exists()
