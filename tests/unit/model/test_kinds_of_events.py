"""What each event says of itself, and the names that kinds of events have had."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg

OLD_NAMES = (
    *("PIPELINE_CANCELED", "PIPELINE_CANCELING", "PIPELINE_DEQUEUED", "PIPELINE_ENQUEUED", "PIPELINE_FAILURE"),
    *("PIPELINE_START", "PIPELINE_STARTING", "PIPELINE_SUCCESS"),
)
KINDS = (
    *("ALERT_FAILURE", "ALERT_START", "ALERT_SUCCESS", "ASSET_FAILED_TO_MATERIALIZE", "ASSET_HEALTH_CHANGED"),
    *("ASSET_STORE_OPERATION", "CODE_LOCATION_UPDATED", "FRESHNESS_STATE_EVALUATION", "OBJECT_STORE_OPERATION"),
    *("RUN_CANCELING", "RUN_DEQUEUED", "RUN_ENQUEUED", "RUN_RESUMED", "RUN_STARTING", "RUN_SUSPENDED"),
    *("STEP_WORKER_STARTED", "STEP_WORKER_STARTING"),
)


@pytest.mark.parametrize("name", OLD_NAMES)
def test_a_kind_of_event_keeps_its_old_name(name: str) -> None:
    assert sg.EventType[name] is sg.EventType[name.replace("PIPELINE", "RUN")]


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_event_is_called_as_it_is_stored(name: str) -> None:
    assert sg.EventType(name) is sg.EventType[name]
    assert sg.EventType[name].name == name


TRUE_OF = {
    "is_asset_materialization_planned": ["ASSET_MATERIALIZATION_PLANNED"],
    "is_asset_observation": ["ASSET_OBSERVATION"],
    "is_handled_output": ["HANDLED_OUTPUT"],
    "is_loaded_input": ["LOADED_INPUT"],
    "is_step_materialization": ["ASSET_MATERIALIZATION"],
    "is_step_restarted": ["STEP_RESTARTED"],
    "is_step_skipped": ["STEP_SKIPPED"],
    "is_successful_output": ["STEP_OUTPUT"],
    "is_job_success": ["RUN_SUCCESS"],
    "is_job_failure": ["RUN_FAILURE"],
    "is_resource_init_failure": ["RESOURCE_INIT_FAILURE"],
    "is_job_event": ["RUN_START", "RUN_SUCCESS", "RUN_FAILURE"],
    "is_alert_event": [],
}


def events() -> list[sg.Event]:
    """Of a run that goes well, with each sort of step, and of one whose resource cannot be set up."""
    tries = iter([1, 2])

    @sg.asset
    def kept() -> int:
        return 1

    @sg.asset(retry_policy=sg.RetryPolicy(max_retries=1))
    def seen(context: sg.AssetExecutionContext, kept: int) -> int:
        context.log_event(sg.AssetObservation("seen", metadata={"kept": kept}))
        if next(tries) == 1:
            raise sg.RetryRequested(max_retries=1)
        return 1

    @sg.multi_asset(outs={"left": sg.AssetOut(is_required=False)})
    def maybe() -> Any:
        yield from ()

    @sg.asset
    def after(left: int) -> int:
        return left

    @sg.resource
    def broken(_context: sg.InitResourceContext) -> None:
        raise ValueError("no")

    @sg.asset(required_resource_keys={"broken"})
    def needy() -> None: ...

    with sg.Instance.ephemeral() as instance:
        runs = [
            sg.materialize([kept, seen, maybe, after], instance=instance),
            sg.materialize([needy], resources={"broken": broken}, raise_on_error=False, instance=instance),
        ]
        return [each.event for run in runs for each in instance.all_logs(run.run_id)]


def test_each_question_is_true_of_its_kinds_alone() -> None:
    found = events()
    for question, kinds in TRUE_OF.items():
        true = {event.event_type_value for event in found if getattr(event, question)}
        if question == "is_job_event":  # there are more of them, and all are of the run
            assert true >= set(kinds)
            assert all(each.startswith("RUN_") for each in true)
        else:
            assert true == set(kinds), question
