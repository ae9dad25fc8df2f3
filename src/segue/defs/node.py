"""What ops and graphs have in common: a name, inputs and outputs, and that they are called in compositions."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from segue.defs.io_definitions import InputDefinition, OutputDefinition
from segue.defs.types.base import SegueType
from segue.errors import InvalidDefinitionError, InvalidInvocationError, InvariantViolationError
from segue.model.policies import RetryPolicy
from segue.model.source_location import SourceLocation
from segue.model.step_policy import StepPolicy


class NodeDefinition(abc.ABC):
    """An op or a graph.

    Attributes:
        name: unique among the definitions.
        description: for people.
        tags: tags on its steps.
        input_names, output_names: what it takes and gives, in order.
    """

    __slots__ = ()
    node_kind = "node"
    name: str
    description: str | None
    tags: Mapping[str, str]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]

    @property
    def positional_inputs(self) -> Sequence[str]:
        """The inputs that may be given by position."""
        return self.input_names

    @property
    @abc.abstractmethod
    def source(self) -> SourceLocation | None:
        """Where its function stands; None without one."""

    @property
    @abc.abstractmethod
    def input_defs(self) -> Sequence[InputDefinition]:
        """The inputs, each with its name."""

    @property
    @abc.abstractmethod
    def output_defs(self) -> Sequence[OutputDefinition]:
        """The outputs, each with its name."""

    @abc.abstractmethod
    def input_type(self, name: str) -> SegueType:
        """The type of an input."""

    @abc.abstractmethod
    def iterate_node_defs(self) -> Iterator[NodeDefinition]:
        """It, and the ops and graphs that it is made of, those inside of graphs included."""

    @abc.abstractmethod
    def iterate_op_defs(self) -> Iterator[Any]:
        """The ops that it is made of, those inside of graphs included; an op itself."""

    @abc.abstractmethod
    def default_value_for_input(self, input_name: str) -> object:
        """The value of an input if nothing is connected.

        Raises:
            InvalidInvocationError: it has no default; see `input_has_default`.
        """

    @abc.abstractmethod
    def input_has_default(self, input_name: str) -> bool:
        """Whether an input has a default."""

    @abc.abstractmethod
    def is_dynamic(self, output_name: str) -> bool:
        """Whether an output is dynamic."""

    @abc.abstractmethod
    def invoke_directly(self, args: Sequence[object], kwargs: Mapping[str, object], alias: str | None = None) -> Any:
        """What a call outside of a composition gives."""

    def has_input(self, name: str) -> bool:
        """Whether there is an input of this name."""
        return name in self.input_names

    def has_output(self, name: str) -> bool:
        """Whether there is an output of this name."""
        return name in self.output_names

    @property
    def input_dict(self) -> Mapping[str, InputDefinition]:
        """The inputs by name."""
        return {each.name: each for each in self.input_defs}

    @property
    def output_dict(self) -> Mapping[str, OutputDefinition]:
        """The outputs by name."""
        return {each.name: each for each in self.output_defs}

    def input_def_named(self, name: str) -> InputDefinition:
        """The input of this name.

        Raises:
            InvalidInvocationError: there is none.
        """
        self.require_input(name)
        return self.input_dict[name]

    def output_def_named(self, name: str) -> OutputDefinition:
        """The output of this name.

        Raises:
            InvariantViolationError: there is none.
        """
        if not self.has_output(name):
            raise InvariantViolationError(f"{self!r} has no output {name!r}; available: {_listed(self.output_names)}.")
        return self.output_dict[name]

    def require_input(self, name: str) -> None:
        """Refuses a name that is no input.

        Raises:
            InvalidInvocationError: it is none.
        """
        if not self.has_input(name):
            raise InvalidInvocationError(f"{self!r} has no input {name!r}; available: {_listed(self.input_names)}.")

    def resolve_input_name_at_position(self, idx: int) -> str | None:
        """Which input the positional argument of this number gives; None where there is no such."""
        positional = self.positional_inputs
        return positional[idx] if 0 <= idx < len(positional) else None

    def all_input_output_types(self) -> Iterator[SegueType]:
        """The types of its inputs and outputs, each with those inside of it."""
        for each in (*self.input_defs, *self.output_defs):
            yield each.dagster_type
            yield from each.dagster_type.inner_types

    @property
    def node_type_str(self) -> str:
        """`op` or `graph`."""
        return self.node_kind

    def describe_node(self) -> str:
        """How errors name it: its kind and its name."""
        return f"{self.node_kind} {self.name!r}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


class NodeInput(msgspec.Struct, frozen=True):
    """An input of a node in a graph."""

    node_name: str
    input_name: str


class NodeOutput(msgspec.Struct, frozen=True):
    """An output of a node in a graph."""

    node_name: str
    output_name: str


class NodeUse(msgspec.Struct, frozen=True, kw_only=True):
    """One use of an op or graph in a graph.

    Attributes:
        name: unique in the graph.
        definition: the op or graph.
        own_tags: tags of this use, besides those of the op or graph.
        hook_defs: hooks of this use.
        retry_policy, step_policy: those of this use; None leaves it to the op.
    """

    name: str
    definition: NodeDefinition
    own_tags: dict[str, str] = {}
    hook_defs: frozenset[Any] = frozenset()
    retry_policy: RetryPolicy | None = None
    step_policy: StepPolicy | None = None

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of its steps: those of the op or graph, and its own."""
        return {**self.definition.tags, **self.own_tags}

    @property
    def input_dict(self) -> Mapping[str, InputDefinition]:
        """The inputs of what is used, by name."""
        return self.definition.input_dict

    @property
    def output_dict(self) -> Mapping[str, OutputDefinition]:
        """The outputs of what is used, by name."""
        return self.definition.output_dict

    def has_input(self, name: str) -> bool:
        """Whether there is an input of this name."""
        return self.definition.has_input(name)

    def has_output(self, name: str) -> bool:
        """Whether there is an output of this name."""
        return self.definition.has_output(name)

    def input_def_named(self, name: str) -> InputDefinition:
        """The input of this name; see `NodeDefinition.input_def_named`."""
        return self.definition.input_def_named(name)

    def output_def_named(self, name: str) -> OutputDefinition:
        """The output of this name; see `NodeDefinition.output_def_named`."""
        return self.definition.output_def_named(name)

    def inputs(self) -> Sequence[NodeInput]:
        """The inputs of this use."""
        return [NodeInput(self.name, name) for name in self.definition.input_names]

    def outputs(self) -> Sequence[NodeOutput]:
        """The outputs of this use."""
        return [NodeOutput(self.name, name) for name in self.definition.output_names]

    def get_input(self, name: str) -> NodeInput:
        """An input of this use.

        Raises:
            InvalidInvocationError: there is none of this name.
        """
        self.definition.require_input(name)
        return NodeInput(self.name, name)

    def get_output(self, name: str) -> NodeOutput:
        """An output of this use.

        Raises:
            InvariantViolationError: there is none of this name.
        """
        self.definition.output_def_named(name)
        return NodeOutput(self.name, name)

    def describe_node(self) -> str:
        """How errors name it: what it is a use of, and its name."""
        return f"{self.definition.node_kind} {self.name!r}"

    def renamed(self, name: str) -> NodeUse:
        """The same use under another name."""
        return msgspec.structs.replace(self, name=name)


def require_unique_definitions(uses: Sequence[NodeUse], what: str) -> None:
    """Refuses two definitions of one name.

    Raises:
        InvalidDefinitionError: there are such.
    """
    seen: dict[str, NodeDefinition] = {}
    for use in uses:
        other = seen.setdefault(use.definition.name, use.definition)
        if other is not use.definition:
            raise InvalidDefinitionError(
                f"{what}: two different definitions are named {use.definition.name!r}: rename one of them."
            )
