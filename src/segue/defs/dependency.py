"""How the nodes of a graph are tied together, in the explicit form that `GraphDefinition` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TypeAlias

import msgspec

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.named_fields import NamedFields
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy


class NodeInvocation(NamedFields):
    """One use of an op or graph in a graph: a key of `GraphDefinition(dependencies=...)` that needs more than a name.

    Args:
        name: the name of the op or graph.
        alias: the name of this use of it; its own name when None.
        tags: tags on its step, besides those of the op.
        hook_defs: hooks that run after it.
        retry_policy: a retry policy that replaces that of the op.
        step_policy: a step policy that replaces that of the op.
    """

    __slots__ = ("alias", "hook_defs", "name", "retry_policy", "step_policy", "tags")

    def __init__(
        self,
        name: str,
        alias: str | None = None,
        tags: Mapping[str, str] | None = None,
        hook_defs: Set[object] | None = None,
        retry_policy: RetryPolicy | None = None,
        *,
        step_policy: StepPolicy | None = None,
    ) -> None:
        require_kind("NodeInvocation", "name", name, str)
        require_kind("NodeInvocation", "alias", alias, str)
        self.name = name
        self.alias = alias
        self.tags: Mapping[str, str] = dict(tags or {})
        self.hook_defs: frozenset[object] = frozenset(hook_defs or ())
        self.retry_policy = retry_policy
        self.step_policy = step_policy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NodeInvocation) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    def __hash__(self) -> int:
        return hash((self.name, self.alias))

    def __repr__(self) -> str:
        return f"NodeInvocation({self.name!r}, alias={self.alias!r})"


class DependencyDefinition(NamedFields, msgspec.Struct, frozen=True):
    """That an input takes an output of another node.

    Attributes:
        node: the name of that node in the graph.
        output: which of its outputs.
        description: for people.
    """

    node: str
    output: str = "result"
    description: str | None = None

    def __post_init__(self) -> None:
        require_kind("DependencyDefinition", "node", self.node, str)
        require_kind("DependencyDefinition", "output", self.output, str)

    def is_fan_in(self) -> bool:
        """Whether the input takes a list."""
        return False

    def get_node_dependencies(self) -> Sequence[DependencyDefinition]:
        """The outputs that the input waits for."""
        return [self]


class MappedInputPlaceholder:
    """Stands in a `MultiDependencyDefinition` for the element that an `InputMapping` of the graph gives."""


class MultiDependencyDefinition(NamedFields):
    """That an input takes a list: one element from each of several outputs.

    Args:
        dependencies: the outputs, in the order of the list; `MappedInputPlaceholder` for an input of the graph.

    Raises:
        InvalidDefinitionError: one of them twice, or something else.
    """

    __slots__ = ("dependencies",)

    def __init__(self, dependencies: Sequence[DependencyDefinition | type[MappedInputPlaceholder]]) -> None:
        seen: set[tuple[str, str]] = set()
        for each in dependencies:
            if each is MappedInputPlaceholder:
                continue
            if not isinstance(each, DependencyDefinition):
                raise WrongDeclarationError(
                    f"MultiDependencyDefinition must be given DependencyDefinitions, got {each!r}."
                )
            if (each.node, each.output) in seen:
                raise InvalidDefinitionError(
                    f"MultiDependencyDefinition: duplicate output {each.output!r} of {each.node!r}."
                )
            seen.add((each.node, each.output))
        self.dependencies = list(dependencies)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiDependencyDefinition) and self.dependencies == other.dependencies

    def __hash__(self) -> int:
        return hash(tuple(self.dependencies))

    def __repr__(self) -> str:
        return f"MultiDependencyDefinition(dependencies={self.dependencies!r})"

    def is_fan_in(self) -> bool:
        """Whether the input takes a list."""
        return True

    def get_node_dependencies(self) -> Sequence[DependencyDefinition]:
        """The outputs that the input waits for."""
        return [each for each in self.dependencies if isinstance(each, DependencyDefinition)]

    def get_dependencies_and_mappings(self) -> Sequence[DependencyDefinition | type[MappedInputPlaceholder]]:
        """The elements, inputs of the graph included."""
        return self.dependencies


class DynamicCollectDependencyDefinition(msgspec.Struct, frozen=True):
    """That an input takes a list of all values of a dynamic output, or of what was mapped over one."""

    node: str
    output: str = "result"

    def is_fan_in(self) -> bool:
        """Whether the input takes a list."""
        return True

    def get_node_dependencies(self) -> Sequence[DependencyDefinition]:
        """The outputs that the input waits for."""
        return [DependencyDefinition(self.node, self.output)]


Dependency: TypeAlias = DependencyDefinition | MultiDependencyDefinition | DynamicCollectDependencyDefinition


class InputPointer(msgspec.Struct, frozen=True):
    """An input of a node."""

    node_name: str
    input_name: str


class FanInInputPointer(msgspec.Struct, frozen=True):
    """One element of a list that an input of a node takes."""

    node_name: str
    input_name: str
    fan_in_index: int


class OutputPointer(msgspec.Struct, frozen=True):
    """An output of a node."""

    node_name: str
    output_name: str


class InputMapping(msgspec.Struct, frozen=True, kw_only=True):
    """That an input of a graph goes to an input of one of its nodes.

    Attributes:
        graph_input_name: the input of the graph.
        mapped_node_name, mapped_node_input_name: the input of the node.
        fan_in_index: the index in its list, if it takes one.
        graph_input_description: for people.
        dagster_type: the type of the graph's input; the node's own when None.
    """

    graph_input_name: str
    mapped_node_name: str
    mapped_node_input_name: str
    fan_in_index: int | None = None
    graph_input_description: str | None = None
    dagster_type: object = None

    @property
    def maps_to(self) -> InputPointer | FanInInputPointer:
        """The input of the node."""
        if self.fan_in_index is None:
            return InputPointer(self.mapped_node_name, self.mapped_node_input_name)
        return FanInInputPointer(self.mapped_node_name, self.mapped_node_input_name, self.fan_in_index)

    @property
    def maps_to_fan_in(self) -> bool:
        """Whether it is one element of a list."""
        return self.fan_in_index is not None

    def describe(self) -> str:
        """For people."""
        index = "" if self.fan_in_index is None else f".{self.fan_in_index}"
        return f"{self.graph_input_name} -> {self.mapped_node_name}:{self.mapped_node_input_name}{index}"


class OutputMapping(NamedFields, msgspec.Struct, frozen=True):
    """That an output of a graph is an output of one of its nodes.

    Attributes:
        graph_output_name: the output of the graph.
        mapped_node_name, mapped_node_output_name: the output of the node.
        graph_output_description: for people.
        dagster_type: superseded; the node's own type counts.
        from_dynamic_mapping: whether it has one value for each value of a dynamic output.
    """

    graph_output_name: str
    mapped_node_name: str
    mapped_node_output_name: str
    graph_output_description: str | None = None
    dagster_type: object = None
    from_dynamic_mapping: bool = False

    @property
    def maps_from(self) -> OutputPointer:
        """The output of the node."""
        return OutputPointer(self.mapped_node_name, self.mapped_node_output_name)
