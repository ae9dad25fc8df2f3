"""The manifest: everything that user code declares, as frozen values that survive JSON.

`defs/describe.py` writes it once; the asset graph, the planner and everything on the control side read only this.

Nodes are trees of frozen values that never lead back to themselves, so the garbage collector need not visit them (`gc=False`): with
many thousands of assets it would do little else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from segue.model import codec
from segue.model.automation_nodes import ScheduleNode, SensorNode
from segue.model.condition.base import AnyCondition
from segue.model.freshness import AnyFreshnessPolicy
from segue.model.gates import AnyLimit
from segue.model.keys import DEFAULT_IO_MANAGER_KEY, AssetCheckKey, AssetKey
from segue.model.metadata import AnyMetadataValue
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.policies import AssetExecutionType, BackfillPolicy, RetryPolicy
from segue.model.source_location import SourceLocation
from segue.model.step_policy import StepPolicy
from segue.model.steps import GraphOutputNode, StepNode

MANIFEST_VERSION = 1


class DependencyNode(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A dependency on another asset; `mapping` None means the default for the two partitions definitions."""

    key: AssetKey
    mapping: PartitionMapping | None = None
    metadata: dict[str, AnyMetadataValue] = {}


class AssetNode(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One asset.

    Attributes:
        key: its name.
        deps: what it is made from.
        computation: the name of the computation that makes it; None for an external asset.
        output_name: the computation's output that carries it.
        io_manager_key: the resource that stores and loads its value.
        group_name ... freshness_policy: as the user declared them.
        is_observable: whether the computation looks at it and does not make it.
        is_virtual: whether it is a view of what it depends on.
    """

    key: AssetKey
    deps: tuple[DependencyNode, ...] = ()
    computation: str | None = None
    output_name: str | None = None
    io_manager_key: str = DEFAULT_IO_MANAGER_KEY
    group_name: str = "default"
    description: str | None = None
    metadata: dict[str, AnyMetadataValue] = {}
    tags: dict[str, str] = {}
    owners: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    code_version: str | None = None
    partitions: PartitionsDefinition | None = None
    backfill_policy: BackfillPolicy | None = None
    automation_condition: AnyCondition | None = None
    freshness_policy: AnyFreshnessPolicy | None = None
    is_observable: bool = False
    is_virtual: bool = False

    @property
    def is_materializable(self) -> bool:
        """Whether a run can make it."""
        return self.computation is not None and not self.is_observable

    @property
    def is_executable(self) -> bool:
        """Whether a run can make it or look at it."""
        return self.computation is not None

    @property
    def execution_type(self) -> AssetExecutionType:
        """What a run can do with it."""
        if self.is_observable:
            return AssetExecutionType.OBSERVATION
        return AssetExecutionType.MATERIALIZATION if self.is_executable else AssetExecutionType.UNEXECUTABLE

    @property
    def is_partitioned(self) -> bool:
        """Whether it is cut into partitions."""
        return self.partitions is not None

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How it is cut into partitions; what the compatible API calls `partitions`."""
        return self.partitions

    @property
    def parent_keys(self) -> frozenset[AssetKey]:
        """The assets it is made from."""
        return frozenset([dep.key for dep in self.deps])

    @property
    def has_self_dependency(self) -> bool:
        """Whether it is made from its own earlier partitions."""
        return self.key in self.parent_keys

    @property
    def partition_mappings(self) -> Mapping[AssetKey, PartitionMapping]:
        """The mappings that dependencies were declared with, by upstream key."""
        return {dep.key: dep.mapping for dep in self.deps if dep.mapping is not None}

    @property
    def is_external(self) -> bool:
        """Whether it is made elsewhere."""
        return self.computation is None or self.is_observable


class PlacedAssetNode(AssetNode, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One asset, as the graph shows it: with what stands around it.

    Attributes:
        child_keys: the assets that are made from it.
        check_keys: the checks that look at it.
        execution_set_entity_keys: the assets and checks that are made together or not at all, itself included.
    """

    child_keys: frozenset[AssetKey] = frozenset()
    check_keys: frozenset[AssetCheckKey] = frozenset()
    execution_set_entity_keys: frozenset[AssetKey | AssetCheckKey] = frozenset()

    @property
    def execution_set_asset_keys(self) -> frozenset[AssetKey]:
        """The assets that are made together or not at all, itself included."""
        return frozenset(key for key in self.execution_set_entity_keys if isinstance(key, AssetKey))

    @property
    def child_entity_keys(self) -> frozenset[AssetKey | AssetCheckKey]:
        """The assets that are made from it, and the checks that look at it."""
        return self.child_keys | self.check_keys

    @property
    def parent_entity_keys(self) -> frozenset[AssetKey]:
        """The assets it is made from: `parent_keys`."""
        return self.parent_keys


class CheckNode(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One check; its computation is either a step of its own or that of the asset."""

    asset_key: AssetKey
    name: str
    computation: str
    output_name: str
    blocking: bool = False
    description: str | None = None
    metadata: dict[str, AnyMetadataValue] = {}
    deps: tuple[DependencyNode, ...] = ()
    automation_condition: AnyCondition | None = None
    partitions: PartitionsDefinition | None = None

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How it is cut into partitions; what the compatible API calls `partitions`."""
        return self.partitions

    @property
    def parent_entity_keys(self) -> frozenset[AssetKey]:
        """The assets it reads."""
        return frozenset((self.asset_key, *self.dep_keys))

    @property
    def dep_keys(self) -> tuple[AssetKey, ...]:
        """The assets it reads besides its own."""
        return tuple([dep.key for dep in self.deps])

    @property
    def key(self) -> AssetCheckKey:
        """Asset and name."""
        return AssetCheckKey(self.asset_key, self.name)


class InputNode(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An input of a computation: the asset whose value it takes, and who loads it when not the asset's own IO manager."""

    name: str
    asset_key: AssetKey
    io_manager_key: str | None = None


class OutputNode(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An output of a computation: an asset, a check, or (of an op) a value for other steps.

    Attributes:
        name: unique in the computation.
        asset_key, check_name, check_asset_key: what it carries.
        is_required: whether it must be given.
        io_manager_key: the resource that stores the value of an op's output; an asset says that itself.
        is_dynamic: whether it gives any number of values, each under a mapping key.
    """

    name: str
    asset_key: AssetKey | None = None
    check_name: str | None = None
    check_asset_key: AssetKey | None = None
    is_required: bool = True
    io_manager_key: str = DEFAULT_IO_MANAGER_KEY
    is_dynamic: bool = False


class ComputationNode(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One function of the user that a step can run, or a graph of them behind assets.

    Attributes:
        name: the step's key.
        inputs, outputs: what it takes and gives.
        resource_keys: the resources it needs, IO managers not included.
        retry_policy: how it is retried.
        step_policy: how its step is to be run.
        can_subset: whether a run may ask for some of its outputs only.
        has_config: whether it takes config.
        tags: tags on the step.
        description: for people.
        source: where it stands.
        steps: of a graph behind assets: the steps that it stands for, by path.
        step_outputs: of a graph behind assets: the step output that each of its outputs is.
        pool: the pool whose slots its step takes, for those who schedule steps.
    """

    name: str
    inputs: tuple[InputNode, ...] = ()
    outputs: tuple[OutputNode, ...] = ()
    resource_keys: tuple[str, ...] = ()
    retry_policy: RetryPolicy | None = None
    step_policy: StepPolicy | None = None
    can_subset: bool = False
    has_config: bool = False
    tags: dict[str, str] = {}
    description: str | None = None
    source: SourceLocation | None = None
    steps: tuple[StepNode, ...] = ()
    step_outputs: tuple[GraphOutputNode, ...] = ()
    pool: str | None = None


class JobNode(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """One job: the assets and checks it runs, with its selection already resolved to keys; or the steps of its ops.

    Attributes:
        name: unique among the jobs.
        assets, checks: what it runs.
        description, metadata, owners: for people.
        tags: tags of its runs.
        own_tags: tags of the job alone, where its runs have others.
        run_config: what its runs start with.
        steps: of a job of ops: its steps, each after what it depends on.
        partitions: of a job of ops: how it is partitioned.
        automation_condition: when to request it.
        op_retry_policy: of a job of assets: for steps that name no retry policy themselves.
    """

    name: str
    assets: tuple[AssetKey, ...] = ()
    checks: tuple[tuple[AssetKey, str], ...] = ()
    description: str | None = None
    tags: dict[str, str] = {}
    own_tags: dict[str, str] = {}
    run_config: dict[str, object] = {}
    metadata: dict[str, AnyMetadataValue] = {}
    owners: tuple[str, ...] = ()
    steps: tuple[StepNode, ...] = ()
    partitions: PartitionsDefinition | None = None
    automation_condition: AnyCondition | None = None
    op_retry_policy: RetryPolicy | None = None


class ResourceNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """One resource: its key, the kind of thing it is, and the limits on calling it."""

    key: str
    type_name: str
    description: str | None = None
    limits: tuple[AnyLimit, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one set of definitions declares."""

    version: int = MANIFEST_VERSION
    assets: tuple[AssetNode, ...] = ()
    checks: tuple[CheckNode, ...] = ()
    computations: tuple[ComputationNode, ...] = ()
    jobs: tuple[JobNode, ...] = ()
    schedules: tuple[ScheduleNode, ...] = ()
    sensors: tuple[SensorNode, ...] = ()
    resources: tuple[ResourceNode, ...] = ()
    metadata: dict[str, AnyMetadataValue] = {}


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON: the same declarations give the same bytes."""
    return codec.encode(manifest)


def decode_manifest(data: bytes) -> Manifest:
    """The manifest written by `encode_manifest`."""
    return _decoder().decode(data)


@cache
def _decoder() -> msgspec.json.Decoder[Manifest]:
    return codec.decoder(Manifest)
