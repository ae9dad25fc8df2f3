"""Arguments of schedules, sensors, filters and policies that are refused at once, and the kind of error that says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import segue as sg
from segue.errors import WrongTypeError

HOUR = timedelta(hours=1)


@sg.job
def nightly() -> None: ...


def schedule(**arguments: Any) -> sg.ScheduleDefinition:
    return sg.ScheduleDefinition(**{"name": "s", "cron_schedule": "0 0 * * *", "job": nightly, **arguments})


def sensor(**arguments: Any) -> sg.SensorDefinition:
    return sg.SensorDefinition(name="s", job=nightly, evaluation_fn=lambda context: None, **arguments)


def materializations(**arguments: Any) -> sg.EventRecordsFilter:
    return sg.EventRecordsFilter(sg.EventType.ASSET_MATERIALIZATION, **arguments)


def config_by_partition(**arguments: Any) -> sg.PartitionedConfig[Any]:
    return sg.PartitionedConfig(sg.StaticPartitionsDefinition(["a"]), **arguments)


WRONG: dict[str, Callable[[], object]] = {
    "tags of a schedule": lambda: schedule(tags="x"),
    "keys of tags": lambda: schedule(tags={1: "x"}),
    "time zone of a schedule": lambda: schedule(execution_timezone=5),
    "resources of a schedule": lambda: schedule(required_resource_keys="db"),
    "description of a schedule": lambda: schedule(description=5),
    "tags of a sensor": lambda: sensor(tags=5),
    "resources of a sensor": lambda: sensor(required_resource_keys=5),
    "description of a sensor": lambda: sensor(description=5),
    "resources of a hook": lambda: sg.success_hook(required_resource_keys="db")(lambda context: None),
    "run_status": lambda: sg.run_status_sensor(name="s", run_status=["SUCCESS"])(lambda context: None),  # type: ignore[arg-type]
    "monitored_jobs": lambda: sg.run_failure_sensor(name="s", monitored_jobs=5)(lambda context: None),  # type: ignore[call-overload]
    "cron schedule of a policy": lambda: sg.FreshnessPolicy.cron("every day", HOUR),
    "time zone of a policy": lambda: sg.FreshnessPolicy.cron("0 0 * * *", HOUR, timezone="Nowhere"),
    "span of a policy": lambda: sg.FreshnessPolicy.cron("0 0 * * *", 30 * HOUR),
    "asset_key of a filter": lambda: materializations(asset_key="orders"),
    "partitions of a filter": lambda: materializations(asset_partitions="a"),
    "cursor of a filter": lambda: materializations(after_cursor="5"),
    "time of a filter": lambda: materializations(after_timestamp="noon"),
    "storage_ids of a filter": lambda: materializations(storage_ids=["x"]),
    "ops of a run config": lambda: sg.RunConfig(ops="x"),  # type: ignore[arg-type]
    "no config by partition": config_by_partition,
    "config by partition": lambda: config_by_partition(run_config_for_partition_key_fn="x"),
    "key_prefix of an AssetIn": lambda: sg.AssetIn(key_prefix=5),  # type: ignore[arg-type]
    "is_required": lambda: sg.AssetOut(is_required="no"),  # type: ignore[arg-type]
    "keys of tags of an asset": lambda: sg.AssetSpec("a", tags={1: "x"}),  # type: ignore[dict-item]
    "kinds to merge": lambda: sg.AssetSpec("a").merge_attributes(kinds=5),  # type: ignore[arg-type]
    "deps to merge": lambda: sg.AssetSpec("a").merge_attributes(deps="x"),
}


@pytest.mark.parametrize("declare", WRONG.values(), ids=WRONG)
def test_an_argument_of_a_wrong_type_is_refused_at_once(declare: Callable[[], object]) -> None:
    with pytest.raises(WrongTypeError):
        declare()


def test_utc_may_be_written_in_small_letters_and_no_zone_as_an_empty_string() -> None:
    assert schedule(execution_timezone="utc").execution_timezone == "utc"
    assert schedule(execution_timezone="").execution_timezone is None


def test_an_executor_may_have_any_name() -> None:
    assert sg.executor(name="my-pods")(lambda context: None).name == "my-pods"
