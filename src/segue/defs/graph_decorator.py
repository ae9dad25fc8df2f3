"""`@graph`: a composition function as a graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast, overload

from segue.defs.composition import CollectedOutput, Composed, InvokedNodeDynamicOutput, InvokedNodeOutput, compose
from segue.defs.dependency import OutputMapping
from segue.defs.graph import GraphDefinition
from segue.defs.op_io import GraphIn, GraphOut
from segue.defs.signature import UserFunction, docstring_of, function_name
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind
from segue.model.keys import require_name


@overload
def graph(compose_fn: UserFunction, /) -> GraphDefinition: ...
@overload
def graph(
    *,
    name: str | None = ...,
    description: str | None = ...,
    ins: Mapping[str, GraphIn] | None = ...,
    out: GraphOut | Mapping[str, GraphOut] | None = ...,
    tags: Mapping[str, Any] | None = ...,
    config: object = ...,
) -> Callable[[UserFunction], GraphDefinition]: ...
def graph(
    compose_fn: UserFunction | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: Mapping[str, Any] | None = None,
    config: object = None,
) -> GraphDefinition | Callable[[UserFunction], GraphDefinition]:
    """Declares a graph: a function that calls ops and graphs on each other's outputs.

    Its parameters are the graph's inputs; what it returns are the graph's outputs: one, or a dict by name.

    Args:
        name: the function's name when None.
        description: for people; the docstring when None.
        ins: the inputs, by name; a function with `**kwargs` may have inputs that are not parameters.
        out: the output, or several by name.
        tags: tags of the jobs created from it.
        config: a config mapping, or fixed config for its ops. In the run config its own config stands in its entry under `ops`;
            run as a job, in `ops` itself: `{"ops": {"config": ...}}`.

    Raises:
        InvalidDefinitionError: something that is not valid; the message says where.
    """

    def decorate(function: UserFunction) -> GraphDefinition:
        own_name = require_name(name or function_name(function, "graph"), "a graph", "graph")
        return composed_graph(function, own_name, description, ins, out, tags, config, f"@graph {own_name!r}")

    return decorate if compose_fn is None else decorate(compose_fn)


def composed_graph(
    function: UserFunction,
    name: str,
    description: str | None,
    ins: Mapping[str, GraphIn] | None,
    out: GraphOut | Mapping[str, GraphOut] | None,
    tags: Mapping[str, Any] | None,
    config: object,
    what: str,
    has_outputs: bool = True,
) -> GraphDefinition:
    """The graph of a composition function; one of a job has no outputs where what it returns bears no names."""
    require_kind(what, "ins", ins, Mapping)
    require_kind(what, "out", out, (GraphOut, Mapping))
    require_kind(what, "description", description, str)
    for key, each in out.items() if isinstance(out, Mapping) else ():
        require_kind(what, f"out[{key!r}]", each, GraphOut)
    inputs, takes_any = _input_names(function, what)
    unknown = [each for each in ins or {} if each not in inputs]
    if takes_any:
        inputs, unknown = [*inputs, *unknown], []
    if unknown:
        raise InvalidDefinitionError(
            f"{what}: ins includes {', '.join(map(repr, unknown))}, not found among the function's parameters: "
            f"{', '.join(inputs) or 'none'}."
        )
    composed = compose(function, inputs, what)
    return GraphDefinition.composed(
        name,
        composed,
        _output_mappings(composed, out, what, has_outputs),
        input_names=inputs,
        description=description or docstring_of(function),
        config=config,
        tags=tags,
        composition_fn=function,
    )


def _input_names(function: UserFunction, what: str) -> tuple[list[str], bool]:
    """The parameters of a composition function, and whether it has `**kwargs`, which take the inputs of other names.

    Raises:
        InvalidDefinitionError: any number of positional arguments.
    """
    parameters = inspect.signature(function).parameters.values()
    for each in parameters:
        if each.kind is inspect.Parameter.VAR_POSITIONAL:
            raise InvalidDefinitionError(
                f"{what}: *{each.name} cannot be an input: give each input of the graph a parameter of its own."
            )
    names = [each.name for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD]
    return names, len(names) < len(parameters)


def _output_mappings(
    composed: Composed, out: GraphOut | Mapping[str, GraphOut] | None, what: str, has_outputs: bool
) -> list[OutputMapping]:
    """What the graph gives, from what its function returned."""
    returned: Any = composed.returned
    names = list(out) if isinstance(out, Mapping) else ["result"]
    if returned is None:
        if out is not None and names:
            raise InvalidDefinitionError(f"{what} declares the outputs {', '.join(names)} but returns nothing.")
        return []
    if isinstance(returned, dict):
        given = cast("dict[str, object]", returned)
        if isinstance(out, Mapping) and set(given) != set(out):
            raise InvalidDefinitionError(
                f"{what} declares the outputs {', '.join(sorted(names))} but returns "
                f"{', '.join(sorted(map(str, given)))}."
            )
    elif isinstance(returned, tuple):
        values = cast("tuple[object, ...]", returned)
        fields = getattr(values, "_fields", None)
        if out is None and fields is not None:
            names = list(fields)
        if not has_outputs and fields is None:
            for index, value in enumerate(values):
                _output_mapping(str(index), value, out, what)  # refuses what no node gave
            return []
        if len(values) != len(names):
            raise InvalidDefinitionError(
                f"{what} returns {len(values)} outputs but declares {len(names)}: name them with out={{'first': "
                "GraphOut(), ...}, in the order in which they are returned."
            )
        given = dict(zip(names, values, strict=True))
    else:
        if len(names) != 1:
            raise InvalidDefinitionError(
                f"{what} declares the outputs {', '.join(names)}: return a dict with one entry for each."
            )
        given = {names[0]: returned}
    return [_output_mapping(name, value, out, what) for name, value in given.items()]


def _output_mapping(
    name: str, value: object, out: GraphOut | Mapping[str, GraphOut] | None, what: str
) -> OutputMapping:
    if not isinstance(value, (InvokedNodeOutput, InvokedNodeDynamicOutput)):
        hint = (
            " Pass the collected list to an op and return the output of that op."
            if isinstance(value, CollectedOutput)
            else ""
        )
        raise InvalidDefinitionError(
            f"{what} returns {value!r} as its output {name!r}: return the output of a node that was called here.{hint}"
        )
    declared = out if isinstance(out, GraphOut) else (out or {}).get(name)
    return OutputMapping(
        name,
        value.node_name,
        value.output_name,
        graph_output_description=None if declared is None else declared.description,
        from_dynamic_mapping=isinstance(value, InvokedNodeDynamicOutput),
    )
