"""What there is to read of a job: its graph, its config, its partitions, and what its steps need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, cast

from segue.defs.bindings import bound
from segue.defs.flatten import Flat, all_definitions
from segue.defs.graph import GraphDefinition
from segue.defs.graph_structure import DependencyStructure
from segue.defs.node import NodeDefinition, NodeUse
from segue.defs.op import OpDefinition
from segue.defs.run_config import RunConfig
from segue.defs.type_checks import resources_of_types
from segue.defs.types.base import SegueType
from segue.errors import InvalidInvocationError, InvariantViolationError
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.node_handle import NodeHandle
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import BackfillPolicy, RetryPolicy

if TYPE_CHECKING:  # who only declares needs no graph of assets
    from segue.defs.asset_layer import AssetLayer
    from segue.defs.executor import ExecutorDefinition
    from segue.defs.run_config_schema import RunConfigSchema


class ReadableJob:
    """The parts of a job, and what they say.

    Attributes:
        name: unique among the jobs.
        graph, flat: its graph, and the steps of it.
        config, input_values, resource_defs, loggers, own_executor, partitions_def: what it was declared with.
        op_selection, resolved_op_selection: the steps that are run, as they were asked for and as their paths; all when None.
    """

    name: str
    graph: GraphDefinition
    flat: Flat
    config: Any
    input_values: Mapping[str, object]
    resource_defs: Mapping[str, object]
    loggers: Mapping[str, Any]
    own_executor: ExecutorDefinition | None
    partitions_def: PartitionsDefinition | None
    op_selection: frozenset[str] | None
    resolved_op_selection: frozenset[str] | None

    @property
    def is_asset_job(self) -> bool:
        """Whether its steps are those of assets."""
        return False

    @property
    def backfill_policy(self) -> BackfillPolicy:
        """How many partitions a run of a backfill makes: one, where none of its assets asks for more."""
        return BackfillPolicy.multi_run()

    @property
    def has_specified_executor(self) -> bool:
        """Whether it names an executor."""
        return self.own_executor is not None

    @property
    def executor_def(self) -> ExecutorDefinition:
        """How its steps are executed: its own executor, or the default, which a deployment may replace."""
        return self.own_executor or bound("default_executor")()

    @property
    def has_specified_loggers(self) -> bool:
        """Whether it names loggers."""
        return bool(self.loggers)

    @property
    def run_config(self) -> Mapping[str, Any] | None:
        """The run config its runs start with; None where it is a mapping or by partition."""
        if isinstance(self.config, RunConfig):
            return self.config.to_config_dict()
        return cast("Mapping[str, Any]", self.config) if isinstance(cast("object", self.config), Mapping) else None

    @property
    def config_mapping(self) -> Any:
        """The function from its config to the config of its ops; None if it has none."""
        config: Any = self.config
        is_plain = config is None or isinstance(config, (RunConfig, Mapping))
        return None if is_plain or self.partitioned_config is not None else config  # pyright: ignore[reportUnknownVariableType] reason: the user's object

    @property
    def partitioned_config(self) -> Any:
        """The config by partition; None without."""
        return self.config if hasattr(self.config, "get_run_config_for_partition_key") else None

    @property
    def nodes(self) -> Sequence[NodeUse]:
        """The uses of ops and graphs in its graph."""
        return self.graph.nodes

    @property
    def nodes_in_topological_order(self) -> Sequence[NodeUse]:
        """The uses, each after what it depends on."""
        return self.graph.nodes_in_topological_order

    @property
    def dependencies(self) -> Any:
        """What each input takes, by use and input."""
        return self.graph.dependencies

    @property
    def top_level_node_defs(self) -> Sequence[NodeDefinition]:
        """The ops and graphs its graph is made of."""
        return self.graph.node_defs

    @property
    def all_node_defs(self) -> Sequence[NodeDefinition]:
        """The ops and graphs it is made of, those inside of graphs included."""
        return list(all_definitions(self.graph).values())

    @property
    def run_config_schema(self) -> RunConfigSchema:
        """What its run config looks like, with the types of all entries."""
        return bound("run_config_schema")(self)

    @property
    def required_resource_keys(self) -> Set[str]:
        """The resources and IO managers that its steps need."""
        keys: set[str] = set()
        for op in self.flat.ops.values():
            keys |= needed_keys(op)
        for hooks in self.flat.hooks.values():
            keys.update(key for hook in hooks for key in hook.required_resource_keys)
        return keys

    def get_required_resource_defs(self) -> Mapping[str, object]:
        """The resources of its own that its steps need, by key."""
        needed = self.required_resource_keys
        return {key: resource for key, resource in self.resource_defs.items() if key in needed}

    def all_dagster_types(self) -> Sequence[SegueType]:
        """The types that its nodes take and give, with the built-in ones, each once."""
        return self.graph.all_dagster_types()

    @property
    def is_subset(self) -> bool:
        """Whether it is a part of a job."""
        return self.op_selection is not None

    def node_def_named(self, name: str) -> NodeDefinition:
        """The op or graph of this name.

        Raises:
            InvalidInvocationError: there is none.
        """
        found = all_definitions(self.graph).get(name)
        if found is None:
            raise InvalidInvocationError(f"{self!r} has no op or graph named {name!r}.")
        return found

    def has_node_named(self, name: str) -> bool:
        """Whether its graph has a use of this name."""
        return self.graph.has_node_named(name)

    def has_node(self, name: str) -> bool:
        """Whether it is made of an op or graph of this name, those inside of graphs included."""
        return name in all_definitions(self.graph)

    def get_node_named(self, name: str) -> NodeUse:
        """The use of this name in its graph."""
        return self.graph.node_named(name)

    def has_direct_input_value(self, input_name: str) -> bool:
        """Whether a value is given for an input."""
        return input_name in self.input_values

    def get_direct_input_value(self, input_name: str) -> object:
        """The value that is given for an input.

        Raises:
            InvalidInvocationError: there is none.
        """
        if input_name not in self.input_values:
            raise InvalidInvocationError(f"{self!r} has no value for the input {input_name!r}.")
        return self.input_values[input_name]

    @property
    def asset_selection(self) -> Set[AssetKey] | None:
        """The assets that a part of a job of assets makes; None for a whole job, and for one of ops."""
        return None

    @property
    def asset_check_selection(self) -> Set[AssetCheckKey] | None:
        """The checks that a part of a job of assets runs; None for a whole job, and for one of ops."""
        return None

    @property
    def asset_layer(self) -> AssetLayer:
        """The assets that it makes; a job of ops makes none."""
        return bound("layer_without_assets")()

    @property
    def dependency_structure(self) -> DependencyStructure:
        """What the nodes of its graph take from each other, to be asked by input and by output."""
        return self.graph.dependency_structure

    def get_node(self, handle: NodeHandle) -> NodeUse:
        """The use of an op or graph at a place in its graph, those inside of graphs included.

        Raises:
            InvariantViolationError: there is none.
        """
        return self.graph.get_node(handle)

    def get_op(self, handle: NodeHandle) -> NodeUse:
        """The use of an op at a place in its graph.

        Raises:
            InvariantViolationError: there is none, or it is a graph.
        """
        found = self.get_node(handle)
        if not isinstance(found.definition, OpDefinition):
            raise InvariantViolationError(f"{self!r}: {str(handle)!r} is a graph, not an op.")
        return found

    def get_all_hooks_for_handle(self, handle: NodeHandle) -> frozenset[Any]:
        """The hooks that run after a step: those of the job, of the graphs around it, and its own."""
        self.get_op(handle)
        return self.flat.hooks.get(str(handle), frozenset())

    def get_retry_policy_for_handle(self, handle: NodeHandle) -> RetryPolicy | None:
        """How a step is tried again."""
        self.get_op(handle)
        return next(step.retry_policy for step in self.flat.steps if step.path == str(handle))

    def get_partition_keys(self, selected_asset_keys: Set[AssetKey] | None = None) -> Sequence[str]:
        """The keys of its partitions that exist now.

        Args:
            selected_asset_keys: which of its assets a run is to make; all when None.

        Raises:
            InvalidInvocationError: it is not partitioned.
        """
        return self._partitions(selected_asset_keys).get_partition_keys()

    def validate_partition_key(
        self, partition_key: str, selected_asset_keys: Set[AssetKey] | None = None, context: Any = None
    ) -> None:
        """Refuses a key that it has not now.

        Args:
            partition_key: the partition.
            selected_asset_keys: which of its assets a run is to make; all when None.
            context: the time and the dynamic keys to ask with; the present ones when None.

        Raises:
            InvalidInvocationError: it is not partitioned.
            UnknownPartitionError: there is no such partition.
        """
        self._partitions(selected_asset_keys).validate_partition_key(partition_key, context=context)

    def get_tags_for_partition_key(
        self, partition_key: str, selected_asset_keys: Set[AssetKey] | None = None
    ) -> Mapping[str, str]:
        """The tags of a run for a partition: those that its config by partition gives, and those that name the partition.

        Args:
            partition_key: the partition; whether it exists is not asked.
            selected_asset_keys: which of its assets the run makes; all when None.

        Raises:
            InvalidInvocationError: it is not partitioned.
        """
        if self.partitioned_config is not None:
            return self.partitioned_config.get_tags_for_partition_key(partition_key)
        return self._partitions(selected_asset_keys).get_tags_for_partition_key(partition_key)

    def get_run_config_for_partition_key(self, partition_key: str) -> Mapping[str, Any]:
        """The run config of a partition; that of all runs where there is none by partition."""
        if self.partitioned_config is not None:
            return self.partitioned_config.get_run_config_for_partition_key(partition_key)
        return self.run_config or {}

    def partitions_of_assets(self, keys: Set[AssetKey]) -> PartitionsDefinition | None:
        """How some of its assets are partitioned; a job of ops has none.

        Raises:
            InvalidInvocationError: it is a job of ops.
        """
        raise InvalidInvocationError(f"{self!r} is an op job and has no assets: remove selected_asset_keys.")

    def _partitions(self, selected: Set[AssetKey] | None) -> PartitionsDefinition:
        found = self.partitions_of_assets(selected) if selected else self.partitions_def
        if found is None:
            raise InvalidInvocationError(
                f"{self!r} is not partitioned, or its assets have different partitions definitions."
            )
        return found

    def describe_target(self) -> str:
        """How errors name it."""
        return f"job {self.name!r}"


def needed_keys(op: OpDefinition) -> set[str]:
    """The resources and IO managers that an op needs, and the resources that its types need."""
    inputs = {each.input_manager_key for each in op.ins.values() if each.input_manager_key is not None}
    return {
        *op.required_resource_keys,
        *resources_of_types(op),
        *inputs,
        *(out.io_manager_key for out in op.outs.values()),
    }
