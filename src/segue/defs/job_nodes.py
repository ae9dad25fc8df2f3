"""Jobs, and the ops of jobs of ops, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.metadata import described_metadata
from segue.defs.op import OpDefinition
from segue.defs.partitioned_config import PartitionedConfig
from segue.defs.run_config import normalize_run_config, storable
from segue.errors import InvalidDefinitionError
from segue.model.condition.base import AnyCondition
from segue.model.condition.scopes import JobRootAssetsAutomationCondition
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.manifest import ComputationNode, JobNode, OutputNode
from segue.model.partitions.base import PartitionsDefinition


def op_computation_node(op: OpDefinition) -> ComputationNode:
    """An op as data."""
    return ComputationNode(
        name=op.name,
        outputs=tuple(
            [
                OutputNode(
                    name,
                    is_required=out.is_required,
                    io_manager_key=out.io_manager_key,
                    is_dynamic=out.is_dynamic,
                )
                for name, out in op.outs.items()
            ]
        ),
        resource_keys=tuple(sorted(op.required_resource_keys)),
        retry_policy=op.retry_policy,
        step_policy=op.step_policy,
        has_config=op.shape.config is not None or op.config_field is not None,
        tags=dict(op.tags),
        description=op.description,
        source=op.shape.source,
        pool=op.pool,
    )


def op_job_node(job: JobDefinition) -> JobNode:
    """A job of ops as data.

    Raises:
        InvalidConfigError: its config holds what JSON has no form for.
    """
    return JobNode(
        name=job.name,
        description=job.description,
        tags=dict(job.run_tags),
        own_tags=dict(job.tags) if job.has_separately_defined_run_tags else {},
        run_config=storable(job.run_config or {}, "config"),
        metadata=dict(job.metadata),
        owners=tuple(job.owners),
        steps=job.flat.steps,
        partitions=job.partitions_def,
    )


def asset_job_node(job: UnresolvedAssetJobDefinition, graph: AssetGraph, resources: Mapping[str, object]) -> JobNode:
    """The job as data, its selection resolved.

    Raises:
        UnresolvedSelectionError: the selection names what does not exist or is external, or a part of what is made all at once.
        InvalidDefinitionError: `partitions_def` disagrees with the assets, these with each other, or the condition cannot be
            asked of the job.
        InvalidConfigError: `config` names what does not exist, or has the wrong form.
    """
    config, declared = job.config, job.partitions_def
    if isinstance(config, PartitionedConfig):
        declared = PartitionedConfig.from_flexible_config(config, declared or config.partitions_def).partitions_def
    keys = list(job.selection.resolve(graph))
    graph.require_executable(keys)
    _require_one_partitioning(graph, keys)
    for key in keys:
        own = graph.nodes[key].partitions
        if declared is not None and own is not None and own != declared:
            raise InvalidDefinitionError(
                f"partitions_def does not match that of {key.to_user_string()!r}: remove it, because the assets "
                "define their partitions."
            )
    graph.require_whole(set(keys))
    if job.automation_condition is not None:
        _check_condition(job, job.automation_condition)
    checks = job.selection.resolve_checks(graph)
    makers = [graph.nodes[key].computation for key in keys] + [graph.checks[check].computation for check in checks]
    ops = {name: graph.computations[name] for name in makers if name is not None}
    by_rule = job.partitioned_config is not None or job.config_mapping is not None
    return JobNode(
        name=job.name,
        assets=tuple(sorted(keys)),
        checks=tuple(sorted((check.asset_key, check.name) for check in checks)),
        description=job.description,
        tags=dict(job.tags) if job.run_tags is None else dict(job.run_tags),
        own_tags={} if job.run_tags is None else dict(job.tags),
        run_config={} if by_rule else storable(normalize_run_config(config, ops, resources), "config"),
        metadata=described_metadata(job.metadata),
        owners=tuple(job.owners),
        automation_condition=job.automation_condition,
        op_retry_policy=job.op_retry_policy,
    )


def _check_condition(job: UnresolvedAssetJobDefinition, condition: AnyCondition) -> None:
    """Refuses a condition that says nothing of the job as a whole, or whose requests could not become runs."""
    if not _asks_roots(condition):
        raise InvalidDefinitionError(
            "its automation_condition does not apply to the assets at the start of the job: wrap it in "
            "AutomationCondition.all_job_root_assets_match(...) or any_job_root_assets_match(...)."
        )
    if job.partitioned_config is not None:
        raise InvalidDefinitionError(
            "automation_condition and partitioned config were both provided; keep one. Configure the assets "
            "instead, or request runs with a schedule."
        )


def _require_one_partitioning(graph: AssetGraph, keys: Sequence[AssetKey]) -> None:
    """Refuses a job of which no run could make all assets."""
    first: dict[PartitionsDefinition, AssetKey] = {}
    for key in sorted(keys):
        own = graph.nodes[key].partitions
        if own is not None:
            first.setdefault(own, key)
    if len(first) > 1:
        ways = "; ".join(f"{key.to_user_string()!r} by {definition!r}" for definition, key in first.items())
        raise InvalidDefinitionError(
            f"its assets have {len(first)} different partitions definitions: {ways}. A run can materialize "
            "partitions of one partitions definition only: define a job for each; assets without partitions "
            "can be in any of them."
        )


def _asks_roots(condition: AnyCondition) -> bool:
    return isinstance(condition, JobRootAssetsAutomationCondition) or any(map(_asks_roots, condition.children))
