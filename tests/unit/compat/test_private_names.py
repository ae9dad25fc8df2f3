"""What projects take from below the top of Dagster does here what it does there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

import segue as sg
from segue.compat import small_functions
from segue.compat.annotations import beta, experimental, is_public, preview, public
from segue.compat.backoff import backoff
from segue.compat.cached_method import cached_method
from segue.compat.metadata_sets import CodeReferencesMetadataSet, TableMetadataSet
from segue.compat.type_names import get_retries_config, get_tag_concurrency_limits_config


def test_every_private_name_of_the_table_can_be_imported() -> None:
    code = """
from segue.compat import hook
from segue.compat.names import PRIVATE_NAMES
hook.install()
for path in PRIVATE_NAMES:
    module, _, name = path.rpartition(".")
    exec(f"from {module} import {name} as found", space := {})
    assert type(space["found"]).__name__ != "_Stand", path
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_backoff_calls_again_after_the_exceptions_that_are_named() -> None:
    calls: list[tuple[int, int]] = []

    def flaky(number: int, *, times: int) -> int:
        calls.append((number, times))
        if len(calls) < times:
            raise ConnectionError
        return number

    delays = iter([0.0, 0.0, 0.0])
    assert backoff(flaky, (ConnectionError,), args=[7], kwargs={"times": 3}, delay_generator=delays) == 7
    assert (len(calls), list(delays)) == (3, [0.0])
    calls.clear()
    with pytest.raises(ConnectionError):
        backoff(
            flaky, (ConnectionError,), args=[7], kwargs={"times": 9}, max_retries=2, delay_generator=iter([0.0] * 9)
        )
    assert len(calls) == 3
    calls.clear()
    with pytest.raises(ConnectionError):
        backoff(flaky, (KeyError,), args=[7], kwargs={"times": 9})
    assert len(calls) == 1


def test_a_cached_method_is_called_once_for_each_object_and_arguments() -> None:
    class Client:
        def __init__(self) -> None:
            self.asked: list[tuple[str, int]] = []

        @cached_method
        def ask(self, what: str, times: int = 1) -> str:
            self.asked.append((what, times))
            return what * times

        @cached_method
        async def wait(self, what: str) -> str:
            self.asked.append((what, 0))
            return what

    one, other = Client(), Client()
    assert [one.ask("a", 2), one.ask(times=2, what="a"), one.ask("a", times=2), one.ask("a")] == ["aa", "aa", "aa", "a"]
    assert one.asked == [("a", 2), ("a", 1)]
    assert other.ask("a", 2) == "aa"
    assert other.asked == [("a", 2)]

    async def twice() -> tuple[str, str]:
        return await other.wait("x"), await other.wait(what="x")

    assert asyncio.run(twice()) == ("x", "x")
    assert other.asked == [("a", 2), ("x", 0)]


def test_environment_variables_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.delenv("NEW", raising=False)

    def seen() -> list[str | None]:
        return [os.environ.get(name) for name in ("KEPT", "NEW")]

    with small_functions.environ({"KEPT": None, "NEW": "x"}):
        assert seen() == [None, "x"]
    assert seen() == ["before", None]
    assert small_functions.parse_env_var("KEPT") == ("KEPT", "before")
    assert small_functions.parse_env_var("A=b=c") == ("A", "b=c")
    with pytest.raises(ValueError, match="The environment variable 'NEW' is not set"):
        small_functions.parse_env_var("NEW")


def test_files_and_folders(tmp_path: Path) -> None:
    deep = str(tmp_path / "a" / "b")
    assert (small_functions.mkdir_p(deep), small_functions.mkdir_p(deep)) == (deep, None)
    with small_functions.safe_tempfile_path() as path:
        assert not os.path.exists(path)
        Path(path).write_text("x")
    assert not os.path.exists(os.path.dirname(path))
    assert os.path.isdir(small_functions.get_system_temp_directory())
    (tmp_path / "a.yaml").write_text("a: [1, 2]\n")
    assert small_functions.load_yaml_from_path(str(tmp_path / "a.yaml")) == {"a": [1, 2]}


def test_small_values() -> None:
    assert small_functions.merge_dicts({"a": 1, "b": 1}, {"b": 2}, {}) == {"a": 1, "b": 2}
    assert small_functions.get_current_datetime().utcoffset() is not None
    assert sg.AssetSpec("a", tags=small_functions.build_kind_tag("duckdb")).kinds == {"duckdb"}


def test_an_error_is_recorded_as_events_record_it() -> None:
    try:
        raise ValueError("no") from KeyError("deep")
    except ValueError:
        info = small_functions.serializable_error_info_from_exc_info(sys.exc_info())
    assert (info.cls_name, info.message.strip()) == ("ValueError", "ValueError: no")
    assert info.cause is not None
    assert info.cause.cls_name == "KeyError"
    with pytest.raises(ValueError, match="contains no exception"):
        small_functions.serializable_error_info_from_exc_info((None, None, None))


def test_marks_leave_what_they_mark_as_it_is() -> None:
    class Thing:
        @public
        def shown(self) -> int:
            return 1

        @public
        @property
        def seen(self) -> int:
            return 2

        @beta
        def early(self) -> int:
            return 3

        @preview(additional_warn_text="soon")
        def earlier(self) -> int:
            return 4

        @experimental
        def old(self) -> int:
            return 5

    thing = Thing()
    assert [thing.shown(), thing.seen, thing.early(), thing.earlier(), thing.old()] == [1, 2, 3, 4, 5]
    assert [is_public(each) for each in (Thing.shown, Thing.seen, Thing.early)] == [True, True, False]


def test_metadata_of_a_table_is_a_mapping_of_entries() -> None:
    schema = sg.TableSchema([sg.TableColumn("a", "int")])
    made = TableMetadataSet(column_schema=schema, row_count=3, table_name="shop.orders")
    spec = sg.AssetSpec("orders", metadata={**made, "own": 1})
    assert set(spec.metadata) == {"dagster/column_schema", "dagster/row_count", "dagster/table_name", "own"}
    assert TableMetadataSet.extract(spec.metadata) == made
    materialized = sg.AssetMaterialization("orders", metadata={**made})  # as metadata values
    assert TableMetadataSet.extract(materialized.metadata) == made
    assert TableMetadataSet.extract({"dagster/relation_identifier": "old"}).table_name == "old"
    with pytest.raises(KeyError):
        made["dagster/partition_row_count"]
    lines = [sg.LocalFileCodeReference(file_path="a.py", line_number=3)]
    references = sg.CodeReferencesMetadataValue(code_references=[*lines])
    found = CodeReferencesMetadataSet.extract({**CodeReferencesMetadataSet(code_references=references)})
    assert found.code_references == references


def test_the_entries_of_an_executors_config_are_those_of_the_built_in_ones() -> None:
    @sg.executor(
        config_schema={"retries": get_retries_config(), "tag_concurrency_limits": get_tag_concurrency_limits_config()}
    )
    def mine(context: sg.InitExecutorContext) -> sg.Executor:
        raise NotImplementedError

    @sg.job(executor_def=mine)
    def empty() -> None:
        pass

    def config(**entries: object) -> dict[str, object]:
        return {"execution": {"config": entries}}

    limits = [{"key": "team", "limit": 2, "value": "a"}]
    assert sg.validate_run_config(empty, config(retries={"disabled": {}}, tag_concurrency_limits=limits))
    assert sg.validate_run_config(empty, config())
    with pytest.raises(sg.InvalidConfigError):
        sg.validate_run_config(empty, config(retries={"sometimes": {}}))
    with pytest.raises(sg.InvalidConfigError):
        sg.validate_run_config(empty, config(tag_concurrency_limits=[{"key": "team"}]))
