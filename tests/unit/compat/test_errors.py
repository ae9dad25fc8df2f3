"""Every error that code may import from Dagster is a class here, and none of those we do not raise catches what we do raise."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import segue.errors
from segue.compat import errors_unraised
from segue.compat.lookup import private_name
from segue.compat.names import PRIVATE_NAMES

_PLACE = "dagster._core.errors"
_UNRAISED = sorted(
    name
    for name, value in vars(errors_unraised).items()
    if inspect.isclass(value) and value.__module__ == errors_unraised.__name__
)


@pytest.mark.parametrize("name", _UNRAISED)
def test_an_error_that_is_not_raised_resolves_and_is_an_error_of_ours(name: str) -> None:
    error = private_name(_PLACE, name)
    assert issubclass(error, segue.errors.SegueError)
    assert not error.__subclasses__()


def test_errors_that_are_raised_under_another_name_lead_there() -> None:
    for name, meant in {
        "DagsterUserCodeUnreachableError": segue.errors.LocationUnavailableError,
        "DagsterUserCodeLoadError": segue.errors.LoadError,
        "DagsterUserCodeExecutionError": segue.errors.UserCodeExecutionError,
    }.items():
        assert private_name(_PLACE, name) is meant


def test_nothing_raises_an_error_that_is_said_to_be_unraised() -> None:
    package = Path(segue.errors.__file__).parent
    for file in package.rglob("*.py"):
        if file.name != "errors_unraised.py":
            names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
            assert not names & {*_UNRAISED}, file
    assert {f"{_PLACE}.{name}" for name in _UNRAISED} <= {*PRIVATE_NAMES}
