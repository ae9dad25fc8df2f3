"""The partitions that a step makes and takes, and the assets behind its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segue.defs.assets_definition import AssetsDefinition
from segue.errors import InvariantViolationError
from segue.execute.run_scope import RunScope
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow
from segue.model.partitions.mapping_choice import default_mapping, upstream_subset
from segue.model.partitions.subset import PartitionSubset, typed_keys_of_subset
from segue.model.partitions.subset_window import time_window_of_subset
from segue.model.run import Run
from segue.plan.dependency import declared_dependency
from segue.plan.plan import PlanStep


class StepPartitions:
    """What an attempt of a step knows of partitions."""

    scope: RunScope
    step: PlanStep
    step_key: str
    run: Run
    definition: AssetsDefinition | None

    @property
    def partition_range(self) -> PartitionKeyRange | None:
        """First and last partition of the run."""
        start, end = self.run.partition_start, self.run.partition_end
        if start is None or end is None:
            return None
        known = self.scope.partitions_def
        return (
            PartitionKeyRange(start, end) if known is None else PartitionKeyRange(*map(known.typed_key, (start, end)))
        )

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How the run's assets are partitioned."""
        return self.scope.partitions_def and self.scope.partitions_def.declared

    def asset_partitions_def(self, key: AssetKey) -> PartitionsDefinition | None:
        """How an asset of these definitions is partitioned."""
        node = self.scope.described.graph.nodes.get(key)
        return None if node is None or node.partitions is None else node.partitions.declared

    def partition_keys(self) -> Sequence[str]:
        """The partitions of the run, in order."""
        definition, subset = self._partitions()
        return typed_keys_of_subset(definition, subset, self.scope.now)

    def input_partitions_def(self, input_name: str) -> PartitionsDefinition | None:
        """How the asset behind an input is partitioned."""
        key = self.input_asset_keys.get(input_name)
        return None if key is None else self.asset_partitions_def(key)

    def input_partition_keys(self, input_name: str) -> Sequence[str]:
        """The upstream partitions that an input takes."""
        definition, subset = self._input_partitions(input_name)
        return typed_keys_of_subset(definition, subset, self.scope.now)

    def input_time_window(self, input_name: str) -> TimeWindow:
        """The time that the upstream partitions of an input span."""
        definition, subset = self._input_partitions(input_name)
        return time_window_of_subset(definition, subset, self.scope.now)

    def _input_partitions(self, input_name: str) -> tuple[PartitionsDefinition, PartitionSubset]:
        for each in self.step.inputs:
            if each.name == input_name and each.partitions is not None and each.asset_key is not None:
                definition = self.scope.described.graph.nodes[each.asset_key].partitions
                if definition is not None:
                    return definition, each.partitions
        waited_for = None if any(each.name == input_name for each in self.step.inputs) else self._waited_for(input_name)
        if waited_for is not None:
            return waited_for
        raise InvariantViolationError(f"The input {input_name!r} of {self.step_key!r} has no partitions.")

    def _waited_for(self, input_name: str) -> tuple[PartitionsDefinition, PartitionSubset] | None:
        """The upstream partitions of an asset that the step takes no value of; None if they are not known."""
        graph, now = self.scope.described.graph, self.scope.now
        key = self.input_asset_keys.get(input_name)
        upstream = None if key is None or key not in graph.nodes else graph.nodes[key].partitions
        if key is None or upstream is None:
            return None
        made = [each.asset_key for each in self.step.outputs if each.asset_key is not None]
        mapping, downstream = declared_dependency(graph, made, key)
        if downstream is not None and self.scope.subset is None:
            return None
        mapping = mapping or default_mapping(upstream, downstream)
        subset = None if downstream is None else self.scope.subset
        return upstream, upstream_subset(mapping, subset, downstream, upstream, now)

    def time_window(self) -> TimeWindow:
        """The time that the run's partitions span."""
        definition, subset = self._partitions()
        return time_window_of_subset(definition, subset, self.scope.now)

    def _partitions(self) -> tuple[PartitionsDefinition, PartitionSubset]:
        if self.scope.partitions_def is None or self.scope.subset is None:
            raise InvariantViolationError("This run has no partitions: check has_partitions first.")
        return self.scope.partitions_def, self.scope.subset

    @property
    def input_asset_keys(self) -> Mapping[str, AssetKey]:
        """The assets behind the inputs, those included that the step only waits for."""
        taken = {each.name: each.asset_key for each in self.step.inputs if each.asset_key is not None}
        if self.definition is None or self.step.graph is not None:
            return taken
        return {**self.definition.node_keys_by_input_name, **taken}
