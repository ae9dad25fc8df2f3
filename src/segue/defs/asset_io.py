"""`AssetIn` and `AssetOut`: how the inputs and outputs of a function are tied to assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind
from segue.model.assets import AssetSpec, require_not_built
from segue.model.condition.base import AnyCondition
from segue.model.freshness import FreshnessPolicy
from segue.model.keys import AssetKey, CoercibleToAssetKey, CoercibleToAssetKeyPrefix
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.policies import BackfillPolicy


class AssetIn:
    """The asset behind an input.

    Args:
        key: the asset; the input's name when None.
        metadata: facts about the input, for the IO manager.
        key_prefix: a prefix before the input's name, where no key is given.
        input_manager_key: the resource that loads it, where it is not the asset's own IO manager.
        partition_mapping: which upstream partitions a downstream partition takes.

    Raises:
        InvalidDefinitionError: both `key` and `key_prefix`.
        NotSupportedError: `dagster_type`.
    """

    __slots__ = ("input_manager_key", "key", "key_prefix", "metadata", "partition_mapping")

    def __init__(
        self,
        key: CoercibleToAssetKey | None = None,
        metadata: Mapping[str, object] | None = None,
        key_prefix: CoercibleToAssetKeyPrefix | None = None,
        input_manager_key: str | None = None,
        partition_mapping: PartitionMapping | None = None,
        dagster_type: object = None,
    ) -> None:
        require_not_built("AssetIn", dagster_type=dagster_type)
        require_kind("AssetIn", "metadata", metadata, Mapping)
        require_kind("AssetIn", "input_manager_key", input_manager_key, str)
        require_kind("AssetIn", "partition_mapping", partition_mapping, PartitionMapping)
        if key is not None and key_prefix is not None:
            raise InvalidDefinitionError("AssetIn takes key or key_prefix, not both: put the prefix into the key.")
        self.key = None if key is None else AssetKey.from_coercible(key)
        self.metadata: Mapping[str, object] = dict(metadata or {})
        self.key_prefix: Sequence[str] | None = [key_prefix] if isinstance(key_prefix, str) else key_prefix
        self.input_manager_key = input_manager_key
        self.partition_mapping = partition_mapping

    @property
    def is_implicit(self) -> bool:
        """Whether only the input's name says which asset it is."""
        return self.key is None and not self.key_prefix

    def resolve_key(self, input_name: str) -> AssetKey:
        """The asset, for an input of this name."""
        if self.key is not None:
            return self.key
        return AssetKey([*(self.key_prefix or ()), input_name])

    @staticmethod
    def from_coercible(coercible: object) -> AssetIn:
        """An AssetIn from what people pass as one: itself, or the key of the asset."""
        return coercible if isinstance(coercible, AssetIn) else AssetIn(key=coercible)  # pyright: ignore[reportArgumentType] reason: AssetKey checks it

    def __repr__(self) -> str:
        return f"AssetIn(key={self.key!r}, key_prefix={self.key_prefix!r})"


class AssetOut:
    """An output of a `multi_asset` and the asset it carries.

    Args:
        key_prefix, key: the asset; the output's name, below the prefix, when no key is given.
        description, metadata, group_name, code_version, automation_condition, owners, tags, kinds: as for `AssetSpec`.
        is_required: whether the function must give it.
        io_manager_key: the resource that stores its value.
        backfill_policy: how a request for many partitions becomes runs.
        freshness_policy: how old it may get.

    Raises:
        InvalidDefinitionError: both `key` and `key_prefix`.
        NotSupportedError: `dagster_type` or `is_virtual`.
    """

    __slots__ = (
        "_attributes",
        "backfill_policy",
        "freshness_policy",
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
        dagster_type: object = None,
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
    ) -> None:
        require_not_built(
            "AssetOut",
            dagster_type=dagster_type,
            is_virtual=is_virtual or None,
        )
        require_kind("AssetOut", "metadata", metadata, Mapping)
        require_kind("AssetOut", "io_manager_key", io_manager_key, str)
        require_kind("AssetOut", "backfill_policy", backfill_policy, BackfillPolicy)
        if key is not None and key_prefix is not None:
            raise InvalidDefinitionError("AssetOut takes key or key_prefix, not both: put the prefix into the key.")
        self.key = None if key is None else AssetKey.from_coercible(key)
        self.key_prefix: Sequence[str] = [key_prefix] if isinstance(key_prefix, str) else list(key_prefix or ())
        self.is_required = is_required
        self.io_manager_key = io_manager_key
        self.backfill_policy = backfill_policy
        self.metadata: Mapping[str, object] = dict(metadata or {})
        self.freshness_policy = freshness_policy
        self._attributes = (description, group_name, code_version, automation_condition, owners, tags, kinds)

    @staticmethod
    def from_spec(
        spec: AssetSpec,
        dagster_type: object = None,
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
                f"AssetOut.from_spec({spec.key.to_user_string()}): the spec has deps or partitions_def; use multi_asset(specs=...)."
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
            kinds=spec.kinds,
            freshness_policy=spec.freshness_policy,
        )

    def resolve_key(self, output_name: str) -> AssetKey:
        """The asset, for an output of this name."""
        return self.key or AssetKey([*self.key_prefix, output_name])

    def to_spec(self, output_name: str, **more: object) -> AssetSpec:
        """The spec of the asset that an output of this name carries; `more` are further attributes of AssetSpec."""
        description, group_name, code_version, automation_condition, owners, tags, kinds = self._attributes
        spec = AssetSpec(
            self.resolve_key(output_name),
            description=description,
            metadata=self.metadata,
            skippable=not self.is_required,
            group_name=group_name,
            code_version=code_version,
            automation_condition=automation_condition,
            owners=owners,
            tags=tags,
            kinds=kinds,
            freshness_policy=self.freshness_policy,
        )
        return spec.replace_attributes(**more) if more else spec  # pyright: ignore[reportArgumentType] reason: attributes of AssetSpec
