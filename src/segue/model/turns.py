"""Functions that wait for each other although none of their assets do: they take turns, each making what it can. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec

from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import ComputationNode, OutputNode

Selected = Mapping[str, Sequence[OutputNode]]
Entity = AssetKey | AssetCheckKey


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One call of a function.

    Attributes:
        key: of its step: the function's name, and from the second turn on a number behind it.
        computation: the function.
        outputs: what it shall give.
        number: which turn of the function it is, from 1.
        is_only: whether the function has no other.
    """

    key: str
    computation: str
    outputs: Sequence[OutputNode]
    number: int = 1
    is_only: bool = True


def single_turns(selected: Selected) -> list[Turn]:
    """Each function once, with all that it shall give."""
    return [Turn(name, name, outputs) for name, outputs in selected.items()]


def take_turns(graph: AssetGraph, selected: Selected) -> list[Turn] | None:
    """The functions as often as they are needed, so that each turn only takes what earlier ones gave.

    A function makes all it can at each turn, and one that can finish goes before one that cannot.

    Args:
        graph: all there is.
        selected: by function, what it shall give.

    Returns:
        The turns, in an order in which they can be run; None where functions wait for each other that cannot be divided.
    """
    made = {entity_of(output): name for name, outputs in selected.items() for output in outputs}
    needs = {
        name: {entity_of(output): _needs(graph, graph.computations[name], output, made) for output in outputs}
        for name, outputs in selected.items()
    }
    level = {key: place for place, keys in enumerate(graph.toposorted_asset_keys_by_level) for key in keys}
    last = {
        name: max([level[key] for output in outputs if (key := output.asset_key or output.check_asset_key) is not None])
        for name, outputs in selected.items()
    }
    left = {name: list(selected[name]) for name in sorted(selected, key=lambda name: (last[name], name))}
    done: set[Entity] = set()
    found: list[Turn] = []
    while left:
        parts = _next_turns(graph, left, needs, done)
        if not parts:
            return None
        found.extend(parts)
        done.update(entity_of(output) for part in parts for output in part.outputs)
    return _numbered(found, set(graph.computations))


def _next_turns(
    graph: AssetGraph,
    left: dict[str, list[OutputNode]],
    needs: Mapping[str, Mapping[Entity, Set[Entity]]],
    done: set[Entity],
) -> list[Turn]:
    """The functions that can finish now, else the first that can make a part; takes what they give out of `left`."""
    finished: list[Turn] = []
    partial: Turn | None = None
    known = set(done)
    for name, outputs in list(left.items()):
        ready = _ready(graph.computations[name], outputs, needs[name], known)
        if len(ready) == len(outputs):
            finished.append(Turn(name, name, outputs))
            known.update(map(entity_of, outputs))
            del left[name]
        elif ready and partial is None:
            partial = Turn(name, name, ready)
    if finished or partial is None:
        return finished
    left[partial.computation] = [output for output in left[partial.computation] if output not in partial.outputs]
    return [partial]


def _ready(
    computation: ComputationNode, outputs: list[OutputNode], needs: Mapping[Entity, Set[Entity]], done: set[Entity]
) -> list[OutputNode]:
    """What a function can give of what is left: as much as can be made out of what is there, or all or nothing."""
    ready = outputs
    while True:
        own = set(map(entity_of, ready))
        kept = [output for output in ready if all(key in done or key in own for key in needs[entity_of(output)])]
        if len(kept) == len(ready):
            return kept
        if not computation.can_subset:
            return []
        ready = kept


def _needs(
    graph: AssetGraph, computation: ComputationNode, output: OutputNode, made: Mapping[Entity, str]
) -> set[Entity]:
    """What must be there before an output can be given, of what this run makes."""
    own = entity_of(output)
    found: set[Entity] = set(made_from(graph, output))
    if not computation.can_subset:
        found.update(each.asset_key for each in computation.inputs)
    if isinstance(own, AssetKey):
        for key in list(found):
            found.update(check for check in _blocking(graph, key) if made.get(check) != computation.name)
    return {key for key in found if key in made and key != own}


def _blocking(graph: AssetGraph, key: Entity) -> Iterator[AssetCheckKey]:
    if isinstance(key, AssetKey):
        yield from (check for check in graph.checks_of(key) if graph.checks[check].blocking)


def made_from(graph: AssetGraph, output: OutputNode) -> Sequence[AssetKey]:
    """The assets that an output is made from, or that a check looks at."""
    key = entity_of(output)
    if isinstance(key, AssetKey):
        return [dep.key for dep in graph.nodes[key].deps]
    return (key.asset_key, *graph.checks[key].dep_keys)


def entity_of(output: OutputNode) -> Entity:
    """The asset or check that an output carries."""
    if output.asset_key is not None:
        return output.asset_key
    assert output.check_asset_key is not None  # it carries one or the other
    assert output.check_name is not None
    return AssetCheckKey(output.check_asset_key, output.check_name)


def _numbered(turns: list[Turn], names: set[str]) -> list[Turn]:
    """The turns under keys of their own."""
    count: dict[str, int] = {}
    for turn in turns:
        count[turn.computation] = count.get(turn.computation, 0) + 1
    numbers: dict[str, int] = {}
    found: list[Turn] = []
    for turn in turns:
        number = numbers[turn.computation] = numbers.get(turn.computation, 0) + 1
        key = turn.computation if number == 1 else f"{turn.computation}_{number}"
        while number > 1 and key in names:
            key += "_"
        names.add(key)
        found.append(Turn(key, turn.computation, turn.outputs, number, count[turn.computation] == 1))
    return found
