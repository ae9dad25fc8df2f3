"""`define_asset_job`: a selection of assets under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import msgspec

from segue.defs.bindings import bound
from segue.defs.op_words import step_tags
from segue.defs.run_arguments import executor_of, hooks_of, job_config_of
from segue.defs.run_config import RunConfig
from segue.defs.superseded import warn_superseded
from segue.model.arguments import require_kind, require_names
from segue.model.asset_words import require_owners
from segue.model.condition_argument import optional_condition
from segue.model.keys import require_name
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import RetryPolicy
from segue.model.selection import AssetSelection, CoercibleToAssetSelection

if TYPE_CHECKING:
    from segue.defs.executor import ExecutorDefinition
    from segue.defs.hook import HookDefinition
    from segue.defs.job_definition import JobDefinition
    from segue.model.condition.base import AnyCondition
    from segue.model.graph import AssetGraph


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

    def with_metadata(self, metadata: Mapping[str, object]) -> UnresolvedAssetJobDefinition:
        """The same job with other metadata."""
        return msgspec.structs.replace(self, metadata=dict(metadata))

    def resolve(
        self,
        asset_graph: AssetGraph,
        default_executor_def: ExecutorDefinition | None = None,
        resource_defs: Mapping[str, object] | None = None,
    ) -> JobDefinition:
        """The job over the assets of a graph; what `Definitions` does with each of its jobs.

        Args:
            asset_graph: `Definitions.resolve_asset_graph()`.
            default_executor_def: how its steps are executed, where it does not say it.
            resource_defs: the resources that its assets need.

        Raises:
            InvalidSubsetError: the selection names what the graph does not have.
            InvalidDefinitionError: a resource is missing, or the assets are partitioned in several ways.
        """
        return bound("resolve_asset_job")(self, asset_graph, default_executor_def, resource_defs)


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
    """Declares a job that materializes the selected assets and runs their checks.

    Args:
        name: letters, digits, underscores; unique among the jobs.
        selection: an `AssetSelection`, its string form, or a list of assets; all assets when None.
        config: the run config its runs start with: a mapping, a `RunConfig`, a config mapping, or a config by partition.
        description, metadata, owners: for people.
        tags: tags of the job and of its runs, unless `run_tags` says others for the runs.
        hooks: hooks that run after each of its steps.
        op_retry_policy: for steps that name no retry policy themselves.
        executor_def: the executor of its steps, unless it runs in this process; that of the definitions when None.
        automation_condition: when to request it; about the job, such as `any_job_root_assets_match`.
        partitions_def: superseded; must agree with the assets' own.

    Raises:
        InvalidDefinitionError: a bad name, owner or selection.
    """
    if partitions_def is not None:
        warn_superseded(f"partitions_def of job {name!r}", "remove it, because the assets define their partitions")
    require_kind(f"job {name!r}", "op_retry_policy", op_retry_policy, RetryPolicy)
    require_kind(f"job {name!r}", "metadata", metadata, Mapping)
    require_names(f"job {name!r}", "metadata", metadata)
    require_kind(f"job {name!r}", "description", description, str)
    require_kind(f"job {name!r}", "partitions_def", partitions_def, PartitionsDefinition)
    return UnresolvedAssetJobDefinition(
        name=require_name(name, "a job", "define_asset_job"),
        selection=AssetSelection.all() if selection is None else AssetSelection.from_coercible(selection),
        config=config.to_config_dict() if isinstance(config, RunConfig) else job_config_of(config, f"job {name!r}"),
        description=description,
        tags=step_tags(tags, f"job {name!r}"),
        run_tags=None if run_tags is None else step_tags(run_tags, f"job {name!r}"),
        metadata=dict(metadata or {}),
        partitions_def=partitions_def,
        owners=require_owners(owners, f"job {name!r}"),
        automation_condition=optional_condition(f"job {name!r}", automation_condition),
        hooks=hooks_of(hooks, f"job {name!r}"),
        op_retry_policy=op_retry_policy,
        executor_def=executor_of(executor_def, f"job {name!r}"),
    )
