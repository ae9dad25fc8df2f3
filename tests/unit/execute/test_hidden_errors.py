"""Errors of user code that the environment asks to keep out of what is recorded."""

from __future__ import annotations

import logging
import re

import pytest

import segue as sg
from segue.errors import RedactedUserCodeError

ERROR_ID = re.compile(r"error id ([0-9a-f-]{36})")


class UserError(Exception):
    """What user code raises, with a secret in it."""


@sg.op
def raises() -> None:
    def hunter2() -> None:
        raise UserError("the password is hunter2")

    hunter2()


@sg.op
def says() -> None:
    raise sg.Failure("nothing to load", metadata={"rows": 0})


@sg.op
def gives_nothing() -> sg.Output[int]:
    return None  # pyright: ignore[reportReturnType] reason: what the engine refuses


@sg.resource
def connection() -> None:
    raise UserError("the password is hunter2")


@sg.op(required_resource_keys={"connection"})
def connects() -> None: ...


@sg.graph
def all_of_them() -> None:
    raises()
    says()
    gives_nothing()


@pytest.mark.parametrize("variable", ["SEGUE_REDACT_USER_CODE_ERRORS", "DAGSTER_REDACT_USER_CODE_ERRORS"])
def test_what_user_code_raised_stands_in_the_log_of_the_process_alone(
    variable: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(variable, "1")
    with caplog.at_level(logging.ERROR):
        result = all_of_them.execute_in_process(raise_on_error=False)
    assert not any("hunter2" in str(event) for event in result.all_events)
    errors = {event.step_key: event.step_failure_data.error for event in result.all_events if event.is_step_failure}
    raised = errors["raises"]
    assert raised is not None
    assert (raised.cls_name, raised.stack, raised.cause) == (RedactedUserCodeError.__name__, (), None)
    found = ERROR_ID.search(raised.message)
    assert found is not None
    shown = [record for record in caplog.records if found[1] in record.getMessage()]
    assert [str(record.exc_info[1]) for record in shown if record.exc_info] == ["the password is hunter2"]
    for key, words in (("says", "nothing to load"), ("gives_nothing", "gives_nothing")):
        error = errors[key]
        assert error is not None
        assert (words in error.message, error.stack) == (True, ())
        assert ERROR_ID.search(error.message)


def test_a_resource_that_raises_is_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_REDACT_USER_CODE_ERRORS", "true")
    job = sg.GraphDefinition("job", node_defs=[connects]).to_job(resource_defs={"connection": connection})
    result = job.execute_in_process(raise_on_error=False)
    assert not result.success
    assert not any("hunter2" in str(event) for event in result.all_events)


@pytest.mark.parametrize("value", [None, "0", "false", ""])
def test_without_being_asked_errors_are_recorded_whole(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("SEGUE_REDACT_USER_CODE_ERRORS", value)
    result = all_of_them.execute_in_process(raise_on_error=False)
    assert any("hunter2" in str(event) for event in result.all_events if event.is_step_failure)
