"""The inputs and outputs of an op, from its function and from what `ins` and `out` say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.defs.op_io import NO_DEFAULT, NO_TYPE, In, Out, is_nothing
from segue.defs.signature import FunctionShape
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind
from segue.model.keys import require_name


def read_ins(shape: FunctionShape, ins: Mapping[str, In] | None, what: str) -> dict[str, In]:
    """The inputs, parameters first.

    Raises:
        InvalidDefinitionError: `ins` names no parameter, or a parameter that has no value.
    """
    require_kind(what, "ins", ins, Mapping)
    given = dict(ins or {})
    for key, each in given.items():
        require_name(key, "an input", what)
        require_kind(what, f"ins[{key!r}]", each, In)
        if key not in shape.inputs and not shape.takes_any and not is_nothing(each.dagster_type):
            parameters = ", ".join(shape.inputs) or "none"
            raise InvalidDefinitionError(
                f"{what} ({shape.source}): ins names {key!r}, but the function's inputs are: {parameters}. Add the parameter, or "
                "give it the type Nothing when it only orders steps."
            )
        if key in shape.inputs and is_nothing(each.dagster_type) and not shape.takes_any:
            raise InvalidDefinitionError(
                f"{what} ({shape.source}): the input {key!r} is of type Nothing and has no value: take the parameter out."
            )
    names = [*shape.inputs, *(key for key in given if key not in shape.inputs)]
    return {key: read_in(shape, key, given.get(key)) for key in names}


def read_in(shape: FunctionShape, name: str, given: In | None) -> In:
    """What is said of an input, with what the parameter says of it."""
    found = given or In()
    changes: dict[str, Any] = {}
    if found.dagster_type is NO_TYPE and name in shape.annotations:
        changes["dagster_type"] = shape.annotations[name]
    default = shape.defaults.get(name, NO_DEFAULT)
    if found.default_value is NO_DEFAULT and default is not NO_DEFAULT:
        changes["default_value"] = default
    return found.replaced(**changes) if changes else found


def read_outs(shape: FunctionShape, out: Out | Mapping[str, Out] | None, what: str) -> dict[str, Out]:
    """The outputs; one called `result` where nothing is said.

    Raises:
        InvalidDefinitionError: a bad name, or something that is no `Out`.
    """
    require_kind(what, "out", out, (Out, Mapping))
    if out is None or isinstance(out, Out):
        found = out or Out()
        if found.dagster_type is NO_TYPE and shape.return_annotation is None:
            found = found.replaced(dagster_type=type(None))
        return {"result": found}
    for key, each in out.items():
        require_name(key, "an output", what)
        require_kind(what, f"out[{key!r}]", each, Out)
    return dict(out)
