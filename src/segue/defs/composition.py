"""Composition: what happens when ops and graphs are called inside a `@graph` or `@job` function.

The function is run once, when it is declared. A call of a node in it gives handles of the node's outputs, not values;
passing a handle to another node ties the two. What was tied is read off as nodes and dependencies.
"""

from __future__ import annotations

import contextvars
from collections import namedtuple
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import msgspec

from segue.defs.dependency import (
    Dependency,
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    InputMapping,
    MappedInputPlaceholder,
    MultiDependencyDefinition,
)
from segue.defs.node import NodeDefinition, NodeUse
from segue.errors import InvalidDefinitionError, InvalidInvocationError, InvariantViolationError
from segue.model.assets import AssetSpec


class InvokedNodeOutput(msgspec.Struct, frozen=True):
    """The output of a node that was called in a composition.

    Attributes:
        node_name: the node.
        output_name: its output.
        is_mapped: whether it stands for one value of a dynamic output, inside of `.map(...)`.
    """

    node_name: str
    output_name: str
    is_mapped: bool = False

    def __iter__(self) -> Any:
        raise InvariantViolationError(
            f"The output {self.output_name!r} of {self.node_name!r} cannot be iterated over inside a graph or job function, "
            "because it has no value yet: iterate inside an op, or declare it with DynamicOut and use .map()."
        )

    def __getitem__(self, key: object) -> Any:
        raise InvariantViolationError(
            f"The output {self.output_name!r} of {self.node_name!r} cannot be indexed inside a graph or job function, "
            "because it has no value yet: index it inside an op."
        )

    def alias(self, name: str) -> Any:
        """Refused: says what was meant."""
        raise _called_before_alias(self.node_name, name)


class InvokedNodeDynamicOutput(msgspec.Struct, frozen=True):
    """A dynamic output of a node that was called in a composition: to be mapped over, or collected."""

    node_name: str
    output_name: str

    def map(self, fn: Callable[[Any], Any]) -> Any:
        """Ties what `fn` calls to each single value.

        Returns:
            What `fn` returned, as dynamic outputs that can be mapped over or collected again.
        """
        returned = fn(InvokedNodeOutput(self.node_name, self.output_name, is_mapped=True))
        return _mapped(returned)

    def collect(self) -> CollectedOutput:
        """All values as one list."""
        return CollectedOutput(self.node_name, self.output_name)

    def __iter__(self) -> Any:
        raise InvariantViolationError(_not_mapped(self))

    def __getitem__(self, key: object) -> Any:
        raise InvariantViolationError(_not_mapped(self))

    def alias(self, name: str) -> Any:
        """Refused: says what was meant."""
        raise _called_before_alias(self.node_name, name)


class CollectedOutput(msgspec.Struct, frozen=True):
    """A dynamic output as a list."""

    node_name: str
    output_name: str


class GraphInput(msgspec.Struct, frozen=True):
    """An input of the graph that is being composed."""

    name: str


class Composed(msgspec.Struct, frozen=True):
    """What a composition function declared.

    Attributes:
        nodes: the uses of ops and graphs, in order of their calls.
        dependencies: by node and input.
        input_mappings: where the graph's inputs go.
        input_assets: assets that inputs take.
        returned: what the function returned.
    """

    nodes: Sequence[NodeUse]
    dependencies: Mapping[str, Mapping[str, Dependency]]
    input_mappings: Sequence[InputMapping]
    input_assets: Mapping[str, Mapping[str, object]]
    returned: object


class Scope:
    """The graph that is being composed."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.nodes: dict[str, NodeUse] = {}
        self.dependencies: dict[str, dict[str, Dependency]] = {}
        self.input_mappings: list[InputMapping] = []
        self.input_assets: dict[str, dict[str, object]] = {}
        self.mapped: set[str] = set()

    def invoke(self, use: NodeUse, alias: str | None, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
        """Takes in one call; gives the handles of its outputs."""
        definition = use.definition
        name = self._name(definition, alias)
        where = f"In {self.what}: {definition.node_kind} {name!r}"
        self.nodes[name] = use.renamed(name)
        own = self.dependencies.setdefault(name, {})
        for input_name, value in self._arguments(definition, args, kwargs, where).items():
            dependency = self._dependency(value, name, input_name, where)
            if dependency is not None:
                own[input_name] = dependency
        return _handles(definition, name)

    def _name(self, definition: NodeDefinition, alias: str | None) -> str:
        name = alias or definition.name
        for other in self.nodes.values():
            if other.definition.name == definition.name and other.definition is not definition:
                raise InvalidDefinitionError(
                    f"In {self.what}: two different definitions are named {definition.name!r}: rename one of them."
                )
        if name not in self.nodes:
            return name
        if alias is not None:
            raise InvalidDefinitionError(f"In {self.what}: duplicate node name {name!r}: choose another alias.")
        number = 2
        while f"{name}_{number}" in self.nodes:
            number += 1
        return f"{name}_{number}"

    def _arguments(
        self, definition: NodeDefinition, args: Sequence[object], kwargs: Mapping[str, object], where: str
    ) -> dict[str, object]:
        positional = definition.positional_inputs
        if len(args) > len(positional):
            raise InvalidDefinitionError(
                f"{where} is called with {len(args)} positional arguments but has {len(positional)} inputs "
                f"({', '.join(positional) or 'none'}) that can be passed by position. Use keyword args "
                f"instead: {', '.join(definition.input_names) or 'none'}."
            )
        found: dict[str, object] = dict(zip(positional, args, strict=False))
        for name, value in kwargs.items():
            if name not in definition.input_names:
                known = ", ".join(definition.input_names) or "none"
                raise InvalidDefinitionError(f"{where} has no input {name!r}; available: {known}.")
            if name in found:
                raise InvalidInvocationError(f"{where}: the input {name!r} was provided twice.")
            found[name] = value
        return found

    def _dependency(self, value: object, node: str, input_name: str, where: str) -> Dependency | None:
        """How a value ties the input; None where that stands in the mappings or assets."""
        if isinstance(value, InvokedNodeOutput):
            return DependencyDefinition(value.node_name, value.output_name)
        if isinstance(value, CollectedOutput):
            return DynamicCollectDependencyDefinition(value.node_name, value.output_name)
        if isinstance(value, GraphInput):
            self._map(value, node, input_name, None)
            return None
        if isinstance(value, list):
            return self._fan_in(cast("list[object]", value), node, input_name, where)
        if isinstance(value, AssetSpec) or hasattr(value, "specs_by_output") or hasattr(value, "observe_fn"):
            self.input_assets.setdefault(node, {})[input_name] = value
            return None
        raise self._refusal(value, input_name, where)

    def _fan_in(self, values: list[object], node: str, input_name: str, where: str) -> MultiDependencyDefinition:
        found: list[DependencyDefinition | type[MappedInputPlaceholder]] = []
        for index, value in enumerate(values):
            if isinstance(value, InvokedNodeOutput):
                found.append(DependencyDefinition(value.node_name, value.output_name))
            elif isinstance(value, GraphInput):
                self._map(value, node, input_name, index)
                found.append(MappedInputPlaceholder)
            else:
                raise self._refusal(value, f"{input_name}[{index}]", where)
        return MultiDependencyDefinition(found)

    def _map(self, value: GraphInput, node: str, input_name: str, index: int | None) -> None:
        self.mapped.add(value.name)
        self.input_mappings.append(
            InputMapping(
                graph_input_name=value.name,
                mapped_node_name=node,
                mapped_node_input_name=input_name,
                fan_in_index=index,
            )
        )

    def _refusal(self, value: object, input_name: str, where: str) -> InvalidDefinitionError:
        if isinstance(value, InvokedNodeDynamicOutput):
            return InvalidDefinitionError(_not_mapped(value))
        if isinstance(value, (NodeDefinition, NodeUse)):
            return InvalidDefinitionError(
                f"{where}: the input {input_name!r} was given {value!r} itself, not its output: call it first."
            )
        if isinstance(value, tuple):
            fields: tuple[str, ...] = getattr(cast("Any", value), "_fields", ())
            names = ", ".join(fields) or "its elements"
            return InvalidDefinitionError(
                f"{where}: the input {input_name!r} was given several outputs at once: select one of {names}, "
                "or pass a list."
            )
        return InvalidDefinitionError(
            f"{where}: the input {input_name!r} was given {value!r} ({type(value).__name__}). Inside a graph or "
            "job function an input must be the output of another node or an input of the graph: return the "
            "value from an op, or set it in the run config."
        )


def _not_mapped(value: InvokedNodeDynamicOutput) -> str:
    return (
        f"The output {value.output_name!r} of {value.node_name!r} is dynamic: use .map(fn) to process each of "
        "its values, or .collect() to pass them on as a list."
    )


def _called_before_alias(node_name: str, alias: str) -> InvariantViolationError:
    return InvariantViolationError(
        f"{node_name!r} was called before alias({alias!r}): write {node_name}.alias({alias!r})(...)."
    )


def _handles(definition: NodeDefinition, name: str) -> Any:
    """What the call of a node gives: nothing, a handle, or a named tuple of handles."""
    handles = [
        InvokedNodeDynamicOutput(name, output) if definition.is_dynamic(output) else InvokedNodeOutput(name, output)
        for output in definition.output_names
    ]
    if not handles:
        return None
    if len(handles) == 1:
        return handles[0]
    return namedtuple(f"{definition.name}_outputs", definition.output_names)(*handles)  # pyright: ignore[reportUntypedNamedTuple] reason: the fields are only known here


def _mapped(returned: Any) -> Any:
    """The outputs that a mapped function returned, each of them dynamic now."""
    if isinstance(returned, InvokedNodeOutput):
        return InvokedNodeDynamicOutput(returned.node_name, returned.output_name)
    if isinstance(returned, tuple) and hasattr(cast("Any", returned), "_fields"):
        several = cast("tuple[Any, ...]", returned)
        return type(several)(*[_mapped(each) for each in several])
    if isinstance(returned, (tuple, list)):
        values = cast("Sequence[Any]", returned)
        return type(returned)([_mapped(each) for each in values])  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] reason: of the user's kind
    if isinstance(returned, dict):
        return {key: _mapped(each) for key, each in cast("dict[Any, Any]", returned).items()}
    if returned is None or isinstance(returned, (InvokedNodeDynamicOutput, CollectedOutput)):
        return returned
    raise InvalidDefinitionError(
        f"The function given to .map() returned {returned!r}: it must return outputs of the nodes that it "
        "calls, or nothing."
    )


_stack: contextvars.ContextVar[tuple[Scope, ...]] = contextvars.ContextVar("segue_composition", default=())


def current_scope() -> Scope | None:
    """The graph that is being composed; None outside of a `@graph` or `@job` function."""
    scopes = _stack.get()
    return scopes[-1] if scopes else None


def is_composing() -> bool:
    """Whether the code that runs is the body of a `@graph` or `@job` function."""
    return bool(_stack.get())


@contextmanager
def _composing(scope: Scope) -> Generator[None]:
    token = _stack.set((*_stack.get(), scope))
    try:
        yield
    finally:
        _stack.reset(token)


def compose(function: Callable[..., Any], inputs: Sequence[str], what: str) -> Composed:
    """Runs a composition function.

    Args:
        function: the user's function.
        inputs: the names of its parameters, which are the inputs of the graph.
        what: how errors name it (`@job 'etl'`).

    Raises:
        InvalidDefinitionError: it passes on what is no output, or leaves an input unused.
    """
    scope = Scope(what)
    with _composing(scope):
        returned = function(**{name: GraphInput(name) for name in inputs})
    unused = [name for name in inputs if name not in scope.mapped]
    if unused:
        raise InvalidDefinitionError(
            f"{what} does not pass its inputs {', '.join(map(repr, unused))} to any node: use them or remove them."
        )
    return Composed(list(scope.nodes.values()), scope.dependencies, scope.input_mappings, scope.input_assets, returned)
