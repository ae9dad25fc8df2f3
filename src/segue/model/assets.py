"""What there is to know of an asset before anything runs: its spec and its dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set, Sized
from types import EllipsisType
from typing import TYPE_CHECKING, TypeAlias

from segue.errors import InvalidDefinitionError, InvalidInvocationError, NotSupportedError
from segue.model.arguments import require_kind, require_list
from segue.model.condition_argument import condition_of
from segue.model.freshness_argument import freshness_policy_of
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition
    from segue.model.freshness import AnyFreshnessPolicy, FreshnessPolicy

DEFAULT_GROUP = "default"
IO_MANAGER_KEY_METADATA = "dagster/io_manager_key"
_GROUP = re.compile(r"[A-Za-z0-9_]+")
_TAG_PART = re.compile(r"[A-Za-z0-9_.\-]{1,63}")
_TAG_VALUE = re.compile(r"[A-Za-z0-9_.\-]{0,63}")
_ADDRESS = re.compile(r"[^\s@]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_KINDS = 10  # most that one asset may have, as in the compatible API


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
    raise InvalidInvocationError(
        f"Expected an asset (AssetKey, string, sequence of strings, AssetSpec or a definition of one asset), got {asset!r}."
    )


class AssetDep:
    """A dependency on another asset.

    Args:
        asset: the upstream asset (key or definition).
        partition_mapping: which upstream partitions a downstream partition needs; worked out when None.
        metadata: facts about the dependency.
    """

    __slots__ = ("asset_key", "metadata", "partition_mapping")
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
        """A dependency from what people pass as one: a dependency, or anything with an asset key."""
        return arg if isinstance(arg, AssetDep) else AssetDep(arg)


def _rebuild_dep(key: AssetKey, mapping: PartitionMapping | None, metadata: Mapping[str, object]) -> AssetDep:
    return AssetDep(key, partition_mapping=mapping, metadata=metadata)


CoercibleToAssetDep: TypeAlias = CoercibleToAssetKey | AssetDep | object


def require_tags(tags: Mapping[str, str] | None, where: str) -> dict[str, str]:
    """The tags, if keys and values are short plain text.

    Raises:
        InvalidDefinitionError: a key that is not `name` or `prefix/name`, or a value that is not text of at most 63 of
            the same characters.
    """
    require_kind(where, "tags", tags, Mapping)
    for key, value in (tags or {}).items():
        parts = key.split("/") if isinstance(key, str) else []  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        if not 1 <= len(parts) <= 2 or not all(_TAG_PART.fullmatch(part) for part in parts):
            raise InvalidDefinitionError(
                f"{where}: tag key {key!r} must be 'name' or 'prefix/name' of letters, digits, '_', '-', '.', at most 63 each."
            )
        if not isinstance(value, str) or not _TAG_VALUE.fullmatch(value):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise InvalidDefinitionError(
                f"{where}: the value of tag {key!r} must be text of at most 63 letters, digits, '_', '-', '.', got {value!r}."
            )
    return dict(tags or {})


def require_group(group_name: str | None, where: str) -> str | None:
    """The group name, if it is one.

    Raises:
        InvalidDefinitionError: not letters, digits and underscores.
    """
    if group_name is not None and not (isinstance(group_name, str) and _GROUP.fullmatch(group_name)):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise InvalidDefinitionError(
            f"{where}: {group_name!r} is not a valid group name: use letters, digits and underscores."
        )
    return group_name


def require_owners(owners: Sequence[str] | None, where: str) -> list[str]:
    """The owners, if each is an e-mail address or `team:name`.

    Raises:
        InvalidDefinitionError: anything else.
    """
    for owner in () if owners is None else require_list(where, "owners", owners):
        is_team = isinstance(owner, str) and owner.startswith("team:") and len(owner) > len("team:")
        is_address = isinstance(owner, str) and _ADDRESS.fullmatch(owner) is not None
        if not (is_team or is_address):
            raise InvalidDefinitionError(f"{where}: owner {owner!r} must be an e-mail address or 'team:name'.")
    return list(owners or ())


def require_kinds(kinds: Set[str] | Sequence[str] | None, where: str) -> frozenset[str]:
    """The kinds, if they are at most ten words.

    Raises:
        InvalidDefinitionError: more of them, a single text instead of a set of them, or something that is no text.
    """
    words = () if kinds is None else require_list(where, "kinds", kinds)
    found = frozenset([word for word in words if isinstance(word, str) and word])
    if len(found) < len(set(words)):
        raise InvalidDefinitionError(f"{where}: kinds takes words, got {kinds!r}.")
    if len(found) > _KINDS:
        raise InvalidDefinitionError(f"{where}: at most {_KINDS} kinds, got {len(found)}: {', '.join(sorted(found))}.")
    return found


class AssetSpec:
    """What there is to know of one asset, apart from the code that computes it.

    Args:
        key: its name.
        deps: the assets it is made from.
        description: for people.
        metadata: facts about it, of any type; what has no `MetadataValue` is shown by its repr.
        skippable: whether its computation may leave it out.
        group_name: the group it is shown in; "default" when None.
        code_version: a text that changes when the code's meaning changes.
        automation_condition: when to request it.
        auto_materialize_policy: superseded by `automation_condition`.
        legacy_freshness_policy: superseded by `freshness_policy`.
        owners: e-mail addresses or `team:name`.
        tags: short strings to search and select by.
        kinds: at most ten words for what it is made of ("python", "parquet").
        partitions_def: how it is cut into partitions.
        freshness_policy: how old its data may become.
        is_virtual: whether it is a view of what it depends on: nothing has to be made when that changes.

    Raises:
        InvalidDefinitionError: a value that cannot be.
    """

    __slots__ = (
        "automation_condition",
        "code_version",
        "deps",
        "description",
        "freshness_policy",
        "group_name",
        "is_virtual",
        "key",
        "kinds",
        "metadata",
        "owners",
        "partitions_def",
        "skippable",
        "tags",
    )
    key: AssetKey
    deps: Sequence[AssetDep]
    description: str | None
    metadata: Mapping[str, object]
    skippable: bool
    group_name: str | None
    code_version: str | None
    automation_condition: AnyCondition | None
    owners: Sequence[str]
    tags: Mapping[str, str]
    kinds: frozenset[str]
    partitions_def: PartitionsDefinition | None
    freshness_policy: AnyFreshnessPolicy | None
    is_virtual: bool

    def __init__(
        self,
        key: CoercibleToAssetKey,
        *,
        deps: Iterable[CoercibleToAssetDep] | None = None,
        description: str | None = None,
        metadata: Mapping[str, object] | None = None,
        skippable: bool = False,
        group_name: str | None = None,
        code_version: str | None = None,
        automation_condition: AnyCondition | None = None,
        auto_materialize_policy: object = None,
        legacy_freshness_policy: object = None,
        owners: Sequence[str] | None = None,
        tags: Mapping[str, str] | None = None,
        kinds: Set[str] | Sequence[str] | None = None,
        partitions_def: PartitionsDefinition | None = None,
        freshness_policy: FreshnessPolicy | None = None,
        is_virtual: bool = False,
    ) -> None:
        write = object.__setattr__
        asset_key = AssetKey.from_coercible(key)
        where = f"asset {asset_key.to_user_string()!r}"
        require_kind(where, "description", description, str)
        require_kind(where, "metadata", metadata, Mapping)
        require_kind(where, "code_version", code_version, str)
        require_kind(where, "partitions_def", partitions_def, PartitionsDefinition)
        write(self, "key", asset_key)
        write(self, "deps", [] if deps is None else _unique_deps(deps, where))
        write(self, "description", description)
        write(self, "metadata", dict(metadata) if metadata else {})
        write(self, "skippable", skippable)
        write(self, "group_name", require_group(group_name, where))
        write(self, "code_version", code_version)
        write(self, "automation_condition", condition_of(where, automation_condition, auto_materialize_policy))
        write(self, "owners", require_owners(owners, where))
        write(self, "tags", require_tags(tags, where))
        write(self, "kinds", require_kinds(kinds, where))
        write(self, "partitions_def", partitions_def)
        write(self, "freshness_policy", freshness_policy_of(where, freshness_policy, legacy_freshness_policy))
        write(self, "is_virtual", is_virtual)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"AssetSpec is immutable: use replace_attributes({name}=...).")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetSpec) and all(
            getattr(self, field) == getattr(other, field) for field in self.__slots__
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        shown = [f"{field}={value!r}" for field in self.__slots__ if field != "key" and (value := getattr(self, field))]
        return f"AssetSpec({', '.join([repr(self.key), *shown])})"

    def __getstate__(self) -> dict[str, object]:
        return {field: getattr(self, field) for field in self.__slots__}

    def __setstate__(self, state: dict[str, object]) -> None:
        for field, value in state.items():
            object.__setattr__(self, field, value)

    @property
    def partition_mappings(self) -> Mapping[AssetKey, PartitionMapping]:
        """The mappings that dependencies set themselves, by upstream key."""
        return {dep.asset_key: dep.partition_mapping for dep in self.deps if dep.partition_mapping is not None}

    def replace_attributes(
        self,
        *,
        key: CoercibleToAssetKey | EllipsisType = ...,
        deps: Iterable[CoercibleToAssetDep] | EllipsisType | None = ...,
        description: str | EllipsisType | None = ...,
        metadata: Mapping[str, object] | EllipsisType | None = ...,
        skippable: bool | EllipsisType = ...,
        group_name: str | EllipsisType | None = ...,
        code_version: str | EllipsisType | None = ...,
        automation_condition: AnyCondition | EllipsisType | None = ...,
        owners: Sequence[str] | EllipsisType | None = ...,
        tags: Mapping[str, str] | EllipsisType | None = ...,
        kinds: Set[str] | EllipsisType | None = ...,
        partitions_def: PartitionsDefinition | EllipsisType | None = ...,
        freshness_policy: FreshnessPolicy | EllipsisType | None = ...,
        is_virtual: bool | EllipsisType = ...,
    ) -> AssetSpec:
        """A copy in which the given attributes are replaced; what is not passed stays."""
        return AssetSpec(
            self.key if isinstance(key, EllipsisType) else key,
            deps=self.deps if isinstance(deps, EllipsisType) else deps,
            description=self.description if isinstance(description, EllipsisType) else description,
            metadata=self.metadata if isinstance(metadata, EllipsisType) else metadata,
            skippable=self.skippable if isinstance(skippable, EllipsisType) else skippable,
            group_name=self.group_name if isinstance(group_name, EllipsisType) else group_name,
            code_version=self.code_version if isinstance(code_version, EllipsisType) else code_version,
            automation_condition=(
                self.automation_condition if isinstance(automation_condition, EllipsisType) else automation_condition
            ),
            owners=self.owners if isinstance(owners, EllipsisType) else owners,
            tags=self.tags if isinstance(tags, EllipsisType) else tags,
            kinds=self.kinds if isinstance(kinds, EllipsisType) else kinds,
            partitions_def=self.partitions_def if isinstance(partitions_def, EllipsisType) else partitions_def,
            freshness_policy=self.freshness_policy if isinstance(freshness_policy, EllipsisType) else freshness_policy,
            is_virtual=self.is_virtual if isinstance(is_virtual, EllipsisType) else is_virtual,
        )

    def merge_attributes(
        self,
        *,
        deps: Iterable[CoercibleToAssetDep] | EllipsisType = ...,
        metadata: Mapping[str, object] | EllipsisType = ...,
        owners: Sequence[str] | EllipsisType = ...,
        tags: Mapping[str, str] | EllipsisType = ...,
        kinds: Set[str] | EllipsisType = ...,
    ) -> AssetSpec:
        """A copy to which the given attributes are added; on equal keys the new value wins."""
        more_owners = [] if isinstance(owners, EllipsisType) else require_list("merge_attributes", "owners", owners)
        return self.replace_attributes(
            deps=[*self.deps, *(() if isinstance(deps, EllipsisType) else deps)],
            metadata={**self.metadata, **({} if isinstance(metadata, EllipsisType) else metadata)},
            owners=[*self.owners, *(str(each) for each in more_owners if each not in self.owners)],
            tags={**self.tags, **({} if isinstance(tags, EllipsisType) else tags)},
            kinds=self.kinds | (frozenset[str]() if isinstance(kinds, EllipsisType) else frozenset(kinds)),
        )

    def with_io_manager_key(self, io_manager_key: str) -> AssetSpec:
        """A copy whose values are stored by the IO manager of this resource key."""
        return self.merge_attributes(metadata={IO_MANAGER_KEY_METADATA: io_manager_key})


def require_not_built(where: str, **parameters: object) -> None:
    """Refuses parameters of the compatible API that are not built yet.

    Raises:
        NotSupportedError: one of them says something.
    """
    for name, value in parameters.items():
        if value is not None and not (
            isinstance(value, Sized) and not len(value)
        ):  # an empty list says as little as None
            raise NotSupportedError(f"{where}({name}=...) is not built yet. {_ALTERNATIVES[name]}")


_ALTERNATIVES = {
    "component_tree": "List the definitions in Definitions(...).",
    "automation_condition": "Give it to define_asset_job, or to the assets; a job of ops takes a schedule or sensor.",
}


def _unique_deps(deps: Iterable[CoercibleToAssetDep], where: str) -> list[AssetDep]:
    found: dict[AssetKey, AssetDep] = {}
    for each in require_list(where, "deps", deps):
        for dep in _expand_dep(each):
            known = found.setdefault(dep.asset_key, dep)
            if known is not dep and known != dep:
                raise InvalidDefinitionError(
                    f"{where}: two different dependencies on {dep.asset_key.to_user_string()!r}; keep one."
                )
    return list(found.values())


def _expand_dep(arg: CoercibleToAssetDep) -> Iterable[AssetDep]:
    """One dependency, or one per asset where a definition of several assets is passed."""
    keys = None if isinstance(arg, (AssetDep, AssetKey, str)) else getattr(arg, "keys", None)
    if keys is not None and not callable(keys) and len(keys) > 1:
        return [AssetDep(each) for each in sorted(keys)]
    return [AssetDep.from_coercible(arg)]
