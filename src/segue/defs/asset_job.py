"""Jobs of assets as their definitions resolve them: what `Definitions.get_job_def` gives for them."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import msgspec

from segue.defs.asset_job_graph import graph_of_job
from segue.defs.asset_layer import AssetLayer
from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.bindings import bound
from segue.defs.defined_graph import DefinedAssetGraph
from segue.defs.definitions import Definitions
from segue.defs.job import UnresolvedAssetJobDefinition, define_asset_job
from segue.defs.job_definition import JobDefinition, no_such_inputs
from segue.defs.run_config import RunConfig
from segue.errors import InvalidSubsetError, UnresolvedSelectionError
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from segue.model.manifest import JobNode
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import BackfillPolicy
from segue.model.selection import AssetSelection
from segue.model.turns import entity_of

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition

_ATTRIBUTES = {"logger_defs": "loggers", "executor_def": "own_executor"}


class AssetJobDefinition(JobDefinition):
    """A job of assets, with its selection resolved.

    Attributes:
        definitions: what its assets belong to.
        asset_keys, check_keys: what it makes and checks.
        automation_condition: when to request it.
    """

    _loads_open_inputs = True
    definitions: Definitions
    asset_keys: frozenset[AssetKey]
    check_keys: frozenset[AssetCheckKey]
    automation_condition: AnyCondition | None

    @classmethod
    def resolved(cls, definitions: Definitions, node: JobNode) -> AssetJobDefinition:
        """The job that a node of the manifest describes.

        Args:
            definitions: what it belongs to.
            node: the job as data.
        """
        described = definitions.described
        declared = described.asset_jobs.get(node.name)
        self = cls(
            graph_def=graph_of_job(described, node.name, node.assets, [AssetCheckKey(*each) for each in node.checks]),
            resource_defs=described.resources,
            executor_def=described.executor if declared is None else declared.executor_def,
            logger_defs=described.loggers,
            name=node.name,
            config=None if declared is None else declared.config,
            description=node.description,
            tags=node.own_tags or node.tags,
            run_tags=node.tags if node.own_tags else None,
            metadata=node.metadata,
            hook_defs=None if declared is None else declared.hooks,
            op_retry_policy=node.op_retry_policy,
            owners=node.owners,
        )
        self.definitions = definitions
        self.asset_keys = frozenset(node.assets)
        self.check_keys = frozenset([AssetCheckKey(asset, name) for asset, name in node.checks])
        self.automation_condition = node.automation_condition
        self.partitions_def = _partitions_of(described.graph, node.assets)
        return self

    @property
    def backfill_policy(self) -> BackfillPolicy:
        """How many partitions a run of a backfill makes: as many as every one of its partitioned assets allows."""
        nodes = [self.definitions.described.graph.nodes[key] for key in self.asset_keys]
        policies = [each.backfill_policy or BackfillPolicy.multi_run() for each in nodes if each.partitions is not None]
        least = min((each.max_partitions_per_run or math.inf for each in policies), default=1)
        return BackfillPolicy(None if least == math.inf else int(least))

    def execute_in_process(
        self,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        instance: Any = None,
        partition_key: str | None = None,
        raise_on_error: bool = True,
        op_selection: Sequence[str] | None = None,
        asset_selection: Sequence[CoercibleToAssetKey] | None = None,
        run_id: str | None = None,
        input_values: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        resources: Mapping[str, object] | None = None,
    ) -> Any:
        """Makes the assets of the job in this process, one step after the other.

        Args:
            run_config: config by op and resource.
            instance: the instance that records the run and stores values; an ephemeral one when None.
            partition_key: the partition to materialize.
            raise_on_error: whether to raise the exception of the first failed step; otherwise it is in the result.
            op_selection: the steps to run (`["a", "b+", "*c"]`), instead of `asset_selection`.
            asset_selection: which of the assets to make; all when None or empty.
            run_id: the id of the run; a new one when None.
            input_values: for jobs of ops only.
            tags: tags for the run.
            resources: resources by key, before those of the definitions.

        Returns:
            Events, values and state of the run.

        Raises:
            InvalidConfigError, InvalidSubsetError, UnknownPartitionError: the request is not valid.
            Exception: what user code raised, with `raise_on_error`.
        """
        if input_values:
            raise no_such_inputs(f"job {self.name!r}", list(input_values), ())
        job = self
        if op_selection or asset_selection:
            job = self.get_subset(op_selection=op_selection, asset_selection=asset_selection)
        return bound("execute_asset_job")(
            job,
            run_config=run_config,
            instance=instance,
            partition_key=partition_key,
            raise_on_error=raise_on_error,
            run_id=run_id,
            tags=tags,
            resources=resources,
        )

    def get_subset(
        self,
        *,
        op_selection: Iterable[str] | None = None,
        asset_selection: Iterable[CoercibleToAssetKey] | None = None,
        asset_check_selection: Iterable[AssetCheckKey] | None = None,
    ) -> AssetJobDefinition:
        """A copy that makes some of the assets only, and runs the checks on them.

        Args:
            op_selection: the steps (`["a", "b+", "*c"]`), instead of assets and checks.
            asset_selection: the assets; all when None or empty, unless checks are given.
            asset_check_selection: the checks; those on the assets when None.

        Raises:
            InvalidSubsetError: something that the job does not make or check, or a part of what is made all at once.
        """
        if op_selection:
            if asset_selection or asset_check_selection:
                raise InvalidSubsetError(f"{self!r}: both op_selection and asset_selection were provided; keep one.")
            asset_selection, asset_check_selection = self._made_by(op_selection)
        elif not asset_selection and not asset_check_selection:
            return self
        keys = self.asset_keys
        if asset_selection is not None:
            keys = frozenset(map(AssetKey.from_coercible, asset_selection))
        checks = frozenset([key for key in self.check_keys if asset_selection is None or key.asset_key in keys])
        if asset_check_selection is not None:
            checks = frozenset(asset_check_selection)
            keys = keys if asset_selection is not None else frozenset[AssetKey]()
        strange = [key.to_user_string() for key in sorted(keys - self.asset_keys)]
        strange += [key.to_user_string() for key in sorted(checks - self.check_keys)]
        if strange:
            raise UnresolvedSelectionError(
                f"{self!r} does not include {', '.join(map(repr, strange))}; available: {_shown(self.asset_keys)}."
            )
        self.definitions.asset_graph.require_whole(keys)
        graph = graph_of_job(self.definitions.described, self.name, keys, checks)
        made = self.replaced(asset_keys=keys, check_keys=checks, graph=graph)
        made.partitions_def = _partitions_of(self.definitions.asset_graph, keys)
        return made

    def _made_by(self, op_selection: Iterable[str]) -> tuple[set[AssetKey], set[AssetCheckKey]]:
        """What some of the steps make and check; a graph that one reaches comes whole.

        Raises:
            InvalidSubsetError: a step that there is not, or ops of a graph without the others.
        """
        clauses = list(op_selection)
        paths: frozenset[str] = bound("select_steps")(self.flat.steps, clauses)
        nodes = {path.partition(".")[0] for path in paths}
        left_out = sorted(
            step.path for step in self.flat.steps if step.path.partition(".")[0] in nodes and step.path not in paths
        )
        if left_out and any("." in clause for clause in clauses):
            raise InvalidSubsetError(
                f"{self!r}: op_selection includes a part of a graph, whose ops run together; add {', '.join(left_out)}."
            )
        graph = self.definitions.asset_graph
        functions = {self.graph.uses[node].definition.name for node in nodes}
        made = {entity_of(output) for name in functions for output in graph.computations[name].outputs}
        return {key for key in self.asset_keys if key in made}, {key for key in self.check_keys if key in made}

    @property
    def is_asset_job(self) -> bool:
        """True."""
        return True

    @property
    def asset_layer(self) -> AssetLayer:
        """Its assets, and those around them."""
        return AssetLayer(self.definitions.asset_graph, self.asset_keys, self.check_keys)

    @property
    def asset_selection(self) -> Set[AssetKey] | None:
        """The assets that it makes, where it is a part of a job; else None."""
        return self.asset_keys if self.is_subset else None

    @property
    def asset_check_selection(self) -> Set[AssetCheckKey] | None:
        """The checks that it runs, where it is a part of a job; else None."""
        return self.check_keys if self.is_subset else None

    def partitions_of_assets(self, keys: Set[AssetKey]) -> PartitionsDefinition | None:
        """How some of its assets are partitioned; None where there are several ways, or none."""
        return _partitions_of(self.definitions.asset_graph, keys)

    @property
    def declared(self) -> UnresolvedAssetJobDefinition:
        """The job as it would be declared to select the same."""
        given = self.definitions.described.asset_jobs.get(self.name) or define_asset_job(self.name)
        if not self.is_subset:
            return given
        selection = AssetSelection.assets(*sorted(self.asset_keys)).without_checks()
        return msgspec.structs.replace(given, selection=selection | AssetSelection.checks(*sorted(self.check_keys)))

    @property
    def is_subset(self) -> bool:
        """Whether it is a part of a job."""
        node = self.definitions.asset_graph.jobs.get(self.name)
        if node is None:
            return False
        checks = frozenset([AssetCheckKey(*each) for each in node.checks])
        return (frozenset(node.assets), checks) != (self.asset_keys, self.check_keys)

    def replaced(self, **changes: Any) -> AssetJobDefinition:
        """A copy with other attributes."""
        made = copy.copy(self)
        for name, value in changes.items():
            setattr(made, _ATTRIBUTES.get(name, name), value)
        return made


def resolve_asset_job(
    job: UnresolvedAssetJobDefinition,
    asset_graph: DefinedAssetGraph,
    executor: object = None,
    resources: Mapping[str, object] | None = None,
) -> JobDefinition:
    """The job over the assets of a graph.

    Args:
        job: what was declared.
        asset_graph: the assets among which its selection is resolved.
        executor: how its steps are executed, where it does not say it.
        resources: the resources of the assets.
    """
    checks = [each for each in asset_graph.assets_defs if isinstance(each, AssetChecksDefinition)]
    assets = [each for each in asset_graph.assets_defs if not isinstance(each, AssetChecksDefinition)]
    given = Definitions(assets=assets, asset_checks=checks, jobs=[job], executor=executor, resources=resources)
    return given.get_job_def(job.name)


def _partitions_of(graph: AssetGraph, keys: Iterable[AssetKey]) -> PartitionsDefinition | None:
    """How all partitioned assets among these are partitioned; None where there are several ways, or none."""
    found: list[PartitionsDefinition] = []
    for key in keys:
        own: Any = graph.nodes[key].partitions
        own = None if own is None else getattr(own, "declared", own)  # without the keys that were listed for a run
        if own is not None and own not in found:
            found.append(own)
    return found[0] if len(found) == 1 else None


def _shown(keys: Iterable[AssetKey]) -> str:
    return ", ".join(sorted(key.to_user_string() for key in keys)) or "none"
