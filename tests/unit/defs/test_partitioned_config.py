"""Config of jobs by partition."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

import segue as sg
from segue.host.inprocess import execute_request


@sg.op(config_schema={"day": str})
def write(context: sg.OpExecutionContext) -> str:
    return context.op_config["day"]


def config_of(day: str) -> dict[str, Any]:
    return {"ops": {"write": {"config": {"day": day}}}}


@sg.daily_partitioned_config(start_date="2024-01-01", tags_for_partition_fn=lambda start, end: {"until": f"{end:%d}"})
def by_day(start: datetime, end: datetime) -> dict[str, Any]:
    return config_of(f"{start:%Y-%m-%d}")


def test_a_job_runs_with_the_config_of_its_partition() -> None:
    @sg.job(config=by_day)
    def nightly() -> None:
        write()

    assert nightly.partitions_def == sg.DailyPartitionsDefinition("2024-01-01")
    with sg.Instance.ephemeral() as instance:
        result = nightly.execute_in_process(partition_key="2024-01-03", instance=instance)
        assert result.output_for_node("write") == "2024-01-03"
        run = instance.get_runs()[0]
        assert (run.tags["until"], run.tags["dagster/partition"]) == ("04", "2024-01-03")
        assert run.run_config == config_of("2024-01-03")
        with pytest.raises(sg.UnknownPartitionError, match="2023-01-01"):
            nightly.execute_in_process(partition_key="2023-01-01", instance=instance)


def test_a_job_of_assets_runs_with_the_config_of_its_partition() -> None:
    @sg.asset(partitions_def=by_day.partitions_def, config_schema={"day": str})
    def rows(context: sg.AssetExecutionContext) -> str:
        return context.op_config["day"]

    @sg.daily_partitioned_config(start_date="2024-01-01", tags_for_partition_fn=lambda start, end: {"a": "b"})
    def of_rows(start: datetime, end: datetime) -> dict[str, Any]:
        return {"ops": {"rows": {"config": {"day": f"{start:%d}"}}}}

    everything = sg.define_asset_job("everything", [rows], config=of_rows)
    definitions = sg.Definitions(assets=[rows], jobs=[everything])
    with sg.Instance.ephemeral() as instance:
        run = execute_request(definitions, instance, sg.RunRequest(job_name="everything", partition_key="2024-01-05"))
        assert run.status is sg.RunStatus.SUCCESS
        assert run.run_config == {"ops": {"rows": {"config": {"day": "05"}}}}
        assert instance.get_runs()[0].tags["a"] == "b"


@pytest.mark.parametrize(
    ("decorator", "key", "start", "end"),
    [
        (sg.hourly_partitioned_config(datetime(2024, 1, 1), 15), "2024-01-01-01:15", (1, 1, 15), (1, 2, 15)),
        (sg.daily_partitioned_config("2024-01-01", 15, 3), "2024-01-02", (2, 3, 15), (3, 3, 15)),
        (sg.weekly_partitioned_config("2024-01-01", day_offset=1), "2024-01-08", (8, 0, 0), (15, 0, 0)),
        (sg.monthly_partitioned_config("2024-01-01", hour_offset=1, day_offset=3), "2024-01-03", (3, 1, 0), (3, 1, 0)),
    ],
)
def test_windows_of_time_come_as_start_and_end(
    decorator: Any, key: str, start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    @decorator
    def window(start: datetime, end: datetime) -> dict[str, Any]:
        return {"start": (start.day, start.hour, start.minute), "end": (end.day, end.hour, end.minute)}

    assert window.get_run_config_for_partition_key(key) == {"start": start, "end": end}
    moments = datetime(2024, 1, 1), datetime(2024, 1, 2)
    assert window(*moments) == {"start": (1, 0, 0), "end": (2, 0, 0)}
    assert window.get_partition_keys(datetime(2023, 1, 1, tzinfo=UTC)) == []


def test_keys_come_as_they_are() -> None:
    @sg.static_partitioned_config(["a", "b"], tags_for_partition_key_fn=lambda key: {"letter": key})
    def by_letter(key: str) -> sg.RunConfig:
        return sg.RunConfig(ops={"write": {"config": {"day": key}}})

    assert by_letter.get_run_config_for_partition_key("a")["ops"] == config_of("a")["ops"]
    assert by_letter.get_tags_for_partition_key("b") == {"letter": "b", "dagster/partition": "b"}

    @sg.dynamic_partitioned_config(lambda now: ["u", "v"], tags_for_partition_key_fn=lambda key: {"letter": key})
    def by_function(key: str) -> dict[str, Any]:
        return config_of(key)

    assert by_function.get_partition_keys() == ["u", "v"]
    assert by_function.get_tags_for_partition_key("u")["letter"] == "u"

    both = sg.MultiPartitionsDefinition(
        {"x": sg.StaticPartitionsDefinition(["1"]), "y": sg.StaticPartitionsDefinition(["2"])}
    )

    @sg.partitioned_config(both)
    def by_both(key: sg.MultiPartitionKey) -> dict[str, Any]:
        return config_of(key.keys_by_dimension["y"])

    assert by_both.get_run_config_for_partition_key("1|2") == config_of("2")


def test_superseded_functions_take_a_partition() -> None:
    letters = sg.StaticPartitionsDefinition(["a"])
    with pytest.warns(DeprecationWarning, match="partition_fn of PartitionedConfig is superseded") as warned:
        config = sg.PartitionedConfig(
            letters,
            run_config_for_partition_fn=lambda partition: config_of(partition.name),
            tags_for_partition_fn=lambda partition: {"value": partition.value},
        )
    assert len(warned) == 2
    assert config.get_run_config_for_partition_key("a") == config_of("a")
    assert config.get_tags_for_partition_key("a")["value"] == "a"
    with pytest.raises(sg.InvalidInvocationError, match="cannot be called"):
        config("a")
    assert sg.PartitionedConfig.from_flexible_config(config, letters) is config
    plain = sg.PartitionedConfig.from_flexible_config(config_of("z"), letters)
    assert plain.get_run_config_for_partition_key("a") == config_of("z")
    with pytest.raises(sg.InvalidDefinitionError, match="does not match that of the job"):
        sg.PartitionedConfig.from_flexible_config(config, sg.StaticPartitionsDefinition(["b"]))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"run_config_for_partition_fn": str, "run_config_for_partition_key_fn": str},
        {"run_config_for_partition_key_fn": str, "tags_for_partition_fn": str, "tags_for_partition_key_fn": str},
    ],
)
def test_one_function_is_given_for_each(arguments: dict[str, Any]) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=r"were provided; keep the first|and not both"):
        sg.PartitionedConfig(sg.StaticPartitionsDefinition(["a"]), **arguments)


def test_tags_may_be_missing_and_so_may_config() -> None:
    letters = sg.StaticPartitionsDefinition(["a"])
    config = sg.PartitionedConfig(
        letters, run_config_for_partition_key_fn=lambda _: {}, tags_for_partition_key_fn=lambda _: cast("Any", None)
    )
    assert config.get_tags_for_partition_key("a") == {"dagster/partition": "a"}
    assert sg.PartitionedConfig.from_flexible_config(None, letters).get_run_config_for_partition_key("a") == {}


def test_a_schedule_requests_the_partition_that_ended_with_its_config() -> None:
    @sg.job(config=by_day)
    def nightly() -> None:
        write()

    schedule = sg.build_schedule_from_partitioned_job(nightly)
    assert schedule.cron_schedule == "0 0 * * *"
    definitions = sg.Definitions(jobs=[nightly], schedules=[schedule])
    context = sg.build_schedule_context(
        scheduled_execution_time=datetime(2024, 1, 4, tzinfo=UTC), repository_def=definitions
    )
    (request,) = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == "2024-01-03"
    assert request.run_config == config_of("2024-01-03")
    assert request.tags["until"] == "04"
