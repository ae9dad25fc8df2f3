"""Takes in everything that is declared, ties it together by name, and notes all that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

import msgspec

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.describe_automation import AnySchedule
from segue.defs.executor import ExecutorDefinition
from segue.defs.external_assets import AnyAsset, assets_definition_of, stored_spec, taken_assets
from segue.defs.flatten import all_definitions
from segue.defs.graph import GraphDefinition
from segue.defs.job import UnresolvedAssetJobDefinition
from segue.defs.job_definition import JobDefinition
from segue.defs.job_reading import needed_keys
from segue.defs.logger import LoggerDefinition
from segue.defs.named_assets import AssetsByName, asset_in_group, assets_by_name, similar_asset
from segue.defs.near_names import near_keys
from segue.defs.node import NodeDefinition
from segue.defs.node_origin import ops_of
from segue.defs.op import OpDefinition
from segue.defs.resource_checks import manager_error, missing_resource, resource_errors
from segue.defs.resource_order import needed_keys_of
from segue.defs.sensor import SensorDefinition
from segue.defs.source_asset import SourceAsset
from segue.defs.type_checks import resources_of_types
from segue.errors import InvalidDefinitionError
from segue.model.assets import IO_MANAGER_KEY_METADATA, AssetSpec
from segue.model.gates import AnyLimit
from segue.model.keys import DEFAULT_IO_MANAGER_KEY, AssetCheckKey, AssetKey
from segue.model.metadata import AnyMetadataValue


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What is described: the parts of a `Definitions`."""

    assets: Sequence[AnyAsset]
    asset_checks: Sequence[AssetsDefinition]
    jobs: Sequence[UnresolvedAssetJobDefinition | JobDefinition]
    resources: Mapping[str, object]
    metadata: Mapping[str, AnyMetadataValue]
    schedules: Sequence[AnySchedule] = ()
    sensors: Sequence[SensorDefinition] = ()
    loggers: Mapping[str, LoggerDefinition] = {}
    executor: ExecutorDefinition | None = None
    resource_limits: Mapping[str, tuple[AnyLimit, ...]] = {}
    checks_resources: bool = True  # whether the resources of assets must be there, and fit together


class Collection:
    """What was taken in, and the errors in it.

    Attributes:
        source: where it comes from.
        errors: what does not fit, in the order in which it was found.
        definitions: by step key.
        specs: of all assets, those that are only named as a dependency included.
        made_by: the definition that makes an asset, and its output that carries it.
        job_ops: the ops of jobs, and of graphs behind assets, by name.
        resources: those of the definitions, and those that assets bring along.
        makes_several: whether a definition makes several assets.
        is_in_order: whether each asset was collected after those that it is made from.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.errors: list[InvalidDefinitionError] = []
        self.definitions: dict[str, AssetsDefinition] = {}
        self.specs: dict[AssetKey, AssetSpec] = {}
        self.made_by: dict[AssetKey, tuple[AssetsDefinition, str]] = {}
        self.job_ops: dict[str, OpDefinition] = {}
        self.resources: dict[str, object] = dict(source.resources)
        self._external: dict[AssetKey, AssetSpec] = {}
        self._renamed: dict[str, dict[AssetKey, AssetKey]] = {}
        # Noted where each definition is taken in: going through all of them again takes longer than what is done then.
        self._with_inputs: list[AssetsDefinition] = []
        self._with_checks: list[AssetsDefinition] = []
        self._of_graphs: list[tuple[AssetsDefinition, GraphDefinition]] = []
        self._with_resources: list[AssetsDefinition] = []
        self.makes_several = False
        self.is_in_order = False
        # Dependencies on what was not collected before.
        self._named_early: list[tuple[AssetSpec, AssetKey]] = []

    def error(self, message: str) -> None:
        """Notes one more thing that is wrong."""
        self.errors.append(InvalidDefinitionError(message))

    def collect(self) -> None:
        """Takes in every definition once; notes names that stand twice, and what is named and not there."""
        for each in {id(each): each for each in (*self.source.assets, *self.source.asset_checks)}.values():
            self._collect_one(each)
        self._add_assets_taken_by_jobs()
        self._add_external()
        for definition in self._with_inputs:
            self._resolve_inputs(definition)
        self._resolve_deps()
        if self.source.checks_resources:
            for definition in self._users_of_resources():
                self._check_resources(definition)
            self._check_resource_values()
        self._collect_jobs()
        self._check_unique_checks()

    def _collect_one(self, each: AnyAsset) -> None:
        if isinstance(each, AssetSpec):
            self._collect_external(each)
            return
        for key, resource in each.resource_defs.items():
            other = self.resources.setdefault(key, resource)
            if other is not resource and other != resource and self.source.checks_resources:
                self.error(
                    f"{each!r} has a resource {key!r} in its resource_defs, and a different resource has the same key: rename one."
                )
        definition = assets_definition_of(each)
        if definition.node_def is not None:
            self._collect_definition(definition)
            return
        for spec in definition.specs_by_output.values():
            self._collect_external(spec)

    def _add_assets_taken_by_jobs(self) -> None:
        """Takes in the assets whose values op jobs load, where they are not listed: they are external."""
        for job in self.source.jobs:
            for key, asset in taken_assets(job.graph).items() if isinstance(job, JobDefinition) else ():
                if key not in self.made_by and key not in self._external:
                    self._external[key] = stored_spec(asset)
                if isinstance(asset, (SourceAsset, AssetsDefinition)):
                    self.resources = {**asset.resource_defs, **self.resources}

    def _collect_jobs(self) -> None:
        """Takes in the ops of jobs; notes duplicate names, and resources that were not provided."""
        if not self._of_graphs and not self.source.jobs:
            return
        known: dict[str, NodeDefinition] = {
            name: definition.node_def
            for name, definition in self.definitions.items()
            if definition.node_def is not None
        }
        for definition, graph in self._of_graphs:
            self._collect_ops(f"{definition.source}: {definition!r}", graph, known)
        for job in self.source.jobs:
            if not isinstance(job, JobDefinition):
                continue
            self._collect_ops(f"Job {job.name!r}", job.graph, known)
            given = {**self.resources, **job.resource_defs}
            for key in sorted(job.required_resource_keys - set(given) - {DEFAULT_IO_MANAGER_KEY}):
                users = [op for op in job.flat.ops.values() if key in needed_keys(op)]
                hooks = {
                    hook.name for each in job.flat.hooks.values() for hook in each if key in hook.required_resource_keys
                }
                needs_resource = hooks or any(
                    key in op.required_resource_keys or key in resources_of_types(op) for op in users
                )
                kind = "resource" if needs_resource else "IO manager"
                names = [f"op {op.name!r}" for op in {op.name: op for op in users}.values()]
                names += [f"hook {name!r}" for name in sorted(hooks)]
                self.error(f"Job {job.name!r}: {missing_resource(key, ', '.join(names), given, kind)}")
            for message in resource_errors(given) if job.resource_defs else ():
                self.error(f"Job {job.name!r}: {message}")

    def _collect_ops(self, what: str, graph: GraphDefinition, known: dict[str, NodeDefinition]) -> None:
        for name, definition in all_definitions(graph).items():
            if known.setdefault(name, definition) is not definition:
                self.error(
                    f"{what}: duplicate name: {definition.node_kind} {name!r} is already defined differently here: rename one."
                )
            elif isinstance(definition, OpDefinition) and name not in self.definitions:
                self.job_ops[name] = definition

    def asset_behind(self, definition: AssetsDefinition, key: AssetKey) -> AssetKey:
        """The asset that a definition means by a key: another one where an input's name was tied to it."""
        return self._renamed.get(definition.name, {}).get(key, key) if self._renamed else key

    @property
    def has_renamed(self) -> bool:
        """Whether the name of an input was tied to an asset of another key."""
        return bool(self._renamed)

    def deps_of(self, spec: AssetSpec) -> list[AssetKey]:
        """The assets that an asset is made from."""
        made = self.made_by.get(spec.key) if self._renamed else None
        return [dep.asset_key if made is None else self.asset_behind(made[0], dep.asset_key) for dep in spec.deps]

    def io_manager_key(self, key: AssetKey) -> str:
        """The resource that stores and loads an asset's value."""
        made = self.made_by.get(key)
        if made is not None:
            return made[0].io_manager_key_of(made[1])
        named = self.specs[key].metadata.get(IO_MANAGER_KEY_METADATA)
        return named if isinstance(named, str) else DEFAULT_IO_MANAGER_KEY

    def _collect_external(self, spec: AssetSpec) -> None:
        if self._external.setdefault(spec.key, spec) != spec:
            self.error(f"The asset {spec.key.to_user_string()!r} is defined by conflicting AssetSpecs; keep one.")

    def _collect_definition(self, definition: AssetsDefinition) -> None:
        other = self.definitions.setdefault(definition.name, definition)
        if other is not definition:
            both = f"{other.source} and {definition.source}"
            for key in sorted(definition.check_keys & other.check_keys):
                self.error(_duplicate_check(key, other.source, definition.source))
            if not definition.check_keys & other.check_keys and not definition.keys & other.keys:
                self.error(f"Duplicate step name {definition.name!r}: {both}. Rename one of the functions.")
        else:
            self._note_kind(definition)
        for output, spec in definition.specs_by_output.items():
            first = self.made_by.get(spec.key)
            if first is not None:
                self.error(
                    f"Duplicate asset key {spec.key.to_user_string()!r}: {first[0].source} and "
                    f"{definition.source}. Rename one, or add a key_prefix."
                )
                continue
            self.made_by[spec.key] = (definition, output)
            self._add_spec(spec)

    def _add_spec(self, spec: AssetSpec) -> None:
        self._named_early += [(spec, dep.asset_key) for dep in spec.deps if dep.asset_key not in self.specs]
        self.specs[spec.key] = spec

    def _note_kind(self, definition: AssetsDefinition) -> None:
        if definition.keys_by_input:
            self._with_inputs.append(definition)
        if definition.checks_by_output:
            self._with_checks.append(definition)
        if isinstance(definition.node_def, GraphDefinition):
            self._of_graphs.append((definition, definition.node_def))
        names_manager = definition.io_manager_keys or any(spec.metadata for spec in definition.specs_by_output.values())
        takes_some = definition.keys_by_input or definition.resource_defs or definition.resource_keys
        if names_manager or takes_some or isinstance(definition.node_def, GraphDefinition):
            self._with_resources.append(definition)
        if len(definition.specs_by_output) > 1:
            self.makes_several = True

    def _users_of_resources(self) -> Iterable[AssetsDefinition]:
        """The definitions that need more than the default IO manager; all of them where that is none."""
        default = self.resources.get(DEFAULT_IO_MANAGER_KEY)
        is_wrong = default is not None and manager_error(DEFAULT_IO_MANAGER_KEY, default, False) is not None
        return self.definitions.values() if is_wrong else self._with_resources

    def _add_external(self) -> None:
        for key, spec in self._external.items():
            if key in self.made_by:
                source = self.made_by[key][0].source
                self.error(
                    f"The asset {key.to_user_string()!r} is defined both at {source} and by an AssetSpec; keep one."
                )
            if key not in self.specs:
                self._add_spec(spec)

    @cached_property
    def _by_name(self) -> AssetsByName:
        return assets_by_name(self.specs.values())

    def _resolve_inputs(self, definition: AssetsDefinition) -> None:
        """Ties each input to an asset: the one of its name, or the only one of that name below the same prefix or group."""
        renamed: dict[AssetKey, AssetKey] = {}
        for name, key in definition.keys_by_input.items():
            if key in self.specs or any(check.asset_key == key for check in definition.checks_by_output.values()):
                continue  # a check may load the asset that it checks wherever that is made
            if name in definition.implicit_inputs:
                near = similar_asset(key, definition, self._by_name, self.specs)
            else:
                near = asset_in_group(key, definition, self._by_name)
            if near is not None:
                renamed[key] = near
            elif definition.node_def is None or not definition.node_def.input_def_named(name).dagster_type.is_nothing:
                self._unknown_input(definition, name, key)
        if renamed:
            self._renamed[definition.name] = renamed

    def _unknown_input(self, definition: AssetsDefinition, name: str, key: AssetKey) -> None:
        node = definition.node_def
        unresolved: Mapping[str, str] = node.shape.unresolved if isinstance(node, OpDefinition) else {}
        shown = _key_text(key)
        close = near_keys(key, [each for each in self.specs if each not in definition.keys])
        hint = f" Did you mean {' or '.join(_key_text(each) for each in close)}?" if close else ""
        if name in unresolved:
            hint += (
                f" Its annotation {unresolved[name]!r} cannot be resolved at run time: if it is a resource, import its class "
                "outside of TYPE_CHECKING."
            )
        self.error(
            f"{definition.source}: the input {name!r} of {definition!r} requires the asset {shown}, which is not produced or "
            f"declared by any definition.{hint} Add it to Definitions(assets=[...]), declare it with AssetSpec({shown}), or set "
            f"the asset key with ins={{{name!r}: AssetIn(...)}}."
        )

    def _resolve_deps(self) -> None:
        """Ties dependencies that are a name alone as those of inputs are tied. What no asset has for its key is external."""
        unknown = [(spec, key) for spec, key in self._named_early if key not in self.specs]
        for spec, key in unknown:
            made = self.made_by.get(spec.key)
            if made is None or key in self._renamed.get(made[0].name, ()):
                continue
            near = asset_in_group(key, made[0], self._by_name)
            if near is not None and near not in made[0].keys:
                self._renamed.setdefault(made[0].name, {})[key] = near
        named = [key for spec, _ in unknown for key in self.deps_of(spec)]
        for key in (*named, *self._keys_of_checks()):
            if key not in self.specs:
                self.specs[key] = AssetSpec(key)
        self.is_in_order = len(unknown) == len(self._named_early) and not self._renamed

    def _keys_of_checks(self) -> Iterator[AssetKey]:
        for definition in self._with_checks:
            for check in definition.checks_by_output.values():
                yield check.asset_key
                yield from (dep.asset_key for dep in check.additional_deps)

    def _check_resources(self, definition: AssetsDefinition) -> None:
        resources, required, brought = self.resources, definition.resource_keys, definition.resource_defs
        own = {**self.source.resources, **brought} if required or brought else {}
        for key in sorted(required - own.keys()) if required else ():
            self._missing(definition, "resource", key)
        for user, value in brought.items():
            for key in sorted(set(needed_keys_of(value, {})) & self.resources.keys() - own.keys()):
                self.error(f"{missing_resource(key, f'The resource {user!r}', own)}{_FOR_ITSELF}")
        if isinstance(definition.node_def, GraphDefinition):
            inner = {key for op in ops_of(definition.node_def) for key in needed_keys(op)}
            for key in sorted(inner - required - {DEFAULT_IO_MANAGER_KEY} - set(resources)):
                self._missing(definition, "IO manager", key)
        managers = {definition.io_manager_key_of(output): False for output in definition.specs_by_output}
        for name, asset in definition.keys_by_input.items():
            upstream = self.asset_behind(definition, asset)
            named = definition.input_manager_keys.get(name)
            if named is not None:
                managers.setdefault(named, True)
            elif upstream in self.specs and upstream not in self.made_by:
                managers.setdefault(self.io_manager_key(upstream), True)
        for key, loads_only in managers.items():
            if key in resources:
                wrong = manager_error(key, resources[key], loads_only)
                if wrong is not None:
                    self.error(f"{definition.source}: {definition!r} {wrong}")
            elif key != DEFAULT_IO_MANAGER_KEY:
                self._missing(definition, "IO manager", key)

    def _missing(self, definition: AssetsDefinition, what: str, key: str) -> None:
        user = repr(definition)
        hint = _FOR_ITSELF if key in self.resources else ""
        known = {**self.source.resources, **definition.resource_defs} if hint else self.resources
        self.error(f"{definition.source}: {missing_resource(key, user, known, what)}{hint}")

    def _check_resource_values(self) -> None:
        for message in resource_errors(self.resources):
            self.error(message)

    def _check_unique_checks(self) -> None:
        first: dict[AssetCheckKey, AssetsDefinition] = {}
        for definition in self._with_checks:
            for key in (spec.key for spec in definition.checks_by_output.values()):
                other = first.setdefault(key, definition)
                if other is not definition:
                    self.error(_duplicate_check(key, other.source, definition.source))


_FOR_ITSELF: Final = " A definition that has it in its resource_defs has it for itself only."


def _duplicate_check(key: AssetCheckKey, first: object, second: object) -> str:
    return f"Duplicate asset check {key.to_user_string()!r}: {first} and {second}. Rename one."


def _key_text(key: AssetKey) -> str:
    """A key as the user writes it: its parts in a list where there are several, or a slash in one."""
    return repr(key.parts[0]) if len(key.parts) == 1 and "/" not in key.parts[0] else repr(list(key.parts))
