"""`@asset_check` and `@multi_asset_check`: checks as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING

from segue.defs.asset_io import AssetIn
from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.op import OpDefinition, require_resource_keys, step_tags
from segue.defs.signature import FunctionShape, UserFunction, docstring_of, function_name, read_function
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind, require_list
from segue.model.asset_deps import AssetDep, CoercibleToAssetDep
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetKey, require_name
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


def asset_check(
    *,
    asset: object,
    name: str | None = None,
    description: str | None = None,
    blocking: bool = False,
    additional_ins: Mapping[str, AssetIn] | None = None,
    additional_deps: Iterable[CoercibleToAssetDep] | None = None,
    required_resource_keys: Set[str] | None = None,
    resource_defs: Mapping[str, object] | None = None,
    config_schema: object = None,
    compute_kind: str | None = None,
    op_tags: Mapping[str, object] | None = None,
    retry_policy: RetryPolicy | None = None,
    metadata: Mapping[str, object] | None = None,
    automation_condition: AnyCondition | None = None,
    pool: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    step_policy: StepPolicy | None = None,
) -> Callable[[UserFunction], AssetChecksDefinition]:
    """Declares a check on an asset: a function that returns an `AssetCheckResult`, or a bool.

    The function may take a context, resources and config as an asset's does. At most one further parameter, whatever its
    name, gets the asset's value; those named in `additional_ins` get the values of other assets.

    Args:
        asset: the asset it looks at (key or definition).
        name: unique on the asset; the function's name when None.
        description: for people; the function's docstring when None.
        blocking: whether its failure, of severity ERROR, fails the run and keeps assets downstream from being
            materialized.
        additional_ins, additional_deps: other assets it reads, with and without taking their values.
        required_resource_keys, resource_defs, config_schema, op_tags, retry_policy, metadata, pool, step_policy: as for
            `asset`.
        automation_condition: when to request it.
        partitions_def: the partitions of the asset, if each one is checked separately.
        compute_kind: superseded; becomes a tag on the step.

    Raises:
        InvalidDefinitionError: an invalid argument; the message says where.
    """
    require_kind("asset_check", "resource_defs", resource_defs, Mapping)
    require_kind("asset_check", "additional_ins", additional_ins, Mapping)
    require_kind("asset_check", "retry_policy", retry_policy, RetryPolicy)
    ins = {key: AssetIn.from_coercible(each) for key, each in (additional_ins or {}).items()}

    def decorate(function: UserFunction) -> AssetChecksDefinition:
        spec = AssetCheckSpec(
            name or function_name(function, "asset_check"),
            asset=asset,
            description=description or docstring_of(function),
            additional_deps=[
                *(() if additional_deps is None else require_list("asset_check", "additional_deps", additional_deps)),
                *(
                    AssetDep(each.resolve_key(key), partition_mapping=each.partition_mapping)
                    for key, each in ins.items()
                ),
            ],
            blocking=blocking,
            metadata=metadata,
            automation_condition=automation_condition,
            partitions_def=partitions_def,
        )
        what = f"check {spec.key.to_user_string()!r}"
        shape = read_function(function, what)
        return _definition(
            function,
            shape,
            what=what,
            name=spec.get_python_identifier(),
            description=spec.description,
            checks={"result": spec},
            ins=ins,
            keys_by_input=_input_keys(shape, spec.asset_key, ins, what),
            required_resource_keys=required_resource_keys,
            resource_defs=resource_defs,
            config_schema=config_schema,
            retry_policy=retry_policy,
            op_tags=op_tags,
            compute_kind=compute_kind,
            pool=pool,
            step_policy=step_policy,
        )

    return decorate


def multi_asset_check(
    *,
    specs: Sequence[AssetCheckSpec],
    name: str | None = None,
    description: str | None = None,
    can_subset: bool = False,
    compute_kind: str | None = None,
    op_tags: Mapping[str, object] | None = None,
    resource_defs: Mapping[str, object] | None = None,
    required_resource_keys: Set[str] | None = None,
    retry_policy: RetryPolicy | None = None,
    config_schema: object = None,
    ins: Mapping[str, object] | None = None,
    pool: str | None = None,
    step_policy: StepPolicy | None = None,
) -> Callable[[UserFunction], AssetChecksDefinition]:
    """Declares several checks that one function runs: it yields, or returns a list of, one `AssetCheckResult` for each.

    A result names its asset and check (`asset_key=`, `check_name=`) as far as that is needed to tell it from the others.
    A parameter with the name of a checked asset gets its value; `ins` assigns assets to other names.

    Args:
        specs: the checks.
        name: the name of the step; the function's name when None.
        description: for people; the function's docstring when None.
        can_subset: whether the function runs only the checks in `context.selected_asset_check_keys`.
        ins: the assets behind parameters of other names.
        required_resource_keys, resource_defs, config_schema, op_tags, retry_policy, pool, step_policy: as for `asset`.
        compute_kind: superseded; becomes a tag on the step.

    Raises:
        InvalidDefinitionError: an invalid argument; the message says where.
    """
    require_kind("multi_asset_check", "resource_defs", resource_defs, Mapping)
    require_kind("multi_asset_check", "ins", ins, Mapping)
    require_kind("multi_asset_check", "retry_policy", retry_policy, RetryPolicy)
    given = {key: AssetIn.from_coercible(each) for key, each in (ins or {}).items()}

    def decorate(function: UserFunction) -> AssetChecksDefinition:
        own_name = require_name(name or function_name(function, "multi_asset_check"), "a step", "multi_asset_check")
        what = f"multi_asset_check {own_name!r}"
        shape = read_function(function, what)
        checks = _by_output(specs, what)
        return _definition(
            function,
            shape,
            what=what,
            name=own_name,
            description=description or docstring_of(function),
            checks=checks,
            ins=given,
            keys_by_input=_keys_by_name(shape, checks.values(), given, what),
            required_resource_keys=required_resource_keys,
            resource_defs=resource_defs,
            config_schema=config_schema,
            retry_policy=retry_policy,
            op_tags=op_tags,
            compute_kind=compute_kind,
            pool=pool,
            step_policy=step_policy,
            can_subset=can_subset,
        )

    return decorate


def _definition(
    function: UserFunction,
    shape: FunctionShape,
    *,
    what: str,
    name: str,
    description: str | None,
    checks: Mapping[str, AssetCheckSpec],
    ins: Mapping[str, AssetIn],
    keys_by_input: Mapping[str, AssetKey],
    required_resource_keys: Set[str] | None,
    resource_defs: Mapping[str, object] | None,
    config_schema: object,
    retry_policy: RetryPolicy | None,
    op_tags: Mapping[str, object] | None,
    compute_kind: str | None,
    pool: str | None,
    step_policy: StepPolicy | None,
    can_subset: bool = False,
) -> AssetChecksDefinition:
    op = OpDefinition.of_function(
        name=name,
        function=function,
        shape=shape,
        input_names=tuple(keys_by_input),
        output_names=tuple(checks),
        valueless_outputs=frozenset(checks),
        required_resource_keys=require_resource_keys(required_resource_keys, what, resource_defs),
        retry_policy=retry_policy,
        tags=step_tags(op_tags, what, compute_kind),
        description=description,
        can_subset=can_subset,
        config_schema=config_schema,
        pool=pool,
        step_policy=step_policy,
    )
    return AssetChecksDefinition.of_parts(
        op,
        specs_by_output={},
        checks_by_output=checks,
        keys_by_input=keys_by_input,
        input_manager_keys={
            key: each.input_manager_key for key, each in ins.items() if each.input_manager_key is not None
        },
        input_metadata={key: each.metadata for key, each in ins.items() if each.metadata},
        implicit_inputs=frozenset(),
        io_manager_keys={},
        resource_defs=resource_defs,
    )


def _input_keys(
    shape: FunctionShape, asset_key: AssetKey, ins: Mapping[str, AssetIn], what: str
) -> dict[str, AssetKey]:
    """The asset behind each input: the checked one for the one input that nothing else names."""
    _require_parameters("additional_ins", ins, shape, what)
    additional = {name: each.resolve_key(name) for name, each in ins.items()}
    own = [name for name in shape.inputs if name not in additional]
    if len(own) > 1:
        raise InvalidDefinitionError(
            f"{what} ({shape.source}) has the parameters {', '.join(own)}: only one can take the value of the checked asset; put "
            "the others into additional_ins."
        )
    return {name: additional.get(name, asset_key) for name in shape.inputs}


def _keys_by_name(
    shape: FunctionShape, checks: Iterable[AssetCheckSpec], ins: Mapping[str, AssetIn], what: str
) -> dict[str, AssetKey]:
    """The asset behind each input: what `ins` says, else the one of that name among those that the checks look at."""
    _require_parameters("ins", ins, shape, what)
    looked_at = dict.fromkeys(
        key for spec in checks for key in (spec.asset_key, *(dep.asset_key for dep in spec.additional_deps))
    )
    names: dict[str, list[AssetKey]] = {}
    for key in looked_at:
        for name in {key.to_python_identifier(), key.parts[-1]}:
            names.setdefault(name, []).append(key)
    found: dict[str, AssetKey] = {}
    for name in shape.inputs:
        if name in ins:
            found[name] = ins[name].resolve_key(name)
        elif len(names.get(name, ())) == 1:
            found[name] = names[name][0]
        else:
            known = ", ".join(key.to_user_string() for key in looked_at)
            raise InvalidDefinitionError(
                f"{what} ({shape.source}): the parameter {name!r} matches {'several' if name in names else 'none'} of the checked "
                f"assets: {known}. Set ins={{{name!r}: AssetIn(...)}}."
            )
    return found


def _require_parameters(argument: str, ins: Mapping[str, AssetIn], shape: FunctionShape, what: str) -> None:
    unknown = [name for name in ins if name not in shape.inputs]
    if unknown:
        raise InvalidDefinitionError(
            f"{what} ({shape.source}): {argument} has no matching parameter for {', '.join(map(repr, unknown))}."
        )


def _by_output(specs: Sequence[AssetCheckSpec], what: str) -> dict[str, AssetCheckSpec]:
    """The checks by the output that carries each.

    Raises:
        InvalidDefinitionError: no checks, something that is not a spec, or a duplicate.
    """
    found: dict[str, AssetCheckSpec] = {}
    for spec in require_list(what, "specs", specs):
        if not isinstance(spec, AssetCheckSpec):
            raise WrongDeclarationError(f"{what}: specs must be a list of AssetCheckSpecs, got {spec!r}.")
        if found.setdefault(spec.get_python_identifier(), spec) is not spec:
            raise InvalidDefinitionError(f"{what}: duplicate asset check {spec.key.to_user_string()!r}.")
    if not found:
        raise InvalidDefinitionError(f"{what} has no checks: add at least one AssetCheckSpec to specs.")
    return found
