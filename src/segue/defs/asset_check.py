"""`@asset_check`: checks as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set

from segue.defs.asset_io import AssetIn
from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.op import OpDefinition, require_resource_keys, step_tags
from segue.defs.signature import FunctionShape, UserFunction, docstring_of, function_name, read_function
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind, require_list
from segue.model.assets import AssetDep, CoercibleToAssetDep, require_not_built
from segue.model.checks import AssetCheckSpec
from segue.model.condition.base import AnyCondition
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import RetryPolicy


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
) -> Callable[[UserFunction], AssetChecksDefinition]:
    """Declares a check on an asset: a function that returns an `AssetCheckResult`, or a bool.

    The function may take a context, resources and config as an asset's does. At most one further parameter, whatever its
    name, gets the asset's value; those named in `additional_ins` get the values of other assets.

    Args:
        asset: the asset it looks at (key or definition).
        name: unique on the asset; the function's name when None.
        description: for people; the function's docstring when None.
        blocking: whether its failure, of severity ERROR, fails the run and stops what is downstream of the asset.
        additional_ins, additional_deps: other assets it reads, with and without taking their values.
        required_resource_keys, op_tags, config_schema, retry_policy, metadata: as for `asset`.
        compute_kind: superseded; becomes a tag on the step.

    Raises:
        InvalidDefinitionError: something that cannot be; the message says where.
        NotSupportedError: a parameter that is not built yet.
    """
    require_not_built(
        "asset_check",
        resource_defs=resource_defs,
        pool=pool,
    )

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
        keys_by_input = _input_keys(shape, spec.asset_key, ins, what)
        tags = step_tags(op_tags, what) | ({} if compute_kind is None else {"dagster/compute_kind": compute_kind})
        output = "result"
        return AssetChecksDefinition(
            OpDefinition.of_function(
                name=spec.get_python_identifier(),
                function=function,
                shape=shape,
                input_names=tuple(keys_by_input),
                output_names=(output,),
                valueless_outputs=frozenset([output]),
                required_resource_keys=require_resource_keys(required_resource_keys, what),
                retry_policy=retry_policy,
                tags=tags,
                description=spec.description,
                config_schema=config_schema,
            ),
            specs_by_output={},
            checks_by_output={output: spec},
            keys_by_input=keys_by_input,
            input_manager_keys={
                key: each.input_manager_key for key, each in ins.items() if each.input_manager_key is not None
            },
            input_metadata={key: each.metadata for key, each in ins.items() if each.metadata},
            implicit_inputs=frozenset(),
            io_manager_keys={},
        )

    return decorate


def _input_keys(
    shape: FunctionShape, asset_key: AssetKey, ins: Mapping[str, AssetIn], what: str
) -> dict[str, AssetKey]:
    """The asset behind each input: the checked one for the one input that nothing else names."""
    additional = {name: each.resolve_key(name) for name, each in ins.items()}
    unknown = [name for name in additional if name not in shape.inputs]
    if unknown:
        raise InvalidDefinitionError(
            f"{what} ({shape.source}): additional_ins names {', '.join(map(repr, unknown))}, which are no parameters."
        )
    own = [name for name in shape.inputs if name not in additional]
    if len(own) > 1:
        raise InvalidDefinitionError(
            f"{what} ({shape.source}) has the parameters {', '.join(own)}: one takes the asset's value; name the others in "
            "additional_ins."
        )
    return {name: additional.get(name, asset_key) for name in shape.inputs}
