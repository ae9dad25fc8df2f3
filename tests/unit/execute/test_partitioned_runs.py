"""Runs of partitions of every kind: dynamic keys, several dimensions, classes of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

import segue as sg

CUSTOMERS = sg.DynamicPartitionsDefinition(name="customers")
DAYS = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-08")
DAYS_OF_SHOPS = sg.MultiPartitionsDefinition({"day": DAYS, "shop": sg.StaticPartitionsDefinition(["a", "b"])})


@sg.asset(partitions_def=CUSTOMERS)
def orders(context: sg.AssetExecutionContext) -> str:
    return f"orders of {context.partition_key}"


@sg.asset(partitions_def=CUSTOMERS)
def invoice(context: sg.AssetExecutionContext, orders: str) -> str:
    assert context.asset_partition_key_for_input("orders") == context.partition_key
    return f"invoice for {orders}"


@sg.asset
def total(orders: dict[str, str]) -> int:
    return len(orders)


def test_dynamic_partitions_are_made_when_the_instance_has_them() -> None:
    with sg.Instance.ephemeral() as instance:
        with pytest.raises(sg.UnknownPartitionError, match="'amy'"):
            sg.materialize([orders], instance=instance, partition_key="amy")
        instance.add_dynamic_partitions("customers", ["zoe", "amy"])
        result = sg.materialize([orders, invoice], instance=instance, partition_key="amy")
        assert result.output_for_node("invoice") == "invoice for orders of amy"
        sg.materialize([orders], instance=instance, partition_key="zoe")
        assert instance.get_materialized_partitions(sg.AssetKey("orders")) == {"amy", "zoe"}
        assert sg.materialize([orders, total], selection=[total], instance=instance).output_for_node("total") == 2
        instance.delete_dynamic_partition("customers", "zoe")
        assert not instance.has_dynamic_partition("customers", "zoe")
        assert instance.get_dynamic_partitions("customers") == ["amy"]
        with pytest.raises(sg.UnknownPartitionError, match="'zoe'"):
            sg.materialize([orders], instance=instance, partition_key="zoe")


def test_a_range_of_dynamic_partitions_goes_in_the_order_in_which_they_came() -> None:
    seen: list[str] = []

    @sg.asset(partitions_def=CUSTOMERS, backfill_policy=sg.BackfillPolicy.single_run())
    def visits(context: sg.AssetExecutionContext) -> None:
        seen.extend(context.partition_keys)

    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("customers", ["zoe", "amy", "bob", "joe"])
        tags = {"dagster/asset_partition_range_start": "amy", "dagster/asset_partition_range_end": "joe"}
        sg.materialize([visits], instance=instance, tags=tags)
    assert seen == ["amy", "bob", "joe"]


def test_what_can_be_no_dynamic_key_is_refused_and_nothing_added() -> None:
    with sg.Instance.ephemeral() as instance:
        for name, keys in (("", ["a"]), ("customers", "amy"), ("customers", ["ok", ""]), ("customers", ["a...b"])):
            with pytest.raises(sg.InvalidDefinitionError):
                instance.add_dynamic_partitions(name, keys)
        assert instance.get_dynamic_partitions("customers") == []


def test_dynamic_keys_come_in_pages() -> None:
    keys = [f"c{number}" for number in range(7)]
    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("customers", keys)
        for ascending, expected in ((True, keys), (False, keys[::-1])):
            found: list[str] = []
            cursor = None
            more = True
            while more:
                page = instance.get_paginated_dynamic_partitions("customers", 3, ascending, cursor)
                found += page.results
                cursor, more = page.cursor, page.has_more
            assert found == expected
            context = sg.PartitionLoadingContext(None, instance)
            first = CUSTOMERS.get_paginated_partition_keys(context, 5, ascending)
            second = CUSTOMERS.get_paginated_partition_keys(context, 5, ascending, first.cursor)
            assert [*first.results, *second.results] == expected
            assert (first.has_more, second.has_more) == (True, False)
        with pytest.raises(sg.InvalidInvocationError, match="no longer exists"):
            instance.get_paginated_dynamic_partitions("customers", 3, True, "nobody")


def test_tens_of_thousands_of_dynamic_partitions_are_planned() -> None:
    with sg.Instance.local_temp() as instance:
        keys = [f"customer-{number}" for number in range(36_000)]
        instance.add_dynamic_partitions("customers", keys)
        assert sg.materialize([orders], instance=instance, partition_key=keys[-1]).success
        assert CUSTOMERS.get_num_partitions(dynamic_partitions_store=instance) == 36_000


def test_a_function_gives_the_keys() -> None:
    asked: list[datetime | None] = []

    def letters(now: datetime | None) -> Sequence[Any]:
        asked.append(now)
        return [sg.Partition("x"), sg.Partition(5, name="five")]

    definition = sg.DynamicPartitionsDefinition(letters)
    assert definition.get_partition_keys() == ["x", "five"]

    @sg.asset(partitions_def=definition)
    def letter(context: sg.AssetExecutionContext) -> str:
        return context.partition_key

    assert sg.materialize([letter], partition_key="five").output_for_node("letter") == "five"
    assert any(isinstance(now, datetime) for now in asked)
    with pytest.raises(sg.InvariantViolationError, match="come from its partition_fn"):
        definition.build_add_request(["y"])
    for arguments in ({}, {"partition_fn": letters, "name": "both"}):
        with pytest.raises(sg.InvalidDefinitionError, match="either a name"):
            sg.DynamicPartitionsDefinition(**arguments)


def test_a_sensor_adds_partitions_and_requests_their_runs() -> None:
    everything = sg.define_asset_job("everything", [orders])

    @sg.sensor(job=everything)
    def newcomers(context: sg.SensorEvaluationContext) -> sg.SensorResult:
        return sg.SensorResult(
            run_requests=[sg.RunRequest(partition_key="eve")],
            dynamic_partitions_requests=[CUSTOMERS.build_add_request(["eve"]), CUSTOMERS.build_delete_request(["zoe"])],
        )

    definitions = sg.Definitions(assets=[orders], jobs=[everything], sensors=[newcomers])
    with sg.Instance.ephemeral() as instance:
        context = sg.build_sensor_context(instance=instance, definitions=definitions)
        result = newcomers.evaluate_tick(context)
    assert [request.tags["dagster/partition"] for request in result.run_requests] == ["eve"]
    assert [type(request) for request in result.dynamic_partitions_requests] == [
        sg.AddDynamicPartitionsRequest,
        sg.DeleteDynamicPartitionsRequest,
    ]


def test_the_key_of_several_dimensions_says_each_of_them() -> None:
    stored: list[Any] = []

    class Keeper(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: object) -> None:
            stored.append((context.partition_key, context.asset_partition_key, context.asset_partitions_time_window))

        def load_input(self, context: sg.InputContext) -> object:
            return [key.keys_by_dimension["shop"] for key in context.asset_partition_keys]  # pyright: ignore[reportAttributeAccessIssue] reason: keys of several dimensions

    @sg.asset(partitions_def=DAYS_OF_SHOPS)
    def sales(context: sg.AssetExecutionContext) -> int:
        assert isinstance(context.partition_key, sg.MultiPartitionKey)
        assert context.partition_key.keys_by_dimension == {"day": "2024-01-03", "shop": "b"}
        assert isinstance(context.partition_key_range.start, sg.MultiPartitionKey)
        assert context.partition_time_window == DAYS.time_window_for_partition_key("2024-01-03")
        return 5

    @sg.asset(partitions_def=DAYS)
    def report(sales: list[str]) -> None:
        assert sales == ["a", "b"]

    with sg.Instance.ephemeral() as instance:
        arguments: dict[str, Any] = {"instance": instance, "resources": {"io_manager": Keeper()}}
        sg.materialize([sales], partition_key="2024-01-03|b", **arguments)
        run = instance.get_runs()[0]
        assert (run.tags["dagster/partition/day"], run.tags["dagster/partition/shop"]) == ("2024-01-03", "b")
        sg.materialize([sales, report], selection=[report], partition_key="2024-01-03", **arguments)
        assert instance.get_materialized_partitions(sg.AssetKey("sales")) == {"2024-01-03|b"}
    assert stored[0][0].keys_by_dimension == stored[0][1].keys_by_dimension == {"day": "2024-01-03", "shop": "b"}
    assert stored[0][2] == DAYS.time_window_for_partition_key("2024-01-03")


class Squares(sg.PartitionsDefinition):
    """Squares of numbers."""

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: sg.DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        return ["0", "1", "4", "9"]


class TheOneBefore(sg.PartitionMapping):
    """The partition that comes before."""

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: sg.PartitionsSubset | None,
        downstream_partitions_def: sg.PartitionsDefinition | None,
        upstream_partitions_def: sg.PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: sg.DynamicPartitionsStore | None = None,
    ) -> sg.UpstreamPartitionsResult:
        assert isinstance(upstream_partitions_def, Squares | sg.DynamicPartitionsDefinition)
        keys = list(upstream_partitions_def.get_partition_keys(current_time, dynamic_partitions_store))
        wanted = [keys[keys.index(key) - 1] for key in downstream_partitions_subset or ()]
        return sg.UpstreamPartitionsResult(
            partitions_subset=upstream_partitions_def.subset_with_partition_keys(wanted),
            required_but_nonexistent_subset=upstream_partitions_def.empty_subset(),
        )


@pytest.mark.parametrize("definition", [Squares(), CUSTOMERS])
def test_definitions_and_mappings_of_the_users_own_are_asked_in_runs(definition: sg.PartitionsDefinition) -> None:
    @sg.asset(partitions_def=definition)
    def number(context: sg.AssetExecutionContext) -> str:
        return context.partition_key

    @sg.asset(partitions_def=definition, ins={"number": sg.AssetIn(partition_mapping=TheOneBefore())})
    def successor(number: str) -> str:
        return f"after {number}"

    with sg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("customers", ["0", "1", "4", "9"])
        sg.materialize([number], partition_key="1", instance=instance)
        result = sg.materialize([number, successor], selection=[successor], partition_key="4", instance=instance)
        assert result.output_for_node("successor") == "after 1"
        with pytest.raises(sg.UnknownPartitionError, match="'5'"):
            sg.materialize([number], partition_key="5", instance=instance)


def test_a_run_without_a_partition_makes_a_partitioned_asset_without_one() -> None:
    seen: list[bool] = []

    @sg.asset(partitions_def=DAYS)
    def weather(context: sg.AssetExecutionContext) -> str:
        seen.append(context.has_partition_key)
        return "rain"

    @sg.asset
    def report(weather: str) -> str:
        return f"{weather} again"

    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([weather, report], instance=instance)
        assert result.output_for_node("report") == "rain again"
        assert seen == [False]
        assert [each.partition for each in result.asset_materializations_for_node("weather")] == [None]
        assert instance.get_materialized_partitions(weather.key) == set()
        job = sg.Definitions([weather], jobs=[sg.define_asset_job("daily", [weather])]).get_job_def("daily")
        assert job.execute_in_process(instance=instance).output_for_node("weather") == "rain"
        assert instance.get_materialized_partitions(weather.key) == set()


def test_a_run_without_a_partition_cannot_say_which_partition_is_taken() -> None:
    @sg.asset(partitions_def=DAYS)
    def weather() -> str:
        return "rain"

    @sg.asset(partitions_def=DAYS)
    def mood(weather: str) -> str:
        return weather

    with pytest.raises(sg.InvalidSubsetError, match="'mood' is partitioned, and so is its upstream asset 'weather'"):
        sg.materialize([weather, mood])


def test_a_function_that_needs_its_partition_says_so_in_a_run_without_one() -> None:
    with pytest.raises(sg.InvariantViolationError, match="no single partition key"):
        sg.materialize([sg.asset(partitions_def=DAYS)(_key_of_its_partition)])


def _key_of_its_partition(context: sg.AssetExecutionContext) -> str:
    return context.partition_key


def test_nothing_to_make_is_made_at_once() -> None:
    assert sg.materialize([]).success
    assert sg.materialize([sg.AssetSpec("made_elsewhere")]).success
    with pytest.raises(sg.InvalidSubsetError, match="selection is empty"):
        sg.materialize([orders], selection=[])


def test_the_partitions_of_an_asset_that_is_only_waited_for_are_told() -> None:
    hours = sg.HourlyPartitionsDefinition("2024-01-01-00:00", end_date="2024-01-08-00:00")
    seen: list[object] = []

    @sg.asset(partitions_def=hours)
    def readings() -> None: ...

    @sg.asset
    def plain() -> None: ...

    before = sg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)

    @sg.asset(partitions_def=DAYS, deps=[readings, plain, sg.AssetDep("days", partition_mapping=before)])
    def report(context: sg.AssetExecutionContext) -> None:
        keys = context.asset_partition_keys_for_input("readings")
        seen.extend([len(keys), keys[0], context.asset_partitions_time_window_for_input("readings").end])
        seen.append(context.asset_partition_key_for_input("days"))
        for other in ("plain", "nobody"):
            with pytest.raises(sg.InvariantViolationError, match="has no partitions"):
                context.asset_partition_keys_for_input(other)

    @sg.asset(deps=[readings])
    def summary(context: sg.AssetExecutionContext) -> None:
        seen.append(len(context.asset_partition_keys_for_input("readings")))

    days = sg.AssetSpec("days", partitions_def=DAYS)
    result = sg.materialize([days, readings, plain, report], selection=[report], partition_key="2024-01-02")
    assert result.success
    assert seen == [24, "2024-01-02-00:00", datetime(2024, 1, 3, tzinfo=UTC), "2024-01-01"]
    seen.clear()
    sg.materialize([readings, summary], selection=[summary])
    assert seen == [7 * 24]
