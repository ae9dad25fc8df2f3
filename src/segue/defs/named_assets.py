"""The asset that is meant by a name where no asset has exactly this key: one below the same prefix or in the same group."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from segue.defs.assets_definition import AssetsDefinition
from segue.model.asset_words import DEFAULT_GROUP
from segue.model.assets import AssetSpec
from segue.model.keys import AssetKey

AssetsByName: TypeAlias = Mapping[tuple[str, str], Sequence[AssetKey]]


def assets_by_name(specs: Iterable[AssetSpec]) -> AssetsByName:
    """The assets by the last part of their key and their group."""
    found: dict[tuple[str, str], list[AssetKey]] = {}
    for spec in specs:
        found.setdefault((spec.key.parts[-1], spec.group_name or DEFAULT_GROUP), []).append(spec.key)
    return found


def similar_asset(
    key: AssetKey, definition: AssetsDefinition, known: AssetsByName, keys: Container[AssetKey]
) -> AssetKey | None:
    """The asset of this name below the prefix of an asset of the definition; else the one that `asset_in_group` finds.

    Args:
        key: what only the name of an input says.
        definition: whose input it is.
        known, keys: all assets.
    """
    for spec in definition.specs_by_output.values():
        below = AssetKey([*spec.key.parts[:-1], key.parts[-1]])
        if below != key and below in keys:
            return below
    return asset_in_group(key, definition, known)


def asset_in_group(key: AssetKey, definition: AssetsDefinition, known: AssetsByName) -> AssetKey | None:
    """The only asset of a name in the group of the definition, where the key is a name without a prefix."""
    if len(key.parts) != 1:
        return None
    for spec in definition.specs_by_output.values():
        same = known.get((key.parts[0], spec.group_name or DEFAULT_GROUP), ())
        if len(same) == 1:
            return same[0]
    return None
