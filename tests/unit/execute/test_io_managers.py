"""IO managers: what they are told, where the default one keeps values, and what happens when one raises."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import segue as sg

DAILY = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01")


def asset_of(value: Any, **arguments: Any) -> sg.AssetsDefinition:
    @sg.asset(**arguments)
    def made() -> Any:
        return value

    return made


def loaded(store: sg.IOManager, key: sg.AssetKey) -> Any:
    @sg.asset(ins={"value": sg.AssetIn(key)}, name="reader")
    def reader(value: Any) -> Any:
        return value

    assets = [sg.AssetSpec(key), reader]
    keep = {"io_manager": store, "other": sg.InMemoryIOManager()}
    return sg.materialize(assets, resources=keep, selection=[reader]).asset_value("reader")


@pytest.mark.parametrize("store", [sg.FilesystemIOManager(), sg.InMemoryIOManager()])
def test_a_value_that_is_not_there_is_named(store: sg.IOManager) -> None:
    with pytest.raises(sg.StepOutputNotFoundError, match=r"[Vv]alue of deep/x is") as caught:
        loaded(store, sg.AssetKey(["deep", "x"]))
    assert (caught.value.step_key, caught.value.output_name) == ("deep__x", "result")
    assert isinstance(caught.value, FileNotFoundError)

    @sg.asset
    def all_days(day: Any) -> None: ...

    day = asset_of(1, name="day", partitions_def=DAILY)
    with pytest.raises(sg.StepOutputNotFoundError, match="day, partition 2024-01-01"):
        sg.materialize([day, all_days], selection=[all_days], resources={"io_manager": store})


@sg.asset(partitions_def=DAILY)
def day(context: sg.AssetExecutionContext) -> str:
    return context.partition_key


@sg.asset(
    partitions_def=DAILY,
    ins={"before": sg.AssetIn("growing", partition_mapping=sg.TimeWindowPartitionMapping(-1, -1))},
)
def growing(before: list[int] | None, day: str) -> list[int]:
    return [*(before or []), int(day[-2:])]


@pytest.mark.parametrize("store", [sg.FilesystemIOManager(), sg.InMemoryIOManager()])
def test_an_asset_made_from_its_own_last_partition(store: sg.IOManager) -> None:
    with sg.Instance.ephemeral() as instance:
        for key in DAILY.get_partition_keys()[:3]:
            result = sg.materialize(
                [day, growing], partition_key=key, instance=instance, resources={"io_manager": store}
            )
    assert result.asset_value("growing") == [1, 2, 3]


def test_the_filesystem_takes_one_partition_at_a_time_and_memory_takes_a_range() -> None:
    tags = {"dagster/asset_partition_range_start": "2024-01-01", "dagster/asset_partition_range_end": "2024-01-03"}

    @sg.asset(partitions_def=DAILY)
    def days(context: sg.AssetExecutionContext) -> list[str]:
        return list(context.partition_keys)

    @sg.asset(partitions_def=DAILY)
    def reads(days: dict[str, list[str]]) -> int:
        return len(days)

    with pytest.raises(
        sg.InvariantViolationError, match="one partition at a time, but this run materializes 3 of days"
    ):
        sg.materialize([days], tags=tags)
    assert sg.materialize_to_memory([days, reads], tags=tags).asset_value("reads") == 3


class Recorder(sg.IOManager):
    """Notes what its contexts say."""

    def __init__(self) -> None:
        self.outputs: list[sg.OutputContext] = []
        self.inputs: list[sg.InputContext] = []
        self.values: list[object] = []

    def handle_output(self, context: sg.OutputContext, obj: Any) -> None:
        self.outputs.append(context)
        self.values.append(obj)
        context.add_output_metadata({"stored": len(self.values)})

    def load_input(self, context: sg.InputContext) -> Any:
        self.inputs.append(context)
        context.add_input_metadata({"loaded": True})
        return self.values[-1] if self.values else None


def test_what_an_io_manager_is_told() -> None:
    recorder = Recorder()

    @sg.multi_asset(outs={"one": sg.AssetOut(key_prefix="p", metadata={"m": 1}), "two": sg.AssetOut(key_prefix="p")})
    def pair() -> tuple[Any, int]:
        return sg.Output("first", metadata={"given": True}), 2

    @sg.asset(ins={"taken": sg.AssetIn(["p", "one"])})
    def after(taken: Any) -> None: ...

    result = sg.materialize([pair, after], resources={"io_manager": recorder})
    one, two = recorder.outputs
    assert recorder.values == ["first", 2]
    assert (one.asset_key, one.name, one.step_key, one.run_id) == (
        sg.AssetKey(["p", "one"]),
        "one",
        "pair",
        result.run_id,
    )
    assert one.job_name == "__ephemeral_asset_job__"
    assert (dict(one.definition_metadata), dict(one.output_metadata)) == (
        {"m": 1},
        {"given": sg.MetadataValue.bool(True)},
    )
    assert one.asset_spec.key == one.asset_key
    assert list(one.get_asset_identifier()) == ["p", "one"]
    assert list(one.get_identifier()) == [result.run_id, "pair", "one"]
    assert (one.has_asset_key, one.has_partition_key, one.has_asset_partitions) == (True, False, False)
    assert one.resources.io_manager is recorder
    assert dict(two.output_metadata) == {}
    [context] = recorder.inputs
    assert (context.name, context.asset_key) == ("taken", sg.AssetKey(["p", "one"]))
    assert context.upstream_output is not None
    assert (context.upstream_output.name, context.upstream_output.step_key) == ("one", "pair")
    for wrong in ("partition_key", "asset_partition_keys", "asset_partition_key_range", "asset_partitions_def"):
        with pytest.raises(sg.InvariantViolationError, match=r"Check has_(asset_partitions|partition_key) first"):
            getattr(context, wrong)
    [first, second] = result.asset_materializations_for_node("pair")
    assert first.metadata["stored"] == sg.MetadataValue.int(1)
    assert second.metadata["stored"] == sg.MetadataValue.int(2)
    loaded_events: list[Any] = [e.payload for e in result.all_events if e.event_type is sg.EventType.LOADED_INPUT]
    assert loaded_events[0].metadata == {"loaded": sg.MetadataValue.bool(True)}
    assert (loaded_events[0].upstream_step_key, loaded_events[0].upstream_output_name) == ("pair", "one")


def test_what_an_io_manager_is_told_of_an_asset_made_before() -> None:
    recorder = Recorder()

    @sg.multi_asset(outs={"one": sg.AssetOut(), "two": sg.AssetOut()})
    def pair() -> tuple[int, int]:
        return 1, 2

    @sg.asset
    def after(two: Any) -> None: ...

    sg.materialize([pair, after], selection=[after], resources={"io_manager": recorder})
    [context] = recorder.inputs
    assert context.upstream_output is not None
    assert (context.upstream_output.name, context.upstream_output.step_key) == ("two", "pair")


def test_what_an_io_manager_is_told_of_partitions() -> None:
    recorder = Recorder()

    @sg.asset(partitions_def=sg.WeeklyPartitionsDefinition("2024-01-01", end_date="2024-02-01"))
    def week(day: Any) -> int:
        return 1

    sg.materialize([day, week], partition_key="2024-01-07", selection=[week], resources={"io_manager": recorder})
    [output], [taken] = recorder.outputs, recorder.inputs
    assert (output.partition_key, output.asset_partition_key) == ("2024-01-07", "2024-01-07")
    assert list(output.get_asset_identifier()) == ["week", "2024-01-07"]
    assert output.asset_partitions_time_window == sg.TimeWindow(
        datetime(2024, 1, 7, tzinfo=UTC), datetime(2024, 1, 14, tzinfo=UTC)
    )
    assert list(taken.asset_partition_keys) == [f"2024-01-{number:02}" for number in range(7, 14)]
    assert taken.asset_partition_key_range == sg.PartitionKeyRange("2024-01-07", "2024-01-13")
    assert taken.asset_partitions_def == DAILY
    assert taken.partition_key == "2024-01-07"
    with pytest.raises(sg.InvariantViolationError, match=r"got 7\. Use asset_partition_keys"):
        _ = taken.asset_partition_key


def test_each_asset_and_each_input_may_name_its_own() -> None:
    default, special, reader = Recorder(), Recorder(), Recorder()

    @sg.asset(io_manager_key="special")
    def a() -> int:
        return 1

    @sg.asset
    def b(a: Any) -> int:
        return 2

    @sg.asset(ins={"b": sg.AssetIn(input_manager_key="reader")})
    def c(b: Any) -> int:
        return 3

    sg.materialize([a, b, c], resources={"io_manager": default, "special": special, "reader": reader})
    assert (special.values, [each.name for each in special.inputs]) == ([1], ["a"])
    assert (default.values, default.inputs) == ([2, 3], [])
    assert (reader.values, [each.name for each in reader.inputs]) == ([], ["b"])


class Raises(sg.IOManager):
    def __init__(self, when: str) -> None:
        self.when = when
        self.calls = 0

    def handle_output(self, context: sg.OutputContext, obj: Any) -> None:
        self.calls += 1
        if self.when == "store":
            raise OSError("disk full")

    def load_input(self, context: sg.InputContext) -> Any:
        raise OSError("gone")


def test_one_that_cannot_store_fails_the_step_and_nothing_counts_as_made() -> None:
    store = Raises("store")
    calls: list[int] = []

    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=1))
    def a() -> int:
        calls.append(1)
        return 1

    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([a], resources={"io_manager": store}, instance=instance, raise_on_error=False)
        assert not instance.has_asset_key(sg.AssetKey("a"))
    message = result.get_step_failure_events()[0].step_failure_data.raised.message
    assert message == (
        "OSError: disk full\nWhile the output 'result' of 'a' was stored (asset 'a') by the IO manager 'io_manager' (Raises)."
    )
    assert (store.calls, len(calls)) == (2, 2)
    assert result.get_asset_materialization_events() == []


def test_one_that_cannot_load_fails_the_step_that_takes() -> None:
    @sg.asset
    def a() -> int:
        return 1

    @sg.asset
    def b(a: int) -> int:
        raise AssertionError("never called")

    with pytest.raises(OSError, match="gone") as caught:
        sg.materialize([a, b], resources={"io_manager": Raises("load")})
    assert caught.value.__notes__ == [
        "While the input 'a' of 'b' was loaded (asset 'a') by the IO manager 'io_manager' (Raises)."
    ]


def test_all_in_memory_stores_nothing() -> None:
    @sg.asset(io_manager_key="warehouse")
    def a() -> Any:
        return lambda: 5

    @sg.asset
    def b(a: Any) -> int:
        return a()

    with sg.Instance.ephemeral() as instance:
        assert sg.materialize_to_memory([a, b], instance=instance).asset_value("b") == 5
        assert not Path(instance.storage_directory()).exists()
    with pytest.raises(sg.InvariantViolationError, match=r"resources\['warehouse'\] is an IO manager"):
        sg.materialize_to_memory([a], resources={"warehouse": sg.InMemoryIOManager()})


def test_values_in_memory_are_kept_by_run_step_and_output() -> None:
    @sg.asset
    def made() -> int:
        return 5

    @sg.asset(partitions_def=sg.StaticPartitionsDefinition(["a", "b"]))
    def parts() -> int:
        return 6

    manager = sg.InMemoryIOManager()
    for _ in range(2):  # the latest run takes the place of the one before
        sg.materialize([made], resources={"io_manager": manager})
    sg.materialize([parts], resources={"io_manager": manager}, partition_key="a")
    assert sorted((key[1:], value) for key, value in manager.values.items()) == [
        (("made", "result"), 5),
        (("parts", "result", "a"), 6),
    ]
