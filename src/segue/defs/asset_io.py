"""`AssetIn` and `AssetOut`: how the inputs and outputs of a function are tied to assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from segue.defs.io_marks import NO_TYPE
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.asset_words import kinds_in, require_group, require_kinds, require_owners, require_tags
from segue.model.assets import AssetSpec
from segue.model.condition_argument import condition_of
from segue.model.freshness_argument import freshness_policy_of
from segue.model.keys import AssetKey, CoercibleToAssetKey, CoercibleToAssetKeyPrefix
from segue.model.named_fields import NamedFields
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.policies import BackfillPolicy

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition
    from segue.model.freshness import FreshnessPolicy


class AssetIn(NamedFields):
    """The asset behind an input.

    Args:
        key: the asset; the input's name when None.
        metadata: facts about the input, for the IO manager.
        key_prefix: a prefix for the input's name, if there is no `key`.
        input_manager_key: the resource key of the input manager that loads it; the asset's IO manager when None.
        partition_mapping: which upstream partitions a downstream partition takes.
        dagster_type: the type of its value; the parameter's annotation when left out.

    Raises:
        InvalidDefinitionError: both `key` and `key_prefix`.
    """

    __slots__ = ("dagster_type", "input_manager_key", "key", "key_prefix", "metadata", "partition_mapping")

    def __init__(
        self,
        key: CoercibleToAssetKey | None = None,
        metadata: Mapping[str, object] | None = None,
        key_prefix: CoercibleToAssetKeyPrefix | None = None,
        input_manager_key: str | None = None,
        partition_mapping: PartitionMapping | None = None,
        dagster_type: object = NO_TYPE,
    ) -> None:
        require_kind("AssetIn", "metadata", metadata, Mapping)
        require_kind("AssetIn", "input_manager_key", input_manager_key, str)
        require_kind("AssetIn", "partition_mapping", partition_mapping, PartitionMapping)
        if key is not None and key_prefix:
            raise WrongDeclarationError("AssetIn: key and key_prefix were both provided; put the prefix into the key.")
        self.key = None if key is None else AssetKey.from_coercible(key)
        self.metadata: Mapping[str, object] = dict(metadata or {})
        self.key_prefix: Sequence[str] = AssetKey(key_prefix).path if key_prefix or isinstance(key_prefix, str) else []
        self.input_manager_key = input_manager_key
        self.partition_mapping = partition_mapping
        self.dagster_type = NO_TYPE if dagster_type is None else dagster_type

    @property
    def is_implicit(self) -> bool:
        """Whether the asset is identified by the input's name alone."""
        return self.key is None and not self.key_prefix

    def resolve_key(self, input_name: str) -> AssetKey:
        """The asset, for an input of this name."""
        if self.key is not None:
            return self.key
        return AssetKey([*self.key_prefix, input_name]) if self.key_prefix else AssetKey.from_user_string(input_name)

    @staticmethod
    def from_coercible(coercible: object) -> AssetIn:
        """Converts an `AssetIn`, or the key of an asset, to an `AssetIn`."""
        return coercible if isinstance(coercible, AssetIn) else AssetIn(key=coercible)  # pyright: ignore[reportArgumentType] reason: AssetKey checks it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetIn) and all(
            getattr(self, each) == getattr(other, each) for each in self.__slots__
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds metadata, which may not be hashable

    def __repr__(self) -> str:
        return f"AssetIn(key={self.key!r}, key_prefix={self.key_prefix!r})"


class AssetOut:
    """An output of a `multi_asset`, and its asset.

    Args:
        key_prefix, key: the asset key; without `key`, the output's name, with the prefix.
        description, metadata, group_name, code_version, automation_condition, owners, tags, kinds: as for `AssetSpec`.
        dagster_type: the type of its value.
        is_required: whether the function must return it.
        io_manager_key: the key of the IO manager that stores its value.
        backfill_policy: how a backfill is split into runs.
        freshness_policy, is_virtual, auto_materialize_policy, legacy_freshness_policy: as for `AssetSpec`.

    Raises:
        InvalidDefinitionError: both `key` and `key_prefix`.
    """

    __slots__ = (
        "_attributes",
        "backfill_policy",
        "dagster_type",
        "io_manager_key",
        "is_required",
        "key",
        "key_prefix",
        "metadata",
    )

    def __init__(
        self,
        key_prefix: CoercibleToAssetKeyPrefix | None = None,
        key: CoercibleToAssetKey | None = None,
        dagster_type: object = NO_TYPE,
        description: str | None = None,
        is_required: bool = True,
        io_manager_key: str | None = None,
        metadata: Mapping[str, object] | None = None,
        group_name: str | None = None,
        code_version: str | None = None,
        automation_condition: AnyCondition | None = None,
        backfill_policy: BackfillPolicy | None = None,
        owners: Sequence[str] | None = None,
        tags: Mapping[str, str] | None = None,
        kinds: Set[str] | None = None,
        freshness_policy: FreshnessPolicy | None = None,
        is_virtual: bool = False,
        auto_materialize_policy: object = None,
        legacy_freshness_policy: object = None,
    ) -> None:
        require_kind("AssetOut", "metadata", metadata, Mapping)
        require_kind("AssetOut", "is_required", is_required, bool)
        require_kind("AssetOut", "is_virtual", is_virtual, bool)
        require_kind("AssetOut", "io_manager_key", io_manager_key, str)
        require_kind("AssetOut", "backfill_policy", backfill_policy, BackfillPolicy)
        require_kind("AssetOut", "code_version", code_version, str)
        require_kind("AssetOut", "description", description, str)
        if key is not None and key_prefix:
            raise WrongDeclarationError("AssetOut: key and key_prefix were both provided; put the prefix into the key.")
        self.key = None if key is None else AssetKey.from_coercible(key)
        self.key_prefix: Sequence[str] = AssetKey(key_prefix).path if key_prefix else []
        self.is_required = is_required
        self.io_manager_key = io_manager_key
        self.backfill_policy = backfill_policy
        self.metadata: Mapping[str, object] = dict(metadata or {})
        self.dagster_type = NO_TYPE if dagster_type is None else dagster_type
        where = f"AssetOut {'' if self.key is None else repr(self.key.to_user_string())}".strip()
        self._attributes: dict[str, Any] = {
            "description": description,
            "group_name": require_group(group_name, where),
            "code_version": code_version,
            "automation_condition": condition_of(where, automation_condition, auto_materialize_policy),
            "owners": require_owners(owners, where),
            "tags": require_kinds(require_tags(tags, where), kinds, where),
            "freshness_policy": freshness_policy_of(where, freshness_policy, legacy_freshness_policy),
            "is_virtual": is_virtual,
        }

    @staticmethod
    def from_spec(
        spec: AssetSpec,
        dagster_type: object = NO_TYPE,
        is_required: bool = True,
        io_manager_key: str | None = None,
        backfill_policy: BackfillPolicy | None = None,
    ) -> AssetOut:
        """An output for the asset of a spec.

        Raises:
            InvalidDefinitionError: the spec has dependencies or partitions, which belong to the function.
        """
        if spec.deps or spec.partitions_def is not None:
            raise InvalidDefinitionError(
                f"AssetOut.from_spec({spec.key.to_user_string()}): the spec must not have deps or a "
                "partitions_def; use multi_asset(specs=...)."
            )
        return AssetOut(
            key=spec.key,
            dagster_type=dagster_type,
            description=spec.description,
            is_required=is_required,
            io_manager_key=io_manager_key,
            metadata=spec.metadata,
            group_name=spec.group_name,
            code_version=spec.code_version,
            automation_condition=spec.automation_condition,
            backfill_policy=backfill_policy,
            owners=spec.owners,
            tags=spec.tags,
            freshness_policy=spec.freshness_policy,
            is_virtual=spec.is_virtual,
        )

    @property
    def description(self) -> str | None:
        """For people."""
        return self._attributes["description"]

    @property
    def group_name(self) -> str | None:
        """The group it is shown in."""
        return self._attributes["group_name"]

    @property
    def code_version(self) -> str | None:
        """The version of the code that computes it."""
        return self._attributes["code_version"]

    @property
    def automation_condition(self) -> AnyCondition | None:
        """When to request it."""
        return self._attributes["automation_condition"]

    @property
    def owners(self) -> Sequence[str]:
        """E-mail addresses or `team:name`."""
        return self._attributes["owners"]

    @property
    def tags(self) -> Mapping[str, str]:
        """Short strings to search and select by."""
        return self._attributes["tags"]

    @property
    def kinds(self) -> Set[str]:
        """The technologies it uses, such as "python" or "parquet"."""
        return kinds_in(self._attributes["tags"])

    @property
    def freshness_policy(self) -> FreshnessPolicy | None:
        """How old its data may become."""
        return self._attributes["freshness_policy"]

    @property
    def auto_materialize_policy(self) -> AnyCondition | None:
        """The automation condition to which the superseded policy was converted."""
        return self.automation_condition

    @property
    def legacy_freshness_policy(self) -> FreshnessPolicy | None:
        """The policy to which the superseded one was converted."""
        return self.freshness_policy

    @property
    def is_virtual(self) -> bool:
        """Whether it is a view of its dependencies."""
        return self._attributes["is_virtual"]

    def resolve_key(self, output_name: str) -> AssetKey:
        """The asset, for an output of this name."""
        return self.key or AssetKey([*self.key_prefix, output_name])

    def to_spec(self, key: AssetKey, **more: object) -> AssetSpec:
        """The spec of the asset, under this key; `more` are further attributes of AssetSpec."""
        spec = AssetSpec(key, metadata=self.metadata, skippable=not self.is_required, **self._attributes)
        return spec.replace_attributes(**more) if more else spec  # pyright: ignore[reportArgumentType] reason: attributes of AssetSpec
