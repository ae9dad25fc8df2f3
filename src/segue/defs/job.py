"""`define_asset_job`: a selection of assets under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import msgspec

from segue.defs.executor import ExecutorDefinition, require_executor
from segue.defs.hook import HookDefinition, require_hooks
from segue.defs.metadata import described_metadata
from segue.defs.partitioned_config import PartitionedConfig
from segue.defs.run_config import normalize_run_config, storable
from segue.defs.superseded import warn_superseded
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind
from segue.model.assets import require_owners
from segue.model.condition.base import AnyCondition, optional_condition
from segue.model.condition.scopes import JobRootAssetsAutomationCondition
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey, require_name
from segue.model.manifest import JobNode
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import RetryPolicy
from segue.model.selection import AssetSelection, CoercibleToAssetSelection


class UnresolvedAssetJobDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A job over assets, as declared: its selection is resolved when the definitions are read.

    Attributes:
        name: unique among the jobs.
        selection: which assets and checks it runs.
        config: the run config its runs start with.
        description, metadata, owners: for people.
        tags: tags of the job; its runs bear them too.
        run_tags: tags of its runs only; None means the same as `tags`.
        partitions_def: how its assets are partitioned, where the user says it; must agree with the assets.
        hooks: hooks that run after each of its steps.
        op_retry_policy: for steps that name no retry policy themselves.
        executor_def: how its steps are executed.
    """

    name: str
    selection: AssetSelection
    config: Any = None
    description: str | None = None
    tags: Mapping[str, str] = {}
    run_tags: Mapping[str, str] | None = None
    metadata: Mapping[str, object] = {}
    partitions_def: PartitionsDefinition | None = None
    owners: Sequence[str] = ()
    automation_condition: AnyCondition | None = None
    hooks: frozenset[HookDefinition] = frozenset()
    op_retry_policy: RetryPolicy | None = None
    executor_def: ExecutorDefinition | None = None

    @property
    def partitioned_config(self) -> Any:
        """The config by partition; None without."""
        return self.config if hasattr(self.config, "get_run_config_for_partition_key") else None

    @property
    def config_mapping(self) -> Any:
        """What makes the config of its steps out of its own; None without."""
        return self.config if hasattr(self.config, "resolve_from_unvalidated_config") else None


def define_asset_job(
    name: str,
    selection: CoercibleToAssetSelection | None = None,
    config: Any = None,
    description: str | None = None,
    tags: Mapping[str, object] | None = None,
    run_tags: Mapping[str, object] | None = None,
    metadata: Mapping[str, object] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    executor_def: object = None,
    hooks: Set[HookDefinition] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: AnyCondition | None = None,
) -> UnresolvedAssetJobDefinition:
    """Declares a job that makes the selected assets and runs their checks.

    Args:
        name: letters, digits, underscores; unique among the jobs.
        selection: an `AssetSelection`, its string form, or a list of assets; all assets when None.
        config: the run config its runs start with: a mapping, a `RunConfig`, a config mapping, or a config by partition.
        description, metadata, owners: for people.
        tags: tags of the job and of its runs, unless `run_tags` says others for the runs.
        hooks: hooks that run after each of its steps.
        op_retry_policy: for steps that name no retry policy themselves.
        executor_def: how its steps are executed, where it does not run in this process; that of the definitions when None.
        automation_condition: when to request it; about the job, such as `any_job_root_assets_match`.
        partitions_def: superseded; must agree with the assets' own.

    Raises:
        InvalidDefinitionError: a bad name, owner or selection.
    """
    if partitions_def is not None:
        warn_superseded(f"partitions_def of job {name!r}", "leave it out, the assets say it")
    require_kind(f"job {name!r}", "op_retry_policy", op_retry_policy, RetryPolicy)
    return UnresolvedAssetJobDefinition(
        name=require_name(name, "a job", "define_asset_job"),
        selection=AssetSelection.all() if selection is None else AssetSelection.from_coercible(selection),
        config=config,
        description=description,
        tags={key: str(value) for key, value in (tags or {}).items()},
        run_tags=None if run_tags is None else {key: str(value) for key, value in run_tags.items()},
        metadata=dict(metadata or {}),
        partitions_def=partitions_def,
        owners=require_owners(owners, f"job {name!r}"),
        automation_condition=optional_condition(f"job {name!r}", automation_condition),
        hooks=require_hooks(hooks, f"job {name!r}"),
        op_retry_policy=op_retry_policy,
        executor_def=require_executor(executor_def, f"job {name!r}"),
    )


def job_node(job: UnresolvedAssetJobDefinition, graph: AssetGraph, resources: Mapping[str, object]) -> JobNode:
    """The job as data, its selection resolved.

    Raises:
        InvalidSubsetError: the selection names what does not exist.
        InvalidDefinitionError: `partitions_def` disagrees with the assets, or the condition cannot be asked of the job.
        InvalidConfigError: `config` names what does not exist, or has the wrong form.
    """
    config, declared = job.config, job.partitions_def
    if isinstance(config, PartitionedConfig):
        declared = PartitionedConfig.from_flexible_config(config, declared or config.partitions_def).partitions_def
    keys = [key for key in job.selection.resolve(graph) if graph.nodes[key].is_executable]
    for key in keys:
        own = graph.nodes[key].partitions
        if declared is not None and own is not None and own != declared:
            raise InvalidDefinitionError(
                f"partitions_def differs from that of {key.to_user_string()!r}: leave it out, the assets say it."
            )
    if job.automation_condition is not None:
        _check_condition(job, job.automation_condition, graph, keys)
    by_rule = job.partitioned_config is not None or job.config_mapping is not None
    return JobNode(
        name=job.name,
        assets=tuple(sorted(keys)),
        checks=tuple(sorted((check.asset_key, check.name) for check in job.selection.resolve_checks(graph))),
        description=job.description,
        tags=dict(job.tags) if job.run_tags is None else dict(job.run_tags),
        own_tags={} if job.run_tags is None else dict(job.tags),
        run_config={} if by_rule else storable(normalize_run_config(config, graph.computations, resources), "config"),
        metadata=described_metadata(job.metadata),
        owners=tuple(job.owners),
        automation_condition=job.automation_condition,
        op_retry_policy=job.op_retry_policy,
    )


def _check_condition(
    job: UnresolvedAssetJobDefinition, condition: AnyCondition, graph: AssetGraph, keys: Sequence[AssetKey]
) -> None:
    """Refuses a condition that says nothing of the job as a whole, or whose requests could not become runs."""
    if not _asks_roots(condition):
        raise InvalidDefinitionError(
            "its automation_condition does not evaluate against the assets it begins with: put it into "
            "AutomationCondition.all_job_root_assets_match(...) or any_job_root_assets_match(...)."
        )
    if job.partitioned_config is not None:
        raise InvalidDefinitionError(
            "it has an automation_condition and config by partition: give the config to the assets, or request it by a schedule."
        )
    definitions = dict.fromkeys(own for key in keys if (own := graph.nodes[key].partitions) is not None)
    if len(definitions) > 1:
        raise InvalidDefinitionError(
            f"it has an automation_condition, and its assets are partitioned in {len(definitions)} ways, which one run cannot "
            "make: select assets that must have the same partitions definitions, or none."
        )


def _asks_roots(condition: AnyCondition) -> bool:
    return isinstance(condition, JobRootAssetsAutomationCondition) or any(map(_asks_roots, condition.children))
