"""Runs in this process: events in order, results, failures, retries, resources, partitions."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.host.inprocess import retry_run
from segue.model.event import RunFailureData, StepFailureData
from segue.model.run import FailureReason


def told(result: sg.ExecuteInProcessResult) -> list[str]:
    """The events as `TYPE(step)`."""
    return [event.event_type_value + (f"({event.step_key})" if event.step_key else "") for event in result.all_events]


BEGIN = ["RUN_START", "ENGINE_EVENT", "RESOURCE_INIT_STARTED", "RESOURCE_INIT_SUCCESS"]


@sg.asset
def up() -> int:
    return 1


@sg.asset
def down(up: int) -> int:
    return up + 1


@sg.asset
def boom() -> int:
    raise ValueError("bad")


@sg.asset
def after_boom(boom: int) -> int:
    return boom


def test_events_of_two_assets_come_in_order() -> None:
    result = sg.materialize([up, down])
    assert told(result) == [
        *BEGIN,
        *["STEP_START(up)", "STEP_OUTPUT(up)", "ASSET_MATERIALIZATION(up)", "HANDLED_OUTPUT(up)", "STEP_SUCCESS(up)"],
        *["STEP_START(down)", "LOADED_INPUT(down)", "STEP_INPUT(down)", "STEP_OUTPUT(down)"],
        *["ASSET_MATERIALIZATION(down)", "HANDLED_OUTPUT(down)", "STEP_SUCCESS(down)"],
        *["ENGINE_EVENT", "RUN_SUCCESS"],
    ]
    assert result.asset_value("down") == 2


def test_planned_events_are_recorded_first() -> None:
    with sg.Instance.ephemeral() as instance:
        run_id = sg.materialize([up, down], instance=instance).run_id
        logs = [stored.event for stored in instance.all_logs(run_id)]
    assert [(event.event_type_value, event.step_key) for event in logs[:3]] == [
        ("ASSET_MATERIALIZATION_PLANNED", "up"),
        ("ASSET_MATERIALIZATION_PLANNED", "down"),
        ("RUN_START", None),
    ]


def test_a_failed_step_abandons_what_follows_and_others_go_on() -> None:
    result = sg.materialize([boom, after_boom, up], raise_on_error=False)
    assert not result.success
    assert told(result) == [
        *BEGIN,
        *["STEP_START(boom)", "STEP_FAILURE(boom)", "LOG_MESSAGE(after_boom)"],
        *["STEP_START(up)", "STEP_OUTPUT(up)", "ASSET_MATERIALIZATION(up)", "HANDLED_OUTPUT(up)", "STEP_SUCCESS(up)"],
        *["ENGINE_EVENT", "RUN_FAILURE"],
    ]
    assert result.get_failed_step_keys() == {"boom"}
    assert result.is_node_untouched("after_boom")


def test_the_user_s_own_exception_is_raised() -> None:
    with pytest.raises(ValueError, match="bad"):
        sg.materialize([boom])


def test_the_traceback_shows_the_user_s_frames_only() -> None:
    result = sg.materialize([boom], raise_on_error=False)
    text = result.get_step_failure_events()[0].step_failure_data.error.to_string()
    assert "in boom" in text
    assert "ValueError: bad" in text
    assert "segue/execute" not in text


@pytest.mark.parametrize(("fails", "retries", "success"), [(1, 1, True), (2, 1, False), (2, 2, True), (0, 0, True)])
def test_retries_follow_the_policy(fails: int, retries: int, success: bool) -> None:
    seen: list[int] = []

    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=retries))
    def flaky(context: sg.AssetExecutionContext) -> int:
        seen.append(context.retry_number)
        if len(seen) <= fails:
            raise ValueError
        return 1

    result = sg.materialize([flaky], raise_on_error=False)
    assert result.success is success
    assert seen == list(range(min(fails, retries) + 1))
    kinds = [event for event in told(result) if "STEP_" in event and "OUTPUT" not in event]
    expected = ["STEP_START(flaky)", *["STEP_UP_FOR_RETRY(flaky)", "STEP_RESTARTED(flaky)"] * (len(seen) - 1)]
    assert kinds == [*expected, "STEP_SUCCESS(flaky)" if success else "STEP_FAILURE(flaky)"]


def test_user_code_steers_its_retries() -> None:
    attempts: list[str] = []

    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=3))
    def final() -> None:
        attempts.append("final")
        raise sg.Failure("no", metadata={"rows": 3}, allow_retries=False)

    @sg.asset
    def asks() -> None:
        attempts.append("asks")
        raise sg.RetryRequested(max_retries=2)

    result = sg.materialize([final, asks], raise_on_error=False)
    assert attempts.count("final") == 1
    assert attempts.count("asks") == 3
    failure = next(event for event in result.get_step_failure_events() if event.step_key == "final")
    assert failure.step_failure_data.metadata["rows"] == sg.MetadataValue.int(3)


def test_what_was_not_given_is_skipped_downstream() -> None:
    @sg.asset(output_required=False)
    def maybe() -> Iterator[Any]:
        yield from ()

    @sg.asset
    def follower(maybe: int) -> int:
        return maybe

    result = sg.materialize([maybe, follower])
    assert result.success
    assert result.is_node_skipped("follower")


@pytest.mark.parametrize("severity", list(sg.AssetCheckSeverity))
def test_a_blocking_check_stops_what_is_downstream(severity: sg.AssetCheckSeverity) -> None:
    @sg.asset_check(asset=up, blocking=True)
    def blocks(up: int) -> sg.AssetCheckResult:
        return sg.AssetCheckResult(passed=up > 5, severity=severity, metadata={"up": up})

    result = sg.materialize([up, down, blocks], raise_on_error=False)
    stops = severity is sg.AssetCheckSeverity.ERROR
    assert result.success is not stops
    assert result.is_node_untouched("down") is stops
    assert [each.passed for each in result.get_asset_check_evaluations()] == [False]


def test_results_in_all_their_forms() -> None:
    @sg.asset(check_specs=[sg.AssetCheckSpec("inside", asset="table")])
    def table(context: sg.AssetExecutionContext) -> sg.MaterializeResult[int]:
        context.add_output_metadata({"added": 1})
        return sg.MaterializeResult(
            value=7,
            metadata={"rows": 2},
            check_results=[sg.AssetCheckResult(passed=True)],
            data_version=sg.DataVersion("v1"),
            tags={"source": "test"},
        )

    @sg.multi_asset(outs={"one": sg.AssetOut(), "two": sg.AssetOut()})
    def pair(table: int) -> tuple[int, sg.Output[int]]:
        return table, sg.Output(table * 2, metadata={"twice": True})

    @sg.multi_asset(specs=[sg.AssetSpec("left"), sg.AssetSpec("right")])
    def sides() -> Iterator[sg.MaterializeResult[None]]:
        yield sg.MaterializeResult("left")
        yield sg.MaterializeResult("right")

    result = sg.materialize([table, pair, sides])
    made = {
        event.materialization.asset_key.to_user_string(): event.materialization
        for event in result.get_asset_materialization_events()
    }
    assert set(made) == {"table", "one", "two", "left", "right"}
    assert made["table"].metadata["rows"] == sg.MetadataValue.int(2)
    assert made["table"].metadata["added"] == sg.MetadataValue.int(1)
    assert (made["table"].data_version, dict(made["table"].tags)) == ("v1", {"source": "test"})
    assert (result.asset_value("one"), result.asset_value("two")) == (7, 14)
    assert [each.check_name for each in result.get_asset_check_evaluations()] == ["inside"]
    assert "HANDLED_OUTPUT(sides)" not in told(result)


def wrong_kind() -> Iterator[Any]:
    yield 5


def twice() -> Iterator[Any]:
    yield sg.Output(1)
    yield sg.Output(2)


def unknown_output() -> Iterator[Any]:
    yield sg.Output(1, "other")


def nothing() -> Iterator[Any]:
    yield from ()


def value_against_annotation() -> None:
    return 5  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (wrong_kind, "yielded int"),
        (twice, "twice"),
        (unknown_output, "no output 'other'"),
        (nothing, "did not give the output"),
        (value_against_annotation, "annotated to return no value"),
    ],
)
def test_results_that_say_nothing_are_refused(function: Any, words: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match=words) as caught:
        sg.materialize([sg.asset(name="a")(function)])
    assert "test_runs.py:" in str(caught.value)


def test_a_subset_of_several_assets() -> None:
    def outs() -> dict[str, sg.AssetOut]:
        return {"one": sg.AssetOut(is_required=False), "two": sg.AssetOut(is_required=False)}

    @sg.multi_asset(outs=outs(), can_subset=True)
    def some(context: sg.AssetExecutionContext) -> Iterator[sg.Output[int]]:
        for name in sorted(context.selected_output_names):
            yield sg.Output(1, name)

    @sg.multi_asset(outs={"three": sg.AssetOut(), "four": sg.AssetOut()})
    def whole() -> tuple[int, int]:
        return 1, 2

    result = sg.materialize([some], selection="one")
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [sg.AssetKey("one")]
    with pytest.raises(sg.InvalidSubsetError, match="leaves out four"):
        sg.materialize([whole], selection="three")


def test_interrupting_records_a_canceled_run() -> None:
    @sg.asset
    def stopped() -> None:
        raise KeyboardInterrupt

    with sg.Instance.ephemeral() as instance:
        with pytest.raises(KeyboardInterrupt):
            sg.materialize([stopped], instance=instance)
        assert [run.status for run in instance.get_runs()] == [sg.RunStatus.CANCELED]


def test_leaving_python_is_a_failed_step() -> None:
    @sg.asset
    def leaves() -> None:
        raise SystemExit(3)

    assert not sg.materialize([leaves], raise_on_error=False).success


class Traced(sg.ConfigurableResource):
    name: str
    fails: str = ""

    @contextlib.contextmanager
    def yield_for_execution(self, context: sg.InitResourceContext) -> Generator[Any]:
        TRACE.append(f"open {self.name}")
        if self.fails == "open":
            raise RuntimeError("no connection")
        yield self
        TRACE.append(f"close {self.name}")
        if self.fails == "close":
            raise RuntimeError("still open")


class Outer(sg.ConfigurableResource):
    inner: Traced

    def name(self) -> str:
        return self.inner.name


TRACE: list[str] = []


@sg.asset
def uses(first: Traced, outer: Outer) -> str:
    TRACE.append(f"use {first.name} {outer.name()}")
    return first.name


@pytest.mark.parametrize("fails", ["", "open", "close"])
def test_resources_are_opened_and_closed(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    TRACE.clear()
    monkeypatch.setenv("INNER_NAME", "nested")
    inner = Traced(name=sg.EnvVar("INNER_NAME"))
    with sg.Instance.ephemeral() as instance:
        result = sg.materialize(
            [uses],
            resources={"first": Traced(name="first", fails=fails), "outer": Outer(inner=inner)},
            instance=instance,
            raise_on_error=False,
        )
        run = instance.get_run_by_id(result.run_id)
    assert result.success is (fails == "")
    if fails == "open":
        assert TRACE == ["open first"]
    else:
        assert TRACE == ["open first", "open nested", "use first nested", "close nested", "close first"]
    if fails:
        assert run is not None
        assert run.failure_reason is FailureReason.RESOURCE_FAILURE
        assert isinstance(result.all_events[-1].payload, RunFailureData)


def test_a_missing_variable_is_named_before_anything_runs() -> None:
    with pytest.raises(sg.InvalidConfigError, match="NOT_SET_ANYWHERE"):
        sg.materialize(
            [uses],
            resources={"first": Traced(name=sg.EnvVar("NOT_SET_ANYWHERE")), "outer": Outer(inner=Traced(name="x"))},
        )


DAILY = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-03-01")


@sg.asset(partitions_def=DAILY)
def day(context: sg.AssetExecutionContext) -> str:
    return context.partition_key


@sg.asset(partitions_def=sg.MonthlyPartitionsDefinition("2024-01-01", end_date="2024-03-01"))
def month(context: sg.AssetExecutionContext, day: dict[str, str]) -> int:
    assert list(day) == list(context.asset_partition_keys_for_input("day"))
    return len(day)


@sg.asset
def everything(month: dict[str, int]) -> int:
    return sum(month.values())


def test_partitions_flow_from_days_to_months_to_all() -> None:
    assets = [day, month, everything]
    with sg.Instance.ephemeral() as instance:
        for key in DAILY.get_partition_keys():
            sg.materialize(assets, instance=instance, partition_key=key, selection=[day])
        for key, length in (("2024-01-01", 31), ("2024-02-01", 29)):
            result = sg.materialize(assets, instance=instance, partition_key=key, selection=[month])
            assert result.asset_value("month") == length
        assert sg.materialize(assets, instance=instance, selection=[everything]).asset_value("everything") == 60
        assert instance.get_materialized_partitions(sg.AssetKey("day")) == set(DAILY.get_partition_keys())
        with pytest.raises(sg.UnknownPartitionError, match="2025-01-01"):
            sg.materialize(assets, instance=instance, partition_key="2025-01-01", selection=[day])
        with pytest.raises(sg.InvalidSubsetError, match="partitioned"):
            sg.materialize(assets, instance=instance, selection=[day])


def test_a_retry_does_only_what_is_left() -> None:
    calls: list[str] = []
    broken = [True]

    @sg.asset
    def first() -> int:
        calls.append("first")
        return 1

    @sg.asset
    def second(first: int) -> int:
        calls.append("second")
        if broken:
            raise ValueError("not yet")
        return first + 1

    definitions = sg.Definitions([first, second])
    with sg.Instance.ephemeral() as instance:
        run = sg.materialize([first, second], instance=instance, raise_on_error=False).run
        again = retry_run(definitions, instance, run.run_id)
        assert (again.is_failure, again.parent_run_id, again.root_run_id) == (True, run.run_id, run.run_id)
        broken.clear()
        last = retry_run(definitions, instance, again.run_id)
        assert last.is_success
        assert calls == ["first", "second", "second", "second"]
        with pytest.raises(sg.InvalidInvocationError, match="ended well"):
            retry_run(definitions, instance, last.run_id)
        with pytest.raises(sg.RunNotFoundError):
            retry_run(definitions, instance, "none")


def test_log_lines_belong_to_the_run() -> None:
    @sg.asset
    def talks(context: sg.AssetExecutionContext) -> None:
        context.log.info("hello %s", "you")

    result = sg.materialize([talks])
    lines = [event.payload for event in result.all_events if event.event_type is sg.EventType.LOG_MESSAGE]
    assert [(line.level, line.message) for line in lines] == [(20, "hello you")]  # type: ignore[union-attr]


def test_a_value_that_cannot_be_stored_leaves_the_old_one(tmp_path: Any) -> None:
    values: list[object] = [1, lambda: None]

    @sg.asset
    def value() -> Any:
        return values.pop(0)

    store = sg.FilesystemIOManager(tmp_path)
    sg.materialize([value], resources={"io_manager": store})
    with pytest.raises(sg.InvariantViolationError, match="cannot be pickled"):
        sg.materialize([value], resources={"io_manager": store})
    assert [path.name for path in tmp_path.iterdir()] == ["value.pickle"]

    @sg.asset
    def reads(value: int) -> int:
        return value

    assert sg.materialize([value, reads], selection=[reads], resources={"io_manager": store}).asset_value("reads") == 1


@given(st.data())
def test_what_is_made_follows_from_what_fails(data: st.DataObject) -> None:
    """Random graphs with random failures: an asset is made when it and all above it do not fail."""
    count = data.draw(st.integers(1, 6))
    above = [sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=2))) if n else [] for n in range(count)]
    failing = data.draw(st.sets(st.integers(0, count - 1)))

    def build(n: int) -> sg.AssetsDefinition:
        @sg.asset(name=f"a{n}", deps=[f"a{m}" for m in above[n]])
        def function() -> None:
            if n in failing:
                raise ValueError

        return function

    made: set[int] = set()
    for n in range(count):
        if n not in failing and all(m in made for m in above[n]):
            made.add(n)
    with sg.Instance.ephemeral() as instance:
        result = sg.materialize([build(n) for n in range(count)], instance=instance, raise_on_error=False)
        assert result.success is (len(made) == count)
        assert instance.get_asset_keys() == sorted(sg.AssetKey(f"a{n}") for n in made)
    failures = {event.step_key for event in result.all_events if isinstance(event.payload, StepFailureData)}
    assert failures == {f"a{n}" for n in failing if all(m in made for m in above[n])}
