"""A request for a run: what wants to be made, before anything is planned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from segue.errors import InvalidInvocationError
from segue.model.arguments import require_sequence, require_type, wrong_argument
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.named_fields import NamedFields
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange
from segue.model.partitions.loading import DynamicPartitionsStore
from segue.model.partitions.store_after import DynamicPartitionsRequest, store_after
from segue.model.tags import PARTITION_RANGE_END_TAG, PARTITION_RANGE_START_TAG, PARTITION_TAG


class ConvertsToConfig(Protocol):
    """What gives run config as nested mappings: a `RunConfig`."""

    def to_config_dict(self) -> dict[str, Any]: ...


class PartitionedTarget(Protocol):
    """A job, as far as its partitions go."""

    @property
    def partitions_def(self) -> PartitionsDefinition | None: ...
    @property
    def partitioned_config(self) -> Any: ...


class RunRequest(NamedFields):
    """What one run shall do. Immutable, equal by value.

    Args:
        run_key: a string that makes the request unique for its schedule or sensor.
        run_config: config by op and resource: a `RunConfig` or a mapping.
        tags: tags for the run, values that are not strings as JSON; a partition range stands in the tags
            `dagster/asset_partition_range_start` and `_end`.
        job_name: the job to run; None for a selection of assets, or the only job of a schedule or sensor.
        asset_selection: the assets; None for all of the job.
        stale_assets_only: whether the selected assets that are up to date are left out.
        partition_key: the partition to materialize.
        asset_check_keys: the checks to run; None for all checks on the selected assets.

    Raises:
        InvalidInvocationError: an argument of a wrong type.
    """

    __slots__ = (
        "asset_check_keys",
        "asset_selection",
        "job_name",
        "partition_key",
        "run_config",
        "run_key",
        "stale_assets_only",
        "tags",
    )
    run_key: str | None
    run_config: Mapping[str, Any]
    tags: Mapping[str, str]
    job_name: str | None
    asset_selection: Sequence[AssetKey] | None
    stale_assets_only: bool
    partition_key: str | None
    asset_check_keys: Sequence[AssetCheckKey] | None

    def __init__(
        self,
        run_key: str | None = None,
        run_config: ConvertsToConfig | Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        job_name: str | None = None,
        asset_selection: Sequence[AssetKey] | None = None,
        stale_assets_only: bool = False,
        partition_key: str | None = None,
        asset_check_keys: Sequence[AssetCheckKey] | None = None,
    ) -> None:
        for name, value in (("run_key", run_key), ("job_name", job_name), ("partition_key", partition_key)):
            require_type(self, name, value, (str, type(None)))
        require_type(self, "stale_assets_only", stale_assets_only, bool)
        require_type(self, "tags", tags, (Mapping, type(None)))
        write = object.__setattr__
        write(self, "run_key", run_key)
        write(self, "run_config", self._config(run_config))
        write(self, "tags", run_tags(tags))
        write(self, "job_name", job_name)
        write(self, "asset_selection", self._keys("asset_selection", asset_selection, AssetKey))
        write(self, "stale_assets_only", stale_assets_only)
        write(self, "partition_key", partition_key)
        write(self, "asset_check_keys", self._keys("asset_check_keys", asset_check_keys, AssetCheckKey))

    def _config(self, run_config: ConvertsToConfig | Mapping[str, Any] | None) -> Mapping[str, Any]:
        if run_config is None:
            return {}
        if isinstance(run_config, Mapping):
            return dict(run_config)
        if not hasattr(run_config, "to_config_dict"):
            raise wrong_argument(self, "run_config", run_config, "a RunConfig or a mapping")
        return run_config.to_config_dict()

    def _keys(self, name: str, values: Sequence[object] | None, kind: type) -> list[object] | None:
        return None if values is None else require_sequence(self, name, values, kind)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"RunRequest is immutable: {name!r} cannot be set; use with_replaced_attrs.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunRequest) and self._asdict() == other._asdict()

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds mappings, as in the compatible API

    def __repr__(self) -> str:
        return f"RunRequest({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_request, (self._asdict(),))

    def with_replaced_attrs(self, **kwargs: Any) -> RunRequest:
        """The same request with other values for the named arguments."""
        return RunRequest(**{**self._asdict(), **kwargs})

    def with_resolved_tags_and_config(
        self,
        target_definition: PartitionedTarget,
        dynamic_partitions_requests: Sequence[DynamicPartitionsRequest],
        dynamic_partitions_store: DynamicPartitionsStore | None,
    ) -> RunRequest:
        """The request with the tags of its partition, and with the job's config for the partition if it has none.

        Args:
            target_definition: the job it is for.
            dynamic_partitions_requests: partitions to add or remove before the run is created.
            dynamic_partitions_store: who knows dynamic partitions; an instance.

        Raises:
            InvalidInvocationError: the request names no partition, or the job has none.
            UnknownPartitionError: partition key not found.
        """
        key, partitions = self.partition_key, target_definition.partitions_def
        if key is None:
            raise InvalidInvocationError(f"{self!r} has no partition key to resolve.")
        if partitions is None:
            raise InvalidInvocationError(
                f"A run was requested for the partition key {key!r}, but the job is not partitioned."
            )
        store = store_after(dynamic_partitions_requests, dynamic_partitions_store)
        partitions.validate_partition_key(key, None, store)
        by_key = target_definition.partitioned_config
        tags = (by_key or partitions).get_tags_for_partition_key(key)
        config = self.run_config or ({} if by_key is None else by_key.get_run_config_for_partition_key(key))
        return self.with_replaced_attrs(run_config=config, tags={**self.tags, **tags})

    def has_resolved_partition(self) -> bool:
        """Whether its partition is resolved: the tags name it, or it has none."""
        return self.partition_key is None or PARTITION_TAG in self.tags

    @property
    def partition_key_range(self) -> PartitionKeyRange | None:
        """The range of partitions that the tags name, if they do."""
        start, end = self.tags.get(PARTITION_RANGE_START_TAG), self.tags.get(PARTITION_RANGE_END_TAG)
        return None if start is None or end is None else PartitionKeyRange(start, end)

    @property
    def entity_keys(self) -> Sequence[AssetKey | AssetCheckKey]:
        """The assets and checks it names."""
        return [*(self.asset_selection or []), *(self.asset_check_keys or [])]


def _request(fields: Mapping[str, Any]) -> RunRequest:
    return RunRequest(**fields)


def run_tags(tags: Mapping[str, Any] | None) -> dict[str, str]:
    """Tags of runs as texts: values that are none as JSON."""
    return {
        str(key): value if isinstance(value, str) else json.dumps(value, default=str)
        for key, value in (tags or {}).items()
    }
