"""From what users declare to a manifest, once. Every error in the definitions is reported together with the others."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.collect import Collection, Source
from segue.defs.cycles import check_cycles
from segue.defs.definitions_reading import ReadableDefinitions, unique
from segue.defs.describe_automation import (
    assets_with,
    jobs_with,
    note_names_used_twice,
    resolved_schedules,
    schedule_nodes,
    sensor_nodes,
    targets_of,
)
from segue.defs.describe_partitions import check_partitions
from segue.defs.executor import ExecutorDefinition
from segue.defs.flatten import Flat, flatten
from segue.defs.graph import GraphDefinition
from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.job_nodes import asset_job_node, op_computation_node, op_job_node
from segue.defs.limit_tags import check_limit_tags
from segue.defs.logger import LoggerDefinition, default_loggers
from segue.defs.metadata import described_metadata
from segue.defs.node import NodeDefinition
from segue.defs.op import OpDefinition
from segue.defs.partitioned_config import PartitionedConfig
from segue.defs.resource_nodes import resource_nodes
from segue.defs.schedule import ScheduleDefinition
from segue.defs.trigger_inputs import require_defaults
from segue.errors import DefinitionErrors, InvalidDefinitionError, SegueError, UnresolvedSelectionError
from segue.model.assets import DEFAULT_GROUP, AssetDep, AssetSpec
from segue.model.automation_nodes import ScheduleNode, SensorNode
from segue.model.failure_class import FailureRule
from segue.model.gates import AnyLimit
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.manifest import (
    AssetNode,
    CheckNode,
    ComputationNode,
    DependencyNode,
    InputNode,
    JobNode,
    Manifest,
    OutputNode,
    encode_manifest,
)
from segue.model.metadata import AnyMetadataValue
from segue.model.steps import AssetSource

# One for all nodes that have none; nodes are frozen, and nobody writes into them.
_NO_METADATA: dict[str, AnyMetadataValue] = {}
_NO_TAGS: dict[str, str] = {}
_NO_STEPS = Flat((), {}, {}, ())


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest, its graph, and the user's side of it.

    Attributes:
        manifest, graph: everything declared, as data.
        ops: the computation behind each step key.
        specs: the spec of each asset.
        definitions, nodes: the definition behind each step key, and its op or graph where it has one.
        jobs, asset_jobs: the jobs of ops, and those of assets, by name.
        resources: the resources by key, as declared.
        partitioned_configs: the config by partition of the jobs that have one, by name.
        schedules: the schedules by name, those of partitioned jobs completed.
        loggers, executor: those of jobs that name none.
        failure_rules: which failures are of which class, before the built-in rules.
        resource_limits: the limits of the resources that have some, by key.
        unclear_dependencies: errors about dependencies that load, and of which nothing says how partitions belong together.
    """

    manifest: Manifest
    graph: AssetGraph
    ops: Mapping[str, OpDefinition]
    specs: Mapping[AssetKey, AssetSpec]
    definitions: Mapping[str, AssetsDefinition]
    nodes: Mapping[str, NodeDefinition]
    resources: Mapping[str, object]
    jobs: Mapping[str, JobDefinition] = {}
    partitioned_configs: Mapping[str, PartitionedConfig] = {}
    asset_jobs: Mapping[str, UnresolvedAssetJobDefinition] = {}
    schedules: Mapping[str, ScheduleDefinition] = {}
    loggers: Mapping[str, LoggerDefinition] = {}
    executor: ExecutorDefinition | None = None
    failure_rules: tuple[FailureRule, ...] = ()
    resource_limits: Mapping[str, tuple[AnyLimit, ...]] = {}
    unclear_dependencies: tuple[InvalidDefinitionError, ...] = ()

    def run_loggers(self, job_name: str) -> Mapping[str, LoggerDefinition]:
        """The loggers that the run config of a job may name, by key."""
        job = self.jobs.get(job_name)
        return (self.loggers if job is None else job.loggers) or default_loggers()

    def run_executor(self, job_name: str) -> ExecutorDefinition | None:
        """The executor of a job; None for that of the deployment."""
        if job_name in self.jobs:
            return self.jobs[job_name].own_executor
        return self.asset_jobs[job_name].executor_def if job_name in self.asset_jobs else self.executor

    def encoded_manifest(self) -> bytes:
        """The manifest as JSON."""
        return encode_manifest(self.manifest)

    def op_of(self, job_name: str, step_key: str, graph: str | None) -> OpDefinition | None:
        """The op behind a step of a job of ops, or of a graph behind assets."""
        path = step_key.partition("[")[0]
        if graph is None and job_name in self.jobs:
            return self.jobs[job_name].flat.ops.get(path)
        node = None if graph is None else self.graph.computations.get(graph)
        if graph is not None:  # a later turn of the graph has another name in front of its steps
            path = f"{graph}.{path.partition('.')[2]}"
        found = next((step.computation for step in node.steps if step.path == path), None) if node else None
        return None if found is None else self.ops.get(found)

    def for_job(self, job_name: str) -> Described:
        """The same with the resources of a job before those of all."""
        job = self.jobs.get(job_name)
        if job is None or not job.resource_defs:
            return self
        return msgspec.structs.replace(self, resources={**self.resources, **job.resource_defs})

    def with_resource(self, key: str, resource: object) -> Described:
        """The same with one more resource."""
        return msgspec.structs.replace(self, resources={**self.resources, key: resource})


def describe_definitions(parts: ReadableDefinitions, *, checks_resources: bool = True) -> Described:
    """The manifest of some definitions, with what only their schedules and sensors name.

    Args:
        parts: the definitions.
        checks_resources: whether the resources of assets must be there, and fit together.

    Raises:
        InvalidDefinitionError: as `describe`.
    """
    schedules, sensors = unique(parts.schedules), unique(parts.sensors)
    targets = targets_of(schedules, sensors)
    described = describe(
        Source(
            assets=assets_with(parts.assets, targets),
            asset_checks=parts.asset_checks,
            jobs=jobs_with(parts.jobs, targets),
            resources=parts.resources,
            metadata=parts.metadata,
            schedules=schedules,
            sensors=sensors,
            loggers=parts.loggers,
            executor=parts.executor,
            resource_limits=parts.resource_limits,
            checks_resources=checks_resources,
        )
    )
    rules, limits = tuple(parts.failure_rules), parts.resource_limits
    if not rules and not limits:
        return described
    return msgspec.structs.replace(described, failure_rules=rules, resource_limits=limits)


def describe(source: Source) -> Described:
    """The manifest of what is declared.

    Raises:
        InvalidDefinitionError: it does not fit together; several errors come together as DefinitionErrors.
    """
    collection = Collection(source)
    collection.collect()
    check_cycles(collection)
    check_limit_tags(collection)
    manifest = _manifest(collection)
    graph = AssetGraph(manifest)
    unclear = check_partitions(collection, graph)
    jobs = _jobs(collection, graph)
    op_jobs = {
        job.name: completed_job(job, source.executor, source.loggers)
        for job in source.jobs
        if isinstance(job, JobDefinition)
    }
    schedules = resolved_schedules(source.schedules, {job.name: job for job in jobs}, graph, collection.error)
    schedule_data, sensor_data = _automation(collection, graph, jobs, schedules)
    errors = collection.errors
    if errors:
        raise errors[0] if len(errors) == 1 else DefinitionErrors(errors)
    if jobs or schedule_data or sensor_data:
        manifest = msgspec.structs.replace(manifest, jobs=tuple(jobs), schedules=schedule_data, sensors=sensor_data)
        graph = AssetGraph(manifest)
    nodes = {name: each.node_def for name, each in collection.definitions.items() if each.node_def is not None}
    ops = {name: node for name, node in nodes.items() if isinstance(node, OpDefinition)}
    ops.update(collection.job_ops)
    return Described(
        manifest=manifest,
        graph=graph,
        ops=ops,
        specs=collection.specs,
        definitions=collection.definitions,
        nodes=nodes,
        resources=collection.resources,
        jobs=op_jobs,
        partitioned_configs={job.name: job.config for job in source.jobs if isinstance(job.config, PartitionedConfig)},
        asset_jobs={
            job.name: msgspec.structs.replace(job, executor_def=job.executor_def or source.executor)
            for job in source.jobs
            if isinstance(job, UnresolvedAssetJobDefinition)
        },
        schedules={each.name: each for each in schedules},
        loggers=source.loggers,
        executor=source.executor,
        unclear_dependencies=unclear,
    )


def completed_job(
    job: JobDefinition, executor: ExecutorDefinition | None, loggers: Mapping[str, LoggerDefinition]
) -> JobDefinition:
    """A job with the executor and loggers of its definitions, where it names none."""
    if executor is not None and not job.has_specified_executor:
        job = job.with_executor_def(executor)
    if loggers and not job.has_specified_loggers:
        job = job.with_logger_defs(loggers)
    return job


def _manifest(collection: Collection) -> Manifest:
    """What was collected, as data, without the jobs."""
    checks: list[CheckNode] = []
    computations: list[ComputationNode] = []
    assets: list[AssetNode] = []
    known: dict[int, DependencyNode] = {}
    for name, definition in collection.definitions.items():
        # All that is made of a definition at once: with many, going through them a second time means fetching them again.
        computations.append(_computation_node(collection, definition))
        assets += [_asset_node(collection, spec, known) for spec in definition.specs_by_output.values()]
        checks += [
            CheckNode(
                asset_key=spec.asset_key,
                name=spec.name,
                computation=name,
                output_name=output,
                blocking=spec.blocking,
                description=spec.description,
                metadata=described_metadata(spec.metadata),
                deps=tuple([DependencyNode(dep.asset_key, dep.partition_mapping) for dep in spec.additional_deps]),
                partitions=spec.partitions_def,
                automation_condition=spec.automation_condition,
            )
            for output, spec in definition.checks_by_output.items()
        ]
    computations += [op_computation_node(op) for op in collection.job_ops.values()]
    source = collection.source
    described = {node.key for node in assets} if collection.errors else collection.made_by
    elsewhere = [spec for key, spec in collection.specs.items() if key not in described]
    assets += [_asset_node(collection, spec, known) for spec in elsewhere]
    return Manifest(
        assets=tuple(assets),
        checks=tuple(checks),
        computations=tuple(computations),
        resources=resource_nodes(collection),
        metadata=dict(source.metadata),
    )


def _asset_node(collection: Collection, spec: AssetSpec, known: dict[int, DependencyNode]) -> AssetNode:
    made = collection.made_by.get(spec.key)
    definition, output = made or (None, None)
    manager = collection.io_manager_key(spec.key) if made is None else made[0].io_manager_key_of(made[1])
    return AssetNode(
        key=spec.key,
        deps=_dependency_nodes(collection, spec, known),
        computation=None if definition is None else definition.name,
        output_name=output,
        io_manager_key=manager,
        group_name=spec.group_name or DEFAULT_GROUP,
        description=spec.description,
        metadata=described_metadata(spec.metadata) if spec.metadata else _NO_METADATA,
        tags=dict(spec.tags) if spec.tags else _NO_TAGS,
        owners=tuple(spec.owners),
        kinds=tuple(sorted(spec.kinds)) if spec.tags else (),
        code_version=spec.code_version,
        partitions=spec.partitions_def,
        backfill_policy=None if definition is None else definition.backfill_policy,
        automation_condition=spec.automation_condition,
        freshness_policy=spec.freshness_policy,
        is_observable=definition is not None and definition.is_observable,
        is_virtual=spec.is_virtual,
    )


def _dependency_nodes(
    collection: Collection, spec: AssetSpec, known: dict[int, DependencyNode]
) -> tuple[DependencyNode, ...]:
    """Each upstream asset once, also where an input's name and `deps` mean the same one."""
    if not collection.has_renamed:
        return tuple([_dependency_node(dep.asset_key, dep, known) for dep in spec.deps])
    found: dict[AssetKey, DependencyNode] = {}
    for key, dep in zip(collection.deps_of(spec), spec.deps, strict=True):
        if key not in found or found[key] == DependencyNode(key):
            found[key] = _dependency_node(key, dep, known)
    return tuple(found.values())


def _dependency_node(key: AssetKey, dep: AssetDep, known: dict[int, DependencyNode]) -> DependencyNode:
    """The node of a dependency.

    Args:
        key: the asset.
        dep: what is declared; many assets hold the same object, and get the same node.
        known: the nodes of dependencies of which nothing more is declared, by the id of that object.
    """
    if dep.metadata or dep.partition_mapping is not None:
        metadata = described_metadata(dep.metadata) if dep.metadata else _NO_METADATA
        return DependencyNode(key, dep.partition_mapping, metadata)
    found = known.get(id(dep))
    if found is None or found.key is not key:  # another key where the name of an input was tied to another asset
        found = known[id(dep)] = DependencyNode(key, None, _NO_METADATA)
    return found


def _computation_node(collection: Collection, definition: AssetsDefinition) -> ComputationNode:
    node, flat = definition.node_def, _NO_STEPS
    assert node is not None  # an external asset has no computation
    inputs = [
        InputNode(name, collection.asset_behind(definition, asset), definition.input_manager_keys.get(name))
        for name, asset in definition.keys_by_input.items()
    ]
    if isinstance(node, GraphDefinition):
        sources = {each.name: AssetSource(each.asset_key, each.io_manager_key) for each in inputs}
        prefix, hooks = f"{node.name}.", definition.hook_defs
        flat = flatten(node, sources, prefix=prefix, hooks=hooks, step_policy=node.step_policy)
    optional = definition.optional_outputs
    outputs = [
        OutputNode(output, asset_key=spec.key, is_required=output not in optional)
        for output, spec in definition.specs_by_output.items()
    ]
    outputs += [
        OutputNode(output, check_name=spec.name, check_asset_key=spec.asset_key, is_required=output not in optional)
        for output, spec in definition.checks_by_output.items()
    ]
    op = node if isinstance(node, OpDefinition) else None
    if op is not None:
        try:
            require_defaults(op, op.step_policy, definition.keys_by_input, f"the step {op.name!r}")
        except InvalidDefinitionError as error:
            collection.errors.append(error)
    return ComputationNode(
        name=node.name,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        resource_keys=tuple(sorted(definition.resource_keys)),
        retry_policy=None if op is None else op.retry_policy,
        step_policy=None if op is None else op.step_policy,
        can_subset=definition.can_subset,
        has_config=op is None or op.has_config,
        tags=dict(node.tags) if node.tags else _NO_TAGS,
        description=node.description,
        source=definition.source,
        steps=flat.steps,
        step_outputs=flat.outputs,
        pool=None if op is None else op.pool,
    )


def _jobs(collection: Collection, graph: AssetGraph) -> list[JobNode]:
    """The jobs with their selections resolved; notes what is wrong with them."""
    nodes: dict[str, JobNode] = {}
    for job in collection.source.jobs:
        if job.name in nodes:
            collection.error(f"Duplicate job name {job.name!r}: rename one.")
        try:
            if isinstance(job, UnresolvedAssetJobDefinition):
                nodes[job.name] = asset_job_node(job, graph, collection.resources)
            else:
                nodes[job.name] = op_job_node(job)
        except UnresolvedSelectionError as error:
            collection.errors.append(UnresolvedSelectionError(f"Job {job.name!r}: {error}"))
        except SegueError as error:
            collection.error(f"Job {job.name!r}: {error}")
    return list(nodes.values())


def _automation(
    collection: Collection, graph: AssetGraph, jobs: list[JobNode], schedules: list[ScheduleDefinition]
) -> tuple[tuple[ScheduleNode, ...], tuple[SensorNode, ...]]:
    """The schedules and sensors; notes what is wrong with them."""
    source, names = collection.source, {job.name: job for job in jobs}
    note_names_used_twice(schedules, source.sensors, collection.error)
    nodes = schedule_nodes(schedules, names, collection.resources, collection.error)
    return nodes, sensor_nodes(source.sensors, names, collection.resources, graph, collection.error)
