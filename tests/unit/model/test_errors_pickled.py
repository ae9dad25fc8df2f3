"""Errors cross the border of processes: each arrives with its type, its text and what it carries."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

import segue as sg

PLAIN = sorted(
    name
    for name in sg.__all__
    if isinstance(getattr(sg, name), type)
    and issubclass(getattr(sg, name), sg.SegueError)
    and getattr(sg, name).__init__ is Exception.__init__
)
CARRYING: dict[str, tuple[Callable[[], BaseException], dict[str, object]]] = {
    "InvalidConfigError": (
        lambda: sg.InvalidConfigError(
            "No:", [sg.ConfigViolation("here", sg.ConfigErrorReason.MISSING_REQUIRED_FIELD)], 3
        ),
        {"message": "No:\n  here", "config_value": 3},
    ),
    "ResourceBusyError": (
        lambda: sg.ResourceBusyError("busy", ["pool"], ["r1"]),
        {"resources": ("pool",), "run_ids": ("r1",)},
    ),
    "CircuitOpenError": (lambda: sg.CircuitOpenError("open", ["api"], 2.5), {"resources": ("api",), "seconds": 2.5}),
    "SubprocessError": (
        lambda: sg.SubprocessError("gone", subprocess_error_infos=["info"], step_key="work"),
        {"subprocess_error_infos": ["info"], "step_key": "work"},
    ),
    "LeaseLostError": (
        lambda: sg.LeaseLostError("lost", "run r1", "worker 2"),
        {"name": "run r1", "holder": "worker 2"},
    ),
    "DefinitionErrors": (lambda: sg.DefinitionErrors([sg.InvalidDefinitionError("one")]), {}),
    "CycleError": (lambda: sg.CycleError(["a", "b", "a"]), {"path": ("a", "b", "a")}),
    "ExecutionStepNotFoundError": (lambda: sg.ExecutionStepNotFoundError("no", ["work"]), {"step_keys": ("work",)}),
    "RunNotFoundError": (lambda: sg.RunNotFoundError("no", "r1"), {"invalid_run_id": "r1"}),
    "StepOutputNotFoundError": (
        lambda: sg.StepOutputNotFoundError("no", step_key="work", output_name="result"),
        {"step_key": "work", "output_name": "result"},
    ),
    "UnknownResourceError": (lambda: sg.UnknownResourceError("api", "no"), {"resource_name": "api"}),
    "TypeCheckDidNotPass": (
        lambda: sg.TypeCheckDidNotPass("no", {"rows": 1}),
        {"description": "no", "metadata": {"rows": 1}},
    ),
    "InvalidConfigDefinitionError": (
        lambda: sg.InvalidConfigDefinitionError("no", {"a": 1}, 1, ["a"], "why"),
        {"original_root": {"a": 1}, "current_value": 1, "reason": "why"},
    ),
    "UserCodeExecutionError": (lambda: sg.UserCodeExecutionError("raised"), {"user_exception": None}),
    "Failure": (
        lambda: sg.Failure("no", {"rows": 1}, allow_retries=False),
        {"description": "no", "allow_retries": False},
    ),
    "RetryRequested": (lambda: sg.RetryRequested(2, 3.0), {"max_retries": 2, "seconds_to_wait": 3.0}),
    "ExecutionStepExecutionError": (
        lambda: sg.ExecutionStepExecutionError("raised", "work", None),
        {"step_key": "work", "user_exception": None, "is_user_code_error": True},
    ),
}


def test_most_errors_carry_a_text_alone() -> None:
    assert {"StorageError", "ProcessHostError"} <= set(PLAIN)


@pytest.mark.parametrize("name", PLAIN)
def test_an_error_arrives_as_what_it_was(name: str) -> None:
    error = getattr(sg, name)("what happened")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), "what happened")


@pytest.mark.parametrize("name", CARRYING)
def test_an_error_arrives_with_what_it_carries(name: str) -> None:
    make, carried = CARRYING[name]
    error = make()
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    assert {each: getattr(again, each) for each in carried} == carried


def test_an_exception_of_user_code_goes_with_the_error_about_it() -> None:
    error = sg.ExecutionStepExecutionError("raised", "work", ValueError("no"))
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again.user_exception, ValueError)
    assert str(again.user_exception) == "no"


def test_a_violation_is_its_message_with_a_place_and_a_reason() -> None:
    violation = sg.ConfigViolation("not a number", sg.ConfigErrorReason.RUNTIME_TYPE_MISMATCH, ["ops", "a", 0])
    assert str(violation) == "not a number"
    assert repr(violation) == "ConfigViolation('not a number', RUNTIME_TYPE_MISMATCH, ('ops', 'a', 0))"
    again = pickle.loads(pickle.dumps(violation))
    assert (again.message, again.reason, again.path) == (violation.message, violation.reason, ("ops", "a", 0))
