"""How the nodes of a graph hang together, to be asked from both ends: what an input takes, and where an output goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from segue.defs.dependency import (
    Dependency,
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    MappedInputPlaceholder,
    MultiDependencyDefinition,
)
from segue.defs.node import NodeInput, NodeOutput
from segue.errors import InvariantViolationError

Element: TypeAlias = NodeOutput | type[MappedInputPlaceholder]


class DependencyStructure:
    """What the inputs of the nodes of one graph take, and where their outputs go.

    Args:
        dependencies: what each input takes that takes something, by node and input.
    """

    def __init__(self, dependencies: Mapping[str, Mapping[str, Dependency]]) -> None:
        self._dependencies = {
            NodeInput(node, name): dependency
            for node, inputs in dependencies.items()
            for name, dependency in inputs.items()
        }

    def inputs(self) -> Sequence[NodeInput]:
        """The inputs that take an output of another node."""
        return list(self._dependencies)

    def get_dependency_definition(self, node_input: NodeInput) -> Dependency | None:
        "What an input takes, as it was declared; None where it takes no output of another node."
        return self._dependencies.get(node_input)

    def has_deps(self, node_input: NodeInput) -> bool:
        """Whether an input takes something from another node."""
        return node_input in self._dependencies

    def get_deps_list(self, node_input: NodeInput) -> Sequence[NodeOutput]:
        """The outputs that an input takes.

        Raises:
            InvariantViolationError: it takes none.
        """
        return _outputs(self._taken(node_input))

    def has_direct_dep(self, node_input: NodeInput) -> bool:
        """Whether an input takes one output."""
        return isinstance(self._dependencies.get(node_input), DependencyDefinition)

    def get_direct_dep(self, node_input: NodeInput) -> NodeOutput:
        """The one output that an input takes.

        Raises:
            InvariantViolationError: it takes none, or a list.
        """
        return _outputs(self._taken(node_input, DependencyDefinition))[0]

    def has_fan_in_deps(self, node_input: NodeInput) -> bool:
        """Whether an input takes a list of several outputs."""
        return isinstance(self._dependencies.get(node_input), MultiDependencyDefinition)

    def get_fan_in_deps(self, node_input: NodeInput) -> Sequence[Element]:
        """The elements of the list that an input takes; a placeholder for one that an input of the graph gives.

        Raises:
            InvariantViolationError: it takes no list.
        """
        taken = self._taken(node_input, MultiDependencyDefinition)
        assert isinstance(taken, MultiDependencyDefinition)
        return [
            NodeOutput(each.node, each.output) if isinstance(each, DependencyDefinition) else each
            for each in taken.dependencies
        ]

    def has_dynamic_fan_in_dep(self, node_input: NodeInput) -> bool:
        """Whether an input takes a list of all values of a dynamic output."""
        return isinstance(self._dependencies.get(node_input), DynamicCollectDependencyDefinition)

    def get_dynamic_fan_in_dep(self, node_input: NodeInput) -> NodeOutput:
        """The dynamic output whose values an input takes as a list.

        Raises:
            InvariantViolationError: it takes no such list.
        """
        return _outputs(self._taken(node_input, DynamicCollectDependencyDefinition))[0]

    def all_upstream_outputs_from_node(self, node_name: str) -> Sequence[NodeOutput]:
        """All outputs that the inputs of a node take."""
        taken = self.input_to_upstream_outputs_for_node(node_name)
        return [output for outputs in taken.values() for output in outputs]

    def input_to_upstream_outputs_for_node(self, node_name: str) -> Mapping[NodeInput, Sequence[NodeOutput]]:
        """What each input of a node takes that takes something."""
        return {key: _outputs(each) for key, each in self._dependencies.items() if key.node_name == node_name}

    def output_to_downstream_inputs_for_node(self, node_name: str) -> Mapping[NodeOutput, Sequence[NodeInput]]:
        """Which inputs each output of a node goes to that goes somewhere."""
        found: dict[NodeOutput, list[NodeInput]] = {}
        for key, dependency in self._dependencies.items():
            for output in _outputs(dependency):
                if output.node_name == node_name:
                    found.setdefault(output, []).append(key)
        return found

    def _taken(self, node_input: NodeInput, kind: type[Dependency] | None = None) -> Dependency:
        found = self._dependencies.get(node_input)
        if found is None or (kind is not None and not isinstance(found, kind)):
            takes = "no output of another node" if found is None else f"a {type(found).__name__}"
            raise InvariantViolationError(
                f"The input {node_input.input_name!r} of {node_input.node_name!r} takes {takes}."
            )
        return found


def _outputs(dependency: Dependency) -> list[NodeOutput]:
    return [NodeOutput(each.node, each.output) for each in dependency.get_node_dependencies()]
