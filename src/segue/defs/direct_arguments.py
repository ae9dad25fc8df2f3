"""The arguments of a direct call by the name of their parameter."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

from segue.defs.io_marks import is_nothing
from segue.defs.op import OpDefinition
from segue.errors import InvalidInvocationError


def arguments_by_name(
    op: OpDefinition, what: str, args: Sequence[object], kwargs: Mapping[str, object]
) -> dict[str, object]:
    """All arguments by the name of their parameter."""
    positional = _positional(op)
    if len(args) > len(positional):
        nothing = [name for name in op.input_names if is_nothing(op.ins[name].dagster_type)]
        why = (
            f"Inputs of type Nothing ({', '.join(nothing)}) never carry a value and cannot be passed."
            if nothing
            else "It has no context parameter."
            if op.shape.context is None
            else "The context comes first."
        )
        raise InvalidInvocationError(
            f"{what} takes {len(positional)} positional arguments ({', '.join(positional) or 'none'}), "
            f"got {len(args)}. {why}"
        )
    found: dict[str, object] = dict(zip(positional, args, strict=False))
    for name, value in kwargs.items():
        if name in found:
            raise InvalidInvocationError(f"{what}: {name!r} was provided twice.")
        found[name] = value
    return found


def _positional(op: OpDefinition) -> list[str]:
    """The parameters that may be given by position, without the context."""
    shape = op.shape
    names = inspect.signature(op.function).parameters.values()
    known = {*shape.inputs, *shape.resources, *(["config"] if shape.config is not None else [])}
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    return [each.name for each in names if each.kind in kinds and each.name in known and each.name != shape.context]
