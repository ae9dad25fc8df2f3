"""The stored values of assets, outside of runs: loaded by the IO managers that stored them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.definitions import Definitions
from segue.defs.describe import Described
from segue.defs.instance import Instance
from segue.defs.io_contexts import InputContext, OutputContext
from segue.defs.log import get_logger
from segue.defs.resource_context import Resources, seen_by_context
from segue.defs.superseded import renamed
from segue.defs.value_context import ValueScope
from segue.errors import InvalidInvocationError
from segue.execute.io_managers.filesystem import FilesystemIOManager
from segue.execute.resources import OpenedResources, ResourceScope, set_up
from segue.model.keys import DEFAULT_IO_MANAGER_KEY, AssetKey, CoercibleToAssetKey
from segue.model.listing import listed_graph
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange
from segue.model.partitions.subset import PartitionSubset, subset_of_range


class AssetValueLoader:
    """Loads values of assets, each IO manager set up once; a context manager, which tears them down.

    Args:
        assets_defs_by_key: the assets, by key; or `Definitions`, with their resources, also as they are described.
        instance: where runs are recorded and values kept; one in memory, gone at the end, when None.
    """

    def __init__(
        self,
        assets_defs_by_key: Mapping[AssetKey, AssetsDefinition] | Definitions | Described,
        instance: Instance | None = None,
    ) -> None:
        definitions = assets_defs_by_key
        if isinstance(definitions, Mapping):
            definitions = Definitions(assets=list({id(each): each for each in definitions.values()}.values()))
        self._described = definitions if isinstance(definitions, Described) else definitions.described
        self._stack = contextlib.ExitStack()
        self._instance = self._stack.enter_context(Instance.ephemeral()) if instance is None else instance
        self._opened: dict[str, OpenedResources] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Tears the IO managers down."""
        self._opened.clear()
        self._stack.close()

    def load_asset_value(
        self,
        asset_key: CoercibleToAssetKey,
        *,
        python_type: type[object] | None = None,
        partition_key: str | None = None,
        partition_key_range: PartitionKeyRange | None = None,
        input_definition_metadata: Mapping[str, Any] | None = None,
        resource_config: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Any:
        """The stored value of an asset.

        Args:
            asset_key: the asset.
            python_type: the type requested from the IO manager; any when None.
            partition_key, partition_key_range: the partition, or several.
            input_definition_metadata: metadata for the IO manager, as of an input.
            metadata: superseded by `input_definition_metadata`.
            resource_config: config of resources, by key: `{"io_manager": {"config": {...}}}`.

        Raises:
            InvalidInvocationError: there is no such asset; a partition and a range; a partition of an asset without.
            UnknownPartitionError: a partition that it does not have.
            Exception: whatever the IO manager raises.
        """
        key = AssetKey.from_coercible(asset_key)
        node = self._described.graph.nodes.get(key)
        if node is None:
            raise InvalidInvocationError(f"There is no asset {key.to_user_string()!r} in these definitions.")
        if partition_key is not None and partition_key_range is not None:
            raise InvalidInvocationError(
                "load_asset_value: both partition_key and partition_key_range were provided; keep one."
            )
        now = datetime.now(UTC)
        definition = listed_graph(self._described.graph, [key], now, self._instance).node(key).partitions
        subset = self._subset(key, definition, partition_key, partition_key_range, now)
        opened = self._manager(node.io_manager_key, resource_config)
        scope = value_scope(key, definition, subset, now, self._instance, opened, node.io_manager_key, partition_key)
        given = renamed(
            "load_asset_value", "input_definition_metadata", input_definition_metadata, "metadata", metadata
        )
        context = InputContext(
            scope,
            upstream_output=output_context(self._described, key, scope, self._run_of(key)),
            definition_metadata=given,
            dagster_type=Any if python_type is None else python_type,
        )
        manager: Any = opened.by_key[node.io_manager_key]
        return manager.load_input(context)

    def _manager(self, key: str, resource_config: Mapping[str, Any] | None) -> OpenedResources:
        """An IO manager, set up; with config it is one of its own."""
        if resource_config is None and key in self._opened:
            return self._opened[key]
        declared = {DEFAULT_IO_MANAGER_KEY: FilesystemIOManager(), **self._described.resources}
        scope = ResourceScope(declared, {"resources": resource_config or {}}, None, self._instance, get_logger())
        opened = set_up([key], scope, self._stack)
        if resource_config is None:
            self._opened[key] = opened
        return opened

    def take(self, opened: OpenedResources) -> None:
        """Takes IO managers that are set up already, and that someone else tears down."""
        self._opened.update(dict.fromkeys(opened.by_key, opened))

    def _run_of(self, key: AssetKey) -> str | None:
        """The run that made the latest value."""
        state = self._instance.store.asset_states([key]).get(key)
        return None if state is None else state.run_id

    @staticmethod
    def _subset(
        key: AssetKey,
        definition: PartitionsDefinition | None,
        partition: str | None,
        several: PartitionKeyRange | None,
        now: datetime,
    ) -> PartitionSubset | None:
        if several is None and partition is None:
            return None
        if definition is None:
            raise InvalidInvocationError(f"{key.to_user_string()} is not partitioned: remove partition_key.")
        first, last = (partition, partition) if several is None else (several.start, several.end)
        return subset_of_range(definition, str(first), str(last), now)


def load_in_run(
    described: Described,
    instance: Instance,
    opened: OpenedResources | None,
    key: AssetKey,
    *,
    python_type: type | None,
    partition_key: str | None,
) -> Any:
    """The stored value of an asset, for a step that asks: by the IO managers of its run, where they are set up."""
    with AssetValueLoader(described, instance) as loader:
        if opened is not None:
            loader.take(opened)
        return loader.load_asset_value(key, python_type=python_type, partition_key=partition_key)


def value_scope(
    key: AssetKey,
    definition: PartitionsDefinition | None,
    subset: PartitionSubset | None,
    now: datetime,
    instance: Instance,
    opened: OpenedResources,
    manager_key: str,
    partition: str | None,
) -> ValueScope:
    """What the contexts of a value outside of a run say of the asset, and of the IO manager."""
    return ValueScope(
        asset_key=key,
        partitions_def=definition,
        subset=subset,
        run_partition=partition if partition is None or definition is None else definition.typed_key(partition),
        now=now,
        resources=Resources({each: seen_by_context(value) for each, value in opened.by_key.items()}),
        resource_config=opened.configs.get(manager_key),
        instance=instance,
    )


def output_context(described: Described, key: AssetKey, scope: ValueScope, run_id: str | None) -> OutputContext:
    """The context with which the value of an asset is stored."""
    node, spec = described.graph.nodes[key], described.specs[key]
    definition = None if node.computation is None else described.definitions.get(node.computation)
    return OutputContext(
        scope,
        step_key=node.computation or key.to_python_identifier(),
        name=node.output_name or "result",
        run_id=run_id,
        asset_spec=spec,
        definition_metadata=spec.metadata,
        op_def=None if definition is None else definition.op,
    )
