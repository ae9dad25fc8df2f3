"""In which order resources are set up: each after those it is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from segue.defs.resource_definition import ResourceDefinition
from segue.errors import InvariantViolationError, UnknownResourceError


def resource_order(keys: Iterable[str], declared: Mapping[str, object]) -> list[str]:
    """These resources and all they are made from: each after those, otherwise by key.

    Args:
        keys: which are wanted.
        declared: all there are, by key.

    Raises:
        UnknownResourceError: one that nobody declares.
        InvariantViolationError: some that are made from each other in a circle.
    """
    by_id = {id(value): key for key, value in declared.items()}
    needs: dict[str, set[str]] = {}
    open_keys = list(keys)
    while open_keys:
        key = open_keys.pop()
        if key in needs:
            continue
        if key not in declared:
            raise UnknownResourceError(
                key, (f"The resource {key!r} is not defined; available: {', '.join(sorted(declared))}.")
            )
        needs[key] = set(needed_keys_of(declared[key], by_id))
        open_keys.extend(needs[key])
    order: list[str] = []
    waiting = dict(needs)
    while waiting:
        free = sorted(key for key, needed in waiting.items() if not needed & waiting.keys())
        if not free:
            path = resource_cycle(waiting)
            raise InvariantViolationError(
                f"The resource {path[0]!r} depends on itself: {' -> '.join(path)}. Remove one of these from the "
                "required_resource_keys of the other."
            )
        for key in free:
            del waiting[key]
        order.extend(free)
    return order


def needed_keys_of(value: object, by_id: Mapping[int, str]) -> Iterator[str]:
    """The keys that a declared resource is made from: those it requires, and those of what is nested in it.

    Args:
        value: the resource.
        by_id: the keys of all resources, by the identity of the object.
    """
    if isinstance(value, ResourceDefinition):
        yield from value.required_resource_keys
        return
    for each in nested_in(value).values():
        key = by_id.get(id(each))
        if key is not None:
            yield key
        else:
            yield from needed_keys_of(each, by_id)


def nested_in(value: object) -> Mapping[str, object]:
    """The resources in the fields of a resource, by field."""
    if isinstance(value, type) or getattr(value, "segue_parameter_kind", None) != "resource":
        return {}
    nested: Mapping[str, object] = getattr(value, "nested_resources", {})
    return nested


def resource_cycle(needs: Mapping[str, set[str]]) -> list[str]:
    """One circle in what is left, the first key repeated at the end."""
    path = [min(needs)]
    while path[-1] not in path[:-1]:
        path.append(min(needs[path[-1]] & needs.keys()))
    return path[path.index(path[-1]) :]


def with_needs(keys: Iterable[str], declared: Mapping[str, object]) -> set[str]:
    """These keys and all that they are made from, those included that nobody declares."""
    by_id = {id(value): key for key, value in declared.items()}
    found: set[str] = set()
    open_keys = list(keys)
    while open_keys:
        key = open_keys.pop()
        if key not in found:
            found.add(key)
            open_keys.extend(needed_keys_of(declared[key], by_id) if key in declared else ())
    return found
