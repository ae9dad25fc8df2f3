"""What there is to read of a graph: its nodes, its inputs and outputs, and what its nodes take from each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec

from segue.defs.dependency import Dependency, InputMapping, NodeInvocation, OutputMapping
from segue.defs.graph_checks import topological_order
from segue.defs.graph_nodes import invocation_of
from segue.defs.graph_structure import DependencyStructure
from segue.defs.invocation import ComposableDefinition
from segue.defs.io_definitions import InputDefinition, OutputDefinition, type_of
from segue.defs.node import NodeDefinition, NodeUse
from segue.defs.op import OpDefinition
from segue.defs.signature import UserFunction, source_of
from segue.defs.types.base import BUILTIN_TYPES, SegueType
from segue.errors import InvariantViolationError
from segue.model.node_handle import NodeHandle
from segue.model.source_location import SourceLocation


class ReadableGraph(ComposableDefinition):
    """The parts of a graph, and what they say.

    Attributes:
        uses: the uses of ops and graphs in it, by name.
        node_dependencies: what each input takes that takes something, by use and input.
        input_mappings, output_mappings: how its inputs and outputs map to those of its nodes.
        composition_fn: the function it was composed by.
    """

    uses: Mapping[str, NodeUse]
    node_dependencies: Mapping[str, Mapping[str, Dependency]]
    input_mappings: Sequence[InputMapping]
    output_mappings: Sequence[OutputMapping]
    composition_fn: UserFunction | None

    @property
    def nodes(self) -> Sequence[NodeUse]:
        """The uses of ops and graphs in it."""
        return list(self.uses.values())

    @property
    def node_dict(self) -> Mapping[str, NodeUse]:
        """The uses of ops and graphs in it, by name."""
        return self.uses

    @property
    def nodes_in_topological_order(self) -> Sequence[NodeUse]:
        """The uses, each after what it depends on."""
        return [self.uses[name] for name in topological_order(self.name, self.uses, self.node_dependencies)]

    @property
    def node_defs(self) -> Sequence[NodeDefinition]:
        """The ops and graphs it is made of, each once."""
        return list({use.definition.name: use.definition for use in self.uses.values()}.values())

    @property
    def dependencies(self) -> Mapping[NodeInvocation, Mapping[str, Dependency]]:
        """What each input takes, by use and input."""
        return {invocation_of(use): dict(self.node_dependencies.get(use.name, {})) for use in self.uses.values()}

    @property
    def source(self) -> SourceLocation | None:
        """Where its composition function stands; None where it was built from its parts."""
        return None if self.composition_fn is None else source_of(self.composition_fn)

    @property
    def input_defs(self) -> Sequence[InputDefinition]:
        """The inputs, each with its name and the type of what it goes to."""
        said = {each.graph_input_name: each.graph_input_description for each in reversed(self.input_mappings)}
        return [InputDefinition(name, self.input_type(name), said[name]) for name in self.input_names]

    @property
    def output_defs(self) -> Sequence[OutputDefinition]:
        """The outputs, each with its name and what is said of the output that it is."""
        found: list[OutputDefinition] = []
        for each in self.output_mappings:
            inner = self.uses[each.mapped_node_name].definition.output_def_named(each.mapped_node_output_name)
            name = each.graph_output_name
            text = each.graph_output_description or inner.description
            found.append(msgspec.structs.replace(inner, name=name, description=text, is_dynamic=self.is_dynamic(name)))
        return found

    def input_type(self, name: str) -> SegueType:
        """The type of an input: that of the first input that it goes to."""
        mapping = self._mapping(name)
        if mapping.dagster_type is not None:
            return type_of(mapping.dagster_type)
        inner = self.uses[mapping.mapped_node_name].definition.input_type(mapping.mapped_node_input_name)
        return inner if mapping.fan_in_index is None else inner.get_inner_type_for_fan_in()

    def _mapping(self, name: str) -> InputMapping:
        self.require_input(name)
        return next(each for each in self.input_mappings if each.graph_input_name == name)

    def iterate_node_defs(self) -> Iterator[NodeDefinition]:
        """It, and the ops and graphs that it is made of, those inside of graphs included."""
        yield self
        for definition in self.node_defs:
            yield from definition.iterate_node_defs()

    def iterate_node_handles(self, parent_node_handle: NodeHandle | None = None) -> Iterator[NodeHandle]:
        """Where the ops and graphs in it stand, those inside of graphs included.

        Args:
            parent_node_handle: where this graph itself stands; None for the outermost.
        """
        for name, use in self.uses.items():
            handle = NodeHandle(name, parent_node_handle)
            yield handle
            if isinstance(use.definition, ReadableGraph):
                yield from use.definition.iterate_node_handles(handle)

    def all_dagster_types(self) -> Sequence[SegueType]:
        """The types that its nodes take and give, with the built-in ones, each once."""
        used = (each for definition in self.iterate_node_defs() for each in definition.all_input_output_types())
        return list({each.key: each for each in (*BUILTIN_TYPES, *used)}.values())

    @property
    def pools(self) -> Set[str]:
        """The pools whose slots its steps take."""
        return {op.pool for op in self.iterate_op_defs() if op.pool is not None}

    def iterate_op_defs(self) -> Iterator[OpDefinition]:
        """The ops that it is made of, those inside of graphs included."""
        for definition in self.node_defs:
            yield from definition.iterate_op_defs()

    def input_has_default(self, input_name: str) -> bool:
        """Whether what an input goes to has a default."""
        mapping = self._mapping(input_name)
        return self.uses[mapping.mapped_node_name].definition.input_has_default(mapping.mapped_node_input_name)

    def default_value_for_input(self, input_name: str) -> object:
        """The default of what an input goes to.

        Raises:
            InvalidInvocationError: it has none.
        """
        mapping = self._mapping(input_name)
        return self.uses[mapping.mapped_node_name].definition.default_value_for_input(mapping.mapped_node_input_name)

    def node_names(self) -> Sequence[str]:
        """The names of the uses of ops and graphs in it."""
        return list(self.uses)

    def has_node_named(self, name: str) -> bool:
        """Whether there is a use of this name."""
        return name in self.uses

    def node_named(self, name: str) -> NodeUse:
        """The use of this name.

        Raises:
            InvariantViolationError: there is none.
        """
        if name not in self.uses:
            raise InvariantViolationError(
                f"{self!r} has no node {name!r}; available: {', '.join(self.uses) or 'none'}."
            )
        return self.uses[name]

    def get_node(self, handle: NodeHandle) -> NodeUse:
        """The use at a place in this graph, those inside of graphs included.

        Raises:
            InvariantViolationError: there is none.
        """
        if handle.parent is None:
            return self.node_named(handle.name)
        around = self.get_node(handle.parent).definition
        if not isinstance(around, ReadableGraph):
            raise InvariantViolationError(
                f"{self!r}: {str(handle.parent)!r} is an op and has no nodes, so {str(handle)!r} was not found."
            )
        return around.node_named(handle.name)

    @property
    def dependency_structure(self) -> DependencyStructure:
        """What its nodes take from each other, to be asked by input and by output."""
        return DependencyStructure(self.node_dependencies)

    def get_input_mapping(self, input_name: str) -> InputMapping:
        """Where an input goes: the first place, where it goes to several.

        Raises:
            InvalidInvocationError: there is no such input.
        """
        return self._mapping(input_name)

    def get_output_mapping(self, output_name: str) -> OutputMapping:
        """Which output of a node an output is.

        Raises:
            InvariantViolationError: there is no such output.
        """
        self.output_def_named(output_name)
        return next(each for each in self.output_mappings if each.graph_output_name == output_name)

    def is_dynamic(self, output_name: str) -> bool:
        """Whether an output is dynamic."""
        mapping = next(each for each in self.output_mappings if each.graph_output_name == output_name)
        inner = self.uses[mapping.mapped_node_name].definition
        return mapping.from_dynamic_mapping or inner.is_dynamic(mapping.mapped_node_output_name)
