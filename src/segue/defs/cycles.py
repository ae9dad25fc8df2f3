"""What depends on itself, directly or around several corners: found where definitions are described."""

from __future__ import annotations

from segue.defs.asset_changes import own_dependency
from segue.defs.collect import Collection
from segue.errors import CycleError
from segue.model.keys import AssetKey
from segue.model.ordering import require_acyclic


def check_cycles(collection: Collection) -> None:
    """Notes assets that depend on each other in a cycle, and functions that do although none of their assets do."""
    try:
        if not collection.is_in_order:  # else there is none
            require_acyclic(_edges(collection), AssetKey.to_escaped_user_string)
        if collection.makes_several:
            _check_cycles_of_steps(collection)
    except CycleError as error:
        collection.errors.append(error)


def _edges(collection: Collection) -> dict[AssetKey, list[AssetKey]]:
    """What each asset depends on, without itself; notes those that may not depend on themselves."""
    edges: dict[AssetKey, list[AssetKey]] = {}
    for spec in collection.specs.values():
        deps = collection.deps_of(spec)
        if spec.key in deps:
            if spec.partitions_def is None:
                collection.errors.append(own_dependency(spec.key))
            deps = [key for key in deps if key != spec.key]
        edges[spec.key] = deps
    return edges


def _check_cycles_of_steps(collection: Collection) -> None:
    edges: dict[str, set[str]] = {}
    for spec in collection.specs.values():
        own = _unit(collection, spec.key)
        edges.setdefault(own, set()).update({_unit(collection, key) for key in collection.deps_of(spec)} - {own})
    try:
        require_acyclic({name: sorted(deps) for name, deps in edges.items()})
    except CycleError as error:
        collection.error(
            f"The functions of the assets depend on each other in a cycle: {' -> '.join(error.path)}. A function with several "
            "assets materializes them at once: split it in two."
        )


def _unit(collection: Collection, key: AssetKey) -> str:
    """What is made together with an asset, by name: the step, or the asset alone where a step can be divided."""
    made = collection.made_by.get(key)
    if made is None or made[0].can_subset or len(made[0].specs_by_output) == 1:
        return key.to_escaped_user_string()
    return f"{made[0].name}()"
