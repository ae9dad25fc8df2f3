"""Contexts of IO managers made by hand, for tests of IO managers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from segue.defs.direct_resources import DirectResources
from segue.defs.io_contexts import InputContext, OutputContext
from segue.defs.resource_context import Resources
from segue.defs.superseded import renamed
from segue.defs.value_context import ValueScope
from segue.errors import InvalidInvocationError
from segue.model.arguments import require_kind
from segue.model.assets import AssetSpec
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.metadata import normalize_metadata
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange
from segue.model.partitions.partitions_subset import listed_now
from segue.model.partitions.subset import PartitionSubset, subset_of_range

if TYPE_CHECKING:
    from segue.defs.instance import Instance


def build_output_context(
    step_key: str | None = None,
    name: str | None = None,
    definition_metadata: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    mapping_key: str | None = None,
    config: Any = None,
    dagster_type: Any = None,
    version: str | None = None,
    resource_config: Mapping[str, object] | None = None,
    resources: Resources | Mapping[str, object] | None = None,
    op_def: Any = None,
    asset_key: CoercibleToAssetKey | None = None,
    partition_key: str | None = None,
    asset_partitions_def: PartitionsDefinition | None = None,
    asset_partition_key_range: PartitionKeyRange | None = None,
    instance: Instance | None = None,
    asset_spec: AssetSpec | None = None,
    metadata: Mapping[str, Any] | None = None,
    output_metadata: Mapping[str, Any] | None = None,
) -> OutputContext:
    """The context with which `handle_output` can be called in a test.

    Args:
        step_key, name, run_id, mapping_key: which output of which step.
        definition_metadata: the metadata as declared.
        metadata: superseded by `definition_metadata`.
        config, resource_config: the config of the output, and of the IO manager.
        dagster_type, version, op_def: the type of the value, its version, and the op that outputs it.
        resources: by key: objects, or resources that are set up on first use; use the context in a `with` block where one of
            them must be torn down.
        asset_key, asset_spec: the asset that the value is.
        partition_key, asset_partition_key_range, asset_partitions_def: the partition of the run, or several, and of what.
        instance: the instance.
        output_metadata: the metadata that user code gave with the value.

    Raises:
        InvalidInvocationError: a range of partitions without `asset_partitions_def`.
        UnknownPartitionError: a partition that the definition does not have.
    """
    for parameter, value in (("step_key", step_key), ("name", name), ("run_id", run_id), ("mapping_key", mapping_key)):
        require_kind("build_output_context", parameter, value, str)
    for parameter, value in (("metadata", metadata), ("definition_metadata", definition_metadata)):
        require_kind("build_output_context", parameter, value, Mapping)
    key = asset_spec.key if asset_key is None and asset_spec is not None else asset_key
    return OutputContext(
        _scope(
            key, partition_key, asset_partition_key_range, asset_partitions_def, resource_config, resources, instance
        ),
        step_key=step_key,
        name=name,
        run_id=run_id,
        mapping_key=mapping_key,
        config=config,
        dagster_type=dagster_type,
        version=version,
        op_def=op_def,
        definition_metadata=renamed(
            "build_output_context", "definition_metadata", definition_metadata, "metadata", metadata
        ),
        output_metadata=normalize_metadata(output_metadata),
        asset_spec=asset_spec,
    )


def build_input_context(
    name: str | None = None,
    config: Any = None,
    definition_metadata: Mapping[str, Any] | None = None,
    upstream_output: OutputContext | None = None,
    dagster_type: Any = None,
    resource_config: Mapping[str, Any] | None = None,
    resources: Resources | Mapping[str, Any] | None = None,
    op_def: Any = None,
    step_context: Any = None,
    asset_key: CoercibleToAssetKey | None = None,
    partition_key: str | None = None,
    asset_partition_key_range: PartitionKeyRange | None = None,
    asset_partitions_def: PartitionsDefinition | None = None,
    instance: Instance | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> InputContext:
    """The context with which `load_input` can be called in a test.

    Args:
        name: the input.
        upstream_output: the context with which the value was stored.
        step_context: the context of the step that takes the value.
        config, definition_metadata, dagster_type, resource_config, resources, op_def, asset_key, partition_key,
            asset_partition_key_range, asset_partitions_def, instance, metadata: as for `build_output_context`.

    Raises:
        As `build_output_context`.
    """
    require_kind("build_input_context", "upstream_output", upstream_output, OutputContext)
    scope = _scope(
        asset_key,
        partition_key,
        asset_partition_key_range,
        asset_partitions_def,
        resource_config,
        resources,
        instance,
        step_context,
    )
    return InputContext(
        scope,
        name=name,
        config=config,
        upstream_output=upstream_output,
        dagster_type=dagster_type,
        op_def=op_def,
        definition_metadata=renamed(
            "build_input_context", "definition_metadata", definition_metadata, "metadata", metadata
        ),
    )


def _scope(
    asset_key: CoercibleToAssetKey | None,
    partition_key: str | None,
    key_range: PartitionKeyRange | None,
    definition: PartitionsDefinition | None,
    resource_config: Mapping[str, Any] | None,
    resources: Resources | Mapping[str, Any] | None,
    instance: Instance | None,
    step: Any = None,
) -> ValueScope:
    now = datetime.now(UTC)
    if key_range is not None and partition_key is not None:
        raise InvalidInvocationError("Both partition_key and asset_partition_key_range were provided; keep one.")
    first, last = (partition_key, partition_key) if key_range is None else (key_range.start, key_range.end)
    subset = None
    if first is not None and last is not None:
        if definition is not None:
            definition = listed_now(definition, (first, last))
            subset = subset_of_range(definition, first, last, now)
            partition_key = None if partition_key is None else definition.typed_key(partition_key)
        elif first == last:
            subset = PartitionSubset(((first, last),))
        else:
            raise InvalidInvocationError(
                "asset_partition_key_range requires asset_partitions_def, which defines the partition keys in "
                "the range."
            )
    return ValueScope(
        asset_key=None if asset_key is None else AssetKey.from_coercible(asset_key),
        partitions_def=definition,
        subset=subset,
        run_partition=partition_key,
        now=now,
        resources=resources if isinstance(resources, Resources) else DirectResources(resources, None, instance),
        resource_config={} if resource_config is None else resource_config,
        step=step,
        instance=instance,
    )
