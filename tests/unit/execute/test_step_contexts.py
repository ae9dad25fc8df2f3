"""What a step's context says and does, in runs of one partition, of several, and of none."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

import segue as sg

DAILY = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01")
COLORS = sg.StaticPartitionsDefinition(["red", "green", "blue"])
RANGE = {"dagster/asset_partition_range_start": "2024-01-02", "dagster/asset_partition_range_end": "2024-01-04"}


class Limits(sg.Config):
    rows: int = 5


def test_a_context_knows_its_run_and_its_asset() -> None:
    seen: list[sg.AssetExecutionContext] = []

    @sg.asset(key_prefix="p")
    def table(context: sg.AssetExecutionContext, config: Limits) -> int:
        assert sg.AssetExecutionContext.get() is context
        seen.append(context)
        assert context.op_config == {"rows": 7}
        return config.rows

    config = {"ops": {"p__table": {"config": {"rows": 7}}}}
    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([table], config, instance, tags={"team": "a"})
        [context] = seen
        assert context.run.run_id == context.run_id == result.run_id
        assert context.instance is instance
        assert context.run_tags == {"team": "a"}
        assert context.run_config == config
        assert context.job_name == "__ephemeral_asset_job__"
    assert context.asset_key == sg.AssetKey(["p", "table"])
    assert context.selected_asset_keys == {sg.AssetKey(["p", "table"])}
    assert context.selected_output_names == {"result"}
    assert context.output_for_asset_key(sg.AssetKey(["p", "table"])) == "result"
    assert context.retry_number == 0
    assert (context.has_partition_key, context.has_partition_key_range) == (False, False)
    for name in ("partition_key", "partition_keys", "partition_key_range", "partition_time_window"):
        with pytest.raises(sg.InvariantViolationError, match="Ask has_partition_key"):
            getattr(context, name)
    with pytest.raises(sg.InvariantViolationError, match="does not make other"):
        context.output_for_asset_key(sg.AssetKey("other"))


def test_the_running_context_is_found_by_code_without_a_parameter() -> None:
    def deep() -> sg.AssetKey:
        return sg.AssetExecutionContext.get().asset_key

    @sg.asset
    def a() -> str:
        return deep().to_user_string()

    @sg.asset_check(asset=a)
    def c() -> bool:
        with pytest.raises(sg.InvariantViolationError, match="no AssetExecutionContext here"):
            sg.AssetExecutionContext.get()
        return sg.AssetCheckExecutionContext.get().check_specs[0].name == "c"

    result = sg.materialize([a, c])
    assert result.asset_value("a") == "a"
    assert result.get_asset_check_evaluations()[0].passed
    with pytest.raises(sg.InvariantViolationError, match="no such step is running"):
        sg.AssetExecutionContext.get()


def test_a_run_inside_a_step_has_its_own_context() -> None:
    @sg.asset
    def inner(context: sg.AssetExecutionContext) -> str:
        return context.run_id

    @sg.asset
    def outer(context: sg.AssetExecutionContext) -> bool:
        value = sg.materialize([inner]).asset_value("inner")
        return value != context.run_id and sg.AssetExecutionContext.get() is context

    assert sg.materialize([outer]).asset_value("outer") is True


def test_runs_in_two_threads_do_not_see_each_other() -> None:
    barrier = threading.Barrier(2, timeout=20)
    found: dict[str, str] = {}

    def run(name: str) -> None:
        @sg.asset(name=name)
        def function() -> None:
            barrier.wait()
            found[name] = sg.AssetExecutionContext.get().asset_key.to_user_string()

        sg.materialize([function])

    threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"a": "a", "b": "b"}


def test_a_run_of_one_partition() -> None:
    @sg.asset(partitions_def=DAILY)
    def day(context: sg.AssetExecutionContext) -> None:
        assert (context.has_partition_key, context.has_partition_key_range) == (True, True)
        assert context.partition_key == "2024-01-05"
        assert list(context.partition_keys) == ["2024-01-05"]
        assert context.partition_key_range == sg.PartitionKeyRange("2024-01-05", "2024-01-05")
        start, end = context.partition_time_window
        assert (start, end) == (datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 1, 6, tzinfo=UTC))

    assert sg.materialize([day], partition_key="2024-01-05").run.tags == {"dagster/partition": "2024-01-05"}
    assert sg.materialize([day], tags={"dagster/partition": "2024-01-05"}).success


def test_a_run_of_several_partitions() -> None:
    @sg.asset(partitions_def=DAILY)
    def day(context: sg.AssetExecutionContext) -> None:
        assert (context.has_partition_key, context.has_partition_key_range) == (False, True)
        assert list(context.partition_keys) == ["2024-01-02", "2024-01-03", "2024-01-04"]
        assert context.partition_key_range == sg.PartitionKeyRange("2024-01-02", "2024-01-04")
        assert context.partition_time_window.end == datetime(2024, 1, 5, tzinfo=UTC)
        with pytest.raises(sg.InvariantViolationError, match="use partition_keys"):
            _ = context.partition_key
        context.add_output_metadata({"all": 1})
        context.add_asset_metadata({"rows": 3}, partition_key="2024-01-03")
        with pytest.raises(sg.InvariantViolationError, match="does not make the partition '2024-01-05'"):
            context.add_asset_metadata({"rows": 3}, partition_key="2024-01-05")

    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([day], tags=RANGE, instance=instance)
        assert instance.get_materialized_partitions(sg.AssetKey("day")) == {"2024-01-02", "2024-01-03", "2024-01-04"}
    made = {each.partition: dict(each.metadata) for each in result.asset_materializations_for_node("day")}
    one, three = sg.MetadataValue.int(1), sg.MetadataValue.int(3)
    assert made == {"2024-01-02": {"all": one}, "2024-01-03": {"all": one, "rows": three}, "2024-01-04": {"all": one}}


def test_partitions_without_time_have_no_window() -> None:
    @sg.asset(partitions_def=COLORS)
    def color(context: sg.AssetExecutionContext) -> None:
        _ = context.partition_time_window

    with pytest.raises(sg.InvariantViolationError, match="no windows of time"):
        sg.materialize([color], partition_key="red")


@pytest.mark.parametrize("tag", ["dagster/asset_partition_range_start", "dagster/asset_partition_range_end"])
def test_half_a_range_is_refused(tag: str) -> None:
    @sg.asset(partitions_def=DAILY)
    def day() -> None: ...

    with pytest.raises(sg.InvalidInvocationError, match="go together"):
        sg.materialize([day], tags={tag: "2024-01-01"})


def test_partitions_behind_inputs() -> None:
    @sg.asset(partitions_def=DAILY)
    def day() -> int:
        return 1

    @sg.asset
    def plain() -> int:
        return 1

    @sg.asset(partitions_def=sg.WeeklyPartitionsDefinition("2024-01-01", end_date="2024-02-01"))
    def week(context: sg.AssetExecutionContext, day: Any, plain: int) -> None:
        assert list(context.asset_partition_keys_for_input("day")) == [f"2024-01-{n:02}" for n in range(7, 14)]
        assert context.asset_key_for_input("day") == sg.AssetKey("day")
        with pytest.raises(sg.InvariantViolationError, match="takes 7 partitions"):
            context.asset_partition_key_for_input("day")
        with pytest.raises(sg.InvariantViolationError, match="has no partitions"):
            context.asset_partition_keys_for_input("plain")

    memory = sg.InMemoryIOManager()
    for number in range(7, 14):
        sg.materialize([day], partition_key=f"2024-01-{number:02}", resources={"io_manager": memory})
    sg.materialize([plain], resources={"io_manager": memory})
    definitions = [day, plain, week]
    sg.materialize(definitions, partition_key="2024-01-07", selection=[week], resources={"io_manager": memory})


def test_metadata_added_on_the_way() -> None:
    @sg.multi_asset(outs={"one": sg.AssetOut(key_prefix="p"), "two": sg.AssetOut()})
    def pair(context: sg.AssetExecutionContext) -> Any:
        context.add_output_metadata({"a": 1, "b": 1}, output_name="one")
        context.add_asset_metadata({"b": 2}, asset_key=["p", "one"])
        assert context.get_output_metadata("one")["b"] == sg.MetadataValue.int(2)
        with pytest.raises(sg.InvariantViolationError, match="name one of"):
            context.add_output_metadata({"x": 1})
        with pytest.raises(sg.InvariantViolationError, match="no output 'three'; it has one, two"):
            context.add_output_metadata({"x": 1}, output_name="three")
        with pytest.raises(sg.InvariantViolationError, match="does not make three"):
            context.add_asset_metadata({"x": 1}, asset_key="three")
        yield sg.Output(1, "one", metadata={"a": 0, "c": 3})
        with pytest.raises(sg.InvariantViolationError, match="given already"):
            context.add_output_metadata({"x": 1}, output_name="one")
        yield sg.Output(2, "two")

    one, two = sg.materialize([pair]).asset_materializations_for_node("pair")
    kept = {name: value.value for name, value in one.metadata.items() if name != "path"}
    assert kept == {"a": 1, "b": 2, "c": 3}
    assert set(two.metadata) == {"path"}


def test_a_retry_starts_with_an_empty_slate() -> None:
    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=1))
    def a(context: sg.AssetExecutionContext) -> None:
        context.add_output_metadata({f"attempt {context.retry_number}": 1})
        if context.retry_number == 0:
            raise ValueError

    [made] = sg.materialize([a]).asset_materializations_for_node("a")
    assert list(made.metadata) == ["attempt 1"]


def test_a_check_knows_what_it_is_to_look_at() -> None:
    @sg.asset(partitions_def=COLORS)
    def color() -> int:
        return 3

    @sg.asset_check(asset=color, partitions_def=COLORS)
    def bright(context: sg.AssetCheckExecutionContext, color: int) -> sg.AssetCheckResult:
        assert context.selected_asset_check_keys == {sg.AssetCheckKey(sg.AssetKey("color"), "bright")}
        context.log.info("looking")
        return sg.AssetCheckResult(passed=color == 3, metadata={"partition": context.partition_key}, description="so")

    [found] = sg.materialize([color, bright], partition_key="red").get_asset_check_evaluations()
    assert (found.passed, found.partition, found.description) == (True, "red", "so")
    assert found.metadata == {"partition": sg.MetadataValue.text("red")}
