"""Definitions out of modules: every asset that stands at the top of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec

from segue.defs.asset_changes import in_group, renamed_spec
from segue.defs.assets_definition import AssetChecksDefinition, AssetsDefinition
from segue.defs.modules import calling_module, package_modules, require_modules, require_one_place
from segue.defs.source_asset import SourceAsset
from segue.model.assets import AssetSpec
from segue.model.condition_argument import condition_of
from segue.model.freshness_argument import freshness_policy_of
from segue.model.keys import AssetKey, CoercibleToAssetKeyPrefix
from segue.model.policies import BackfillPolicy

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition
    from segue.model.freshness import FreshnessPolicy

LoadedAsset: TypeAlias = AssetsDefinition | AssetSpec | SourceAsset


def load_assets_from_modules(
    modules: Iterable[ModuleType],
    group_name: str | None = None,
    key_prefix: CoercibleToAssetKeyPrefix | None = None,
    *,
    freshness_policy: FreshnessPolicy | None = None,
    automation_condition: AnyCondition | None = None,
    backfill_policy: BackfillPolicy | None = None,
    source_key_prefix: CoercibleToAssetKeyPrefix | None = None,
    include_specs: bool = False,
    auto_materialize_policy: object = None,
    legacy_freshness_policy: object = None,
) -> Sequence[LoadedAsset]:
    """The assets defined at the top level of modules, alone or in lists.

    Args:
        modules: the modules to search.
        group_name: the group for all of them.
        key_prefix: a prefix for the key of each, and of each dependency among them.
        freshness_policy: a freshness policy that replaces their own.
        automation_condition: an automation condition that replaces their own.
        backfill_policy: a backfill policy that replaces their own.
        source_key_prefix: a prefix for the keys of `SourceAsset`s and `AssetSpec`s.
        include_specs: whether to include `AssetSpec`s.
        auto_materialize_policy: superseded by `automation_condition`.
        legacy_freshness_policy: superseded by `freshness_policy`.

    Raises:
        InvalidDefinitionError: a duplicate key, or a group name for an asset that has another.
    """
    where = "load_assets_from_modules"
    condition = condition_of(where, automation_condition, auto_materialize_policy)
    freshness = freshness_policy_of(where, freshness_policy, legacy_freshness_policy)
    found: dict[int, LoadedAsset] = {}
    origin: dict[str, str] = {}
    for module in require_modules(modules, where):
        for name, value in _definitions_in(module):
            if isinstance(value, AssetChecksDefinition) or (isinstance(value, AssetSpec) and not include_specs):
                continue
            if id(value) in found:
                continue
            found[id(value)] = value
            for key in _keys_of(value):
                require_one_place(origin, "asset", key.to_escaped_user_string(), f"{module.__name__}.{name}")
    values = list(found.values())
    if group_name is not None:
        values = [_mapped(each, partial(in_group, group_name=group_name)) for each in values]
    changes = {"automation_condition": condition, "freshness_policy": freshness}
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes:
        change = _With(changes)
        values = [each if isinstance(each, SourceAsset) else _mapped(each, change) for each in values]
    if backfill_policy is not None:
        values = [
            each.with_backfill_policy(backfill_policy) if isinstance(each, AssetsDefinition) else each
            for each in values
        ]
    return _with_prefixes(values, key_prefix, source_key_prefix)


def load_assets_from_current_module(
    group_name: str | None = None,
    key_prefix: CoercibleToAssetKeyPrefix | None = None,
    *,
    freshness_policy: FreshnessPolicy | None = None,
    automation_condition: AnyCondition | None = None,
    backfill_policy: BackfillPolicy | None = None,
    source_key_prefix: CoercibleToAssetKeyPrefix | None = None,
    include_specs: bool = False,
    auto_materialize_policy: object = None,
    legacy_freshness_policy: object = None,
) -> Sequence[LoadedAsset]:
    """The assets defined at the top level of the calling module, above the call.

    Args:
        group_name ... legacy_freshness_policy: as in `load_assets_from_modules`.
    """
    return load_assets_from_modules(
        [calling_module("load_assets_from_current_module")],
        group_name,
        key_prefix,
        freshness_policy=freshness_policy,
        automation_condition=automation_condition,
        backfill_policy=backfill_policy,
        source_key_prefix=source_key_prefix,
        include_specs=include_specs,
        auto_materialize_policy=auto_materialize_policy,
        legacy_freshness_policy=legacy_freshness_policy,
    )


def load_assets_from_package_module(
    package_module: ModuleType,
    group_name: str | None = None,
    key_prefix: CoercibleToAssetKeyPrefix | None = None,
    *,
    freshness_policy: FreshnessPolicy | None = None,
    automation_condition: AnyCondition | None = None,
    backfill_policy: BackfillPolicy | None = None,
    source_key_prefix: CoercibleToAssetKeyPrefix | None = None,
    include_specs: bool = False,
    auto_materialize_policy: object = None,
    legacy_freshness_policy: object = None,
) -> Sequence[LoadedAsset]:
    """The assets of a package and of every module below it, which are imported.

    Args:
        package_module: the package.
        group_name ... legacy_freshness_policy: as in `load_assets_from_modules`.
    """
    return load_assets_from_modules(
        package_modules(package_module),
        group_name,
        key_prefix,
        freshness_policy=freshness_policy,
        automation_condition=automation_condition,
        backfill_policy=backfill_policy,
        source_key_prefix=source_key_prefix,
        include_specs=include_specs,
        auto_materialize_policy=auto_materialize_policy,
        legacy_freshness_policy=legacy_freshness_policy,
    )


def load_assets_from_package_name(
    package_name: str,
    group_name: str | None = None,
    key_prefix: CoercibleToAssetKeyPrefix | None = None,
    *,
    freshness_policy: FreshnessPolicy | None = None,
    automation_condition: AnyCondition | None = None,
    backfill_policy: BackfillPolicy | None = None,
    source_key_prefix: CoercibleToAssetKeyPrefix | None = None,
    include_specs: bool = False,
    auto_materialize_policy: object = None,
    legacy_freshness_policy: object = None,
) -> Sequence[LoadedAsset]:
    """The assets of a package and of every module below it, by the package's name.

    Args:
        package_name: the name under which the package is imported.
        group_name ... legacy_freshness_policy: as in `load_assets_from_modules`.
    """
    return load_assets_from_modules(
        package_modules(package_name),
        group_name,
        key_prefix,
        freshness_policy=freshness_policy,
        automation_condition=automation_condition,
        backfill_policy=backfill_policy,
        source_key_prefix=source_key_prefix,
        include_specs=include_specs,
        auto_materialize_policy=auto_materialize_policy,
        legacy_freshness_policy=legacy_freshness_policy,
    )


def load_asset_checks_from_modules(
    modules: Iterable[ModuleType], asset_key_prefix: CoercibleToAssetKeyPrefix | None = None
) -> Sequence[AssetChecksDefinition]:
    """The checks defined at the top level of modules, alone or in lists.

    Args:
        modules: the modules to search.
        asset_key_prefix: a prefix before the keys of the assets they look at.
    """
    found: dict[int, AssetChecksDefinition] = {}
    for module in require_modules(modules, "load_asset_checks_from_modules"):
        for _, value in _definitions_in(module):
            if isinstance(value, AssetChecksDefinition):
                found[id(value)] = value
    if asset_key_prefix is None:
        return list(found.values())
    checks: list[AssetChecksDefinition] = []
    for check in found.values():
        keys = {spec.asset_key for spec in check.check_specs}
        checks.append(check.renamed({key: key.with_prefix(asset_key_prefix) for key in keys}))
    return checks


def load_asset_checks_from_current_module(
    asset_key_prefix: CoercibleToAssetKeyPrefix | None = None,
) -> Sequence[AssetChecksDefinition]:
    """The checks defined at the top level of the calling module, above the call.

    Args:
        asset_key_prefix: a prefix before the keys of the assets they look at.
    """
    return load_asset_checks_from_modules([calling_module("load_asset_checks_from_current_module")], asset_key_prefix)


def load_asset_checks_from_package_module(
    package_module: ModuleType, asset_key_prefix: CoercibleToAssetKeyPrefix | None = None
) -> Sequence[AssetChecksDefinition]:
    """The checks of a package and of every module below it, which are imported.

    Args:
        package_module: the package.
        asset_key_prefix: a prefix before the keys of the assets they look at.
    """
    return load_asset_checks_from_modules(package_modules(package_module), asset_key_prefix)


def load_asset_checks_from_package_name(
    package_name: str, asset_key_prefix: CoercibleToAssetKeyPrefix | None = None
) -> Sequence[AssetChecksDefinition]:
    """The checks of a package and of every module below it, by the package's name.

    Args:
        package_name: the name under which the package is imported.
        asset_key_prefix: a prefix before the keys of the assets they look at.
    """
    return load_asset_checks_from_modules(package_modules(package_name), asset_key_prefix)


def _definitions_in(module: ModuleType) -> Iterable[tuple[str, LoadedAsset]]:
    for name, value in vars(module).items():
        values = cast("Iterable[object]", value) if isinstance(value, list) else (value,)
        for each in values:
            if isinstance(each, (AssetsDefinition, AssetSpec, SourceAsset)):
                yield name, each


def _mapped(each: LoadedAsset, change: Callable[[AssetSpec], AssetSpec]) -> LoadedAsset:
    if isinstance(each, SourceAsset):
        spec = change(each.to_spec())
        return each.with_attributes(key=spec.key, group_name=spec.group_name)
    return change(each) if isinstance(each, AssetSpec) else each.map_asset_specs(change)


class _With(msgspec.Struct, frozen=True):
    """Replaces attributes of a spec."""

    attributes: dict[str, Any]

    def __call__(self, spec: AssetSpec) -> AssetSpec:
        return spec.replace_attributes(**self.attributes)


def _keys_of(each: LoadedAsset) -> Iterable[AssetKey]:
    return each.keys if isinstance(each, AssetsDefinition) else [each.key]


def _with_prefixes(
    values: Sequence[LoadedAsset],
    key_prefix: CoercibleToAssetKeyPrefix | None,
    source_key_prefix: CoercibleToAssetKeyPrefix | None,
) -> Sequence[LoadedAsset]:
    """The definitions under prefixed keys, with the dependencies among them following."""
    if key_prefix is None and source_key_prefix is None:
        return values
    renamed = {
        key: key.with_prefix(prefix)
        for each in values
        for key in _keys_of(each)
        if (prefix := key_prefix if isinstance(each, AssetsDefinition) else source_key_prefix) is not None
    }
    return [
        each.renamed(renamed)
        if isinstance(each, AssetsDefinition)
        else _mapped(each, partial(renamed_spec, names=renamed))
        for each in values
    ]
