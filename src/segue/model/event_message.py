"""Events as sentences for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from segue.model import event_data as data


def message_of(payload: data.AnyPayload, step_key: str | None, job_name: str | None) -> str:
    """What happened, in a sentence.

    Args:
        payload: what happened.
        step_key, job_name: where, as far as it is known.
    """
    run = "the run" if job_name is None else f'the run of "{job_name}"'
    step = "a step" if step_key is None else f'step "{step_key}"'
    return _SENTENCES[type(payload)](payload, run, step)


def _sentence(text: str) -> str:
    """The text with a capital letter in front and the rest (the name of a job, say) as it is."""
    return text[:1].upper() + text[1:]


def _in_parentheses(reason: str) -> str:
    return f" ({reason.rstrip('.')})" if reason else ""


def _about_asset(payload: Any) -> str:
    asset, partition = data.subject_of(payload)
    name = "" if asset is None else asset.to_user_string()
    return name if partition is None else f"{name}, partition {partition}"


def _output(payload: data.StepOutputData | data.HandledOutputData) -> str:
    key = "" if payload.mapping_key is None else f" with mapping key {payload.mapping_key!r}"
    return f'output "{payload.output_name}"{key}'


def _loaded_input(payload: data.LoadedInputData, _run: str, _step: str) -> str:
    whence = ""
    if payload.upstream_step_key is not None:
        whence = f', from output "{payload.upstream_output_name}" of step "{payload.upstream_step_key}"'
    return f'Loaded input "{payload.input_name}" with IO manager "{payload.manager_key}"{whence}.'


def _expectation(payload: data.StepExpectationResultData, _run: str, _step: str) -> str:
    result = payload.expectation_result
    word = "holds" if result.success else "does not hold"
    return result.description or f"Expectation {result.label or ''} {word}.".replace("  ", " ")


def _check(payload: data.AssetCheckEvaluationData, _run: str, _step: str) -> str:
    found = payload.evaluation
    word = "passed" if found.passed else f"failed with severity {found.severity.value}"
    return f'Check "{found.check_name}" of {_about_asset(payload)} {word}.'


def _captured(payload: data.LogsCapturedData, _run: str, step: str) -> str:
    parts: list[str] = []
    for name, stream in (("stdout", payload.stdout), ("stderr", payload.stderr)):
        if stream is not None:
            left_out = f", {stream.dropped} of them dropped" if stream.dropped else ""
            parts.append(f"{name}: {stream.size} bytes{left_out}, in {stream.place}")
    return f"Captured the output of {step} ({'; '.join(parts)})."


def _resources(payload: Any) -> str:
    return ", ".join(payload.resource_keys) or "none"


_SENTENCES: dict[type, Callable[[Any, str, str], str]] = {
    data.EngineEventData: lambda payload, _run, _step: payload.message,
    data.RunEnqueuedData: lambda _payload, run, _step: f"Queued {run}.",
    data.RunStartingData: lambda _payload, run, _step: f"Starting a process for {run}.",
    data.RunSuspendedData: lambda payload, run, _step: (
        f"{_sentence(run)} is waiting for approval: "
        + "; ".join(f"{each.step_key}: {each.question}" for each in payload.steps)
    ),
    data.ApprovalGivenData: lambda payload, run, _step: (
        f"{payload.by} approved {', '.join(payload.steps) or run}{_in_parentheses(payload.text)}."
    ),
    data.ApprovalRefusedData: lambda payload, run, _step: (
        f"{payload.by} rejected {', '.join(payload.steps) or run}{_in_parentheses(payload.text)}."
    ),
    data.RunStartData: lambda _payload, run, _step: f"Started execution of {run}.",
    data.RunSuccessData: lambda _payload, run, _step: f"Finished execution of {run}.",
    data.RunFailureData: lambda payload, _run, _step: payload.message,
    data.RunCancelingData: lambda payload, run, _step: payload.message or f"Requested cancellation of {run}.",
    data.RunCanceledData: lambda payload, run, _step: payload.message or f"Stopped {run}.",
    data.ResourceInitStartedData: lambda payload, _run, _step: f"Setting up resources: {_resources(payload)}.",
    data.ResourceInitSuccessData: lambda payload, _run, _step: f"Resources are set up: {_resources(payload)}.",
    data.ResourceInitFailureData: lambda payload, _run, _step: f"Could not set up resources: {_resources(payload)}.",
    data.StepStartData: lambda _payload, _run, step: f"Started execution of {step}.",
    data.StepRestartedData: lambda payload, _run, step: f"Started attempt {payload.attempt} of {step}.",
    data.StepRetryData: lambda payload, _run, step: (
        f"Attempt {payload.attempt} of {step} failed; retrying after {payload.seconds_to_wait:g} seconds."
    ),
    data.StepFailureData: lambda _payload, _run, step: f"Execution of {step} failed.",
    data.StepSuccessData: lambda payload, _run, step: f"Finished execution of {step} in {payload.duration_ms:.0f} ms.",
    data.StepSkippedData: lambda payload, _run, step: f"Skipped {step}{_in_parentheses(payload.reason)}.",
    data.StepExpectationResultData: _expectation,
    data.HookCompletedData: lambda payload, _run, step: f'Hook "{payload.hook_name}" ran for {step}.',
    data.HookSkippedData: lambda payload, _run, step: f'Hook "{payload.hook_name}" was skipped for {step}.',
    data.HookErroredData: lambda payload, _run, step: f'Hook "{payload.hook_name}" raised for {step}.',
    data.LoadedInputData: _loaded_input,
    data.StepInputData: lambda payload, _run, _step: f'Got input "{payload.input_name}".',
    data.StepOutputData: lambda payload, _run, _step: f"Gave {_output(payload)}.",
    data.HandledOutputData: lambda payload, _run, _step: (
        f'Stored {_output(payload)} with IO manager "{payload.manager_key}".'
    ),
    data.AssetMaterializationPlannedData: lambda payload, run, _step: (
        f"{_sentence(run)} is going to materialize {_about_asset(payload)}."
    ),
    data.StepMaterializationData: lambda payload, _run, _step: f"Materialized {_about_asset(payload)}.",
    data.AssetObservationData: lambda payload, _run, _step: f"Observed {_about_asset(payload)}.",
    data.AssetCheckPlannedData: lambda payload, run, _step: (
        f'{_sentence(run)} is going to run check "{payload.check_name}" of {_about_asset(payload)}.'
    ),
    data.AssetCheckEvaluationData: _check,
    data.AssetWipedData: lambda payload, _run, _step: f"Removed the recorded state of {_about_asset(payload)}.",
    data.FreshnessChangedData: lambda payload, _run, _step: (
        f"The freshness of {_about_asset(payload)} changed from {payload.previous_state.value} to {payload.state.value}."
    ),
    data.LogsCapturedData: _captured,
    data.LogMessageData: lambda payload, _run, _step: payload.message,
}
