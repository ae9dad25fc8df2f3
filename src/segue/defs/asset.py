"""`@asset` and `@multi_asset`: assets as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, get_origin, overload

from segue.defs.asset_io import AssetIn, AssetOut
from segue.defs.assets_definition import AssetsDefinition, find_duplicates
from segue.defs.op import OpDefinition
from segue.defs.results import MaterializeResult
from segue.defs.signature import FunctionShape, UserFunction, read_function
from segue.errors import InvalidDefinitionError
from segue.model.assets import (
    IO_MANAGER_KEY_METADATA,
    AssetDep,
    AssetSpec,
    CoercibleToAssetDep,
    require_not_built,
)
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetKey, CoercibleToAssetKey, CoercibleToAssetKeyPrefix, require_name
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import BackfillPolicy, RetryPolicy


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
    hooks: object = ...,
    io_manager_def: object = ...,
    io_manager_key: str | None = ...,
    dagster_type: object = ...,
    partitions_def: PartitionsDefinition | None = ...,
    op_tags: Mapping[str, object] | None = ...,
    group_name: str | None = ...,
    output_required: bool = ...,
    automation_condition: object = ...,
    freshness_policy: object = ...,
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
    hooks: object = None,
    io_manager_def: object = None,
    io_manager_key: str | None = None,
    dagster_type: object = None,
    partitions_def: PartitionsDefinition | None = None,
    op_tags: Mapping[str, object] | None = None,
    group_name: str | None = None,
    output_required: bool = True,
    automation_condition: object = None,
    freshness_policy: object = None,
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
) -> AssetsDefinition | Callable[[UserFunction], AssetsDefinition]:
    """Declares an asset: the function makes it, its parameters name what it is made from.

    A first parameter called `context` gets the `AssetExecutionContext`; a parameter annotated with a resource class gets
    the resource of its name; `config`, annotated with a `Config` class, gets the config; every other parameter gets the
    value of the asset of its name.

    Args:
        name, key_prefix, key: the asset's key: the function's name, another name, a prefix before it, or a whole key.
        ins: the assets behind parameters, where the parameter's name does not say it.
        deps: assets it is made from whose values the function does not take.
        metadata, tags, description, group_name, code_version, owners, kinds, partitions_def: as for `AssetSpec`; the
            description defaults to the function's docstring.
        required_resource_keys: resources taken from `context.resources`.
        io_manager_key: the resource that stores its value.
        op_tags: tags on the step.
        output_required: whether the function must give the asset each time.
        backfill_policy: how a request for many partitions becomes runs.
        retry_policy: how a failing step is retried.
        check_specs: checks whose results the function gives itself.
        compute_kind: superseded; one more of the kinds.

    Returns:
        The definition, or a decorator that makes it.

    Raises:
        InvalidDefinitionError: something that cannot be; the message says where.
        NotSupportedError: a parameter that is not built yet.
    """
    require_not_built(
        "asset",
        config_schema=config_schema,
        resource_defs=resource_defs,
        hooks=hooks,
        io_manager_def=io_manager_def,
        dagster_type=dagster_type,
        automation_condition=automation_condition,
        freshness_policy=freshness_policy,
        is_virtual=is_virtual or None,
        pool=pool,
    )

    def decorate(function: UserFunction) -> AssetsDefinition:
        own_name = name or getattr(function, "__name__", "")
        asset_key = _asset_key(own_name, key, key_prefix, name)
        what = f"asset {asset_key.to_user_string()!r}"
        shape = read_function(function, what)
        keys_by_input, implicit = _input_keys(shape, ins, what)
        spec = AssetSpec(
            asset_key,
            deps=_all_deps(keys_by_input, ins, deps, what),
            description=description or _docstring(function),
            metadata=metadata,
            skippable=not output_required,
            group_name=group_name,
            code_version=code_version,
            owners=owners,
            tags=tags,
            kinds=_kinds(kinds, compute_kind),
            partitions_def=partitions_def,
        )
        outputs, checks = {"result": spec}, _check_outputs(check_specs, {asset_key}, what)
        return AssetsDefinition(
            _op(
                function,
                shape,
                name=asset_key.to_python_identifier(),
                outputs=outputs,
                checks=checks,
                description=spec.description,
                required_resource_keys=required_resource_keys,
                retry_policy=retry_policy,
                tags=op_tags,
                keys_by_input=keys_by_input,
            ),
            specs_by_output=outputs,
            checks_by_output=checks,
            keys_by_input=keys_by_input,
            input_manager_keys=_input_managers(ins),
            implicit_inputs=implicit,
            io_manager_keys={} if io_manager_key is None else {"result": io_manager_key},
            backfill_policy=backfill_policy,
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
    hooks: object = None,
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
) -> Callable[[UserFunction], AssetsDefinition]:
    """Declares several assets that one function makes.

    Args:
        outs: the outputs, by name, with the assets they carry; each depends on all inputs, see `internal_asset_deps`.
        specs: the assets, where the function stores them itself and yields `MaterializeResult`s; not with `outs`.
        name: the name of the step; the function's name when None.
        ins, deps: what all the assets are made from, as for `asset`.
        internal_asset_deps: what each output is made from, where it is not all inputs: keys of inputs or of other outputs.
        can_subset: whether the function makes only what `context.selected_asset_keys` asks for.
        group_name, code_version, partitions_def: for each asset that does not say it itself.
        required_resource_keys, op_tags, backfill_policy, retry_policy, check_specs, compute_kind: as for `asset`.

    Raises:
        InvalidDefinitionError: something that cannot be; the message says where.
        NotSupportedError: a parameter that is not built yet.
    """
    require_not_built("multi_asset", config_schema=config_schema, resource_defs=resource_defs, hooks=hooks, pool=pool)

    def decorate(function: UserFunction) -> AssetsDefinition:
        op_name = require_name(name or getattr(function, "__name__", ""), "a step", "multi_asset")
        what = f"multi_asset {op_name!r}"
        if (outs is None) == (specs is None):
            raise InvalidDefinitionError(f"{what} takes either outs or specs.")
        shape = read_function(function, what)
        keys_by_input, implicit = _input_keys(shape, ins, what)
        common = _all_deps(keys_by_input, ins, deps, what)
        if specs is not None:
            outputs = _outputs_of_specs(specs, common, what)
        else:
            outputs = _outputs_of_outs(outs or {}, common, internal_asset_deps, what)
        outputs = {
            output: _with_defaults(spec, group_name, code_version, partitions_def, compute_kind, what)
            for output, spec in outputs.items()
        }
        checks = _check_outputs(check_specs, {spec.key for spec in outputs.values()}, what)
        return AssetsDefinition(
            _op(
                function,
                shape,
                name=op_name,
                outputs=outputs,
                checks=checks,
                description=description or _docstring(function),
                required_resource_keys=required_resource_keys,
                retry_policy=retry_policy,
                tags=op_tags,
                keys_by_input=keys_by_input,
                can_subset=can_subset,
            ),
            specs_by_output=outputs,
            checks_by_output=checks,
            keys_by_input=keys_by_input,
            input_manager_keys=_input_managers(ins),
            implicit_inputs=implicit,
            io_manager_keys={
                output: out.io_manager_key for output, out in (outs or {}).items() if out.io_manager_key is not None
            },
            backfill_policy=backfill_policy or _common_backfill_policy(outs, what),
        )

    return decorate


def _asset_key(
    own_name: str, key: CoercibleToAssetKey | None, prefix: CoercibleToAssetKeyPrefix | None, name: str | None
) -> AssetKey:
    if key is not None:
        if name is not None or prefix is not None:
            raise InvalidDefinitionError(f"asset {own_name!r} takes key, or name and key_prefix, not both.")
        return AssetKey.from_coercible(key)
    where = "asset"
    found = AssetKey(require_name(own_name, "an asset", where))
    return found if prefix is None else found.with_prefix(prefix)


def _input_keys(
    shape: FunctionShape, ins: Mapping[str, AssetIn] | None, what: str
) -> tuple[dict[str, AssetKey], frozenset[str]]:
    """The asset behind each input, and the inputs whose asset only the parameter's name says."""
    given = {name: AssetIn.from_coercible(each) for name, each in (ins or {}).items()}
    unknown = [name for name in given if name not in shape.inputs and not shape.takes_any]
    if unknown:
        parameters = ", ".join(shape.inputs) or "none"
        raise InvalidDefinitionError(
            f"{what} ({shape.source}): ins names {', '.join(map(repr, unknown))}, but the function's inputs are: {parameters}."
        )
    keys = {name: given[name].resolve_key(name) if name in given else AssetKey(name) for name in shape.inputs}
    keys.update({name: each.resolve_key(name) for name, each in given.items() if name not in keys})
    implicit = frozenset(
        [name for name in shape.inputs if name not in given or (given[name].key is None and not given[name].key_prefix)]
    )
    return keys, implicit


def _all_deps(
    keys_by_input: Mapping[str, AssetKey],
    ins: Mapping[str, AssetIn] | None,
    deps: Iterable[CoercibleToAssetDep] | None,
    what: str,
) -> list[CoercibleToAssetDep]:
    """The dependencies through inputs, then the others."""
    if isinstance(deps, (str, AssetKey)):
        raise InvalidDefinitionError(f"{what}: deps takes a list of assets, got {deps!r}; write [{deps!r}].")
    found: list[CoercibleToAssetDep] = []
    for name, key in keys_by_input.items():
        given = None if ins is None else ins.get(name)
        mapping = given.partition_mapping if isinstance(given, AssetIn) else None
        found.append(AssetDep(key, partition_mapping=mapping))
    taken = set(keys_by_input.values())
    for each in deps or ():
        if isinstance(each, AssetDep) and each.asset_key in taken:
            raise InvalidDefinitionError(
                f"{what} takes {each.asset_key.to_user_string()!r} as an input and names it in deps: keep one of the two."
            )
        found.append(each)
    return found


def _check_outputs(
    check_specs: Sequence[AssetCheckSpec] | None, keys: Set[AssetKey], what: str
) -> dict[str, AssetCheckSpec]:
    found: dict[str, AssetCheckSpec] = {}
    for spec in check_specs or ():
        if spec.asset_key not in keys:
            raise InvalidDefinitionError(
                f"{what}: the check {spec.key.to_user_string()!r} is on an asset that this function does not make; use asset_check."
            )
        output = spec.get_python_identifier()
        if output in found:
            raise InvalidDefinitionError(f"{what} declares the check {spec.key.to_user_string()!r} twice.")
        found[output] = spec
    return found


def _outputs_of_specs(specs: Sequence[AssetSpec], common: list[CoercibleToAssetDep], what: str) -> dict[str, AssetSpec]:
    twice = find_duplicates(spec.key.to_user_string() for spec in specs)
    if twice:
        raise InvalidDefinitionError(f"{what} declares {', '.join(twice)} twice.")
    return {
        spec.key.to_python_identifier(): spec.replace_attributes(deps=[*spec.deps, *common]) if common else spec
        for spec in specs
    }


def _outputs_of_outs(
    outs: Mapping[str, AssetOut],
    common: list[CoercibleToAssetDep],
    internal: Mapping[str, set[AssetKey]] | None,
    what: str,
) -> dict[str, AssetSpec]:
    unknown = sorted(set(internal or ()) - set(outs))
    if unknown:
        raise InvalidDefinitionError(f"{what}: internal_asset_deps names {', '.join(unknown)}, which are no outputs.")
    found: dict[str, AssetSpec] = {}
    for output, out in outs.items():
        require_name(output, "an output", what)
        deps = common if internal is None or output not in internal else sorted(internal[output])
        found[output] = out.to_spec(output, deps=deps)
    return found


def _with_defaults(
    spec: AssetSpec,
    group_name: str | None,
    code_version: str | None,
    partitions_def: PartitionsDefinition | None,
    compute_kind: str | None,
    what: str,
) -> AssetSpec:
    if group_name is not None and spec.group_name is not None:
        raise InvalidDefinitionError(f"{what} and its asset {spec.key.to_user_string()!r} both name a group: keep one.")
    if partitions_def is not None and spec.partitions_def is not None and spec.partitions_def != partitions_def:
        raise InvalidDefinitionError(
            f"{what} and its asset {spec.key.to_user_string()!r} name different partitions definitions."
        )
    if group_name is None and code_version is None and partitions_def is None and compute_kind is None:
        return spec
    return spec.replace_attributes(
        group_name=spec.group_name or group_name,
        code_version=spec.code_version or code_version,
        partitions_def=spec.partitions_def or partitions_def,
        kinds=spec.kinds | _kinds(None, compute_kind),
    )


def _op(
    function: UserFunction,
    shape: FunctionShape,
    *,
    name: str,
    outputs: Mapping[str, AssetSpec],
    checks: Mapping[str, AssetCheckSpec],
    description: str | None,
    required_resource_keys: Set[str] | None,
    retry_policy: RetryPolicy | None,
    tags: Mapping[str, object] | None,
    keys_by_input: Mapping[str, AssetKey],
    can_subset: bool = False,
) -> OpDefinition:
    returns = shape.return_annotation
    valueless = returns is None or returns is MaterializeResult or get_origin(returns) is MaterializeResult
    return OpDefinition(
        name=name,
        function=function,
        shape=shape,
        input_names=tuple(keys_by_input),
        output_names=(*outputs, *checks),
        optional_outputs=frozenset([output for output, spec in outputs.items() if spec.skippable]),
        valueless_outputs=frozenset([*outputs, *checks]) if valueless else frozenset(checks),
        required_resource_keys=frozenset(required_resource_keys or ()),
        retry_policy=retry_policy,
        tags={key: str(value) for key, value in (tags or {}).items()},
        description=description,
        can_subset=can_subset,
    )


def _input_managers(ins: Mapping[str, AssetIn] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, each in (ins or {}).items():
        manager = each.input_manager_key if isinstance(each, AssetIn) else None  # pyright: ignore[reportUnnecessaryIsInstance] reason: keys are taken too
        if manager is not None:
            found[name] = manager
    return found


def _common_backfill_policy(outs: Mapping[str, AssetOut] | None, what: str) -> BackfillPolicy | None:
    policies = {out.backfill_policy for out in (outs or {}).values() if out.backfill_policy is not None}
    if len(policies) > 1:
        raise InvalidDefinitionError(
            f"{what}: its outputs name different backfill policies; they are made together, name one."
        )
    return next(iter(policies), None)


def _kinds(kinds: Set[str] | None, compute_kind: str | None) -> frozenset[str]:
    return frozenset([*(kinds or ()), *([] if compute_kind is None else [compute_kind.lower()])])


def _docstring(function: Any) -> str | None:
    text: str | None = getattr(function, "__doc__", None)
    if not text:
        return None
    lines = text.strip().expandtabs().splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join([lines[0], *(line[margin:].rstrip() for line in lines[1:])])


def io_manager_key_of(definition: AssetsDefinition, output: str, default: str) -> str:
    """The resource that stores an output: named at the output, else in the asset's metadata, else the default."""
    named = definition.io_manager_keys.get(output)
    if named is not None:
        return named
    in_metadata = definition.specs_by_output[output].metadata.get(IO_MANAGER_KEY_METADATA)
    return in_metadata if isinstance(in_metadata, str) else default
