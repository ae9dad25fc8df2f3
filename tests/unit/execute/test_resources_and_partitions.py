"""Runs in this process: resources, partitions, retries of runs, stored values."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.host.recorded_plan import retry_run
from segue.model.event import RunFailureData, StepFailureData
from segue.model.run import FailureReason


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
        with pytest.raises(sg.InvalidInvocationError, match="succeeded"):
            retry_run(definitions, instance, last.run_id)
        with pytest.raises(sg.RunNotFoundError):
            retry_run(definitions, instance, "none")


def test_log_lines_belong_to_the_run() -> None:
    @sg.asset
    def talks(context: sg.AssetExecutionContext) -> None:
        context.log.info("hello %s", "you")

    result = sg.materialize([talks])
    lines = [event.payload for event in result.all_logs if event.event_type is sg.EventType.LOG_MESSAGE]
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
    assert [path.name for path in tmp_path.iterdir()] == ["value"]

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
