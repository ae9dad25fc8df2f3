"""What is wrong with declared resources, before anything is set up."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from segue.defs.io import manager_role
from segue.defs.resource_definition import ResourceDefinition
from segue.defs.resource_order import needed_keys_of, nested_in, resource_cycle


def resource_errors(declared: Mapping[str, object]) -> Iterator[str]:
    """Everything that is wrong with resources taken by themselves: classes in place of objects, required resources that were
    not provided, cycles, and nested resources that still need config.

    Args:
        declared: all resources by key.
    """
    by_id = {id(value): key for key, value in declared.items()}
    needs: dict[str, set[str]] = {}
    for key, value in declared.items():
        if isinstance(value, type) and is_resource(value):
            yield f"The resource {key!r} is the class {value.__name__}: use an instance, {value.__name__}(...)."
            continue
        needs[key] = set(needed_keys_of(value, by_id))
        for missing in sorted(needs[key] - declared.keys()):
            yield missing_resource(missing, f"The resource {key!r}", declared)
        yield from _nested_errors(value, key, by_id)
    waiting = {key: needed & declared.keys() for key, needed in needs.items()}
    while free := [key for key, needed in waiting.items() if not needed & waiting.keys()]:
        for key in free:
            del waiting[key]
    if waiting:
        path = resource_cycle(waiting)
        yield (
            f"The resource {path[0]!r} depends on itself: {' -> '.join(path)}. Remove one of these from the "
            "required_resource_keys of the other."
        )


def _nested_errors(value: object, key: str, by_id: Mapping[int, str]) -> Iterator[str]:
    for field, each in nested_in(value).items():
        if id(each) in by_id:
            continue
        if getattr(each, "waits_for_config", False) or (isinstance(each, ResourceDefinition) and each.needs_config):
            yield (
                f"The field {field!r} of the resource {key!r} contains a resource that still needs config "
                f"({each!r}). Add that resource to the definitions under its own resource key, so that runs can "
                "configure it."
            )
        if isinstance(each, ResourceDefinition):
            for missing in sorted(each.required_resource_keys - set(by_id.values())):
                yield missing_resource(
                    missing, f"The resource in field {field!r} of {key!r}", dict.fromkeys(by_id.values())
                )
        yield from _nested_errors(each, f"{key}.{field}", by_id)


def is_resource(value: object) -> bool:
    """Whether a class or object was written to be a resource or an IO manager."""
    return (
        getattr(value, "segue_parameter_kind", None) == "resource"
        or isinstance(value, ResourceDefinition)
        or hasattr(value, "load_input")
    )


def missing_resource(key: str, user: str, declared: Mapping[str, object], kind: str = "resource") -> str:
    """The error for a required resource that was not provided."""
    close = difflib.get_close_matches(key, declared, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"{user} requires the {kind} {key!r}, which was not provided; available: "
        f"{', '.join(sorted(declared)) or 'none'}.{hint} Add {key!r} to Definitions(resources={{...}}), or correct "
        "the resource key."
    )


def manager_error(key: str, value: object, loads_only: bool) -> str | None:
    """The error for a resource that is used as an IO manager and is none, to be put behind who uses it; None where all is well.

    Args:
        key, value: the resource.
        loads_only: whether it is needed to load only.
    """
    role = manager_role(value)
    if role is not None and (loads_only or role != "input manager"):
        return None
    wanted = "load_input" if loads_only else "handle_output and load_input"
    made = "does not create an IO manager (use @io_manager)" if isinstance(value, ResourceDefinition) else "is none"
    return (
        f"uses the resource {key!r} as its IO manager, but that is a {type(value).__name__}, which {made}; an IO "
        f"manager must have {wanted}."
    )
