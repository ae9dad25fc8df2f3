"""Copies of a definition of assets: with other specs, attributes, keys, resources or hooks, or of a part of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Self

from segue.defs.asset_changes import KeysOf, brought_along, changed_specs, renamed_checks, renamed_spec
from segue.defs.assets_reading import ReadableAssets
from segue.defs.run_arguments import hooks_of
from segue.defs.source_asset import SourceAsset
from segue.errors import WrongArgumentError, WrongDeclarationError
from segue.model.asset_deps import coerce_asset_key
from segue.model.assets import AssetSpec
from segue.model.keys import AssetCheckKey, AssetKey, AssetOrCheckKey, CoercibleToAssetKey
from segue.model.policies import BackfillPolicy

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


class ChangeableAssets(ReadableAssets):
    """What an `AssetsDefinition` makes of itself. Nothing changes in place."""

    def _replaced(self, **parts: Any) -> Self:
        made = copy.copy(self)
        vars(made).pop("op", None)  # what the op says of the assets is to be read anew
        for name, value in parts.items():
            setattr(made, name, value)
        return made

    def map_asset_specs(self, fn: Callable[[AssetSpec], AssetSpec]) -> Self:
        """A copy in which each spec is replaced by what `fn` makes of it.

        Raises:
            WrongDeclarationError: a dependency that an input needs is gone.
        """
        specs = {name: fn(spec) for name, spec in self.specs_by_output.items()}
        renamed = {
            old.key: new.key
            for old, new in zip(self.specs_by_output.values(), specs.values(), strict=True)
            if old.key != new.key
        }
        kept = {dep.asset_key for spec in specs.values() for dep in spec.deps} | set(renamed)
        for name, key in self.keys_by_input.items():
            if specs and key not in kept:
                raise WrongDeclarationError(
                    f"map_asset_specs removed the dependency on {key.to_user_string()!r} from {self!r}, "
                    f"but its input {name!r} loads that asset."
                )
        return self.renamed(renamed, specs_by_output=specs)

    def renamed(
        self, names: Mapping[AssetKey, AssetKey], *, specs_by_output: Mapping[str, AssetSpec] | None = None
    ) -> Self:
        """A copy with assets, its own and upstream ones, under other keys.

        Args:
            names: the new key of each.
            specs_by_output: the specs, where they already have the new keys.
        """
        if specs_by_output is None:
            specs_by_output = {name: renamed_spec(spec, names) for name, spec in self.specs_by_output.items()}
        whole = None
        if self._whole is not None:
            others = {name: renamed_spec(spec, names) for name, spec in self._whole[0].items()}
            whole = ({**others, **specs_by_output}, renamed_checks(self._whole[1], names))
        return self._replaced(
            specs_by_output=specs_by_output,
            checks_by_output=renamed_checks(self.checks_by_output, names),
            keys_by_input={name: names.get(key, key) for name, key in self.keys_by_input.items()},
            _whole=whole,
        )

    def with_attributes(
        self,
        *,
        asset_key_replacements: Mapping[AssetKey, AssetKey] | None = None,
        group_names_by_key: Mapping[AssetKey, str] | None = None,
        tags_by_key: Mapping[AssetKey, Mapping[str, str]] | None = None,
        automation_condition: AnyCondition | Mapping[AssetKey, AnyCondition] | None = None,
        backfill_policy: BackfillPolicy | None = None,
        hook_defs: Set[Any] | None = None,
        metadata_by_key: Mapping[AssetOrCheckKey, Mapping[str, object]] | None = None,
    ) -> Self:
        """A copy with other attributes. What is said by key goes by the present keys, not by their replacements.

        Args:
            asset_key_replacements: other keys for assets, its own and upstream ones.
            group_names_by_key: groups for assets that have none.
            tags_by_key: other tags.
            automation_condition: a condition for assets that have none; for all, or by key.
            backfill_policy: another backfill policy.
            hook_defs: more hooks.
            metadata_by_key: other metadata, of assets and checks.

        Raises:
            InvalidDefinitionError: an asset has a group or condition already.
        """
        said = KeysOf(
            groups=group_names_by_key or {},
            tags=tags_by_key or {},
            conditions=automation_condition,
            metadata=metadata_by_key or {},
        )
        specs, checks = changed_specs(self.specs_by_output, self.checks_by_output, said)
        whole = self._whole and ({**self._whole[0], **specs}, {**self._whole[1], **checks})
        changed = self._replaced(
            specs_by_output=specs,
            checks_by_output=checks,
            _whole=whole,
            backfill_policy=backfill_policy or self.backfill_policy,
            hook_defs=self.hook_defs | hooks_of(hook_defs, repr(self)),
        )
        return changed.renamed(asset_key_replacements) if asset_key_replacements else changed

    def with_hooks(self, hook_defs: Set[Any]) -> Self:
        """A copy with more hooks.

        Raises:
            InvalidDefinitionError: something that is not a hook.
        """
        return self._replaced(hook_defs=self.hook_defs | hooks_of(hook_defs, repr(self)))

    def with_resources(self, resource_defs: Mapping[str, object]) -> Self:
        """A copy with the resources that it needs, and those that these require, out of the given ones.

        Raises:
            InvalidInvocationError: it already has a different resource with the same key.
        """
        needed = self.resource_keys | {self.io_manager_key_of(name) for name in self.specs_by_output}
        return self.bringing(brought_along(self, needed, self.resource_defs, resource_defs))

    def bringing(self, resource_defs: Mapping[str, object]) -> Self:
        """A copy with exactly these resources."""
        return self._replaced(resource_defs=resource_defs)

    def with_backfill_policy(self, backfill_policy: BackfillPolicy) -> Self:
        """A copy with another backfill policy."""
        return self._replaced(backfill_policy=backfill_policy)

    def subset_for(
        self,
        selected_asset_keys: Set[AssetKey],
        selected_asset_check_keys: Set[AssetCheckKey] | None = None,
    ) -> Self:
        """A copy that makes only some of its assets.

        Args:
            selected_asset_keys: the assets; keys of others are ignored.
            selected_asset_check_keys: the checks; None for those on these assets.

        Raises:
            WrongArgumentError: it cannot make a part of its assets only.
        """
        made = copy.copy(self)
        made._select(selected_asset_keys, selected_asset_check_keys)
        if made.keys == self.keys and made.check_keys == self.check_keys:
            return self
        if not self.can_subset:
            raise WrongArgumentError(
                f"{self!r} cannot be subset: it materializes all of its assets at once (can_subset=False)."
            )
        return made

    def _select(self, keys: Iterable[AssetKey], checks: Iterable[AssetCheckKey] | None) -> None:
        wanted = frozenset(keys)
        if self._whole is None:
            self._whole = (self.specs_by_output, self.checks_by_output)
        specs = {name: spec for name, spec in self.specs_by_output.items() if spec.key in wanted}
        if checks is None:
            chosen = {name: spec for name, spec in self.checks_by_output.items() if spec.asset_key in wanted}
        else:
            named = frozenset(checks)
            chosen = {name: spec for name, spec in self.checks_by_output.items() if spec.key in named}
        self.specs_by_output, self.checks_by_output = specs, chosen

    def to_source_asset(self, key: CoercibleToAssetKey | None = None) -> SourceAsset:
        """One of its assets as an external asset; the only one when no key is given."""
        spec = self.get_asset_spec(None if key is None else coerce_asset_key(key))
        return SourceAsset(
            spec.key,
            metadata=spec.metadata,
            io_manager_key=self.get_io_manager_key_for_asset_key(spec.key),
            description=spec.description,
            partitions_def=spec.partitions_def,
            group_name=spec.group_name,
            resource_defs=self.resource_defs,
            tags=spec.tags,
        )

    def to_source_assets(self) -> Sequence[SourceAsset]:
        """Its assets as external assets."""
        return [self.to_source_asset(spec.key) for spec in self.specs_by_output.values()]
