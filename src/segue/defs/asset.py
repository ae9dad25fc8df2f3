"""`@asset` and `@multi_asset`: assets as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, get_origin, overload

from segue.defs.asset_inputs import AssetInputs, all_deps, deps_by_output, deps_of, read_inputs, typed_ins
from segue.defs.asset_io import AssetIn, AssetOut
from segue.defs.asset_key import asset_key_of
from segue.defs.asset_outputs import (
    checks_by_output,
    common_backfill_policy,
    keys_of_outs,
    require_same_partitions,
    specs_by_output,
    typed_outs,
    with_compute_kind,
    with_defaults,
    with_io_manager,
)
from segue.defs.assets_definition import AssetsDefinition
from segue.defs.assets_parts import require_words_of_node
from segue.defs.op import OpDefinition, require_resource_keys, step_tags
from segue.defs.results import MaterializeResult
from segue.defs.signature import FunctionShape, UserFunction, docstring_of, function_name, read_function
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind
from segue.model.asset_deps import CoercibleToAssetDep
from segue.model.asset_words import DEFAULT_GROUP
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetKey, CoercibleToAssetKey, CoercibleToAssetKeyPrefix, require_name
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import AssetExecutionType, BackfillPolicy, RetryPolicy
from segue.model.shared import name_set
from segue.model.step_policy import StepPolicy

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition
    from segue.model.freshness import FreshnessPolicy


@overload
def asset(compute_fn: UserFunction, /) -> AssetsDefinition: ...
@overload
def asset(
    *,
    name: str | None = ...,
    key_prefix: CoercibleToAssetKeyPrefix | None = ...,
    ins: Mapping[str, AssetIn] | None = ...,
    deps: Iterable[CoercibleToAssetDep] | None = ...,
    metadata: Mapping[str, object] | None = ...,
    tags: Mapping[str, str] | None = ...,
    description: str | None = ...,
    config_schema: object = ...,
    required_resource_keys: Set[str] | None = ...,
    resource_defs: Mapping[str, object] | None = ...,
    hooks: Set[Any] | None = ...,
    io_manager_def: object = ...,
    io_manager_key: str | None = ...,
    dagster_type: object = ...,
    partitions_def: PartitionsDefinition | None = ...,
    op_tags: Mapping[str, object] | None = ...,
    group_name: str | None = ...,
    output_required: bool = ...,
    automation_condition: AnyCondition | None = ...,
    auto_materialize_policy: object = ...,
    legacy_freshness_policy: object = ...,
    freshness_policy: FreshnessPolicy | None = ...,
    backfill_policy: BackfillPolicy | None = ...,
    retry_policy: RetryPolicy | None = ...,
    code_version: str | None = ...,
    key: CoercibleToAssetKey | None = ...,
    check_specs: Sequence[AssetCheckSpec] | None = ...,
    owners: Sequence[str] | None = ...,
    kinds: Set[str] | None = ...,
    pool: str | None = ...,
    is_virtual: bool = ...,
    compute_kind: str | None = ...,
    non_argument_deps: Iterable[CoercibleToAssetDep] | None = ...,
    step_policy: StepPolicy | None = ...,
) -> Callable[[UserFunction], AssetsDefinition]: ...
def asset(
    compute_fn: UserFunction | None = None,
    *,
    name: str | None = None,
    key_prefix: CoercibleToAssetKeyPrefix | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    deps: Iterable[CoercibleToAssetDep] | None = None,
    metadata: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    description: str | None = None,
    config_schema: object = None,
    required_resource_keys: Set[str] | None = None,
    resource_defs: Mapping[str, object] | None = None,
    hooks: Set[Any] | None = None,
    io_manager_def: object = None,
    io_manager_key: str | None = None,
    dagster_type: object = None,
    partitions_def: PartitionsDefinition | None = None,
    op_tags: Mapping[str, object] | None = None,
    group_name: str | None = None,
    output_required: bool = True,
    automation_condition: AnyCondition | None = None,
    auto_materialize_policy: object = None,
    legacy_freshness_policy: object = None,
    freshness_policy: FreshnessPolicy | None = None,
    backfill_policy: BackfillPolicy | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    key: CoercibleToAssetKey | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    owners: Sequence[str] | None = None,
    kinds: Set[str] | None = None,
    pool: str | None = None,
    is_virtual: bool = False,
    compute_kind: str | None = None,
    non_argument_deps: Iterable[CoercibleToAssetDep] | None = None,
    step_policy: StepPolicy | None = None,
) -> AssetsDefinition | Callable[[UserFunction], AssetsDefinition]:
    """Declares an asset: the function computes it, and the parameters name its upstream assets.

    A first parameter called `context` gets the `AssetExecutionContext`; a parameter annotated with a resource class gets
    the resource of its name; `config`, annotated with a `Config` class, gets the config; every other parameter gets the
    value of the asset of its name.

    Args:
        name, key_prefix, key: the asset key: by default the function's name; another name, a prefix for it, or a
            whole key.
        ins: the assets of parameters that are not named like their asset.
        deps: upstream assets whose values the function does not take.
        metadata, tags, description, group_name, code_version, automation_condition, owners, kinds, partitions_def,
            freshness_policy, is_virtual: as for `AssetSpec`; the description defaults to the function's docstring.
        config_schema: the schema of its config, if there is no `config` parameter.
        required_resource_keys: resources taken from `context.resources`.
        resource_defs: resources taken from `context.resources` that are provided with it.
        hooks: what runs after its step.
        io_manager_def: the IO manager that stores its value.
        io_manager_key: the key of the IO manager that stores its value.
        dagster_type: the type of its value.
        op_tags: tags on the step.
        output_required: whether the function must return the asset every time.
        backfill_policy: how a backfill is split into runs.
        retry_policy: how a failing step is retried.
        check_specs: checks whose results the function itself returns.
        pool: the pool that limits its step.
        compute_kind: superseded; one more of the kinds, and the tag `dagster/compute_kind` of its op.
        non_argument_deps: superseded by `deps`.
        step_policy: when its step may start, how long it may take, and more.

    Returns:
        The definition, or a decorator that creates it.

    Raises:
        InvalidDefinitionError: an invalid argument; the message says where.
    """

    def decorate(function: UserFunction) -> AssetsDefinition:
        own_name = name or function_name(function, "asset")
        asset_key = asset_key_of(own_name, key, key_prefix, name)
        what = f"asset {asset_key.to_user_string()!r}"
        shape = read_function(function, what)
        inputs = read_inputs(shape, ins, what)
        spec = AssetSpec(
            asset_key,
            deps=all_deps(inputs, deps_of(deps, non_argument_deps, what), what),
            description=description or docstring_of(function),
            metadata=metadata,
            skippable=not output_required,
            group_name=DEFAULT_GROUP if group_name is None else group_name,
            code_version=code_version,
            automation_condition=automation_condition,
            auto_materialize_policy=auto_materialize_policy,
            legacy_freshness_policy=legacy_freshness_policy,
            owners=owners,
            tags=tags,
            kinds=with_compute_kind(kinds, compute_kind),
            partitions_def=partitions_def,
            freshness_policy=freshness_policy,
            is_virtual=is_virtual,
        )
        require_kind(what, "io_manager_key", io_manager_key, str)
        require_kind(what, "output_required", output_required, bool)
        outputs = {"result": spec}
        stored, brought = with_io_manager(asset_key, io_manager_key, io_manager_def, resource_defs, what)
        return definition_of(
            function,
            shape,
            inputs,
            name=asset_key.to_python_identifier(),
            what=what,
            outputs=outputs,
            checks=checks_by_output(check_specs, outputs, what),
            description=spec.description,
            resource_keys=require_resource_keys(required_resource_keys, what, resource_defs),
            retry_policy=retry_policy,
            tags=op_tags,
            compute_kind=compute_kind,
            io_manager_keys={} if stored is None else {"result": stored},
            backfill_policy=backfill_policy,
            resource_defs=brought,
            hooks=hooks,
            config_schema=config_schema,
            pool=pool,
            step_policy=step_policy,
            types={"result": dagster_type},
        )

    return decorate if compute_fn is None else decorate(compute_fn)


def multi_asset(
    *,
    outs: Mapping[str, AssetOut] | None = None,
    name: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    deps: Iterable[CoercibleToAssetDep] | None = None,
    description: str | None = None,
    config_schema: object = None,
    required_resource_keys: Set[str] | None = None,
    internal_asset_deps: Mapping[str, set[AssetKey]] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: Set[Any] | None = None,
    backfill_policy: BackfillPolicy | None = None,
    op_tags: Mapping[str, object] | None = None,
    can_subset: bool = False,
    resource_defs: Mapping[str, object] | None = None,
    group_name: str | None = None,
    retry_policy: RetryPolicy | None = None,
    code_version: str | None = None,
    specs: Sequence[AssetSpec] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    pool: str | None = None,
    compute_kind: str | None = None,
    allow_arbitrary_check_specs: bool = False,
    non_argument_deps: Iterable[CoercibleToAssetDep] | None = None,
    step_policy: StepPolicy | None = None,
) -> Callable[[UserFunction], AssetsDefinition]:
    """Declares several assets computed by one function.

    Args:
        outs: the outputs, by name, with their assets; each depends on all inputs, see `internal_asset_deps`.
        specs: the assets, if the function stores them itself and yields `MaterializeResult`s; not with `outs`.
        name: the name of the step; the function's name when None.
        ins, deps: the dependencies of all the assets, as for `asset`; `specs` have their own deps.
        internal_asset_deps: the dependencies of each output, if they are not all inputs: keys of inputs or of other
            outputs; an output without an entry has no dependencies.
        can_subset: whether the function materializes only the assets in `context.selected_asset_keys`; it may then
            leave out any of `specs`.
        group_name, code_version, partitions_def: for each asset that has none.
        config_schema, required_resource_keys, resource_defs, hooks, op_tags, backfill_policy, retry_policy, check_specs,
            pool, compute_kind, non_argument_deps, step_policy: as for `asset`.
        allow_arbitrary_check_specs: superseded; whether `check_specs` may name assets that it does not materialize.

    Raises:
        InvalidDefinitionError: an invalid argument; the message says where.
    """

    def decorate(function: UserFunction) -> AssetsDefinition:
        op_name = require_name(name or function_name(function, "multi_asset"), "a step", "multi_asset")
        what = f"multi_asset {op_name!r}"
        if outs and specs:
            raise InvalidDefinitionError(f"{what}: outs and specs were both provided; keep one.")
        further = deps_of(deps, non_argument_deps, what)
        for parameter, given in (("deps", further), ("internal_asset_deps", internal_asset_deps)):
            if specs and given:
                raise InvalidDefinitionError(
                    f"{what}: {parameter} requires outs; with specs, put the dependencies into each spec."
                )
        shape = read_function(function, what)
        inputs = read_inputs(shape, ins, what)
        text = description or docstring_of(function)
        if specs:
            outputs = specs_by_output(specs, inputs, what, can_subset=can_subset)
        else:
            common = all_deps(inputs, further, what)
            own = deps_by_output(internal_asset_deps, keys_of_outs(outs or {}, what), common, what)
            outputs = {
                output: out.to_spec(out.resolve_key(output), deps=own[output]) for output, out in (outs or {}).items()
            }
        outputs = {
            output: with_defaults(spec, group_name, code_version, partitions_def, compute_kind, what, text)
            for output, spec in outputs.items()
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
            checks=checks_by_output(check_specs, outputs, what, of_others=allow_arbitrary_check_specs),
            description=text,
            resource_keys=require_resource_keys(required_resource_keys, what, resource_defs),
            retry_policy=retry_policy,
            tags=op_tags,
            compute_kind=compute_kind,
            io_manager_keys={
                output: out.io_manager_key for output, out in (outs or {}).items() if out.io_manager_key is not None
            },
            backfill_policy=backfill_policy or common_backfill_policy(outs, what),
            can_subset=can_subset,
            resource_defs=resource_defs,
            hooks=hooks,
            config_schema=config_schema,
            pool=pool,
            step_policy=step_policy,
            types={output: out.dagster_type for output, out in (outs or {}).items()},
            stores_itself=not outs,
        )

    return decorate


def definition_of(
    function: UserFunction,
    shape: FunctionShape,
    inputs: AssetInputs,
    *,
    name: str,
    what: str,
    outputs: Mapping[str, AssetSpec],
    checks: Mapping[str, AssetCheckSpec],
    description: str | None,
    resource_keys: frozenset[str],
    retry_policy: RetryPolicy | None,
    tags: Mapping[str, object] | None,
    io_manager_keys: Mapping[str, str],
    backfill_policy: BackfillPolicy | None,
    can_subset: bool = False,
    resource_defs: Mapping[str, object] | None = None,
    hooks: Set[Any] | None = None,
    config_schema: object = None,
    pool: str | None = None,
    step_policy: StepPolicy | None = None,
    types: Mapping[str, object] | None = None,
    stores_itself: bool = False,
    compute_kind: str | None = None,
    execution_type: AssetExecutionType = AssetExecutionType.MATERIALIZATION,
) -> AssetsDefinition:
    """The definition of a function whose inputs, assets and checks were read already.

    Args:
        function, shape, inputs: the function and what it takes.
        name: the step's key.
        what: how errors name it.
        outputs, checks: what each output carries.
        types: the types of outputs, where one is declared.
        stores_itself: whether its assets need no values.
        compute_kind: one more tag of its op.
        execution_type: what the step does with the assets.
    """
    require_words_of_node(
        what, backfill_policy=backfill_policy, can_subset=can_subset, resource_defs=resource_defs, hooks=hooks
    )
    returns = shape.return_annotation
    is_form = not isinstance(returns, type)  # most are plain classes, and of those `get_origin` takes long to say so
    valueless = (
        returns is None or returns is MaterializeResult or (is_form and get_origin(returns) is MaterializeResult)
    )
    every = name_set([*outputs, *checks])
    op = OpDefinition.of_function(
        name=name,
        function=function,
        shape=shape,
        input_names=tuple(inputs.keys),
        output_names=(*outputs, *checks),
        valueless_outputs=every if valueless or stores_itself else name_set(checks),
        required_resource_keys=resource_keys,
        retry_policy=retry_policy,
        tags=step_tags(tags, what, compute_kind),
        description=description,
        can_subset=can_subset,
        ins=typed_ins(shape, inputs),
        outs=typed_outs(types or {}, (*outputs, *checks), [name for name, spec in outputs.items() if spec.skippable]),
        config_schema=config_schema,
        pool=pool,
        step_policy=step_policy,
    )
    return AssetsDefinition.of_parts(
        op,
        specs_by_output=outputs,
        checks_by_output=checks,
        keys_by_input=inputs.keys,
        input_manager_keys=inputs.manager_keys,
        input_metadata=inputs.metadata,
        implicit_inputs=inputs.implicit,
        io_manager_keys=io_manager_keys,
        backfill_policy=backfill_policy,
        can_subset=can_subset,
        resource_defs=resource_defs,
        hook_defs=hooks,
        execution_type=execution_type,
    )
