"""Checks that need no function: of age, columns, numbers in metadata and row counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import segue as sg
from segue.defs.check_factories.freshness import Deadlines, judge_partition, judge_update, partition_due
from segue.model.cron_times import next_fire

pytestmark = pytest.mark.filterwarnings("ignore::segue.SupersessionWarning")

ORDERS = sg.AssetKey("orders")
NOW = datetime(2024, 5, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UPDATED = "dagster/last_updated_timestamp"


def results(
    instance: sg.Instance, checks: Any, assets: Any = (), **more: Any
) -> dict[str, tuple[bool, str | None, dict[str, object]]]:
    """Runs checks alone."""
    run = sg.materialize([*assets, *checks], selection=sg.AssetSelection.checks(*checks), instance=instance, **more)
    return {
        each.asset_check_key.to_user_string(): (
            each.passed,
            each.description,
            {name: value.value for name, value in each.metadata.items()},
        )
        for each in run.get_asset_check_evaluations()
    }


def made(instance: sg.Instance, asset: str = "orders", partition: str | None = None, **metadata: object) -> None:
    given = {name.replace("__", "/"): value for name, value in metadata.items()}
    instance.report_runless_asset_event(sg.AssetMaterialization(asset, metadata=given, partition=partition))


def ago(span: timedelta) -> sg.TimestampMetadataValue:
    return sg.MetadataValue.timestamp((datetime.now(UTC) - span).timestamp())


@pytest.mark.parametrize(
    ("deadlines", "updated", "passed", "says", "metadata"),
    [
        (Deadlines(None, "UTC", HOUR), None, False, "The asset has no recorded update.", {}),
        (
            Deadlines(None, "UTC", HOUR),
            NOW - HOUR,
            True,
            "Fresh. Updated 1 hour ago",
            {"fresh_until_timestamp": NOW, "freshness_lower_bound_timestamp": NOW - HOUR},
        ),
        (
            Deadlines(None, "UTC", HOUR),
            NOW - HOUR - timedelta(seconds=1),
            False,
            "Overdue. Updated 1 hour, 1 second ago; the maximum is 1 hour.",
            {"last_updated_timestamp": NOW - HOUR - timedelta(seconds=1)},
        ),
        (
            Deadlines("0 9 * * *", "UTC", HOUR),
            NOW.replace(hour=8),
            True,
            "Fresh",
            {
                "latest_cron_tick_timestamp": NOW.replace(hour=9),
                "freshness_lower_bound_timestamp": NOW.replace(hour=8),
                "fresh_until_timestamp": NOW.replace(hour=9) + timedelta(days=1),
            },
        ),
        (Deadlines("0 9 * * *", "UTC", HOUR), NOW.replace(hour=7), False, "Overdue", {}),
        (Deadlines("0 9 * * *", "UTC", HOUR), NOW.replace(hour=11), True, "Fresh", {}),
    ],
)
def test_the_age_of_an_update(
    deadlines: Deadlines, updated: datetime | None, passed: bool, says: str, metadata: dict[str, datetime]
) -> None:
    found = judge_update(deadlines, None if updated is None else updated.timestamp(), NOW)
    assert found.passed is passed
    assert says in found.description
    shown = {name.removeprefix("dagster/"): value.value for name, value in found.metadata.items()}
    assert {name: shown[name] for name in metadata} == {name: each.timestamp() for name, each in metadata.items()}
    assert ("fresh_until_timestamp" in shown) is passed


@pytest.mark.parametrize(
    ("day", "last", "following"),
    [
        (datetime(2024, 3, 31), datetime(2024, 3, 31, 1, 30, tzinfo=UTC), datetime(2024, 4, 1, 1, 30, tzinfo=UTC)),
        (datetime(2024, 10, 27), datetime(2024, 10, 27, 2, 30, tzinfo=UTC), datetime(2024, 10, 28, 2, 30, tzinfo=UTC)),
    ],
)
def test_deadlines_keep_to_the_clock_where_clocks_change(day: datetime, last: datetime, following: datetime) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    noon = day.replace(hour=12, tzinfo=berlin)
    found = judge_update(Deadlines("30 3 * * *", "Europe/Berlin", 2 * HOUR), last.timestamp() - 7200, noon)
    assert found.passed
    assert found.metadata["dagster/latest_cron_tick_timestamp"].value == last.timestamp()
    assert found.metadata["dagster/fresh_until_timestamp"].value == following.timestamp()


@pytest.mark.parametrize(
    ("line", "zone", "after", "following"),
    [
        ("30 2 * * *", "Europe/Berlin", datetime(2024, 3, 30, 12, tzinfo=UTC), datetime(2024, 3, 31, 1, tzinfo=UTC)),
        ("0 0 29 2 *", "UTC", datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)),
        ("* * * * *", "UTC", datetime(2024, 1, 1, 0, 0, tzinfo=UTC), datetime(2024, 1, 1, 0, 1, tzinfo=UTC)),
        ("0 * * * *", "Europe/Berlin", datetime(2024, 10, 27, 0, 0, tzinfo=UTC), datetime(2024, 10, 27, 1, tzinfo=UTC)),
    ],
)
def test_when_a_cron_line_fires_next(line: str, zone: str, after: datetime, following: datetime) -> None:
    found = next_fire(line, zone, after)
    assert found is not None
    assert found.timestamp() == following.timestamp()


def test_the_partition_that_is_due() -> None:
    daily = sg.DailyPartitionsDefinition("2024-05-10", timezone="America/Chicago")
    deadlines = Deadlines("0 9 * * *", "America/Chicago")
    chicago = ZoneInfo("America/Chicago")
    before = datetime(2024, 5, 14, 8, 59, tzinfo=chicago)
    assert partition_due(deadlines, daily, before) == "2024-05-12"
    assert partition_due(deadlines, daily, before + timedelta(minutes=1)) == "2024-05-13"
    assert partition_due(deadlines, daily, datetime(2024, 5, 10, 12, tzinfo=chicago)) is None
    found = judge_partition(deadlines, "2024-05-13", False, False, NOW)
    assert (found.passed, found.description.split(".")[0]) == (
        False,
        "The asset has never been materialized or observed",
    )
    found = judge_partition(deadlines, "2024-05-13", True, False, NOW)
    assert (found.passed, found.description) == (
        False,
        "Overdue. Partition 2024-05-13 has not been materialized or observed.",
    )
    assert judge_partition(deadlines, "2024-05-13", True, True, NOW).passed
    assert judge_partition(deadlines, None, False, False, NOW).passed


def test_updates_are_materializations_or_what_they_and_observations_say() -> None:
    [check] = sg.build_last_update_freshness_checks(assets=["orders"], lower_bound_delta=HOUR)

    def passed() -> bool:
        return results(instance, [check])["orders:freshness_check"][0]

    with sg.Instance.ephemeral() as instance:
        assert not passed()
        made(instance, dagster__last_updated_timestamp=ago(2 * HOUR))
        assert not passed()
        for metadata in ({UPDATED: ago(HOUR / 2)}, {}):
            instance.report_runless_asset_event(sg.AssetObservation("orders", metadata=metadata))
            assert passed()
        instance.wipe_assets([ORDERS])
        assert not passed()
        made(instance)
        assert passed()


def test_partitions_are_looked_for_in_the_store() -> None:
    @sg.asset(partitions_def=sg.DailyPartitionsDefinition("2024-01-01"))
    def daily() -> None: ...

    @sg.asset
    def plain() -> None: ...

    checks = sg.build_time_partition_freshness_checks(assets=[daily], deadline_cron="0 0 * * *")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d")
    with sg.Instance.ephemeral() as instance:
        assert results(instance, checks, [daily])["daily:freshness_check"][0] is False
        made(instance, "daily", "2024-01-01")
        assert "Overdue" in str(results(instance, checks, [daily])["daily:freshness_check"][1])
        made(instance, "daily", yesterday)
        passed, _, metadata = results(instance, checks, [daily])["daily:freshness_check"]
        assert passed
        assert metadata["dagster/freshness_params"] == {"timezone": "UTC", "deadline_cron": "0 0 * * *"}
        others = sg.build_time_partition_freshness_checks(assets=[plain], deadline_cron="0 0 * * *")
        with pytest.raises(sg.InvariantViolationError, match="'plain' is not time-partitioned"):
            results(instance, others, [plain])


def test_one_step_holds_the_checks_of_all_assets() -> None:
    @sg.multi_asset(outs={"a": sg.AssetOut(), "b": sg.AssetOut()})
    def both() -> None: ...

    [check] = sg.build_last_update_freshness_checks(assets=[both, "c"], lower_bound_delta=HOUR, blocking=True)
    assert [spec.asset_key.to_user_string() for spec in check.check_specs] == ["a", "b", "c"]
    assert all(spec.blocking for spec in check.check_specs)
    params = {"timezone": "UTC", "lower_bound_delta_seconds": 3600}
    assert check.check_specs[0].metadata == {"dagster/freshness_params": sg.MetadataValue.json(params)}
    [turned] = sg.build_last_update_freshness_checks(assets=["c", "b", "a"], lower_bound_delta=HOUR)
    [other] = sg.build_last_update_freshness_checks(assets=["c"], lower_bound_delta=HOUR)
    assert check.op.name == turned.op.name != other.op.name


with pytest.warns(sg.SupersessionWarning, match="FreshnessPolicy"):
    DAY_CHECKS = sg.build_last_update_freshness_checks(assets=["orders"], lower_bound_delta=HOUR)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda: sg.build_last_update_freshness_checks(assets=["a", sg.AssetSpec("a")], lower_bound_delta=HOUR),
            "duplicate assets: a",
        ),
        (lambda: sg.build_last_update_freshness_checks(assets="a", lower_bound_delta=HOUR), "assets must be a list"),
        (
            lambda: sg.build_last_update_freshness_checks(assets=["a"], lower_bound_delta=10),
            "must be a timedelta, got 10",
        ),
        (
            lambda: sg.build_last_update_freshness_checks(assets=["a"], lower_bound_delta=HOUR, deadline_cron="now"),
            "Invalid cron string",
        ),
        (lambda: sg.build_time_partition_freshness_checks(assets=["a"], deadline_cron="no"), "Invalid cron string"),
        (
            lambda: sg.build_time_partition_freshness_checks(assets=["a"], deadline_cron="0 0 * * *", timezone="Mars"),
            "Invalid IANA timezone",
        ),
        (lambda: sg.build_column_schema_change_checks(assets=["a"], severity="WARN"), "severity must be"),
        (
            lambda: sg.build_metadata_bounds_checks(assets=["a"], metadata_key="n", min_value=2, max_value=1),
            "min_value 2 is greater than max_value 1",
        ),
        (lambda: sg.build_metadata_bounds_checks(assets=["a"], metadata_key="n"), "no bound was provided"),
        (lambda: sg.build_metadata_bounds_checks(assets=["a"], metadata_key="n", min_value="1"), "must be a number"),
        (lambda: sg.build_metadata_bounds_checks(assets=["a"], metadata_key="", min_value=1), "metadata_key must be"),
        (lambda: sg.build_row_count_checks(assets=["a"]), "no limit was provided"),
        (
            lambda: sg.build_row_count_checks(assets=["a"], max_decrease=-1),
            "max_decrease must be a number of at least 0",
        ),
        (
            lambda: sg.build_sensor_for_freshness_checks(freshness_checks=[*DAY_CHECKS, *DAY_CHECKS]),
            "duplicate checks: orders:freshness_check",
        ),
        (
            lambda: sg.build_sensor_for_freshness_checks(freshness_checks=DAY_CHECKS, minimum_interval_seconds=0),
            "must be 1 or more",
        ),
        (lambda: sg.build_sensor_for_freshness_checks(freshness_checks=["a"]), "must be a list of asset checks"),
    ],
)
def test_what_cannot_be_checked(build: Any, says: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=says):
        build()


def schema(**columns: str) -> dict[str, object]:
    return {"dagster__column_schema": sg.TableSchema.from_name_type_dict(columns)}


@pytest.mark.parametrize(
    ("old", "new", "passed", "says"),
    [
        ({}, {}, False, ["The last materialization has no column schema"]),
        (schema(a="int"), {}, False, ["The last materialization has no column schema"]),
        ({}, schema(a="int"), False, ["The previous materialization has no column schema"]),
        (schema(a="int", b="text"), schema(b="text", a="int"), True, ["Columns have not changed"]),
        (schema(a="int"), schema(a="int", c="x", b="x"), False, ["Columns changed", "Added: c, b"]),
        (schema(a="int", b="x"), schema(a="int"), False, ["Removed: b"]),
        (schema(a="int"), schema(a="text"), False, ["Other types:", "a: int -> text"]),
    ],
)
def test_columns_that_changed(old: dict[str, Any], new: dict[str, Any], passed: bool, says: list[str]) -> None:
    checks = sg.build_column_schema_change_checks(assets=["orders"])
    with sg.Instance.ephemeral() as instance:
        made(instance, **old)
        assert results(instance, checks)["orders:column_schema_change"][:2] == (
            True,
            "Nothing to compare: fewer than two materializations",
        )
        made(instance, **new)
        found = results(instance, checks)["orders:column_schema_change"]
    assert found[0] is passed
    assert all(text in str(found[1]) for text in says)


@pytest.mark.parametrize(
    ("bounds", "value", "description"),
    [
        ({"min_value": 1, "max_value": 10}, 1, None),
        ({"min_value": 1, "max_value": 10}, 10, None),
        ({"min_value": 1, "max_value": 10}, 0, "0 is below 1"),
        ({"min_value": 1, "max_value": 10}, 11.5, "11.5 is above 10"),
        ({"min_value": 1, "exclusive_min": True}, 1, "1 is not above 1"),
        ({"max_value": 1, "exclusive_max": True}, 1, "1 is not below 1"),
        ({"max_value": 1}, "few", "few is not a number"),
        ({"max_value": 1}, True, "True is not a number"),
        ({"max_value": 1}, float("nan"), "nan is not a number"),
    ],
)
def test_numbers_in_metadata(bounds: dict[str, Any], value: object, description: str | None) -> None:
    checks = sg.build_metadata_bounds_checks(assets=["orders"], metadata_key="my/n", **bounds)
    with sg.Instance.ephemeral() as instance:
        assert results(instance, checks)["orders:my_n_bounds_check"][1] == "The asset has never been materialized."
        made(instance)
        assert (
            results(instance, checks)["orders:my_n_bounds_check"][1]
            == "The last materialization has no metadata `my/n`."
        )
        made(instance, my__n=value)
        found = results(instance, checks)["orders:my_n_bounds_check"]
    assert found[:2] == (description is None, description or f"{value} is within the bounds")


def test_bounds_say_what_they_ask() -> None:
    [check] = sg.build_metadata_bounds_checks(
        assets=["orders"], metadata_key="n", min_value=1, max_value=10, exclusive_max=True
    )
    assert check.check_specs[0].description == (
        "Checks whether `n` of the last materialization is at least 1 and below 10."
    )


@pytest.mark.parametrize(
    ("limits", "counts", "passed", "says"),
    [
        ({"min_rows": 1}, [5], True, "5 rows"),
        ({"min_rows": 1}, [0], False, "Row count 0 is below 1"),
        ({"max_rows": 4}, [5], False, "Row count 5 is above 4"),
        ({"min_rows": 1}, [None], False, "has no row count"),
        ({"max_decrease": 0.5}, [100], True, "100 rows"),
        ({"max_decrease": 0.5}, [100, 50], True, "50 rows"),
        ({"max_decrease": 0.5}, [100, 49], False, "Row count fell by 51.0%, to 49; the maximum decrease is 50.0%"),
        ({"max_decrease": 0.5}, [100, 1000], True, "1000 rows"),
        ({"max_increase": 0.5}, [100, 151], False, "Row count rose by 51.0%"),
        ({"max_increase": 0.5}, [0, 151], True, "151 rows"),
        ({"min_rows": 10, "max_decrease": 0}, [20, 5], False, "Row count 5 is below 10; Row count fell by 75.0%"),
    ],
)
def test_row_counts(limits: dict[str, Any], counts: list[int | None], passed: bool, says: str) -> None:
    checks = sg.build_row_count_checks(assets=["orders"], **limits)
    with sg.Instance.ephemeral() as instance:
        assert results(instance, checks)["orders:row_count"][:2] == (False, "The asset has never been materialized.")
        for count in counts:
            made(instance, **({} if count is None else {"dagster__row_count": count}))
        found = results(instance, checks)["orders:row_count"]
    assert found[0] is passed
    assert says in str(found[1])


class Table:
    num_rows = 0


@pytest.mark.parametrize(
    ("value", "passed", "says"),
    [
        ([1], True, "1 rows or elements"),
        ([], False, "The stored value is empty."),
        (None, False, "The stored value is empty."),
        ("", False, "empty"),
        (Table(), False, "empty"),
        ({"a": [], "b": None}, False, "empty"),
        ({"a": [1], "b": [2, 3]}, True, "3 rows"),
        ({"a": 1}, True, "1 rows"),
        (5, False, "A int has no size"),
    ],
)
def test_an_asset_that_succeeds_without_data_is_caught(value: object, passed: bool, says: str) -> None:
    @sg.asset
    def rows() -> object:
        return value

    checks = sg.build_non_empty_checks(assets=[rows], blocking=True)
    result = sg.materialize([rows, *checks], resources={"io_manager": sg.InMemoryIOManager()}, raise_on_error=False)
    assert result.success is passed
    [found] = result.get_asset_check_evaluations()
    assert says in str(found.description)


def test_no_assets_have_no_checks() -> None:
    assert sg.build_column_schema_change_checks(assets=[]) == []
    assert sg.build_metadata_bounds_checks(assets=[], metadata_key="rows", min_value=1) == []
    with pytest.warns(sg.SupersessionWarning, match="FreshnessPolicy"):
        assert sg.build_last_update_freshness_checks(assets=[], lower_bound_delta=HOUR) == []
