"""The order of things that wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from segue.errors import CycleError
from segue.model.keys import AssetKey

Name = TypeVar("Name", str, AssetKey)


def require_acyclic(edges: Mapping[Name, Iterable[Name]], shown: Callable[[Name], str] = str) -> list[Name]:
    """The names in an order in which each comes after what it depends on.

    Args:
        edges: for each name, the names it depends on; names that are no keys themselves are ignored.
        shown: how an error writes a name.

    Returns:
        All keys; among those that are ready together, in the order of `edges`.

    Raises:
        CycleError: they go round in a circle; the error holds one such path.
    """
    # Numbers instead of names: each name is looked up once, and what is counted lies close together in memory.
    names = list(edges)
    numbers = {name: number for number, name in enumerate(names)}
    missing = [0] * len(names)
    dependents: list[list[int] | None] = [None] * len(names)
    for number, depends_on in enumerate(edges.values()):
        for each in depends_on:
            upstream = numbers.get(each)
            if upstream is None:
                continue
            missing[number] += 1
            known = dependents[upstream]
            if known is None:
                dependents[upstream] = [number]
            else:
                known.append(number)
    order = [number for number, count in enumerate(missing) if count == 0]
    for number in order:  # grows while it is walked: each name enters when its last dependency has been passed
        for dependent in dependents[number] or ():
            missing[dependent] -= 1
            if missing[dependent] == 0:
                order.append(dependent)
    if len(order) < len(names):
        stuck = [name for name, count in zip(names, missing, strict=True) if count > 0]
        raise CycleError([shown(name) for name in _find_cycle({name: list(edges[name]) for name in stuck})])
    return [names[number] for number in order]


def _find_cycle(waiting: Mapping[Name, Sequence[Name]]) -> list[Name]:
    """One cycle among names that all wait for another, in the direction in which data would flow."""
    path: list[Name] = []
    seen: dict[Name, int] = {}
    name = min(waiting)
    while name not in seen:
        seen[name] = len(path)
        path.append(name)
        name = min(each for each in waiting[name] if each in waiting)
    cycle = [*path[seen[name] :], name]
    return cycle[::-1]
