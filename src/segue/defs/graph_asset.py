"""`@graph_asset` and `@graph_multi_asset`: assets made by graphs of ops, each op a step of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, overload

from segue.defs.asset_inputs import AssetInputs, all_deps, read_inputs
from segue.defs.asset_io import AssetIn, AssetOut
from segue.defs.asset_key import asset_key_of
from segue.defs.asset_outputs import checks_by_output, common_backfill_policy, keys_of_outs, with_defaults
from segue.defs.assets_definition import AssetsDefinition
from segue.defs.assets_parts import require_words_of_node
from segue.defs.graph import GraphDefinition
from segue.defs.graph_decorator import composed_graph
from segue.defs.node_origin import managers_in, with_metadata_of_ops
from segue.defs.op_io import GraphIn, GraphOut
from segue.defs.signature import FunctionShape, UserFunction, docstring_of, function_name
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import CoercibleToAssetKey, CoercibleToAssetKeyPrefix, require_name
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import BackfillPolicy
from segue.model.source_location import SourceLocation
from segue.model.step_policy import StepPolicy

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


@overload
def graph_asset(compose_fn: UserFunction, /) -> AssetsDefinition: ...
@overload
def graph_asset(
    *,
    name: str | None = ...,
    description: str | None = ...,
    ins: Mapping[str, AssetIn] | None = ...,
    config: Any = ...,
    key_prefix: CoercibleToAssetKeyPrefix | None = ...,
    group_name: str | None = ...,
    partitions_def: PartitionsDefinition | None = ...,
    hooks: Set[Any] | None = ...,
    metadata: Mapping[str, object] | None = ...,
    tags: Mapping[str, str] | None = ...,
    owners: Sequence[str] | None = ...,
    automation_condition: AnyCondition | None = ...,
    backfill_policy: BackfillPolicy | None = ...,
    resource_defs: Mapping[str, object] | None = ...,
    check_specs: Sequence[AssetCheckSpec] | None = ...,
    code_version: str | None = ...,
    key: CoercibleToAssetKey | None = ...,
    kinds: Set[str] | None = ...,
    auto_materialize_policy: object = ...,
    legacy_freshness_policy: object = ...,
    step_policy: StepPolicy | None = ...,
) -> Callable[[UserFunction], AssetsDefinition]: ...
def graph_asset(
    compose_fn: UserFunction | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    config: Any = None,
    key_prefix: CoercibleToAssetKeyPrefix | None = None,
    group_name: str | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: Set[Any] | None = None,
    metadata: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: AnyCondition | None = None,
    backfill_policy: BackfillPolicy | None = None,
    resource_defs: Mapping[str, object] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    code_version: str | None = None,
    key: CoercibleToAssetKey | None = None,
    kinds: Set[str] | None = None,
    auto_materialize_policy: object = None,
    legacy_freshness_policy: object = None,
    step_policy: StepPolicy | None = None,
) -> AssetsDefinition | Callable[[UserFunction], AssetsDefinition]:
    """Declares an asset computed by a graph of ops: the function calls ops on its inputs and on the outputs of
    other ops.

    Each op is a separate step, `asset.op`; the op whose output the function returns computes the asset, and its IO
    manager
    stores it. With checks, the function returns a dict: `result` for the asset, and `<asset>_<check>` for each check, which
    an op answers with an `AssetCheckResult`.

    Args:
        name, key_prefix, key: the asset's key, as for `asset`.
        ins: the assets of parameters that are not named like their asset.
        config: a config mapping, or fixed config for its ops.
        description, group_name, partitions_def, metadata, tags, owners, automation_condition, code_version, kinds: as for
            `AssetSpec`; the description defaults to the function's docstring.
        hooks: what runs after each of its steps.
        backfill_policy: how a backfill is split into runs.
        resource_defs: resources that are provided with it.
        check_specs: checks whose results the graph itself returns.
        auto_materialize_policy, legacy_freshness_policy: superseded; translated as for `AssetSpec`.
        step_policy: the step policy of ops that have none.

    Returns:
        The definition, or a decorator that creates it.

    Raises:
        InvalidDefinitionError: an invalid argument; the message says where.
    """

    def decorate(function: UserFunction) -> AssetsDefinition:
        asset_key = asset_key_of(name or function_name(function, "graph_asset"), key, key_prefix, name, "graph_asset")
        what = f"graph_asset {asset_key.to_user_string()!r}"
        inputs = read_inputs(_shape(function), ins, what)
        text = description or docstring_of(function)
        spec = AssetSpec(
            asset_key,
            deps=all_deps(inputs, None, what),
            description=text,
            metadata=metadata,
            group_name=group_name,
            code_version=code_version,
            automation_condition=automation_condition,
            auto_materialize_policy=auto_materialize_policy,
            legacy_freshness_policy=legacy_freshness_policy,
            owners=owners,
            tags=tags,
            kinds=kinds,
            partitions_def=partitions_def,
        )
        checks = checks_by_output(check_specs, {"result": spec}, what)
        out: GraphOut | dict[str, GraphOut] = GraphOut()
        if checks:
            out = {"result": GraphOut(), **{output: GraphOut() for output in checks}}
        graph = composed_graph(
            function, asset_key.to_python_identifier(), text, _graph_ins(inputs), out, None, config, what
        )
        return _definition(
            graph,
            inputs,
            {"result": spec},
            checks,
            backfill_policy=backfill_policy,
            can_subset=False,
            resource_defs=resource_defs,
            hooks=hooks,
            step_policy=step_policy,
        )

    return decorate if compose_fn is None else decorate(compose_fn)


def graph_multi_asset(
    *,
    outs: Mapping[str, AssetOut],
    name: str | None = None,
    ins: Mapping[str, AssetIn] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    hooks: Set[Any] | None = None,
    backfill_policy: BackfillPolicy | None = None,
    group_name: str | None = None,
    can_subset: bool = False,
    resource_defs: Mapping[str, object] | None = None,
    check_specs: Sequence[AssetCheckSpec] | None = None,
    config: Any = None,
    step_policy: StepPolicy | None = None,
) -> Callable[[UserFunction], AssetsDefinition]:
    """Declares several assets computed by a graph of ops: the function returns a dict with an output of an op for each.

    Args:
        outs: the assets, by the name under which the function returns each.
        name: the name of the graph; the function's name when None.
        ins, config, hooks, resource_defs, check_specs, backfill_policy, step_policy: as for `graph_asset`.
        partitions_def, group_name: for each asset that has none.
        can_subset: whether a run may select some of the assets; it then runs only the ops that these need.

    Raises:
        InvalidDefinitionError: an invalid argument; the message says where.
    """

    def decorate(function: UserFunction) -> AssetsDefinition:
        graph_name = require_name(name or function_name(function, "graph_multi_asset"), "a graph", "graph_multi_asset")
        what = f"graph_multi_asset {graph_name!r}"
        inputs = read_inputs(_shape(function), ins, what)
        keys_of_outs(outs, what)
        deps = all_deps(inputs, None, what)
        specs = {
            output: with_defaults(
                out.to_spec(out.resolve_key(output), deps=deps), group_name, None, partitions_def, None, what
            )
            for output, out in outs.items()
        }
        checks = checks_by_output(check_specs, specs, what)
        graph = composed_graph(
            function,
            graph_name,
            docstring_of(function),
            _graph_ins(inputs),
            {output: GraphOut() for output in (*specs, *checks)},
            None,
            config,
            what,
        )
        return _definition(
            graph,
            inputs,
            specs,
            checks,
            backfill_policy=backfill_policy or common_backfill_policy(outs, what),
            can_subset=can_subset,
            resource_defs=resource_defs,
            hooks=hooks,
            step_policy=step_policy,
            io_manager_keys={output: out.io_manager_key for output, out in outs.items() if out.io_manager_key},
        )

    return decorate


def _definition(
    graph: GraphDefinition,
    inputs: AssetInputs,
    specs: Mapping[str, AssetSpec],
    checks: Mapping[str, AssetCheckSpec],
    *,
    backfill_policy: BackfillPolicy | None,
    can_subset: bool,
    resource_defs: Mapping[str, object] | None,
    hooks: Set[Any] | None,
    step_policy: StepPolicy | None,
    io_manager_keys: Mapping[str, str] | None = None,
) -> AssetsDefinition:
    what = f"graph {graph.name!r}"
    require_kind(what, "step_policy", step_policy, StepPolicy)
    require_words_of_node(
        what, backfill_policy=backfill_policy, can_subset=can_subset, resource_defs=resource_defs, hooks=hooks
    )
    graph.step_policy = step_policy
    return AssetsDefinition.of_parts(
        graph,
        specs_by_output=with_metadata_of_ops(graph, specs),
        checks_by_output=checks,
        keys_by_input=inputs.keys,
        input_manager_keys=inputs.manager_keys,
        input_metadata=inputs.metadata,
        implicit_inputs=inputs.implicit,
        io_manager_keys={**managers_in(graph, specs), **(io_manager_keys or {})},
        backfill_policy=backfill_policy,
        can_subset=can_subset,
        resource_defs=resource_defs,
        hook_defs=hooks,
    )


def _graph_ins(inputs: AssetInputs) -> dict[str, GraphIn]:
    """The inputs of the graph: some of them may not be parameters of the function, but be taken by its `**kwargs`."""
    return {name: GraphIn() for name in inputs.keys}


def _shape(function: UserFunction) -> FunctionShape:
    """What a composition function takes: inputs, and nothing else."""
    code = getattr(function, "__code__", None)
    if code is None:
        raise InvalidDefinitionError(f"graph_asset must decorate a function, got {function!r}.")
    parameters = inspect.signature(function).parameters
    return FunctionShape(
        context=None,
        config=None,
        resources=(),
        inputs={name: False for name, each in parameters.items() if each.kind is not inspect.Parameter.VAR_KEYWORD},
        return_annotation=inspect.Signature.empty,
        source=SourceLocation(code.co_filename, code.co_firstlineno),
        takes_any=any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()),
    )
