"""Values of a step against the types of its inputs and outputs, and what is recorded of that."""

from __future__ import annotations

from typing import Any

from segue.defs.io_marks import NO_TYPE
from segue.defs.resource_context import Resources
from segue.defs.type_checks import checked, require_passed
from segue.defs.types.base import SegueType, TypeCheck, TypeCheckContext, passes_at_once
from segue.execute.attempt import StepAttempt
from segue.model.event import TypeCheckData


def type_check(attempt: StepAttempt, kind: SegueType, value: object, what: str) -> TypeCheck | None:
    """What the type of an input or output says of a value; None for one that passes without a word.

    Raises:
        TypeCheckError: the check of the type raised.
    """
    if passes_at_once(kind, value):
        return None
    resources = Resources({key: attempt.all_resources[key] for key in kind.required_resource_keys})
    return checked(kind, value, TypeCheckContext(attempt.run_id, attempt.log, resources), what)


def recorded(result: TypeCheck | None, name: str) -> TypeCheckData | None:
    """The result of a check as part of an event."""
    if result is None:
        return None
    return TypeCheckData(result.success, name, result.description, dict(result.metadata))


__all__ = ["recorded", "require_passed", "type_check"]


def declared_type(declared: object) -> object:
    """The type of an input or output, as `resolve_type` takes it."""
    return Any if declared is NO_TYPE else declared
