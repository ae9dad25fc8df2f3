"""`@observable_source_asset` and `@multi_observable_source_asset`: functions that observe external assets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, overload

from segue.defs.asset import definition_of
from segue.defs.asset_inputs import read_inputs
from segue.defs.asset_key import asset_key_of
from segue.defs.asset_outputs import checks_by_output, require_same_partitions, specs_by_output, with_defaults
from segue.defs.assets_definition import AssetsDefinition
from segue.defs.op import require_resource_keys
from segue.defs.signature import UserFunction, docstring_of, function_name, read_function
from segue.defs.source_asset import SourceAsset
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import CoercibleToAssetKey, CoercibleToAssetKeyPrefix, require_name
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import AssetExecutionType

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


@overload
def observable_source_asset(observe_fn: UserFunction, /) -> SourceAsset: ...
@overload
def observable_source_asset(
    *,
    key: CoercibleToAssetKey | None = ...,
    name: str | None = ...,
    key_prefix: CoercibleToAssetKeyPrefix | None = ...,
    metadata: Mapping[str, object] | None = ...,
    io_manager_key: str | None = ...,
    io_manager_def: object = ...,
    description: str | None = ...,
    group_name: str | None = ...,
    required_resource_keys: Set[str] | None = ...,
    resource_defs: Mapping[str, object] | None = ...,
    partitions_def: PartitionsDefinition | None = ...,
    automation_condition: AnyCondition | None = ...,
    op_tags: Mapping[str, Any] | None = ...,
    tags: Mapping[str, str] | None = ...,
    auto_observe_interval_minutes: float | None = ...,
) -> Callable[[UserFunction], SourceAsset]: ...
def observable_source_asset(
    observe_fn: UserFunction | None = None,
    *,
    key: CoercibleToAssetKey | None = None,
    name: str | None = None,
    key_prefix: CoercibleToAssetKeyPrefix | None = None,
    metadata: Mapping[str, object] | None = None,
    io_manager_key: str | None = None,
    io_manager_def: object = None,
    description: str | None = None,
    group_name: str | None = None,
    required_resource_keys: Set[str] | None = None,
    resource_defs: Mapping[str, object] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    automation_condition: AnyCondition | None = None,
    op_tags: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    auto_observe_interval_minutes: float | None = None,
) -> SourceAsset | Callable[[UserFunction], SourceAsset]:
    """Declares an external asset, with a function that observes it and returns its data version.

    The function takes a context and resources, and returns a `DataVersion`; for a partitioned asset
    `DataVersionsByPartition`; or an `ObserveResult` with more to say. `observe` and jobs run it.

    Args:
        key, name, key_prefix: the asset's key, as for `asset`.
        metadata, group_name, partitions_def, automation_condition, tags: as for `AssetSpec`.
        description: for people; the function's docstring when None.
        io_manager_key, io_manager_def: what loads its value: the resource's key, or the IO manager itself.
        required_resource_keys: resources taken from `context.resources`.
        resource_defs: resources taken from `context.resources` that are provided with it.
        op_tags: tags on the step.
        auto_observe_interval_minutes: as for `SourceAsset`.

    Raises:
        InvalidDefinitionError: an invalid argument; the message says where.
    """

    def decorate(function: UserFunction) -> SourceAsset:
        own_name = name or function_name(function, "observable_source_asset")
        own = require_resource_keys(required_resource_keys, f"observable_source_asset {own_name!r}", resource_defs)
        return SourceAsset(
            asset_key_of(own_name, key, key_prefix, name, "observable_source_asset"),
            metadata,
            io_manager_key,
            io_manager_def,
            description or docstring_of(function),
            partitions_def,
            group_name,
            resource_defs,
            function,
            op_tags,
            auto_observe_interval_minutes=auto_observe_interval_minutes,
            automation_condition=automation_condition,
            tags=tags,
            _required_resource_keys=own,
        )

    return decorate if observe_fn is None else decorate(observe_fn)


def multi_observable_source_asset(
    *,
    specs: Sequence[AssetSpec],
    name: str | None = None,
    description: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    can_subset: bool = False,
    required_resource_keys: Set[str] | None = None,
    resource_defs: Mapping[str, object] | None = None,
    group_name: str | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
) -> Callable[[UserFunction], AssetsDefinition]:
    """Declares several external assets, with one function that observes them and yields `ObserveResult`s.

    Args:
        specs: the assets.
        name: the name of the step; the function's name when None.
        description: for people; the function's docstring when None.
        partitions_def, group_name: for each asset that has none.
        can_subset: whether the function observes only the assets in `context.selected_asset_keys`.
        required_resource_keys, resource_defs, check_specs: as for `multi_asset`.

    Raises:
        InvalidDefinitionError: an invalid argument; the message says where.
    """

    def decorate(function: UserFunction) -> AssetsDefinition:
        own_name = name or function_name(function, "multi_observable_source_asset")
        op_name = require_name(own_name, "a step", "multi_observable_source_asset")
        what = f"multi_observable_source_asset {op_name!r}"
        shape = read_function(function, what)
        text = description or docstring_of(function)
        inputs = read_inputs(shape, None, what)
        outputs = {
            output: with_defaults(spec, group_name, None, partitions_def, None, what, text)
            for output, spec in specs_by_output(specs, inputs, what).items()
        }
        if not can_subset:
            require_same_partitions(outputs.values(), what)
        return definition_of(
            function,
            shape,
            inputs,
            name=op_name,
            what=what,
            outputs=outputs,
            checks=checks_by_output(check_specs, outputs, what),
            description=text,
            resource_keys=require_resource_keys(required_resource_keys, what, resource_defs),
            retry_policy=None,
            tags=None,
            io_manager_keys={},
            backfill_policy=None,
            can_subset=can_subset,
            resource_defs=resource_defs,
            stores_itself=True,
            execution_type=AssetExecutionType.OBSERVATION,
        )

    return decorate
