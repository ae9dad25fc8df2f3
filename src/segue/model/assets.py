"""What there is to know of an asset before anything runs: its spec and its dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from types import EllipsisType
from typing import TYPE_CHECKING

from segue.model.arguments import require_kind, require_list, require_names
from segue.model.asset_deps import AssetDep, CoercibleToAssetDep, unique_deps
from segue.model.asset_words import (
    DEFAULT_GROUP,
    kinds_in,
    require_group,
    require_kinds,
    require_owners,
    require_tags,
    without_kinds,
)
from segue.model.condition_argument import condition_of
from segue.model.freshness_argument import freshness_policy_of
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.named_fields import NamedFields
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition
    from segue.model.freshness import AnyFreshnessPolicy, FreshnessPolicy

IO_MANAGER_KEY_METADATA = "dagster/io_manager_key"
STUB_METADATA = "dagster/auto_created_stub_asset"
"""Marks the spec of an asset that nobody declares: others only name it."""


class AssetSpec(NamedFields):
    """The description of one asset, without the code that computes it.

    Args:
        key: its name.
        deps: its upstream assets.
        description: for people.
        metadata: facts about it, of any type; a value without a matching `MetadataValue` is shown by its repr.
        skippable: whether its computation may leave it out.
        group_name: the group it is shown in; "default" when None.
        code_version: a string that changes when the result of the code changes.
        automation_condition: when to request it.
        auto_materialize_policy: superseded by `automation_condition`.
        legacy_freshness_policy: superseded by `freshness_policy`.
        owners: e-mail addresses or `team:name`.
        tags: short strings to search and select by.
        kinds: at most ten technologies it uses ("python", "parquet"); each is also a tag,
            `dagster/kind/<word>`, and may be passed as one.
        partitions_def: its partitions definition.
        freshness_policy: how old its data may become.
        is_virtual: whether it is a view of its dependencies: nothing has to be materialized when they change.

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
        require_kind(where, "skippable", skippable, bool)
        require_kind(where, "is_virtual", is_virtual, bool)
        require_names(where, "metadata", metadata)
        write(self, "key", asset_key)
        write(self, "deps", [] if deps is None else unique_deps(deps, where))
        write(self, "description", description)
        write(self, "metadata", dict(metadata) if metadata else {})
        write(self, "skippable", skippable)
        write(self, "group_name", require_group(group_name, where))
        write(self, "code_version", code_version)
        write(self, "automation_condition", condition_of(where, automation_condition, auto_materialize_policy))
        write(self, "owners", require_owners(owners, where))
        write(self, "tags", require_kinds(require_tags(tags, where), kinds, where))
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

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, object]:
        """How pydantic checks a field that is a spec: it must be one."""
        return {"type": "is-instance", "cls": cls}

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds among its tags."""
        return kinds_in(self.tags)

    def of_definition(self, description: str | None) -> AssetSpec:
        """The spec of a declared asset: in the default group if it names none, described as what makes it if it says nothing."""
        group_name = self.group_name or DEFAULT_GROUP
        said = self.description or description
        if group_name == self.group_name and said == self.description:
            return self
        copy = object.__new__(AssetSpec)
        copy.__setstate__({**self.__getstate__(), "group_name": group_name, "description": said})
        return copy

    @property
    def auto_materialize_policy(self) -> AnyCondition | None:
        """The automation condition to which the superseded policy was converted."""
        return self.automation_condition

    @property
    def legacy_freshness_policy(self) -> AnyFreshnessPolicy | None:
        """The policy to which the superseded one was converted."""
        return self.freshness_policy

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
        """A copy with these attributes replaced; others are kept, as are kinds if only tags are passed."""
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
            tags=without_kinds(self.tags) if isinstance(tags, EllipsisType) else tags,
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
        """A copy with these attributes added; for equal keys the new value wins."""
        require_kind("merge_attributes", "kinds", None if isinstance(kinds, EllipsisType) else kinds, Iterable)
        more_deps = [] if isinstance(deps, EllipsisType) else require_list("merge_attributes", "deps", deps)
        more_owners = [] if isinstance(owners, EllipsisType) else require_list("merge_attributes", "owners", owners)
        return self.replace_attributes(
            deps=[*self.deps, *more_deps],
            metadata={**self.metadata, **({} if isinstance(metadata, EllipsisType) else metadata)},
            owners=[*self.owners, *(str(each) for each in more_owners if each not in self.owners)],
            tags={**self.tags, **({} if isinstance(tags, EllipsisType) else tags)},
            kinds=self.kinds | (frozenset[str]() if isinstance(kinds, EllipsisType) else frozenset(kinds)),
        )

    def with_io_manager_key(self, io_manager_key: str) -> AssetSpec:
        """A copy whose values are stored by the IO manager of this resource key."""
        return self.merge_attributes(metadata={IO_MANAGER_KEY_METADATA: io_manager_key})
