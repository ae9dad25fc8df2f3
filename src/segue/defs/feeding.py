"""What must hold in a job beyond its graph: each input can get a value, and a name stands for one definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from segue.defs.flatten import Flat
from segue.defs.graph import GraphDefinition
from segue.defs.node import NodeDefinition
from segue.defs.types.base import SegueType, TypeKind
from segue.errors import InvalidDefinitionError
from segue.model.steps import GraphInputSource, OwnSource

# The classes of the values that a run config holds.
_WRITTEN_CLASSES: Final = (dict, list, str, int, float, bool)


def require_fed(flat: Flat, what: str) -> None:
    """Refuses inputs that nothing can ever give a value to: they are tied to nothing, and no config can hold their value.

    Raises:
        InvalidDefinitionError: there are such; all of them are named.
    """
    found: list[str] = []
    for step in flat.steps:
        op = flat.ops[step.path]
        for each in step.inputs:
            is_open = isinstance(each.source, OwnSource) or (
                isinstance(each.source, GraphInputSource) and each.source.path != ""
            )
            if not is_open or not each.has_value or each.has_default or each.io_manager_key is not None:
                continue
            kind = op.input_type(each.name)
            if not can_be_written(kind):
                found.append(
                    f"{op.shape.source}: the input {each.name!r} of op {step.path!r} has type "
                    f"{kind.display_name}, which cannot be provided in run config, and it is not connected. "
                    "Connect it to the output of another op or to an input of the graph, or give it a default "
                    "value or its type a loader."
                )
    if found:
        raise InvalidDefinitionError(f"{what}: " + "\n".join(found))


def can_be_written(kind: SegueType) -> bool:
    """Whether a run config can say a value of a type: with its loader, or as it stands."""
    if kind.loader is not None or kind.kind in (TypeKind.ANY, TypeKind.NOTHING, TypeKind.SCALAR):
        return True
    accepted = kind.accepts_instances_of
    if accepted is not None and any(issubclass(each, accepted) for each in _WRITTEN_CLASSES):
        return True
    inner = kind.inner_types
    return bool(inner) and all(can_be_written(each) for each in inner)


def require_one_definition_per_name(graph: GraphDefinition, what: str) -> None:
    """Refuses two different ops or graphs of one name, also where they stand in different graphs of the job.

    Raises:
        InvalidDefinitionError: there are such.
    """
    _gather(graph, {}, what)


def _gather(graph: GraphDefinition, seen: dict[str, NodeDefinition], what: str) -> Mapping[str, NodeDefinition]:
    for definition in graph.node_defs:
        other = seen.setdefault(definition.name, definition)
        if other is not definition:
            raise InvalidDefinitionError(
                f"{what} contains two different definitions named "
                f"{definition.name!r}{_places(other, definition)}: rename one of them."
            )
        if isinstance(definition, GraphDefinition):
            _gather(definition, seen, what)
    return seen


def _places(*definitions: NodeDefinition) -> str:
    places = [str(each.source) for each in definitions if each.source is not None]
    return f" ({' and '.join(places)})" if places else ""
