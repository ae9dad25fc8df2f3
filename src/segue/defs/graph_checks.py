"""What must hold in a graph: everything named exists, nothing goes in circles, dynamic outputs are used as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segue.defs.dependency import (
    Dependency,
    DependencyDefinition,
    DynamicCollectDependencyDefinition,
    InputMapping,
    OutputMapping,
)
from segue.defs.node import NodeDefinition, NodeUse, require_unique_definitions
from segue.errors import CycleError, InvalidDefinitionError
from segue.model.keys import require_name
from segue.model.ordering import require_acyclic

Uses = Mapping[str, NodeUse]
Dependencies = Mapping[str, Mapping[str, Dependency]]


def check_graph(
    name: str,
    uses: Uses,
    dependencies: Dependencies,
    input_mappings: Sequence[InputMapping],
    output_mappings: Sequence[OutputMapping],
) -> None:
    """Refuses a graph whose parts do not fit together.

    Raises:
        InvalidDefinitionError: what is wrong, and where.
    """
    what = f"graph {name!r}"
    require_unique_definitions(list(uses.values()), what)
    for node, inputs in dependencies.items():
        for input_name, dependency in inputs.items():
            _require_input(uses, node, input_name, what)
            for each in dependency.get_node_dependencies():
                _require_output(uses, each, f"{what}: the input {input_name!r} of {node!r}")
            if dependency.is_fan_in():
                _require_takes_lists(uses[node].definition, node, input_name, what)
    for mapping in input_mappings:
        _require_input(uses, mapping.mapped_node_name, mapping.mapped_node_input_name, what)
        own = dependencies.get(mapping.mapped_node_name, {}).get(mapping.mapped_node_input_name)
        if own is not None and mapping.fan_in_index is None:
            raise InvalidDefinitionError(
                f"{what}: the input {mapping.mapped_node_input_name!r} of {mapping.mapped_node_name!r} is "
                f"connected both to a node and to the graph's input {mapping.graph_input_name!r}: keep one."
            )
    names: set[str] = set()
    for mapping in output_mappings:
        output = DependencyDefinition(mapping.mapped_node_name, mapping.mapped_node_output_name)
        _require_output(uses, output, f"{what}: the output {mapping.graph_output_name!r}")
        require_name(mapping.graph_output_name, "an output", what)
        if mapping.graph_output_name in names:
            raise InvalidDefinitionError(f"{what}: duplicate output {mapping.graph_output_name!r}.")
        names.add(mapping.graph_output_name)
    origins = _dynamic_origins(name, uses, dependencies)
    _check_collects(uses, dependencies, origins, what)


def topological_order(name: str, uses: Uses, dependencies: Dependencies) -> list[str]:
    """The names of the nodes, each after those it depends on; those that could start at the same time by name.

    Raises:
        InvalidDefinitionError: they go round in a circle.
    """
    edges = {
        use: sorted(
            {
                each.node
                for dependency in dependencies.get(use, {}).values()
                for each in dependency.get_node_dependencies()
            }
        )
        for use in uses
    }
    try:
        order = require_acyclic(edges)
    except CycleError as error:
        raise InvalidDefinitionError(
            f"graph {name!r}: its nodes form a dependency cycle: {' -> '.join(error.path)}. Remove one of these "
            "dependencies."
        ) from None
    levels: dict[str, int] = {}
    for use in order:
        levels[use] = 1 + max((levels.get(each, 0) for each in edges[use]), default=0)
    return sorted(order, key=lambda use: (levels[use], use))


def _require_input(uses: Uses, node: str, input_name: str, what: str) -> None:
    if node not in uses:
        raise InvalidDefinitionError(f"{what} has no node {node!r}; available: {', '.join(uses) or 'none'}.")
    definition = uses[node].definition
    if not definition.has_input(input_name):
        raise InvalidDefinitionError(
            f"{what}: {node!r} has no input {input_name!r}; available: {', '.join(definition.input_names) or 'none'}."
        )


def _require_takes_lists(definition: NodeDefinition, node: str, input_name: str, what: str) -> None:
    kind = definition.input_type(input_name)
    if not kind.supports_fan_in:
        place = "" if definition.source is None else f" ({definition.source})"
        raise InvalidDefinitionError(
            f"{what}: the input {input_name!r} of {node!r}{place} is connected to a list of outputs, but its "
            f"type is {kind.display_name}: annotate it with list[{kind.display_name}], or connect it to a "
            "single output."
        )


def _require_output(uses: Uses, wanted: DependencyDefinition, where: str) -> None:
    if wanted.node not in uses:
        raise InvalidDefinitionError(
            f"{where} takes an output of {wanted.node!r}, which is not a node of this graph; available: "
            f"{', '.join(uses) or 'none'}."
        )
    definition = uses[wanted.node].definition
    if not definition.has_output(wanted.output):
        raise InvalidDefinitionError(
            f"{where} takes the output {wanted.output!r}, which {wanted.node!r} does not have; available: "
            f"{', '.join(definition.output_names) or 'none'}."
        )


def _dynamic_origins(name: str, uses: Uses, dependencies: Dependencies) -> dict[str, tuple[str, str]]:
    """For each node that runs once for each value of a dynamic output: which output that is."""
    found: dict[str, tuple[str, str]] = {}
    for node in topological_order(name, uses, dependencies):
        for dependency in dependencies.get(node, {}).values():
            if isinstance(dependency, DynamicCollectDependencyDefinition):
                continue
            for each in dependency.get_node_dependencies():
                own = uses[each.node].definition.is_dynamic(each.output)
                origin = (each.node, each.output) if own else found.get(each.node)
                if origin is None:
                    continue
                is_inner = own and each.node in found
                first = found[each.node] if is_inner else found.setdefault(node, origin)
                if is_inner or first != origin:
                    raise after_two_dynamic_outputs(f"graph {name!r}: {node!r}", ":".join(first), ":".join(origin))
                if dependency.is_fan_in():
                    raise InvalidDefinitionError(
                        f"graph {name!r}: {node!r} takes a list of outputs that includes a dynamic one "
                        f"({each.node}:{each.output}): pass it to an input of its own with .collect()."
                    )
    return found


def after_two_dynamic_outputs(what: str, first: str, second: str) -> InvalidDefinitionError:
    """The error for a step that would run once for each value of one dynamic output for each value of another."""
    return InvalidDefinitionError(
        f"{what} is downstream of two dynamic outputs, {first} and {second}. A step can be mapped over only one dynamic "
        "output: collect the first one into a list before the second begins."
    )


def _check_collects(uses: Uses, dependencies: Dependencies, origins: Mapping[str, tuple[str, str]], what: str) -> None:
    for node, inputs in dependencies.items():
        for input_name, dependency in inputs.items():
            if not isinstance(dependency, DynamicCollectDependencyDefinition):
                continue
            is_dynamic = uses[dependency.node].definition.is_dynamic(dependency.output)
            if not is_dynamic and dependency.node not in origins:
                raise InvalidDefinitionError(
                    f"{what}: the input {input_name!r} of {node!r} collects "
                    f"{dependency.node}:{dependency.output}, which is not a dynamic output: pass it without "
                    ".collect()."
                )
