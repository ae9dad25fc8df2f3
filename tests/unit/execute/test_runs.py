"""Runs in this process: events in order, results, failures, retries of steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import segue as sg


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
        *["STEP_START(boom)", "STEP_FAILURE(boom)"],
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
    text = result.get_step_failure_events()[0].step_failure_data.raised.to_string()
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
    assert (made["table"].data_version, made["table"].tags["source"]) == ("v1", "test")
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
        (wrong_kind, "yielded a value of type .*int"),
        (twice, "twice"),
        (unknown_output, "no output 'other'"),
        (nothing, "did not yield the output"),
    ],
)
def test_results_that_say_nothing_are_refused(function: Any, words: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match=words) as caught:
        sg.materialize([sg.asset(name="a")(function)])
    assert "test_runs.py:" in str(caught.value)


def test_a_value_where_the_annotation_says_none_is_of_a_wrong_type() -> None:
    with pytest.raises(sg.TypeCheckDidNotPass, match='step output "result" - expected type "Nothing"'):
        sg.materialize([sg.asset(name="a")(value_against_annotation)])


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


def test_what_is_logged_stands_among_the_logs_and_is_no_event() -> None:
    @sg.asset
    def talks(context: sg.AssetExecutionContext) -> None:
        context.log.info("hello")

    result = sg.materialize([talks])
    assert [event.message for event in result.all_logs if event.event_type is sg.EventType.LOG_MESSAGE] == ["hello"]
    assert [event for event in result.all_logs if event.event_type is not sg.EventType.LOG_MESSAGE] == list(
        result.all_events
    )


def test_a_selection_of_what_is_not_there_is_both_kinds_of_error() -> None:
    for kind in (sg.InvalidSubsetError, sg.InvalidDefinitionError):
        with pytest.raises(kind, match="'nowhere'"):
            sg.materialize([up], selection=["nowhere"])
        job = sg.define_asset_job("lost", selection=["nowhere"])
        with pytest.raises(kind, match=r"(?s)Job .lost.*nowhere"):
            sg.Definitions.validate_loadable(sg.Definitions(assets=[up], jobs=[job]))
