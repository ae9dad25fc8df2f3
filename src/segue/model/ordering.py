"""The order of things that wait for each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from segue.errors import CycleError


def require_acyclic(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """The names in an order in which each comes after what it depends on.

    Args:
        edges: for each name, the names it depends on; names that are no keys themselves are ignored.

    Returns:
        All keys; among those that are ready together, in the order of `edges`.

    Raises:
        CycleError: they go round in a circle; the error holds one such path.
    """
    waiting = {name: [each for each in depends_on if each in edges] for name, depends_on in edges.items()}
    missing = {name: len(depends_on) for name, depends_on in waiting.items()}
    dependents: dict[str, list[str]] = {}
    for name, depends_on in waiting.items():
        for each in depends_on:
            dependents.setdefault(each, []).append(name)
    order = [name for name, count in missing.items() if count == 0]
    for name in order:  # grows while it is walked: each name enters when its last dependency has been passed
        for dependent in dependents.get(name, ()):
            missing[dependent] -= 1
            if missing[dependent] == 0:
                order.append(dependent)
    if len(order) < len(waiting):
        raise CycleError(_find_cycle({name: waiting[name] for name, count in missing.items() if count > 0}))
    return order


def _find_cycle(waiting: Mapping[str, Sequence[str]]) -> list[str]:
    """One cycle among names that all wait for another, in the direction in which data would flow."""
    path: list[str] = []
    seen: dict[str, int] = {}
    name = min(waiting)
    while name not in seen:
        seen[name] = len(path)
        path.append(name)
        name = min(each for each in waiting[name] if each in waiting)
    cycle = [*path[seen[name] :], name]
    return cycle[::-1]
