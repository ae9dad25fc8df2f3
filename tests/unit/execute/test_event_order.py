"""What the store holds of a run, event by event, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import segue as sg
from segue.model.event import AssetCheckEvaluationData, LogMessageData

BEGIN = ["RUN_START", "ENGINE_EVENT", "RESOURCE_INIT_STARTED", "RESOURCE_INIT_SUCCESS"]


def recorded(assets: list[Any], **arguments: Any) -> list[str]:
    """The stored events of a run as `TYPE(step: what)`; a log line as `log LEVEL(step)`."""
    with sg.Instance.ephemeral() as instance:
        sg.materialize(assets, instance=instance, raise_on_error=False, **arguments)
        run = instance.get_runs()[0]
        return [_told(stored.event) for stored in instance.all_logs(run.run_id)]


def _told(event: sg.Event) -> str:
    payload: Any = event.payload
    if isinstance(payload, LogMessageData):
        return f"log {payload.level}({event.step_key})"
    what = getattr(payload, "input_name", None) or getattr(payload, "output_name", None)
    if isinstance(payload, AssetCheckEvaluationData):
        what = f"{payload.evaluation.check_name} passed={payload.evaluation.passed}"
    if event.partition is not None:
        what = event.partition
    inside = ": ".join(filter(None, [event.step_key, what]))
    return event.event_type_value + (f"({inside})" if inside else "")


def whole_step(key: str, inputs: tuple[str, ...] = (), start: str = "STEP_START") -> list[str]:
    """The events of a step that takes inputs and stores its value."""
    loaded = [f"{kind}({key}: {name})" for kind in ("LOADED_INPUT", "STEP_INPUT") for name in inputs]
    given = [f"STEP_OUTPUT({key}: result)", f"ASSET_MATERIALIZATION({key})", f"HANDLED_OUTPUT({key}: result)"]
    return [f"{start}({key})", *loaded, *given, f"STEP_SUCCESS({key})"]


def begin(key: str) -> list[str]:
    """The start of a run with a single step, to which its resources belong."""
    return [*BEGIN[:2], *(f"{each}({key})" for each in BEGIN[2:])]


@sg.asset
def first() -> int:
    return 1


@sg.asset
def second(first: int) -> int:
    return first + 1


def test_two_assets() -> None:
    assert recorded([first, second]) == [
        "ASSET_MATERIALIZATION_PLANNED(first)",
        "ASSET_MATERIALIZATION_PLANNED(second)",
        *BEGIN,
        *whole_step("first"),
        *whole_step("second", ("first",)),
        "ENGINE_EVENT",
        "RUN_SUCCESS",
    ]


def test_all_inputs_are_loaded_before_their_types_are_checked() -> None:
    @sg.asset
    def left() -> str:
        return "1"

    @sg.asset
    def right() -> int:
        return 2

    @sg.asset
    def both(right: int, left: Any) -> None: ...

    @sg.asset
    def wrong(left: int, right: int) -> None: ...

    events = recorded([left, right, both, wrong])
    assert [each for each in events if "(both: " in each and "INPUT" in each] == [
        "LOADED_INPUT(both: right)",
        "LOADED_INPUT(both: left)",
        "STEP_INPUT(both: right)",
        "STEP_INPUT(both: left)",
    ]
    assert [each for each in events if "(wrong" in each] == [
        "ASSET_MATERIALIZATION_PLANNED(wrong)",
        "STEP_START(wrong)",
        "LOADED_INPUT(wrong: left)",
        "LOADED_INPUT(wrong: right)",
        "STEP_INPUT(wrong: left)",
        "STEP_FAILURE(wrong)",
    ]


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_retry(ends_well: bool) -> None:
    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=1))
    def flaky(context: sg.AssetExecutionContext) -> int:
        if context.retry_number == 0 or not ends_well:
            raise ValueError
        return 1

    @sg.asset
    def follower(flaky: int) -> int:
        return flaky

    told = recorded([flaky, follower])[2:]
    assert told[:6] == [*BEGIN, "STEP_START(flaky)", "STEP_UP_FOR_RETRY(flaky)"]
    if ends_well:
        rest = [*whole_step("flaky", start="STEP_RESTARTED"), *whole_step("follower", ("flaky",))]
        assert told[6:] == [*rest, "ENGINE_EVENT", "RUN_SUCCESS"]
    else:
        rest = ["STEP_RESTARTED(flaky)", "STEP_FAILURE(flaky)", "log 40(follower)"]
        assert told[6:] == [*rest, "ENGINE_EVENT", "RUN_FAILURE"]


def test_checks_inside_and_beside_an_asset() -> None:
    @sg.asset(check_specs=[sg.AssetCheckSpec("inline", asset="table")])
    def table() -> sg.MaterializeResult[None]:
        return sg.MaterializeResult(check_results=[sg.AssetCheckResult(passed=True)])

    @sg.asset(deps=[table])
    def report() -> int:
        return 1

    @sg.asset(deps=[report])
    def after_report() -> int:
        return 1

    @sg.asset_check(asset=report, blocking=True)
    def blocking() -> sg.AssetCheckResult:
        return sg.AssetCheckResult(passed=False)

    @sg.asset_check(asset=report)
    def other() -> sg.AssetCheckResult:
        return sg.AssetCheckResult(passed=False)

    told = recorded([table, report, after_report, blocking, other])
    assert sorted(told[:6]) == [
        "ASSET_CHECK_EVALUATION_PLANNED(report_blocking)",
        "ASSET_CHECK_EVALUATION_PLANNED(report_other)",
        "ASSET_CHECK_EVALUATION_PLANNED(table)",
        "ASSET_MATERIALIZATION_PLANNED(after_report)",
        "ASSET_MATERIALIZATION_PLANNED(report)",
        "ASSET_MATERIALIZATION_PLANNED(table)",
    ]
    assert all("MATERIALIZATION" in each for each in told[:3])
    assert told[6:] == [
        *BEGIN,
        "STEP_START(table)",
        "STEP_OUTPUT(table: result)",
        "ASSET_MATERIALIZATION(table)",
        "STEP_OUTPUT(table: table_inline)",
        "ASSET_CHECK_EVALUATION(table: inline passed=True)",
        "STEP_SUCCESS(table)",
        *whole_step("report"),
        "STEP_START(report_blocking)",
        "STEP_OUTPUT(report_blocking: result)",
        "ASSET_CHECK_EVALUATION(report_blocking: blocking passed=False)",
        "STEP_FAILURE(report_blocking)",
        "log 40(after_report)",
        "STEP_START(report_other)",
        "STEP_OUTPUT(report_other: result)",
        "ASSET_CHECK_EVALUATION(report_other: other passed=False)",
        "STEP_SUCCESS(report_other)",
        "ENGINE_EVENT",
        "RUN_FAILURE",
    ]


def test_a_failing_asset() -> None:
    @sg.asset
    def fails() -> int:
        raise ValueError

    assert recorded([fails])[1:] == [
        *begin("fails"),
        "STEP_START(fails)",
        "STEP_FAILURE(fails)",
        "ENGINE_EVENT",
        "RUN_FAILURE",
    ]


def test_what_is_not_given_is_skipped_with_a_word_why() -> None:
    @sg.multi_asset(outs={"yes": sg.AssetOut(is_required=False), "no": sg.AssetOut(is_required=False)})
    def branch() -> Iterator[sg.Output[int]]:
        yield sg.Output(1, "yes")

    @sg.asset
    def not_taken(no: int) -> int:
        return no

    @sg.asset(deps=[not_taken])
    def never() -> None: ...

    @sg.asset
    def taken(yes: int) -> int:
        return yes

    assert recorded([branch, not_taken, never, taken])[5:] == [
        *BEGIN,
        "STEP_START(branch)",
        "STEP_OUTPUT(branch: yes)",
        "ASSET_MATERIALIZATION(branch)",
        "HANDLED_OUTPUT(branch: yes)",
        "STEP_SUCCESS(branch)",
        "log 20(not_taken)",
        "STEP_SKIPPED(not_taken)",
        "log 20(never)",
        "STEP_SKIPPED(never)",
        *whole_step("taken", ("yes",)),
        "ENGINE_EVENT",
        "RUN_SUCCESS",
    ]


def test_a_partition_stands_on_what_is_planned_and_made() -> None:
    @sg.asset(partitions_def=sg.StaticPartitionsDefinition(["a", "b"]))
    def part() -> int:
        return 1

    assert recorded([part], partition_key="b") == [
        "ASSET_MATERIALIZATION_PLANNED(part: b)",
        *begin("part"),
        "STEP_START(part)",
        "STEP_OUTPUT(part: result)",
        "ASSET_MATERIALIZATION(part: b)",
        "HANDLED_OUTPUT(part: result)",
        "STEP_SUCCESS(part)",
        "ENGINE_EVENT",
        "RUN_SUCCESS",
    ]


class Closed(sg.ConfigurableResource):
    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        raise RuntimeError("closed")


@sg.asset
def needs(closed: Closed) -> int:
    return 1


def test_a_resource_that_cannot_be_set_up() -> None:
    told = recorded([needs], resources={"closed": Closed()})
    assert told[1:] == [*begin("needs")[:3], "RESOURCE_INIT_FAILURE(needs)", "RUN_FAILURE"]


def test_log_lines_and_facts_stand_where_they_were_written() -> None:
    @sg.asset
    def talks(context: sg.AssetExecutionContext) -> Iterator[Any]:
        context.log.debug("before")
        context.log_event(sg.AssetMaterialization("aside"))
        yield sg.AssetObservation("seen")
        yield sg.Output(1)
        context.log.warning("after")

    assert recorded([talks])[1:] == [
        *begin("talks"),
        "STEP_START(talks)",
        "log 10(talks)",
        "ASSET_MATERIALIZATION(talks)",
        "ASSET_OBSERVATION(talks)",
        "STEP_OUTPUT(talks: result)",
        "ASSET_MATERIALIZATION(talks)",
        "HANDLED_OUTPUT(talks: result)",
        "log 30(talks)",
        "STEP_SUCCESS(talks)",
        "ENGINE_EVENT",
        "RUN_SUCCESS",
    ]


def test_an_interrupted_run_says_so_last() -> None:
    @sg.asset
    def stopped() -> None:
        raise KeyboardInterrupt

    with sg.Instance.ephemeral() as instance:
        with pytest.raises(KeyboardInterrupt):
            sg.materialize([stopped, first], instance=instance)
        told = [_told(stored.event) for stored in instance.all_logs(instance.get_runs()[0].run_id)]
    assert told[2:] == [*BEGIN, *whole_step("first"), "STEP_START(stopped)", "STEP_FAILURE(stopped)", "RUN_CANCELED"]
