"""`JobDefinition`: a graph of ops with what its runs need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, ClassVar

from segue.defs.bindings import bound
from segue.defs.composition import is_composing
from segue.defs.decorated import FunctionName, docstring_of_function
from segue.defs.feeding import require_fed, require_one_definition_per_name
from segue.defs.flatten import Flat, flatten
from segue.defs.graph import GraphDefinition
from segue.defs.job_reading import ReadableJob
from segue.defs.op import step_tags
from segue.defs.run_arguments import executor_of, hooks_of, job_config_of, loggers_of
from segue.defs.run_config import RunConfig
from segue.defs.superseded import warn_superseded
from segue.errors import (
    InvalidDefinitionError,
    InvalidInvocationError,
    InvalidSubsetError,
    InvariantViolationError,
    WrongDeclarationError,
)
from segue.model.arguments import require_each, require_kind, require_names
from segue.model.asset_words import require_owners
from segue.model.keys import AssetCheckKey, AssetKey, require_name
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import RetryPolicy

if TYPE_CHECKING:
    from segue.defs.execution_result import ExecuteInProcessResult
    from segue.defs.logger import LoggerDefinition
    from segue.model.request import RunRequest


def no_such_inputs(what: str, strange: Sequence[str], known: Sequence[str]) -> InvalidDefinitionError:
    """The error for input values that the graph of a job has no inputs for."""
    return InvalidDefinitionError(
        f"{what}: input_values includes {', '.join(map(repr, strange))}, not found among the inputs of its "
        f"graph: {', '.join(known) or 'none'}."
    )


@docstring_of_function(lambda job: job.declared_by)
class JobDefinition(ReadableJob):
    """A graph of ops that is run as a whole, with resources, config and tags. Written by `@job` and `graph.to_job()`.

    Args:
        graph_def: the graph.
        resource_defs: resources by key, before those of `Definitions`.
        executor_def: how its steps are executed.
        logger_defs: loggers by key.
        name: unique among the jobs; the graph's name when None.
        config: the run config its runs start with, a config mapping, or a config by partition.
        description, metadata, owners: for people.
        partitions_def: how it is partitioned.
        tags: tags of the job and of its runs, unless `run_tags` says others for the runs.
        run_tags: tags of its runs only.
        hook_defs: hooks that run after each step.
        op_retry_policy: for ops that name no retry policy themselves.
        input_values: values for the graph's inputs.
    """

    __name__ = FunctionName(lambda job: job.declared_by)
    _loads_open_inputs: ClassVar[bool] = False  # whether what no step of it makes is loaded

    def __init__(
        self,
        *,
        graph_def: GraphDefinition,
        resource_defs: Mapping[str, object] | None = None,
        executor_def: object = None,
        logger_defs: Mapping[str, object] | None = None,
        name: str | None = None,
        config: Any = None,
        description: str | None = None,
        partitions_def: PartitionsDefinition | None = None,
        tags: Mapping[str, Any] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, object] | None = None,
        hook_defs: Set[Any] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        input_values: Mapping[str, object] | None = None,
        owners: Sequence[str] | None = None,
        _automation_condition: object = None,
    ) -> None:
        self.name = require_name(name or graph_def.name, "a job", "job")
        what = f"job {self.name!r}"
        if _automation_condition is not None:
            raise WrongDeclarationError(
                f"{what}: an automation_condition applies to assets, but this is an op job. Use "
                "define_asset_job(automation_condition=...) for an asset job, or request runs of this job with "
                "a sensor."
            )
        require_kind(what, "resource_defs", resource_defs, Mapping)
        require_names(what, "resource_defs", resource_defs)
        require_kind(what, "description", description, str)
        require_kind(what, "op_retry_policy", op_retry_policy, RetryPolicy)
        require_kind(what, "partitions_def", partitions_def, PartitionsDefinition)
        require_kind(what, "input_values", input_values, Mapping)
        require_names(what, "input_values", input_values)
        self.graph = graph_def
        self.resource_defs: Mapping[str, object] = dict(resource_defs or {})
        self.own_executor = executor_of(executor_def, what)
        self.loggers: Mapping[str, LoggerDefinition] = loggers_of(logger_defs, what)
        self.config: Any = job_config_of(config, what)
        self.description = description or graph_def.description
        self.tags: Mapping[str, str] = step_tags(tags, what)
        self.has_separately_defined_run_tags = run_tags is not None
        self.run_tags: Mapping[str, str] = self.tags if run_tags is None else step_tags(run_tags, what)
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)
        self.hook_defs: frozenset[Any] = hooks_of(hook_defs, what)
        self.op_retry_policy = op_retry_policy
        self.input_values: Mapping[str, object] = dict(input_values or {})
        self.owners: Sequence[str] = require_owners(owners, what)
        self.partitions_def = _partitions_of(config, partitions_def, what)
        self.op_selection: frozenset[str] | None = None
        self.resolved_op_selection: frozenset[str] | None = None
        self.declared_by: Callable[..., object] | None = None  # the function that `@job` made it of
        strange = [each for each in self.input_values if each not in graph_def.input_names]
        if strange:
            raise no_such_inputs(what, strange, graph_def.input_names)
        require_one_definition_per_name(graph_def, what)
        self.flat: Flat = flatten(graph_def, hooks=self.hook_defs, retry_policy=op_retry_policy)
        if not self._loads_open_inputs:
            require_fed(self.flat, what)

    def run_request_for_partition(
        self,
        partition_key: str,
        run_key: str | None = None,
        tags: Mapping[str, str] | None = None,
        asset_selection: Sequence[AssetKey] | None = None,
        run_config: Mapping[str, Any] | None = None,
    ) -> RunRequest:
        """A request to run it for one partition; superseded by `RunRequest(partition_key=...)`.

        Args:
            partition_key: the partition.
            run_key: a string that makes the request unique.
            tags: tags for the run, in addition to those of its partitioned config.
            asset_selection: which of its assets; all when None.
            run_config: the config; that of its partitioned config when None.

        Raises:
            InvalidInvocationError: the job is not partitioned.
            UnknownPartitionError: there is no such partition.
        """
        warn_superseded("run_request_for_partition", "write RunRequest(partition_key=...)")
        if self.partitions_def is None:
            raise InvalidInvocationError(f"{self!r} is not partitioned: use RunRequest(job_name={self.name!r}).")
        self.partitions_def.validate_partition_key(partition_key)
        config, of_partition = run_config, {}
        if self.partitioned_config is not None:
            config = config or self.partitioned_config.get_run_config_for_partition_key(partition_key)
            of_partition = self.partitioned_config.get_tags_for_partition_key(partition_key)
        return bound("run_request")(
            run_key=run_key,
            run_config=config,
            tags={**of_partition, **(tags or {})},
            job_name=self.name,
            asset_selection=asset_selection,
            partition_key=partition_key,
        )

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        instance: Any = None,
        partition_key: str | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        asset_selection: Sequence[AssetKey] | None = None,
        run_id: str | None = None,
        input_values: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        resources: Mapping[str, object] | None = None,
    ) -> ExecuteInProcessResult:
        """Runs the job in this process, one step after the other, with values in memory.

        Args:
            run_config: config by op and resource.
            instance: the instance that records the run; an ephemeral one when None.
            partition_key: the partition to run.
            raise_on_error: whether to raise the exception of the first failed step; otherwise it is in the result.
            op_selection: which steps to run (`["a", "b+", "*c"]`); all when None.
            asset_selection: for jobs of assets only.
            run_id: the id of the run; a new one when None.
            input_values: values for the graph's inputs.
            tags: tags for the run.
            resources: resources by key, instead of those of the job.

        Returns:
            Events, values and state of the run.

        Raises:
            InvalidConfigError, InvalidSubsetError: the request is not valid.
            Exception: what user code raised, with `raise_on_error`.
        """
        if asset_selection:
            raise InvalidSubsetError(f"{self!r} is an op job and has no assets: select steps with op_selection.")
        return bound("execute_op_job")(
            self,
            run_config=run_config,
            instance=instance,
            partition_key=partition_key,
            raise_on_error=raise_on_error,
            op_selection=op_selection,
            run_id=run_id,
            input_values=input_values,
            tags=tags,
            resources=resources,
        )

    def replaced(self, **changes: Any) -> JobDefinition:
        """A copy with other attributes."""
        given: dict[str, Any] = {
            "graph_def": self.graph,
            "resource_defs": self.resource_defs,
            "executor_def": self.own_executor,
            "logger_defs": self.loggers,
            "name": self.name,
            "config": self.config,
            "description": self.description,
            "partitions_def": self.partitions_def,
            "tags": self.tags,
            "run_tags": self.run_tags if self.has_separately_defined_run_tags else None,
            "metadata": self.metadata,
            "hook_defs": self.hook_defs,
            "op_retry_policy": self.op_retry_policy,
            "input_values": self.input_values,
            "owners": self.owners,
        }
        copy = JobDefinition(**{**given, **changes})
        copy.op_selection, copy.resolved_op_selection = self.op_selection, self.resolved_op_selection
        return copy

    def with_top_level_resources(self, resource_defs: Mapping[str, object]) -> JobDefinition:
        """A copy with these resources, unless it has its own."""
        return self.replaced(resource_defs={**resource_defs, **self.resource_defs})

    def with_hooks(self, hook_defs: Set[Any]) -> JobDefinition:
        """A copy with more hooks.

        Raises:
            InvalidDefinitionError: something that is not a hook.
        """
        return self.replaced(hook_defs=self.hook_defs | hooks_of(hook_defs, f"job {self.name!r}"))

    def with_executor_def(self, executor_def: object) -> JobDefinition:
        """A copy with another executor."""
        return self.replaced(executor_def=executor_of(executor_def, f"job {self.name!r}"))

    def with_logger_defs(self, logger_defs: Mapping[str, object]) -> JobDefinition:
        """A copy with other loggers."""
        return self.replaced(logger_defs=loggers_of(logger_defs, f"job {self.name!r}"))

    def with_metadata(self, metadata: Mapping[str, object]) -> JobDefinition:
        """A copy with other metadata."""
        return self.replaced(metadata=metadata)

    def get_subset(
        self,
        *,
        op_selection: Iterable[str] | None = None,
        asset_selection: Iterable[AssetKey] | None = None,
        asset_check_selection: Iterable[AssetCheckKey] | None = None,
    ) -> JobDefinition:
        """The job with a part of its steps only; what these take of the others must come from the run config.

        Args:
            op_selection: which steps (`["a", "b+", "*c"]`); all when None or empty: then it is the job itself.
            asset_selection, asset_check_selection: for jobs of assets only.

        Raises:
            InvalidSubsetError: an unknown step; or assets or checks, which a job of ops does not have.
        """
        if asset_selection or asset_check_selection:
            raise InvalidSubsetError(f"{self!r} is an op job and has no assets: select steps with op_selection.")
        if not op_selection:
            return self
        op_selection = list(op_selection)
        for each in op_selection:
            require_each(f"job {self.name!r}", "op_selection", each, str)
        part = self.replaced()
        part.op_selection = frozenset(op_selection)
        paths = bound("select_steps")(self.flat.steps, part.op_selection)
        part.resolved_op_selection = frozenset(paths)
        part.graph = bound("graph_subset")(self.graph, paths)
        part.flat = flatten(part.graph, hooks=part.hook_defs, retry_policy=part.op_retry_policy)
        return part

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Refused: a job is run, not called.

        Raises:
            InvariantViolationError: always.
        """
        if is_composing():
            raise InvariantViolationError(
                f"{self!r} cannot be called inside a graph or job function: call its graph instead."
            )
        raise InvariantViolationError(
            f"The job {self.name!r} cannot be called like a function: run it with {self.name}.execute_in_process(...)."
        )

    def __repr__(self) -> str:
        return f"JobDefinition({self.name!r})"


def _partitions_of(config: Any, partitions_def: PartitionsDefinition | None, what: str) -> PartitionsDefinition | None:
    own: PartitionsDefinition | None = getattr(config, "partitions_def", None)
    if own is not None and partitions_def is not None and own != partitions_def:
        raise WrongDeclarationError(
            f"{what}: both partitions_def and a partitioned config with another partitions definition were "
            "provided; keep one."
        )
    return own or partitions_def
