"""Values against the types of the inputs and outputs they are for."""

from __future__ import annotations

from segue.defs.op import OpDefinition
from segue.defs.types.base import SegueType, TypeCheck, TypeCheckContext, passes_at_once
from segue.defs.types.loader import TypeLoader
from segue.errors import InvariantViolationError, TypeCheckDidNotPass, TypeCheckError


def checked(kind: SegueType, value: object, context: TypeCheckContext, what: str) -> TypeCheck | None:
    """What a type says of a value; None for a value that passes without a word.

    Args:
        kind: the type.
        value: the value.
        context: what the check of the type is told.
        what: how errors name the input or output (`step input "x"`).

    Raises:
        TypeCheckError: the check raised; its exception is the cause.
        InvariantViolationError: it gave neither a bool nor a TypeCheck.
    """
    if passes_at_once(kind, value):
        return None
    try:
        result = kind.type_check(context, value)
    except (
        KeyboardInterrupt,
        SystemExit,
        InvariantViolationError,
    ):  # the last: the check gave something else than a verdict
        raise
    except Exception as error:
        raise TypeCheckError(
            f"The check of the type {kind.display_name!r} raised for {what}: {error!r}", error
        ) from error
    return None if result.success and not result.description and not result.metadata else result


def require_passed(kind: SegueType, result: TypeCheck | None, what: str) -> None:
    """Refuses a value that is not of its type.

    Raises:
        TypeCheckDidNotPass: the check did not pass.
    """
    if result is None or result.success:
        return
    description = f" Description: {result.description}" if result.description else ""
    raise TypeCheckDidNotPass(
        f'Type check failed for {what} - expected type "{kind.display_name}".{description}',
        metadata=result.metadata,
        dagster_type=kind,
    )


def resources_of_types(op: OpDefinition) -> set[str]:
    """The resources that the checks of the types of an op take, and the loaders of those of its inputs."""
    keys: set[str] = set()
    for name in op.ins:
        kind = op.input_type(name)
        keys |= kind.required_resource_keys
        if isinstance(kind.loader, TypeLoader):
            keys |= kind.loader.required_resource_keys()
    for name in op.outs:
        keys |= op.output_type(name).required_resource_keys
    return keys
