"""What an asset is made from: the dependencies of its spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, TypeAlias

from segue.errors import ConflictingDefinitionsError, WrongArgumentError
from segue.model.arguments import require_kind, require_list
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.named_fields import NamedFields
from segue.model.partitions.mapping_base import PartitionMapping


def coerce_asset_key(asset: object) -> AssetKey:
    """The key of what people pass as an asset: a key, a string, a sequence of parts, a spec or a definition.

    Raises:
        InvalidInvocationError: something that has no single asset key.
    """
    if isinstance(asset, AssetKey):
        return asset
    if isinstance(asset, str):
        return AssetKey.from_user_string(asset)
    key = getattr(asset, "key", None)
    if isinstance(key, AssetKey):
        return key
    if isinstance(asset, Sequence):
        return AssetKey.from_coercible(asset)  # pyright: ignore[reportUnknownArgumentType] reason: parts are checked there
    raise WrongArgumentError(
        "Expected an asset key (AssetKey, string or sequence of strings), an AssetSpec or a definition of one asset, got "
        f"{asset!r}."
    )


class AssetDep(NamedFields):
    """A dependency on another asset.

    Args:
        asset: the upstream asset (key or definition).
        partition_mapping: which upstream partitions a downstream partition depends on; inferred when None.
        metadata: facts about the dependency.
    """

    __slots__ = ("asset_key", "metadata", "partition_mapping")
    _arguments: ClassVar[Mapping[str, str]] = {"asset_key": "asset"}
    asset_key: AssetKey
    partition_mapping: PartitionMapping | None
    metadata: Mapping[str, object]

    def __init__(
        self,
        asset: object,
        *,
        partition_mapping: PartitionMapping | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        require_kind("AssetDep", "partition_mapping", partition_mapping, PartitionMapping)
        require_kind("AssetDep", "metadata", metadata, Mapping)
        object.__setattr__(self, "asset_key", coerce_asset_key(asset))
        object.__setattr__(self, "partition_mapping", partition_mapping)
        object.__setattr__(self, "metadata", dict(metadata or {}))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"AssetDep is immutable: {name!r} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AssetDep)
            and self.asset_key == other.asset_key
            and self.partition_mapping == other.partition_mapping
            and self.metadata == other.metadata
        )

    def __hash__(self) -> int:
        return hash((self.asset_key, self.partition_mapping))

    def __repr__(self) -> str:
        mapping = "" if self.partition_mapping is None else f", partition_mapping={self.partition_mapping!r}"
        return f"AssetDep({self.asset_key!r}{mapping})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_dep, (self.asset_key, self.partition_mapping, self.metadata))

    @staticmethod
    def from_coercible(arg: CoercibleToAssetDep) -> AssetDep:
        """Converts a dependency, or anything with an asset key, to an `AssetDep`."""
        if isinstance(arg, AssetDep):
            return arg
        return _plain_dep(arg if isinstance(arg, str) else coerce_asset_key(arg))


def _plain_dep(asset: AssetKey | str) -> AssetDep:
    """The dependency on an asset of which nothing else is said: the same object for all that name it in the same way."""
    found = _plain_deps.get(asset)
    if found is None:
        if len(_plain_deps) >= _MOST_PLAIN_DEPS:
            _plain_deps.clear()
        found = _plain_deps[asset] = AssetDep(asset)
    return found


_MOST_PLAIN_DEPS = 1 << 17
_plain_deps: dict[AssetKey | str, AssetDep] = {}


def _rebuild_dep(key: AssetKey, mapping: PartitionMapping | None, metadata: Mapping[str, object]) -> AssetDep:
    return AssetDep(key, partition_mapping=mapping, metadata=metadata)


CoercibleToAssetDep: TypeAlias = CoercibleToAssetKey | AssetDep | object


def unique_deps(deps: Iterable[CoercibleToAssetDep], where: str) -> list[AssetDep]:
    """The dependencies, one for each asset.

    Raises:
        InvalidDefinitionError: the value is not a list of assets, or has conflicting dependencies on the same asset.
    """
    found: dict[AssetKey, AssetDep] = {}
    for each in require_list(where, "deps", deps):
        for dep in _expand_dep(each):
            known = found.setdefault(dep.asset_key, dep)
            if known is not dep and known != dep:
                raise ConflictingDefinitionsError(
                    f"{where}: duplicate dependency on {dep.asset_key.to_user_string()!r} with different settings; keep "
                    "one."
                )
    return list(found.values())


def _expand_dep(arg: CoercibleToAssetDep) -> Iterable[AssetDep]:
    """One dependency, or one per asset where a definition of several assets is passed."""
    keys = None if isinstance(arg, (AssetDep, AssetKey, str)) else getattr(arg, "keys", None)
    if keys is not None and not callable(keys) and len(keys) > 1:
        return [_plain_dep(each) for each in sorted(keys)]
    return [AssetDep.from_coercible(arg)]
