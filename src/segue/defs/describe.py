"""From what users declare to a manifest, once. Finds every error in the definitions and reports them together."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import msgspec

from segue.defs.asset import io_manager_key_of
from segue.defs.asset_check import dependencies_of
from segue.defs.assets_definition import AssetsDefinition
from segue.defs.job import UnresolvedAssetJobDefinition, job_node
from segue.defs.metadata import described_metadata
from segue.defs.op import OpDefinition
from segue.errors import DefinitionErrors, InvalidDefinitionError, SegueError
from segue.model.assets import DEFAULT_GROUP, AssetSpec
from segue.model.graph import AssetGraph, require_acyclic
from segue.model.keys import AssetKey
from segue.model.manifest import (
    DEFAULT_IO_MANAGER_KEY,
    AssetNode,
    CheckNode,
    ComputationNode,
    DependencyNode,
    InputNode,
    JobNode,
    Manifest,
    OutputNode,
    ResourceNode,
)
from segue.model.partitions.mapping import check_mapping


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What is described: the parts of a `Definitions`."""

    assets: Sequence[AssetsDefinition | AssetSpec]
    asset_checks: Sequence[AssetsDefinition]
    jobs: Sequence[UnresolvedAssetJobDefinition]
    resources: Mapping[str, object]


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest, its graph, and the user's side of it.

    Attributes:
        manifest, graph: everything declared, as data.
        ops: the computation behind each step key.
        specs: the spec of each asset.
        definitions: the definition behind each step key.
        resources: the resources by key, as declared.
    """

    manifest: Manifest
    graph: AssetGraph
    ops: Mapping[str, OpDefinition]
    specs: Mapping[AssetKey, AssetSpec]
    definitions: Mapping[str, AssetsDefinition]
    resources: Mapping[str, object]

    def with_resource(self, key: str, resource: object) -> Described:
        """The same with one more resource."""
        return msgspec.structs.replace(self, resources={**self.resources, key: resource})


def describe(source: Source) -> Described:
    """The manifest of what is declared.

    Raises:
        InvalidDefinitionError: it does not fit together; several errors come together as DefinitionErrors.
    """
    describer = _Describer(source)
    describer.collect()
    describer.check_references()
    manifest = describer.manifest()
    graph = AssetGraph(manifest)
    describer.check_partitions(graph)
    jobs = describer.jobs(graph)
    if describer.errors:
        raise describer.errors[0] if len(describer.errors) == 1 else DefinitionErrors(describer.errors)
    if jobs:
        manifest = msgspec.structs.replace(manifest, jobs=tuple(jobs))
        graph = AssetGraph(manifest)
    return Described(
        manifest=manifest,
        graph=graph,
        ops={name: definition.op for name, definition in describer.definitions.items()},
        specs=describer.specs,
        definitions=describer.definitions,
        resources=source.resources,
    )


class _Describer:
    """Gathers definitions and the errors in them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.errors: list[InvalidDefinitionError] = []
        self.definitions: dict[str, AssetsDefinition] = {}
        self.specs: dict[AssetKey, AssetSpec] = {}
        self.external: dict[AssetKey, AssetSpec] = {}
        self.made_by: dict[AssetKey, AssetsDefinition] = {}
        self.renamed: dict[str, dict[AssetKey, AssetKey]] = {}

    def error(self, message: str) -> None:
        """Notes one more thing that is wrong."""
        self.errors.append(InvalidDefinitionError(message))

    def collect(self) -> None:
        """Takes in every definition once, and notes names that stand twice."""
        seen: set[int] = set()
        for each in (*self.source.assets, *self.source.asset_checks):
            if id(each) in seen:
                continue
            seen.add(id(each))
            if isinstance(each, AssetSpec):
                self._collect_external(each)
            else:
                self._collect_definition(each)

    def _collect_external(self, spec: AssetSpec) -> None:
        if spec.key in self.external:
            self.error(f"The asset {spec.key.to_user_string()!r} is declared by two AssetSpecs: keep one.")
        self.external[spec.key] = spec

    def _collect_definition(self, definition: AssetsDefinition) -> None:
        op = definition.op
        other = self.definitions.get(op.name)
        if other is not None and not (definition.keys and definition.keys <= other.keys):
            self.error(
                f"Two functions would both be the step {op.name!r}: {other.op.shape.source} and {op.shape.source}. "
                "Give one of them another name."
            )
        self.definitions.setdefault(op.name, definition)
        for spec in definition.specs_by_output.values():
            first = self.made_by.get(spec.key)
            if first is not None:
                self.error(
                    f"Two definitions make the asset {spec.key.to_user_string()!r}: {first.op.shape.source} and "
                    f"{op.shape.source}. Rename one, or give it a key_prefix."
                )
                continue
            self.made_by[spec.key] = definition
            self.specs[spec.key] = spec

    def check_references(self) -> None:
        """Notes assets, resources and IO managers that are named and not there; makes stubs for mere dependencies."""
        for key, spec in self.external.items():
            if key in self.made_by:
                source = self.made_by[key].op.shape.source
                self.error(
                    f"The asset {key.to_user_string()!r} is made at {source} and declared by an AssetSpec: keep one."
                )
            self.specs.setdefault(key, spec)
        for definition in self.definitions.values():
            self._resolve_inputs(definition)
        self._add_stubs()
        for definition in self.definitions.values():
            self._check_resources(definition)
        self._check_unique_checks()
        self._check_cycles()

    def _resolve_inputs(self, definition: AssetsDefinition) -> None:
        """Ties each input to an asset: the one of its name, or the only one of that name below the same prefix or group."""
        renamed: dict[AssetKey, AssetKey] = {}
        for name, key in definition.keys_by_input.items():
            if key in self.specs:
                continue
            near = self._similar(key, definition) if name in definition.implicit_inputs else None
            if near is not None:
                renamed[key] = near
                continue
            known = [each.to_user_string() for each in self.specs]
            close = difflib.get_close_matches(key.to_user_string(), known, n=3, cutoff=0.6)
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            self.error(
                f"{definition.op.shape.source}: the input {name!r} of {definition!r} is the asset {key.to_user_string()!r}, "
                f"which nothing here makes or declares.{hint} Add its definition to Definitions(assets=[...]), declare it with "
                f"AssetSpec({key.to_user_string()!r}), or name the asset with ins={{{name!r}: AssetIn(...)}}."
            )
        if renamed:
            self.renamed[definition.op.name] = renamed

    def _similar(self, key: AssetKey, definition: AssetsDefinition) -> AssetKey | None:
        name = key.parts[-1]
        for spec in definition.specs_by_output.values():
            below = AssetKey([*spec.key.parts[:-1], name])
            if below != key and below in self.specs:
                return below
            group = spec.group_name or DEFAULT_GROUP
            same = [
                each.key
                for each in self.specs.values()
                if each.key.parts[-1] == name and (each.group_name or DEFAULT_GROUP) == group
            ]
            if len(same) == 1:
                return same[0]
        return None

    def _add_stubs(self) -> None:
        """An asset that is only named as a dependency is taken to be made elsewhere."""
        for spec in list(self.specs.values()):
            for dep in spec.deps:
                if dep.asset_key not in self.specs:
                    self.specs[dep.asset_key] = AssetSpec(dep.asset_key)
        for definition in self.definitions.values():
            for check in definition.checks_by_output.values():
                for key in (check.asset_key, *(dep.asset_key for dep in check.additional_deps)):
                    if key not in self.specs:
                        self.specs[key] = AssetSpec(key)

    def _check_resources(self, definition: AssetsDefinition) -> None:
        resources, op = self.source.resources, definition.op
        for key in sorted(op.resource_keys):
            if key not in resources:
                self._missing(definition, "resource", key)
        managers = {
            io_manager_key_of(definition, output, DEFAULT_IO_MANAGER_KEY): None for output in definition.specs_by_output
        } | dict.fromkeys(definition.input_manager_keys.values())
        for key in managers:
            if key != DEFAULT_IO_MANAGER_KEY and key not in resources:
                self._missing(definition, "IO manager", key)
            elif key in resources and not hasattr(resources[key], "load_input"):
                self.error(
                    f"{op.shape.source}: {definition!r} names the resource {key!r} as its IO manager, but that is a "
                    f"{type(resources[key]).__name__}, without handle_output and load_input."
                )

    def _missing(self, definition: AssetsDefinition, what: str, key: str) -> None:
        known = ", ".join(sorted(self.source.resources)) or "none"
        self.error(
            f"{definition.op.shape.source}: {definition!r} needs the {what} {key!r}, which Definitions(resources={{...}}) does "
            f"not give; it gives: {known}. Add {key!r} there, or correct the name."
        )

    def _check_unique_checks(self) -> None:
        first: dict[tuple[AssetKey, str], AssetsDefinition] = {}
        for definition in self.definitions.values():
            for spec in definition.checks_by_output.values():
                other = first.setdefault((spec.asset_key, spec.name), definition)
                if other is not definition:
                    self.error(
                        f"The check {spec.key.to_user_string()!r} is declared twice: {other.op.shape.source} and "
                        f"{definition.op.shape.source}. Rename one."
                    )

    def _check_cycles(self) -> None:
        edges = {
            spec.key.to_user_string(): [key.to_user_string() for key in self._deps(spec) if key != spec.key]
            for spec in self.specs.values()
        }
        for spec in self.specs.values():
            if spec.partitions_def is None and spec.key in self._deps(spec):
                self.error(
                    f"The asset {spec.key.to_user_string()!r} depends on itself: that needs partitions, so that it can take "
                    "its earlier ones."
                )
        try:
            require_acyclic(edges)
        except InvalidDefinitionError as error:
            self.errors.append(error)

    def _deps(self, spec: AssetSpec) -> list[AssetKey]:
        definition = self.made_by.get(spec.key)
        renamed = self.renamed.get(definition.op.name, {}) if definition is not None else {}
        return [renamed.get(dep.asset_key, dep.asset_key) for dep in spec.deps]

    def check_partitions(self, graph: AssetGraph) -> None:
        """Notes dependencies between partitions that have no mapping."""
        for node in graph.nodes.values():
            if node.computation is None:
                continue
            for dep in node.deps:
                upstream = graph.nodes[dep.key].partitions
                if upstream is None and dep.mapping is None:
                    continue
                try:
                    check_mapping(dep.mapping, upstream, node.partitions)
                except SegueError as error:
                    source = self.made_by[node.key].op.shape.source
                    self.error(
                        f"{source}: {node.key.to_user_string()!r} depends on {dep.key.to_user_string()!r}: {error}"
                    )

    def manifest(self) -> Manifest:
        """What was collected, as data, without the jobs."""
        nodes = [self._asset_node(spec) for spec in self.specs.values()]
        checks: list[CheckNode] = []
        computations: list[ComputationNode] = []
        for name, definition in self.definitions.items():
            computations.append(self._computation_node(name, definition))
            checks += [
                CheckNode(
                    asset_key=spec.asset_key,
                    name=spec.name,
                    computation=name,
                    output_name=output,
                    blocking=spec.blocking,
                    description=spec.description,
                    metadata=described_metadata(spec.metadata),
                    deps=tuple([dep.asset_key for dep in dependencies_of(spec)]),
                )
                for output, spec in definition.checks_by_output.items()
            ]
        return Manifest(
            assets=tuple(nodes),
            checks=tuple(checks),
            computations=tuple(computations),
            resources=tuple(
                [
                    ResourceNode(key, type(value).__name__, _first_line(value))
                    for key, value in self.source.resources.items()
                ]
            ),
        )

    def _asset_node(self, spec: AssetSpec) -> AssetNode:
        definition = self.made_by.get(spec.key)
        output: str | None = None
        renamed: Mapping[AssetKey, AssetKey] = {}
        if definition is not None:
            output = next(name for name, each in definition.specs_by_output.items() if each.key == spec.key)
            renamed = self.renamed.get(definition.op.name, {})
        return AssetNode(
            key=spec.key,
            deps=tuple(
                [DependencyNode(renamed.get(dep.asset_key, dep.asset_key), dep.partition_mapping) for dep in spec.deps]
            ),
            computation=None if definition is None else definition.op.name,
            output_name=output,
            io_manager_key=DEFAULT_IO_MANAGER_KEY
            if definition is None or output is None
            else io_manager_key_of(definition, output, DEFAULT_IO_MANAGER_KEY),
            group_name=spec.group_name or DEFAULT_GROUP,
            description=spec.description,
            metadata=described_metadata(spec.metadata),
            tags=dict(spec.tags),
            owners=spec.owners,
            kinds=tuple(sorted(spec.kinds)),
            code_version=spec.code_version,
            partitions=spec.partitions_def,
            backfill_policy=None if definition is None else definition.backfill_policy,
        )

    def _computation_node(self, name: str, definition: AssetsDefinition) -> ComputationNode:
        op = definition.op
        renamed = self.renamed.get(name, {})
        outputs = [
            OutputNode(output, asset_key=spec.key, is_required=output not in op.optional_outputs)
            for output, spec in definition.specs_by_output.items()
        ]
        outputs += [
            OutputNode(output, check_name=spec.name, check_asset_key=spec.asset_key)
            for output, spec in definition.checks_by_output.items()
        ]
        return ComputationNode(
            name=name,
            inputs=tuple(
                [
                    InputNode(key, renamed.get(asset, asset), definition.input_manager_keys.get(key))
                    for key, asset in definition.keys_by_input.items()
                ]
            ),
            outputs=tuple(outputs),
            resource_keys=tuple(sorted(op.resource_keys)),
            retry_policy=op.retry_policy,
            can_subset=op.can_subset,
            has_config=op.shape.config is not None,
            tags=dict(op.tags),
            description=op.description,
            source=op.shape.source,
        )

    def jobs(self, graph: AssetGraph) -> list[JobNode]:
        """The jobs with their selections resolved; notes what is wrong with them."""
        nodes: dict[str, JobNode] = {}
        for job in self.source.jobs:
            if job.name in nodes:
                self.error(f"Two jobs are called {job.name!r}: rename one.")
            try:
                nodes[job.name] = job_node(job, graph, self.source.resources)
            except SegueError as error:
                self.error(f"Job {job.name!r}: {error}")
        return list(nodes.values())


def _first_line(value: object) -> str | None:
    text = type(value).__doc__
    return text.strip().splitlines()[0] if text and text.strip() else None
