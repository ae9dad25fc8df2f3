"""`GraphDefinition`: ops and graphs tied together, to be used as a node or run as a job."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from segue.defs.bindings import bound
from segue.defs.composition import Composed
from segue.defs.config_mapping import ConfigMapping
from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.configurable import NamedConfigurable
from segue.defs.decorated import FunctionName, docstring_of_function
from segue.defs.dependency import Dependency, InputMapping, OutputMapping
from segue.defs.graph_checks import check_graph
from segue.defs.graph_nodes import read_dependencies
from segue.defs.graph_reading import ReadableGraph
from segue.defs.node import NodeDefinition, NodeUse
from segue.defs.op import step_tags
from segue.defs.signature import UserFunction
from segue.errors import InvalidDefinitionError, InvariantViolationError
from segue.model.arguments import require_kind
from segue.model.keys import require_name
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy

if TYPE_CHECKING:
    from segue.defs.execution_result import ExecuteInProcessResult
    from segue.defs.job_definition import JobDefinition


@docstring_of_function(lambda graph: graph.composition_fn)
class GraphDefinition(ReadableGraph, NamedConfigurable):
    """Ops and graphs tied together. Written by `@graph`, or built from its parts.

    Args:
        name: unique among the definitions.
        description: for people.
        node_defs: the ops and graphs it consists of.
        dependencies: what each input takes, by node (a name, or a `NodeInvocation` with an alias) and input.
        input_mappings, output_mappings: how its inputs and outputs map to those of its nodes.
        config: a config mapping, or fixed config for its ops. In the run config its own config stands in its entry under `ops`;
            run as a job, in `ops` itself: `{"ops": {"config": ...}}`.
        tags: tags of the jobs created from it.
        input_assets: assets that inputs take, by node and input.
        composition_fn: the function it was composed by.

    Raises:
        InvalidDefinitionError: an unknown name, or a dependency cycle.
    """

    node_kind = "graph"
    __name__ = FunctionName(lambda graph: graph.composition_fn)  # pyright: ignore[reportAssignmentType] reason: it gives a text
    step_policy: StepPolicy | None = None  # for those of its steps that have none; set where it stands behind assets

    def __init__(
        self,
        name: str,
        *,
        description: str | None = None,
        node_defs: Sequence[NodeDefinition] | None = None,
        dependencies: Mapping[Any, Mapping[str, Dependency]] | None = None,
        input_mappings: Sequence[InputMapping] | None = None,
        output_mappings: Sequence[OutputMapping] | None = None,
        config: object = None,
        tags: Mapping[str, Any] | None = None,
        input_assets: Mapping[str, Mapping[str, object]] | None = None,
        composition_fn: UserFunction | None = None,
    ) -> None:
        what = f"graph {require_name(name, 'a graph', 'graph')!r}"
        for each in input_mappings or ():
            require_kind(what, "input_mappings", each, InputMapping)
        for each in output_mappings or ():
            require_kind(what, "output_mappings", each, OutputMapping)
        uses, by_name = read_dependencies(node_defs or (), dependencies or {}, what)
        self._settle(
            name,
            uses,
            by_name,
            list(input_mappings or ()),
            list(output_mappings or ()),
            description=description,
            config=config,
            tags=step_tags(tags, what),
            input_assets=input_assets or {},
            composition_fn=composition_fn,
        )

    def _settle(
        self,
        name: str,
        uses: Sequence[NodeUse],
        dependencies: Mapping[str, Mapping[str, Dependency]],
        input_mappings: Sequence[InputMapping],
        output_mappings: Sequence[OutputMapping],
        *,
        description: str | None,
        config: object,
        tags: Mapping[str, str],
        input_assets: Mapping[str, Mapping[str, object]],
        composition_fn: UserFunction | None,
        input_names: Sequence[str] | None = None,
    ) -> None:
        require_kind(f"graph {name!r}", "config", config, (Mapping, ConfigMapping))
        self.name = name
        self.description = description
        self.tags = tags
        self.uses: Mapping[str, NodeUse] = {use.name: use for use in uses}
        self.node_dependencies: Mapping[str, Mapping[str, Dependency]] = dependencies
        self.input_mappings: Sequence[InputMapping] = input_mappings
        self.output_mappings: Sequence[OutputMapping] = output_mappings
        self.config = config
        self.input_assets: Mapping[str, Mapping[str, object]] = input_assets
        self.composition_fn = composition_fn
        self._own_job: Any = None
        mapped = dict.fromkeys(each.graph_input_name for each in input_mappings)
        self.input_names = tuple(mapped) if input_names is None else tuple(input_names)
        self.output_names = tuple(each.graph_output_name for each in output_mappings)
        check_graph(self.name, self.uses, dependencies, input_mappings, output_mappings)

    @classmethod
    def composed(
        cls,
        name: str,
        composed: Composed,
        output_mappings: Sequence[OutputMapping],
        *,
        input_names: Sequence[str],
        description: str | None = None,
        config: object = None,
        tags: Mapping[str, Any] | None = None,
        composition_fn: UserFunction | None = None,
    ) -> GraphDefinition:
        """The graph that a composition function declared."""
        self = cls.__new__(cls)
        self._settle(
            name,
            composed.nodes,
            composed.dependencies,
            composed.input_mappings,
            output_mappings,
            description=description,
            config=config,
            tags=step_tags(tags, f"graph {name!r}"),
            input_assets=composed.input_assets,
            composition_fn=composition_fn,
            input_names=input_names,
        )
        return self

    @property
    def config_mapping(self) -> Any:
        """The function from its config to the config of its ops; None if it has none."""
        return self.config

    @property
    def has_config_mapping(self) -> bool:
        """Whether it has its own config."""
        return self.config is not None

    @property
    def config_schema(self) -> DefinitionConfigSchema | None:
        """The schema of its own config; None if it has none."""
        return self.config.config_schema if isinstance(self.config, ConfigMapping) else None

    def configured_schema(self, config_or_config_fn: Any, config_schema: Any) -> DefinitionConfigSchema:
        """What config the configured one takes.

        Raises:
            InvalidDefinitionError: it has no config.
        """
        if not isinstance(self.config, ConfigMapping):
            raise InvalidDefinitionError(
                f"{self!r} has no config mapping, so it cannot be configured: declare it with "
                "@graph(config=ConfigMapping(...))."
            )
        return super().configured_schema(config_or_config_fn, config_schema)

    def copy_for_configured(self, name: str, description: str | None, config_schema: Any) -> GraphDefinition:
        """A copy under another name, with another description and config schema."""
        made = copy.copy(self)
        made._own_job = None
        made.name = require_name(name, "a graph", "graph")
        made.description = description or self.description
        made.config = self.config.with_schema(config_schema) if isinstance(self.config, ConfigMapping) else None
        return made

    def invoke_directly(self, args: Sequence[object], kwargs: Mapping[str, object], alias: str | None = None) -> Any:
        """Refused: a graph has no function that could be called.

        Raises:
            InvariantViolationError: always.
        """
        raise InvariantViolationError(
            f"{self!r} cannot be called outside a @graph or @job function. Run it with "
            f"{self.name}.execute_in_process(...), or turn it into a job with to_job()."
        )

    def to_job(
        self,
        name: str | None = None,
        description: str | None = None,
        resource_defs: Mapping[str, object] | None = None,
        config: object = None,
        tags: Mapping[str, object] | None = None,
        metadata: Mapping[str, object] | None = None,
        logger_defs: Mapping[str, object] | None = None,
        executor_def: object = None,
        hooks: Set[Any] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        op_selection: Sequence[str] | None = None,
        partitions_def: Any = None,
        input_values: Mapping[str, object] | None = None,
        run_tags: Mapping[str, object] | None = None,
        owners: Sequence[str] | None = None,
        automation_condition: object = None,
    ) -> JobDefinition:
        """The graph as a job; the parameters are those of `job`, and `op_selection` to run a part of it."""
        what = f"job {name or self.name!r}"
        require_kind(what, "tags", tags, Mapping)
        require_kind(what, "run_tags", run_tags, Mapping)
        require_kind(what, "op_selection", op_selection, Iterable)
        job: JobDefinition = bound("job_definition")(
            graph_def=self,
            name=name,
            description=description or self.description,
            resource_defs=resource_defs,
            config=config,
            tags={**self.tags, **(tags or {})} if self.tags or tags else None,
            metadata=metadata,
            logger_defs=logger_defs,
            executor_def=executor_def,
            hook_defs=hooks,
            op_retry_policy=op_retry_policy,
            partitions_def=partitions_def,
            input_values=input_values,
            run_tags=None if run_tags is None else {**self.tags, **run_tags},
            owners=owners,
            _automation_condition=automation_condition,
        )
        return job if op_selection is None else job.get_subset(op_selection=op_selection)

    def coerce_to_job(self) -> JobDefinition:
        """The graph as a job with nothing added; the same object each time, wherever the graph is named as a job."""
        if self._own_job is None:
            self._own_job = self.to_job()
        return self._own_job

    def execute_in_process(
        self,
        run_config: Any = None,
        instance: Any = None,
        resources: Mapping[str, object] | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        run_id: str | None = None,
        input_values: Mapping[str, object] | None = None,
    ) -> ExecuteInProcessResult:
        """Runs the graph in this process, with values in memory; as `JobDefinition.execute_in_process`."""
        return self.to_job(resource_defs=resources).execute_in_process(
            run_config=run_config,
            instance=instance,
            raise_on_error=raise_on_error,
            op_selection=op_selection,
            run_id=run_id,
            input_values=input_values,
        )

    def __repr__(self) -> str:
        return f"GraphDefinition({self.name!r})"
