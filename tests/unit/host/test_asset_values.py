"""Stored values outside of runs: loaded by the IO managers that stored them, and moved to others."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import segue as sg

DAYS = sg.StaticPartitionsDefinition(["mon", "tue", "wed", "thu"])
TRACE: list[str] = []


@pytest.fixture(autouse=True)
def _empty_trace() -> None:
    TRACE.clear()


@pytest.fixture
def instance() -> Iterator[sg.Instance]:
    with sg.Instance.ephemeral() as made:
        yield made


@sg.asset(metadata={"unit": "eur"})
def total() -> int:
    return 7


@sg.asset(partitions_def=DAYS)
def day(context: sg.AssetExecutionContext) -> str:
    return f"value of {context.partition_key}"


class Told(sg.IOManager):
    """Says what it was told when it loads."""

    def __init__(self, config: Any) -> None:
        self.config = config

    def handle_output(self, context: sg.OutputContext, obj: Any) -> None:
        raise AssertionError

    def load_input(self, context: sg.InputContext) -> Any:
        assert not context.has_input_name
        output = context.upstream_output
        assert output is not None
        return {
            "type": context.dagster_type.display_name,
            "config": self.config,
            "resource_config": context.resource_config,
            "suffix": context.resources.suffix,
            "asset_metadata": dict(output.definition_metadata),
            "input_metadata": dict(context.definition_metadata),
            "place": list(output.get_identifier()),
        }


@sg.io_manager(config_schema={"name": sg.Field(str, default_value="none")}, required_resource_keys={"suffix"})
def told(context: sg.InitResourceContext) -> Generator[Told]:
    TRACE.append("+")
    yield Told(context.resource_config["name"])
    TRACE.append("-")


def test_the_io_manager_is_told_of_asset_type_and_config() -> None:
    defs = sg.Definitions([total], resources={"io_manager": told, "suffix": "s"})
    with defs.get_asset_value_loader() as loader:
        assert TRACE == []
        found = loader.load_asset_value("total", python_type=int, input_definition_metadata={"i": 1})
        loader.load_asset_value(["total"])
        assert TRACE == ["+"]
        config = {"io_manager": {"config": {"name": "given"}}}
        assert loader.load_asset_value("total", resource_config=config)["config"] == "given"
    assert TRACE == ["+", "+", "-", "-"]
    assert found == {
        "type": "Int",
        "config": "none",
        "resource_config": {"name": "none"},
        "suffix": "s",
        "asset_metadata": {"unit": "eur"},
        "input_metadata": {"i": 1},
        "place": ["__EPHEMERAL_RUN_ID", "total", "result"],
    }


def test_values_of_runs_are_loaded(instance: sg.Instance) -> None:
    defs = sg.Definitions([total, day])
    sg.materialize([total], instance=instance)
    for key in ("mon", "tue"):
        sg.materialize([day], instance=instance, partition_key=key)
    assert defs.load_asset_value("total", instance=instance) == 7
    assert defs.load_asset_value("day", instance=instance, partition_key="tue") == "value of tue"
    with sg.AssetValueLoader({total.key: total, day.key: day}, instance) as loader:
        several = loader.load_asset_value("day", partition_key_range=sg.PartitionKeyRange("mon", "tue"))
    assert several == {"mon": "value of mon", "tue": "value of tue"}
    with pytest.raises(sg.StepOutputNotFoundError, match="No value of day, partition wed is stored"):
        defs.load_asset_value("day", instance=instance, partition_key="wed")


WRONG: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("nobody", {}, sg.InvalidInvocationError, "no asset 'nobody'"),
    ("total", {"partition_key": "mon"}, sg.InvalidInvocationError, "total is not partitioned"),
    ("day", {"partition_key": "sun"}, sg.UnknownPartitionError, "sun"),
    (
        "day",
        {"partition_key": "mon", "partition_key_range": sg.PartitionKeyRange("mon", "tue")},
        sg.InvalidInvocationError,
        "keep one",
    ),
]


@pytest.mark.parametrize(("key", "arguments", "error", "words"), WRONG)
def test_what_cannot_be_loaded_is_refused(
    key: str, arguments: dict[str, Any], error: type[Exception], words: str, instance: sg.Instance
) -> None:
    with sg.Definitions([total, day]).get_asset_value_loader(instance) as loader, pytest.raises(error, match=words):
        loader.load_asset_value(key, **arguments)


class Kept(sg.IOManager):
    def __init__(self) -> None:
        self.stored: list[tuple[str, list[str], Any]] = []

    def handle_output(self, context: sg.OutputContext, obj: Any) -> Generator[Any]:
        keys = list(context.asset_partition_keys) if context.has_asset_partitions else []
        if keys == ["wed"]:
            raise OSError("no wednesdays")
        self.stored.append((context.asset_key.to_user_string(), keys, obj))
        yield {"stored": True}

    def load_input(self, context: sg.InputContext) -> Any:
        raise AssertionError


def made(instance: sg.Instance, *keys: str) -> sg.Definitions:
    sg.materialize([total], instance=instance)
    for key in keys:
        sg.materialize([day], instance=instance, partition_key=key)

    @sg.asset
    def never_made() -> None: ...

    return sg.Definitions([total, day, never_made])


def test_values_are_moved_to_another_io_manager(instance: sg.Instance, caplog: pytest.LogCaptureFixture) -> None:
    defs, kept = made(instance, "mon", "tue", "wed"), Kept()
    with caplog.at_level(logging.INFO):
        result = sg.migrate_io_storage(
            definitions=defs,
            destination_io_manager=kept,
            instance=instance,
            should_skip=lambda _key, partition: partition == "tue",
            transform=lambda value: [value],
        )
    assert kept.stored == [("day", ["mon"], ["value of mon"]), ("total", [], [7])]
    assert [(each.key.to_user_string(), each.size) for each in result.migrated] == [("day", 1), ("total", 1)]
    assert [each.expensively_compute_partition_keys() for each in result.skipped] == [{"tue"}]
    assert [each.expensively_compute_partition_keys() for each in result.failed] == [{"wed"}]
    assert "no wednesdays" in caplog.text
    assert "Moved 2, skipped 1, failed 1." in caplog.text
    assert caplog.messages[-1].startswith("Not moved: 1 of ")


def test_partitions_may_be_moved_together(instance: sg.Instance, tmp_path: Path) -> None:
    defs, kept = made(instance, "mon", "tue", "thu"), Kept()

    @sg.op
    def moves(context: sg.OpExecutionContext) -> None:
        sg.migrate_io_storage(
            definitions=defs, destination_io_manager=kept, context=context, selection=["day"], batch_partitions=True
        )

    @sg.job
    def moving() -> None:
        moves()

    moving.execute_in_process(instance=instance)
    assert kept.stored == [
        ("day", ["mon", "tue"], {"mon": "value of mon", "tue": "value of tue"}),
        ("day", ["thu"], "value of thu"),
    ]
    sg.migrate_io_storage(
        definitions=defs,
        destination_io_manager=sg.FilesystemIOManager(tmp_path),
        instance=instance,
        selection=["total"],
    )
    moved = sg.Definitions([total], resources={"io_manager": sg.FilesystemIOManager(tmp_path)})
    assert moved.load_asset_value("total") == 7


def test_moving_needs_to_know_what_there_is(instance: sg.Instance) -> None:
    with pytest.raises(sg.InvalidInvocationError, match="requires definitions="):
        sg.migrate_io_storage(destination_io_manager=Kept(), instance=instance)
