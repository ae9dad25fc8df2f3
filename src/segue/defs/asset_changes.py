"""Specs of assets and checks with other attributes: what `AssetsDefinition.with_attributes` and the loaders do to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

import msgspec

from segue.defs.bindings import bound
from segue.errors import InvalidDefinitionError, InvalidInvocationError
from segue.model.asset_deps import AssetDep
from segue.model.asset_words import DEFAULT_GROUP
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetCheckKey, AssetKey, AssetOrCheckKey
from segue.model.partitions.mapping_base import PartitionMapping

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


class KeysOf(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of assets and checks by key.

    Attributes:
        groups: groups for assets that have none.
        tags: other tags.
        conditions: a condition for all assets that have none, or conditions by key.
        metadata: other metadata.
    """

    groups: Mapping[AssetKey, str]
    tags: Mapping[AssetKey, Mapping[str, str]]
    conditions: AnyCondition | Mapping[AssetKey, AnyCondition] | None
    metadata: Mapping[AssetOrCheckKey, Mapping[str, object]]


def changed_specs(
    specs: Mapping[str, AssetSpec], checks: Mapping[str, AssetCheckSpec], said: KeysOf
) -> tuple[dict[str, AssetSpec], dict[str, AssetCheckSpec]]:
    """The specs and checks, by output, with what is said of them.

    Raises:
        InvalidDefinitionError: an asset has a group or condition already.
    """
    return (
        {name: _changed(spec, said) for name, spec in specs.items()},
        {
            name: spec.with_metadata(said.metadata[spec.key]) if spec.key in said.metadata else spec
            for name, spec in checks.items()
        },
    )


def _changed(spec: AssetSpec, said: KeysOf) -> AssetSpec:
    changes: dict[str, Any] = {}
    if spec.key in said.groups:
        changes["group_name"] = in_group(spec, said.groups[spec.key]).group_name
    if spec.key in said.tags:
        changes["tags"] = said.tags[spec.key]
    if spec.key in said.metadata:
        changes["metadata"] = said.metadata[spec.key]
    condition = said.conditions.get(spec.key) if isinstance(said.conditions, Mapping) else said.conditions
    if condition is not None:
        if spec.automation_condition is not None:
            raise InvalidDefinitionError(
                f"The asset {spec.key.to_user_string()!r} already has an automation condition: remove one of the two."
            )
        changes["automation_condition"] = condition
    return spec.replace_attributes(**changes) if changes else spec


def in_group(spec: AssetSpec, group_name: str) -> AssetSpec:
    """The spec in a group.

    Raises:
        InvalidDefinitionError: it is in another group already.
    """
    if spec.group_name not in (None, DEFAULT_GROUP, group_name):
        raise InvalidDefinitionError(
            f"The asset {spec.key.to_user_string()!r} is already in the group {spec.group_name!r} and cannot be put into "
            f"{group_name!r}: remove one of the two."
        )
    return spec.replace_attributes(group_name=group_name)


def brought_along(
    owner: object, needed: Set[str], own: Mapping[str, object], given: Mapping[str, object]
) -> dict[str, object]:
    """The resources that assets bring along: their own, and of those that are given what they need, and what that is made from.

    Raises:
        InvalidInvocationError: they have another resource of the same key already.
    """
    for key in own.keys() & given.keys():
        if own[key] is not given[key]:
            raise InvalidInvocationError(
                f"{owner!r} already has a resource {key!r}, and with_resources was given a different one: rename one."
            )
    keys: set[str] = bound("with_needs")(needed, {**given, **own}) & given.keys()
    return {**{key: given[key] for key in keys}, **own}


def require_possible_deps(specs: Iterable[AssetSpec]) -> None:
    """Does nothing if no asset depends on itself, other than on earlier partitions.

    Raises:
        InvalidDefinitionError: one does.
    """
    for spec in specs:
        own = spec.key.parts
        for dep in spec.deps:
            if dep.asset_key.parts == own and (spec.partitions_def is None or _takes_itself(dep.partition_mapping)):
                raise own_dependency(spec.key)


def own_dependency(key: AssetKey) -> InvalidDefinitionError:
    """The error for an asset that depends on itself."""
    name = key.to_user_string()
    return InvalidDefinitionError(
        f"The asset {name!r} depends on itself. Only a partitioned asset can depend on its own earlier partitions: add a "
        "partitions definition and a mapping such as TimeWindowPartitionMapping(start_offset=-1, end_offset=-1), or remove "
        "the dependency."
    )


def _takes_itself(mapping: PartitionMapping | None) -> bool:
    """Whether a partition depends on itself by a mapping between the partitions of one asset."""
    if mapping is None:
        return True
    end: object = getattr(mapping, "end_offset", None)
    return vars(type(mapping)).get("tag") in _SAME or (isinstance(end, int) and end >= 0)


_SAME = ("identity", "all")  # tags of mappings


def renamed_spec(spec: AssetSpec, names: Mapping[AssetKey, AssetKey]) -> AssetSpec:
    """The spec with other keys for the asset and what it is made from."""
    deps = [
        AssetDep(names[dep.asset_key], partition_mapping=dep.partition_mapping, metadata=dep.metadata)
        if dep.asset_key in names
        else dep
        for dep in spec.deps
    ]
    return spec.replace_attributes(key=names.get(spec.key, spec.key), deps=deps)


def renamed_checks(
    checks: Mapping[str, AssetCheckSpec], names: Mapping[AssetKey, AssetKey]
) -> dict[str, AssetCheckSpec]:
    """The checks, by output, with other keys for the assets that they look at."""
    return {
        name: spec.replace_key(AssetCheckKey(names[spec.asset_key], spec.name)) if spec.asset_key in names else spec
        for name, spec in checks.items()
    }
