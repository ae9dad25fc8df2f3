"""Events: what each kind says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest

import segue as sg
from segue.model.approval import ApprovalWanted
from segue.model.event import (
    AnyPayload,
    AssetCheckEvaluationData,
    AssetCheckPlannedData,
    AssetMaterializationPlannedData,
    AssetObservationData,
    AssetWipedData,
    CapturedStream,
    EngineEventData,
    ErrorInfo,
    Event,
    FreshnessChangedData,
    HandledOutputData,
    HookCompletedData,
    HookErroredData,
    HookSkippedData,
    LoadedInputData,
    LogMessageData,
    LogsCapturedData,
    ResourceInitFailureData,
    ResourceInitStartedData,
    ResourceInitSuccessData,
    RunCanceledData,
    RunCancelingData,
    RunEnqueuedData,
    RunFailureData,
    RunStartData,
    RunStartingData,
    RunSuccessData,
    StepExpectationResultData,
    StepFailureData,
    StepInputData,
    StepMaterializationData,
    StepOutputData,
    StepRestartedData,
    StepRetryData,
    StepSkippedData,
    StepStartData,
    StepSuccessData,
    UserFailureData,
)
from segue.model.event_message import message_of
from segue.model.freshness import FreshnessState
from segue.model.run import FailureReason
from segue.model.run_events import ApprovalGivenData, ApprovalRefusedData, RunSuspendedData

KEY = sg.AssetKey("a")
ERROR = ErrorInfo("ValueError: no", "ValueError")

# payload, what is_* says yes, the property that gives the data, a part of its sentence
ROWS: list[tuple[AnyPayload, set[str], str | None, str]] = [
    (EngineEventData("Working."), {"engine_event"}, "engine_event_data", "Working."),
    (RunEnqueuedData(), {"job_event"}, None, "Queued"),
    (RunStartingData(), {"job_event"}, None, "Starting"),
    (RunSuspendedData((ApprovalWanted("load", "May it?"),)), {"job_event"}, None, "May it?"),
    (ApprovalGivenData("ann", ("load",)), set(), None, "ann"),
    (ApprovalRefusedData("ann", ("load",), "Too late."), set(), None, "(Too late)"),
    (RunStartData(), {"job_event"}, None, 'the run of "daily"'),
    (RunSuccessData(), {"job_event", "job_success"}, None, "Finished"),
    (
        RunFailureData(FailureReason.STEP_FAILURE, "It failed."),
        {"job_event", "job_failure", "run_failure", "failure"},
        "job_failure_data",
        "It failed.",
    ),
    (RunCancelingData(), {"job_event"}, None, "cancellation"),
    (RunCanceledData(), {"job_event", "failure"}, "job_canceled_data", "Stopped"),
    (ResourceInitStartedData(("db",)), set(), None, "db"),
    (ResourceInitSuccessData(("db",)), set(), None, "db"),
    (ResourceInitFailureData(("db",), ERROR), {"resource_init_failure"}, None, "db"),
    (StepStartData(), {"step_event", "step_start"}, None, 'Started execution of step "load"'),
    (StepRestartedData(2), {"step_event", "step_restarted"}, None, "attempt 2"),
    (StepRetryData(1, 0.5), {"step_event", "step_up_for_retry"}, "step_retry_data", "0.5 seconds"),
    (StepFailureData(ERROR), {"step_event", "step_failure", "failure"}, "step_failure_data", "failed"),
    (StepSuccessData(12.4), {"step_event", "step_success"}, "step_success_data", "12 ms"),
    (StepSkippedData("No input."), {"step_event", "step_skipped"}, None, "(No input)"),
    (
        StepExpectationResultData(sg.ExpectationResult(success=False, label="rows")),
        {"step_event", "expectation_result"},
        "step_expectation_result_data",
        "rows does not hold",
    ),
    (LoadedInputData("x", "io", "up", "result"), {"step_event", "loaded_input"}, None, 'step "up"'),
    (StepInputData("x"), {"step_event"}, "step_input_data", '"x"'),
    (StepOutputData("y", {}, "k"), {"step_event", "successful_output"}, "step_output_data", "mapping key 'k'"),
    (HandledOutputData("y", "io"), {"step_event", "handled_output"}, None, '"io"'),
    (
        AssetMaterializationPlannedData(KEY, "p"),
        {"asset_materialization_planned"},
        "asset_materialization_planned_data",
        "is going to materialize a, partition p",
    ),
    (
        StepMaterializationData(sg.AssetMaterialization(KEY, partition="p")),
        {"step_event", "step_materialization"},
        "step_materialization_data",
        "Materialized a, partition p",
    ),
    (
        AssetObservationData(sg.AssetObservation(KEY, partition="p")),
        {"step_event", "asset_observation"},
        "asset_observation_data",
        "Observed a, partition p",
    ),
    (AssetCheckPlannedData(KEY, "fresh"), set(), "asset_check_planned_data", '"fresh" of a'),
    (
        AssetCheckEvaluationData(sg.AssetCheckEvaluation(KEY, "fresh", passed=False)),
        {"step_event"},
        None,
        "failed with severity ERROR",
    ),
    (AssetWipedData(KEY, ("p",)), set(), "asset_wiped_data", "a"),
    (
        FreshnessChangedData(KEY, FreshnessState.WARN, FreshnessState.PASS),
        set(),
        "asset_freshness_state_change_data",
        "a changed from PASS to WARN",
    ),
    (HookCompletedData("tell"), {"hook_event"}, "hook_completed_data", '"tell" ran for step "load"'),
    (HookSkippedData("tell"), {"hook_event"}, "hook_skipped_data", '"tell" was skipped'),
    (HookErroredData("tell", ErrorInfo("no", "E")), {"hook_event"}, "hook_errored_data", '"tell" raised'),
    (LogsCapturedData(1, CapturedStream("/logs/load-1.out", 7, 2)), set(), None, "stdout: 7 bytes, 2 of them dropped"),
    (LogMessageData(20, "hello"), set(), None, "hello"),
]
IS = [name for name in dir(Event) if name.startswith("is_")]
NOT_THE_PAYLOAD = ("event_specific_data", "asset_check_evaluation_data", "step_output_data", "_data")
DATA = [name for name in dir(Event) if name.endswith("_data") and name not in NOT_THE_PAYLOAD]


def test_every_kind_is_in_the_table() -> None:
    assert {type(row[0]) for row in ROWS} == set(get_args(AnyPayload))


@pytest.mark.parametrize(("payload", "says_yes", "data", "sentence"), ROWS, ids=lambda each: type(each).__name__)
def test_what_an_event_says_of_itself(payload: AnyPayload, says_yes: set[str], data: str | None, sentence: str) -> None:
    event = Event(1.0, payload, "graph.load", "r1", "daily")
    if not isinstance(payload, (StepOutputData, AssetCheckEvaluationData)):
        assert event.event_specific_data is payload
    assert event.event_type_value == event.event_type.value == event.event_type.name
    assert {name for name in IS if getattr(event, name)} == {f"is_{name}" for name in says_yes}
    for name in DATA:
        if name == data:
            assert getattr(event, name) is payload
        else:
            with pytest.raises(AttributeError, match=event.event_type_value):
                getattr(event, name)
    assert sentence.replace('"load"', '"graph.load"') in event.message
    assert (event.asset_key == KEY) is ("ASSET" in event.event_type_value or "FRESHNESS" in event.event_type_value)
    # Outside of a step and a run there is a sentence too.
    assert message_of(payload, None, None)


def test_which_output_of_which_step_was_given() -> None:
    event = Event(1.0, StepOutputData("rows", mapping_key="de"), "graph.load", "r1", "daily")
    given = event.event_specific_data
    assert isinstance(given, StepOutputData)
    for handle in (event.step_output_data.step_output_handle, given.step_output_handle):
        assert (handle.step_key, handle.output_name, handle.mapping_key) == ("graph.load", "rows", "de")
    with pytest.raises(AttributeError, match="STEP_START"):
        _ = Event(1.0, StepStartData(), "load").step_output_data


def test_of_a_check_that_ran_an_event_has_the_evaluation() -> None:
    (payload,) = [row[0] for row in ROWS if isinstance(row[0], AssetCheckEvaluationData)]
    event = Event(1.0, payload, "graph.load")
    assert event.event_specific_data is event.asset_check_evaluation_data is payload.evaluation


def test_where_an_event_happened() -> None:
    event = Event(1.0, StepStartData(), "graph.load[one.two]", "r1", "daily")
    assert event.node_name == "load"
    assert event.node_handle is not None
    assert event.node_handle.path == ["graph", "load"]
    assert Event(1.0, RunStartData()).node_handle is None
    assert event.logging_tags == {
        "run_id": "r1",
        "job_name": "daily",
        "step_key": "graph.load[one.two]",
        "op_name": "load",
    }
    outside = Event(1.0, StepMaterializationData(sg.AssetMaterialization(KEY)))
    assert (outside.node_name, outside.logging_tags) == (None, {})
    assert outside.materialization.asset_key == KEY


def test_what_a_check_found() -> None:
    evaluation = sg.AssetCheckEvaluation(KEY, "fresh", passed=True, partition="p")
    event = Event(1.0, AssetCheckEvaluationData(evaluation))
    assert (event.asset_check_evaluation_data, event.partition) == (evaluation, "p")
    with pytest.raises(AttributeError, match="ASSET_CHECK_EVALUATION"):
        _ = Event(1.0, RunStartData()).asset_check_evaluation_data


def test_superseded_names_of_kinds_mean_the_same() -> None:
    for name in ("ENQUEUED", "DEQUEUED", "STARTING", "START", "SUCCESS", "FAILURE", "CANCELING", "CANCELED"):
        current = sg.EventType[f"RUN_{name}"]
        assert sg.EventType[f"PIPELINE_{name}"] is sg.EventType(f"PIPELINE_{name}") is current
    with pytest.raises(ValueError, match="PIPELINE_X"):
        sg.EventType("PIPELINE_X")


def test_a_failure_on_purpose_says_why() -> None:
    @sg.op
    def fail() -> None:
        raise sg.Failure("no rows", metadata={"rows": 0})

    @sg.job
    def failing() -> None:
        fail()

    result = failing.execute_in_process(raise_on_error=False)
    data = result.failure_data_for_node("fail")
    assert data is not None
    assert data.user_failure_data == UserFailureData("no rows", {"rows": sg.IntMetadataValue(0)})
    assert data.metadata == {"rows": sg.IntMetadataValue(0)}
    assert data.error_display_string.startswith("no rows\n")
    assert StepFailureData(ERROR).error_display_string == "ValueError: no"
    assert StepFailureData(ERROR).metadata == {}


def test_an_expectation_keeps_what_it_is_told() -> None:
    expected = sg.ExpectationResult(True, "rows", "there are rows", {"rows": 3})
    assert expected.metadata == {"rows": sg.IntMetadataValue(3)}
    with pytest.raises(sg.SegueError):
        sg.ExpectationResult("yes")  # pyright: ignore[reportArgumentType] reason: the mistake under test


def test_expectations_are_recorded_where_they_are_told() -> None:
    @sg.op
    def look(context: sg.OpExecutionContext) -> Iterator[Any]:
        context.log_event(sg.ExpectationResult(True, "first"))
        yield sg.ExpectationResult(False, description="second")
        yield sg.Output(1)

    @sg.job
    def looking() -> None:
        look()

    result = looking.execute_in_process()
    found = [event for event in result.events_for_node("look") if event.is_expectation_result]
    assert [event.step_expectation_result_data.expectation_result.success for event in found] == [True, False]
    assert [event.message for event in found] == ["Expectation first holds.", "second"]
