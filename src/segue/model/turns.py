"""Functions that wait for each other although none of their assets do: they take turns, each making what it can. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence, Set

import msgspec
from msgspec.structs import replace

from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.manifest import ComputationNode, OutputNode

Entity = AssetKey | AssetCheckKey


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One call of a function.

    Attributes:
        key: of its step: the function's name, and from the second turn on a number behind it.
        computation: the function. The node and not its name: with many, to look each of them up takes longer than the rest.
        outputs: what it shall give.
        number: which turn of the function it is, from 1.
        is_only: whether the function has no other.
    """

    key: str
    computation: ComputationNode
    outputs: Sequence[OutputNode]
    number: int = 1
    is_only: bool = True


def take_turns(graph: AssetGraph, single: Collection[Turn]) -> list[Turn] | None:
    """The functions as often as they are needed, so that each turn only takes what earlier ones gave.

    A function makes all it can at each turn, and one that can finish goes before one that cannot.

    Args:
        graph: all there is.
        single: each function once, with all that it shall give.

    Returns:
        The turns, in an order in which they can be run; None where functions wait for each other that cannot be divided.
    """
    selected = {turn.key: turn for turn in single}
    made = {entity_of(output): turn.key for turn in single for output in turn.outputs}
    needs = {
        turn.key: {entity_of(output): _needs(graph, turn.computation, output, made) for output in turn.outputs}
        for turn in single
    }
    level = {key: place for place, keys in enumerate(graph.toposorted_asset_keys_by_level) for key in keys}
    last = {
        turn.key: max(
            [level[key] for each in turn.outputs if (key := each.asset_key or each.check_asset_key) is not None]
        )
        for turn in single
    }
    left = {name: selected[name] for name in sorted(selected, key=lambda name: (last[name], name))}
    done: set[Entity] = set()
    found: list[Turn] = []
    while left:
        parts = _next_turns(left, needs, done)
        if not parts:
            return None
        found.extend(parts)
        done.update(entity_of(output) for part in parts for output in part.outputs)
    return _numbered(found, set(graph.computations))


def _next_turns(
    left: dict[str, Turn],
    needs: Mapping[str, Mapping[Entity, Set[Entity]]],
    done: set[Entity],
) -> list[Turn]:
    """The functions that can finish now, else the first that can make a part; takes what they give out of `left`."""
    finished: list[Turn] = []
    partial: Turn | None = None
    known = set(done)
    for name, turn in list(left.items()):
        ready = _ready(turn, needs[name], known)
        if len(ready) == len(turn.outputs):
            finished.append(turn)
            known.update(map(entity_of, turn.outputs))
            del left[name]
        elif ready and partial is None:
            partial = replace(turn, outputs=ready)
    if finished or partial is None:
        return finished
    rest = left[partial.key]
    left[partial.key] = replace(rest, outputs=[output for output in rest.outputs if output not in partial.outputs])
    return [partial]


def _ready(turn: Turn, needs: Mapping[Entity, Set[Entity]], done: set[Entity]) -> Sequence[OutputNode]:
    """What a function can give of what is left: as much as can be made out of what is there, or all or nothing."""
    ready = turn.outputs
    while True:
        own = set(map(entity_of, ready))
        kept = [output for output in ready if all(key in done or key in own for key in needs[entity_of(output)])]
        if len(kept) == len(ready):
            return kept
        if not turn.computation.can_subset:
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
    count = Counter(turn.computation.name for turn in turns)
    numbers: Counter[str] = Counter()
    found: list[Turn] = []
    for turn in turns:
        name = turn.computation.name
        numbers[name] += 1
        number = numbers[name]
        key = name if number == 1 else f"{name}_{number}"
        while number > 1 and key in names:
            key += "_"
        names.add(key)
        found.append(replace(turn, key=key, number=number, is_only=count[name] == 1))
    return found
