"""The resources as data: their keys, what they are, and the limits on calling them."""

from __future__ import annotations

from segue.defs.collect import Collection
from segue.model.manifest import ResourceNode


def resource_nodes(collection: Collection) -> tuple[ResourceNode, ...]:
    """The resources of some definitions; notes limits of resources that nobody declares."""
    limits = collection.source.resource_limits
    unknown = sorted(limits.keys() - collection.resources.keys())
    if unknown and collection.source.checks_resources:
        known = ", ".join(sorted(collection.resources)) or "none"
        collection.error(
            f"resource_limits contains {', '.join(map(repr, unknown))}, which is not a resource key; available: "
            f"{known}."
        )
    return tuple(
        [
            ResourceNode(key, type(value).__name__, _first_line(value), limits.get(key, ()))
            for key, value in collection.resources.items()
        ]
    )


def _first_line(value: object) -> str | None:
    text = type(value).__doc__
    return text.strip().splitlines()[0] if text and text.strip() else None
