"""The inputs and outputs of an op, from its function and from what `ins` and `out` say of them."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from segue.defs.docstrings import Docstring
from segue.defs.io_definitions import type_of
from segue.defs.io_marks import NO_DEFAULT, NO_TYPE, is_nothing
from segue.defs.op_io import DynamicOut, In, Out
from segue.defs.results import DynamicOutput, MaterializeResult, Output
from segue.defs.signature import FunctionShape, Unresolved, UserFunction, source_of
from segue.defs.types.base import PythonObjectType
from segue.defs.types.resolve import infer_type, resolve_type
from segue.errors import InvalidDefinitionError, InvariantViolationError, WrongDeclarationError
from segue.model.arguments import require_each, require_kind
from segue.model.keys import require_name

_NO_DOCSTRING = Docstring()
_NOTHING_SAID = In()
_STREAMS = (Generator, Iterator, Iterable, AsyncGenerator, AsyncIterator)


def read_ins(
    shape: FunctionShape, ins: Mapping[str, In] | None, what: str, said: Docstring = _NO_DOCSTRING
) -> dict[str, In]:
    """The inputs, parameters first.

    Raises:
        InvalidDefinitionError: `ins` names no parameter, or a parameter that has no value, or something that is no type.
    """
    require_kind(what, "ins", ins, Mapping)
    given = dict(ins or {})
    for key, each in given.items():
        require_each(what, f"ins[{key!r}]", each, In)
        require_name(key, "an input", what)
        if key not in shape.inputs and not shape.takes_any and not is_nothing(each.dagster_type):
            parameters = ", ".join(shape.inputs) or "none"
            raise InvalidDefinitionError(
                f"{what} ({shape.source}): ins includes {key!r}, which is not a parameter of the function "
                f"(inputs: {parameters}). Add the parameter, or use the type Nothing if the input only orders "
                "steps."
            )
    require_values({key: each.dagster_type for key, each in given.items()}, shape, what)
    names = [*shape.inputs, *(key for key in given if key not in shape.inputs)]
    found = {key: read_in(shape, key, given.get(key), what, said) for key in names}
    for key, each in found.items():
        _require_default(each, f"{what} ({shape.source}): the input {key!r}")
    return found


def _require_default(given: In, what: str) -> None:
    """Refuses a default value that is no instance of the input's class; other types may need a run for their check.

    Raises:
        InvalidDefinitionError: it is none.
    """
    if not given.has_default_value:
        return
    kind = type_of(given.dagster_type)
    if isinstance(kind, PythonObjectType) and not isinstance(given.default_value, kind.python_type):
        raise InvalidDefinitionError(
            f"{what} has the default value {given.default_value!r}, which is not of its type {kind.display_name}: change one of "
            "them, or annotate it with a type that allows both, such as `int | None`."
        )


def require_values(types: Mapping[str, object], shape: FunctionShape, what: str) -> None:
    """Refuses parameters of type Nothing.

    Raises:
        InvalidDefinitionError: there is one.
    """
    for name, kind in types.items():
        if name in shape.inputs and is_nothing(kind) and not shape.takes_any:
            raise InvalidDefinitionError(
                f"{what} ({shape.source}): the input {name!r} has type Nothing and never carries a value: remove "
                "the parameter."
            )


def read_in(
    shape: FunctionShape, name: str, given: In | None, what: str = "an input", said: Docstring = _NO_DOCSTRING
) -> In:
    """What is said of an input, with what the parameter and the docstring say of it, its type resolved."""
    found = given or _NOTHING_SAID
    changes: dict[str, Any] = {}
    if found.dagster_type is not NO_TYPE:
        pass  # it is said
    elif given is None and shape.annotations.get(name, NO_TYPE) in (None, type(None)):
        raise InvalidDefinitionError(
            f"{what} ({shape.source}): the input {name!r} is annotated with Nothing (None), which never carries "
            f"a value. Remove the parameter and declare ins={{{name!r}: In(Nothing)}} if it only orders steps, "
            "or annotate it with the type of its value."
        )
    elif name in shape.annotations:
        annotation = shape.annotations[name]
        changes["dagster_type"] = infer_type(annotation, f"{what}: the input {name!r}")
    default = shape.defaults.get(name, NO_DEFAULT)
    if found.default_value is NO_DEFAULT and default is not NO_DEFAULT:
        changes["default_value"] = default
    if found.description is None and name in said.parameters:
        changes["description"] = said.parameters[name]
    if given is None:
        return In(**changes)
    return found.replaced(**changes) if changes else found


def read_outs(
    shape: FunctionShape, out: Out | Mapping[str, Out] | None, what: str, said: Docstring = _NO_DOCSTRING
) -> dict[str, Out]:
    """The outputs, their types resolved; one called `result` where nothing is said.

    Raises:
        InvalidDefinitionError: a bad name, something that is no `Out`, or no type.
        InvariantViolationError: the annotation says another number of outputs.
    """
    require_kind(what, "out", out, (Out, Mapping))
    if out is None or isinstance(out, Out):
        given = {"result": out or _undeclared_out(shape, what)}
    else:
        given = dict(out)
        for key, each in given.items():
            require_each(what, f"out[{key!r}]", each, Out)
            require_name(key, "an output", what)
    annotations = output_annotations(shape, tuple(given), what)
    found: dict[str, Out] = {}
    for key, each in given.items():
        changes: dict[str, Any] = {
            "dagster_type": _type_of_output(each, annotations[key], f"{what}: the output {key!r}")
        }
        if each.description is None and said.returns is not None and len(given) == 1:
            changes["description"] = said.returns
        found[key] = each.replaced(**changes)
    return found


def _undeclared_out(shape: FunctionShape, what: str) -> Out:
    """The output of a function of which `out` says nothing: a dynamic one where its annotation says so."""
    annotation = shape.return_annotation
    if annotation is DynamicOutput or get_origin(annotation) is DynamicOutput:
        raise InvariantViolationError(
            f"{what} ({shape.source}) is annotated with a single DynamicOutput, but a dynamic output yields any "
            "number of them. Annotate it with list[DynamicOutput[...]], or use Output for a single value."
        )
    if get_origin(annotation) is list:
        inner = next(iter(get_args(annotation)), None)
        if inner is DynamicOutput or get_origin(inner) is DynamicOutput:
            return DynamicOut()
    return Out()


def _type_of_output(out: Out, annotation: object, what: str) -> object:
    if out.dagster_type is not NO_TYPE:
        return out.dagster_type
    if annotation is NO_TYPE:
        return NO_TYPE
    inner = value_annotation(annotation, out.is_dynamic)
    if inner is None:
        return resolve_type(type(None))
    return NO_TYPE if inner is NO_TYPE else infer_type(inner, what)


def value_annotation(annotation: object, is_dynamic: bool) -> object:
    """The annotation of the value in what is annotated: `int` of `Output[int]`, or of `list[DynamicOutput[int]]`."""
    if annotation is Output or annotation is DynamicOutput or annotation is MaterializeResult:
        return NO_TYPE
    if isinstance(annotation, type) and not is_dynamic:
        return annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Output, DynamicOutput, MaterializeResult):
        return arguments[0]
    if is_dynamic and (annotation is list or origin in (list, Sequence)):  # the list is that of the values
        inner = arguments[0] if arguments else DynamicOutput
        return value_annotation(inner, True) if get_origin(inner) is DynamicOutput else NO_TYPE
    return annotation


def output_annotations(shape: FunctionShape, names: Sequence[str], what: str) -> Mapping[str, object]:
    """What the annotation of a function says of each output; NO_TYPE where it says nothing.

    Raises:
        InvariantViolationError: it says another number of outputs.
    """
    annotation = shape.return_annotation
    nothing: dict[str, object] = dict.fromkeys(names, NO_TYPE)
    if annotation is inspect.Signature.empty or isinstance(annotation, Unresolved) or annotation is Any:
        return nothing
    if annotation in _STREAMS or get_origin(annotation) in _STREAMS:
        return nothing
    if len(names) == 1:
        return {names[0]: annotation}
    if annotation is None or not names:
        return dict.fromkeys(names, annotation)
    if annotation is tuple:
        return nothing
    arguments = get_args(annotation)
    if get_origin(annotation) is not tuple:
        raise InvariantViolationError(
            f"{what} ({shape.source}) has multiple outputs, but its function is annotated with {annotation!r}: "
            f"annotate it with tuple[...], with one type each for {', '.join(names)}."
        )
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return dict.fromkeys(names, arguments[0])
    if len(arguments) != len(names):
        raise InvariantViolationError(
            f"{what} ({shape.source}) has {len(names)} outputs ({', '.join(names)}), but its function is "
            f"annotated with a tuple of {len(arguments)}."
        )
    return dict(zip(names, arguments, strict=True))


def shape_by_hand(compute_fn: UserFunction, ins: Mapping[str, In] | None, what: str) -> FunctionShape:
    """What a function of the context and a dict of the inputs takes.

    Raises:
        InvalidDefinitionError: it is no function.
    """
    if not callable(compute_fn):
        raise WrongDeclarationError(
            f"{what} must be given a function of the context and the inputs, got {compute_fn!r}."
        )
    return FunctionShape(
        context="context",
        config=None,
        resources=(),
        inputs={key: each.has_default_value for key, each in (ins or {}).items()},
        return_annotation=inspect.Signature.empty,
        source=source_of(compute_fn),
        takes_any=True,
    )
