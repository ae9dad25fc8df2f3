"""Functions of ops, assets and checks called without a run, as users' tests do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import segue as sg

DAILY = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01")


class Limits(sg.Config):
    rows: int
    unit: str = "row"


class Store(sg.ConfigurableResource):
    path: str


@sg.op
def add(first: int, second: int = 10) -> int:
    return first + second


@sg.op(out={"low": sg.Out(int), "high": sg.Out(int)})
def split(context: sg.OpExecutionContext, number: int) -> Iterator[Any]:
    context.add_output_metadata({"from": number}, output_name="low")
    yield sg.Output(number - 1, "low")
    yield sg.Output(number + 1, "high")


@sg.asset
def scaled(config: Limits, store: Store, rows: int) -> tuple[int, str, str]:
    return rows * config.rows, config.unit, store.path


def test_inputs_by_position_by_name_and_by_default() -> None:
    assert add(1, 2) == add(first=1, second=2) == add(1, second=2) == 3
    assert add(1) == 11


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: add(), sg.InvalidInvocationError, "op 'add' requires a value for its input 'first'"),
        (lambda: add(1, 2, 3), sg.InvalidInvocationError, "takes 2 positional arguments"),
        (lambda: add(1, third=3), sg.InvalidInvocationError, "no input 'third'"),
        (lambda: add(1, first=1), sg.InvalidInvocationError, "'first' was provided twice"),
        (lambda: add("1"), sg.TypeCheckDidNotPass, 'op \'add\' input "first" - expected type "Int"'),
        (lambda: split(5), sg.InvalidInvocationError, "must be called with a context from build_op_context"),
        (lambda: split(number=5), sg.InvalidInvocationError, "function 'split' takes a context"),
        (lambda: scaled(Limits(rows=2), rows=1), sg.InvalidDefinitionError, "resource with key 'store' required"),
        (lambda: scaled(store=Store(path="p"), rows=1), sg.InvalidConfigError, "rows"),
        (lambda: add.alias("plus")(), sg.InvalidInvocationError, "op 'plus' requires"),
    ],
)
def test_a_wrong_call_is_refused(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_config_and_resources_come_as_arguments_or_with_the_context() -> None:
    store, wanted = Store(path="p"), (6, "row", "p")
    assert scaled(Limits(rows=2), store, 3) == wanted
    assert scaled(config=Limits(rows=2), store=store, rows=3) == wanted
    assert scaled({"rows": 2}, store=store, rows=3) == wanted
    context = sg.build_asset_context(resources={"store": store}, asset_config={"rows": 2})
    assert scaled(context, rows=3) == wanted
    with pytest.raises(sg.InvalidInvocationError, match="in the context; keep one"):
        scaled(context, rows=3, store=store)


class Bounds(sg.Config):
    low: int = 1
    high: int | None = None


def test_the_context_shows_config_as_plain_values() -> None:
    @sg.op
    def tell(context: sg.OpExecutionContext, config: Bounds) -> Any:
        return config.low, context.op_config

    assert tell(sg.build_op_context(), Bounds(low=3)) == (3, {"low": 3, "high": None})
    assert tell(sg.build_op_context(op_config={"low": 4})) == (4, {"low": 4, "high": None})
    assert tell(sg.build_op_context()) == (1, {"low": 1, "high": None})


def test_a_generator_is_checked_as_it_goes() -> None:
    context = sg.build_op_context()
    low, high = split(context, 5)
    assert (low.value, high.value) == (4, 6)
    assert context.get_output_metadata("low") == {"from": 5}

    @sg.op(out={"a": sg.Out(int), "b": sg.Out(int)})
    def half() -> Iterator[Any]:
        yield sg.Output(1, "a")

    with pytest.raises(sg.InvariantViolationError, match="ended without its output 'b'"):
        list(half())

    @sg.op(out={"a": sg.Out(int)})
    def twice() -> Iterator[Any]:
        yield sg.Output(1, "a")
        yield sg.Output(2, "a")

    with pytest.raises(sg.InvariantViolationError, match="'a' more than once"):
        list(twice())

    @sg.op
    def late(context: sg.OpExecutionContext) -> Iterator[Any]:
        yield sg.Output(1)
        context.add_output_metadata({"too": "late"})

    with pytest.raises(sg.InvariantViolationError, match="already yielded: add metadata before"):
        list(late(sg.build_op_context()))


def test_async_functions_are_awaited_by_who_calls_them() -> None:
    @sg.op
    async def later(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    @sg.op(out={"a": sg.Out(int), "b": sg.Out(int)})
    async def stream() -> AsyncIterator[Any]:
        yield sg.Output(1, "a")
        yield sg.Output(2, "b")

    async def collect() -> list[Any]:
        return [each.value async for each in stream()]

    assert asyncio.run(later(1)) == 2
    assert asyncio.run(collect()) == [1, 2]
    context = sg.build_asset_context()

    @sg.asset
    async def slow(context: sg.AssetExecutionContext) -> None:
        await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(slow(context), slow(context))

    with pytest.raises(sg.InvalidInvocationError, match="in use by 'slow'"):
        asyncio.run(both())


def test_an_output_of_another_type_is_refused() -> None:
    @sg.op
    def wrong() -> int:
        return "x"  # type: ignore[return-value]

    @sg.op
    def bare() -> sg.Output[int]:
        return 5  # type: ignore[return-value]

    with pytest.raises(sg.TypeCheckDidNotPass, match='output "result" - '):
        wrong()
    with pytest.raises(sg.InvariantViolationError, match="returned a plain int"):
        bare()


def test_dynamic_outputs_are_lists_of_values_with_keys() -> None:
    @sg.op(out=sg.DynamicOut(int))
    def parts(count: int) -> list[sg.DynamicOutput[int]]:
        return [sg.DynamicOutput(number, str(number)) for number in range(count)]

    @sg.op(out=sg.DynamicOut())
    def same() -> list[sg.DynamicOutput[int]]:
        return [sg.DynamicOutput(1, "a"), sg.DynamicOutput(2, "a")]

    assert [each.mapping_key for each in parts(2)] == ["0", "1"]
    with pytest.raises(sg.InvariantViolationError, match="with mapping_key 'a' more than once"):
        same()


def test_assets_give_results_and_checks_give_verdicts() -> None:
    @sg.multi_asset(specs=[sg.AssetSpec("a"), sg.AssetSpec("b")], check_specs=[sg.AssetCheckSpec("ok", asset="a")])
    def two() -> Iterator[Any]:
        yield sg.MaterializeResult("a", check_results=[sg.AssetCheckResult(passed=True)])
        yield sg.MaterializeResult("b")

    @sg.asset
    def strange() -> sg.MaterializeResult[Any]:
        return sg.MaterializeResult(asset_key="other")

    @sg.asset_check(asset="a")
    def large(context: sg.AssetCheckExecutionContext, a: int) -> sg.AssetCheckResult:
        return sg.AssetCheckResult(passed=a > 3, metadata={"check": context.check_specs[0].name})

    assert [each.asset_key for each in two()] == [sg.AssetKey("a"), sg.AssetKey("b")]
    with pytest.raises(sg.InvariantViolationError, match="names 'other'; expected one of: strange"):
        strange()
    result = large(sg.build_asset_check_context(), 5)
    assert result.passed
    assert result.metadata == {"check": sg.MetadataValue.text("large")}


def test_a_context_knows_what_it_was_given() -> None:
    @sg.asset(partitions_def=DAILY)
    def daily(context: sg.AssetExecutionContext) -> list[str]:
        assert context.assets_def is daily
        assert context.asset_key == sg.AssetKey("daily")
        assert context.op_def.name == "daily"
        assert context.get_tag("team") == "a"
        assert context.partition_time_window.start.day == 2
        assert (context.retry_number, context.run_id) == (0, "EPHEMERAL")
        return list(context.partition_keys)

    assert daily(sg.build_asset_context(partition_key="2024-01-02", run_tags={"team": "a"})) == ["2024-01-02"]
    keys = sg.PartitionKeyRange("2024-01-02", "2024-01-04")
    context = sg.build_asset_context(partition_key_range=keys, run_tags={"team": "a"})
    assert daily(context) == ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert (context.has_partition_key, context.has_partition_key_range) == (False, True)
    assert sg.build_op_context(mapping_key="x").get_mapping_key() == "x"
    with pytest.raises(sg.InvalidInvocationError, match="keep one"):
        sg.build_op_context(partition_key="a", partition_key_range=keys)
    with pytest.raises(sg.InvalidInvocationError, match="keep one"):
        sg.build_op_context(op_config={}, config={})


@pytest.mark.parametrize("name", ["run", "job_def", "job_name", "run_config", "op_def", "assets_def", "asset_key"])
def test_what_only_a_run_knows_is_refused_by_name(name: str) -> None:
    with pytest.raises(sg.InvalidPropertyError, match="available during a run only"):
        getattr(sg.build_op_context(), name)


def test_facts_recorded_aside_stay_with_the_context() -> None:
    @sg.op
    def looks(context: sg.OpExecutionContext) -> None:
        context.log_event(sg.AssetObservation("seen"))
        context.log_event(sg.ExpectationResult(success=False, label="fresh"))

    context = sg.build_op_context()
    looks(context)
    assert context.get_events() == [
        sg.AssetObservation("seen"),
        sg.ExpectationResult(success=False, label="fresh"),
    ]
    assert not context.is_bound
    with pytest.raises(sg.InvalidInvocationError, match="log_event must be given"):
        context.log_event("seen")  # type: ignore[arg-type]


def test_resources_that_must_be_torn_down_need_a_with() -> None:
    trace: list[str] = []

    class Connection(sg.ConfigurableResource):
        name: str = "a"

        @contextmanager
        def yield_for_execution(self, context: sg.InitResourceContext) -> Iterator[Any]:
            trace.append(f"+{self.name}")
            yield self
            trace.append("-")

    @sg.op(required_resource_keys={"connection"})
    def uses(context: sg.OpExecutionContext) -> str:
        return context.resources.connection.name

    with pytest.raises(sg.InvariantViolationError, match="needs teardown: use the context in"):
        uses(sg.build_op_context(resources={"connection": Connection()}))
    config = {"connection": {"config": {"name": "b"}}}
    with sg.build_op_context(resources={"connection": Connection()}, resources_config=config) as context:
        assert uses(context) == "b"
        assert trace[-1] == "+b"
    assert trace == ["+a", "-", "+b", "-"]
    with pytest.raises(sg.InvalidConfigError, match="other"):
        sg.build_op_context(resources={"connection": Connection()}, resources_config={"other": {}})


def test_the_instance_is_there_and_gone_with_the_context() -> None:
    with sg.build_op_context() as context:
        assert context.instance.get_runs() == []


def test_inputs_that_only_order_take_no_value() -> None:
    @sg.op(ins={"start": sg.In(sg.Nothing)})
    def after() -> int:
        return 5

    assert after() == 5
    with pytest.raises(sg.InvalidInvocationError, match="input 'start' has type Nothing"):
        after(start=1)
    with pytest.raises(sg.InvalidInvocationError, match="never carry a value and cannot be passed"):
        after(1)


def test_config_that_is_required_and_not_given_is_an_error() -> None:
    @sg.op(config_schema={"rows": int})
    def load(context: sg.OpExecutionContext) -> int:
        return context.op_config["rows"]

    @sg.op(config_schema={"rows": sg.Field(int, default_value=3)})
    def load_some(context: sg.OpExecutionContext) -> int:
        return context.op_config["rows"]

    for context in (sg.build_op_context(), None):
        with pytest.raises(sg.InvalidConfigError, match="Error in config for op 'load'") as raised:
            load(context)
        assert [each.reason.name for each in raised.value.errors] == ["MISSING_REQUIRED_FIELD"]
        assert load_some(context) == 3


def test_a_context_for_a_resource_has_an_instance_of_its_own() -> None:
    @sg.resource
    def runs(context: sg.InitResourceContext) -> int:
        assert context.instance is not None
        return len(context.instance.get_runs())

    with sg.build_init_resource_context() as context:
        assert context.instance is context.instance
        assert runs(context) == 0


def test_a_call_that_leaves_a_check_without_result_is_refused_as_a_run_is() -> None:
    one = sg.AssetCheckSpec("one", asset="x")
    other = sg.AssetCheckSpec("other", asset="x")
    made, passed = (
        sg.MaterializeResult(asset_key="x"),
        sg.AssetCheckResult(passed=True, asset_key="x", check_name="one"),
    )

    @sg.multi_asset(specs=[sg.AssetSpec("x")], check_specs=[one, other])
    def yields() -> Any:
        yield made
        yield passed

    @sg.multi_asset(specs=[sg.AssetSpec("x")], check_specs=[one, other])
    def returns() -> Any:
        return sg.MaterializeResult(asset_key="x", check_results=[passed])

    @sg.asset(name="x", check_specs=[one])
    def plain() -> int:
        return 1

    @sg.multi_asset_check(specs=[one, other])
    def checks() -> Any:
        yield passed

    for function, missing in ((yields, "x:other"), (returns, "x:other"), (plain, "x:one"), (checks, "x:other")):
        with pytest.raises(sg.InvariantViolationError, match=f"a result for: {missing}"):
            list(function())

    @sg.multi_asset(specs=[sg.AssetSpec("x")], check_specs=[one, other], can_subset=True)
    def parts(context: sg.AssetExecutionContext) -> Any:
        yield made
        yield passed

    assert list(parts(sg.build_asset_context())) == [made, passed]

    @sg.multi_asset(specs=[sg.AssetSpec("x")], check_specs=[one])
    def whole() -> Any:
        yield passed
        yield made

    assert list(whole()) == [passed, made]
