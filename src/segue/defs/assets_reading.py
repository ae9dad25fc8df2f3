"""What there is to read of a definition of assets: its assets, checks, inputs and outputs, by name and by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING, Any

from segue.defs.assets_by_name import NamedAssets
from segue.defs.bindings import bound
from segue.defs.node_origin import inner_hooks, inner_op, ops_of, source_of
from segue.defs.op import OpDefinition
from segue.defs.shown_op import shown_op
from segue.errors import InvalidDefinitionError, InvariantViolationError, UnknownAssetError
from segue.model.assets import DEFAULT_GROUP, IO_MANAGER_KEY_METADATA, AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import DEFAULT_IO_MANAGER_KEY, AssetCheckKey, AssetKey, AssetOrCheckKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.policies import AssetExecutionType, BackfillPolicy
from segue.model.source_location import SourceLocation

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition
    from segue.model.freshness import AnyFreshnessPolicy


class ReadableAssets(NamedAssets):
    """The facts of an `AssetsDefinition`.

    Attributes:
        input_manager_keys: the resources that load inputs, where it is not the asset's own IO manager.
        input_metadata: what is declared of inputs, for IO managers.
        implicit_inputs: the inputs whose asset is named by nothing but the parameter.
        io_manager_keys: the resources that store outputs, where one is named.
        backfill_policy: how a backfill is split into runs.
        resource_defs: resources that are provided with it.
        hook_defs: what runs after its steps.
        execution_type: what a run does with its assets.
    """

    input_manager_keys: Mapping[str, str]
    input_metadata: Mapping[str, Mapping[str, object]]
    implicit_inputs: frozenset[str]
    io_manager_keys: Mapping[str, str]
    backfill_policy: BackfillPolicy | None
    resource_defs: Mapping[str, object]
    hook_defs: frozenset[Any]
    execution_type: AssetExecutionType

    @cached_property
    def op(self) -> OpDefinition:
        """The op that makes its assets, its inputs and outputs with what the assets say of them.

        Raises:
            InvariantViolationError: a graph does, or nothing here.
        """
        if not isinstance(self.node_def, OpDefinition):
            made = "its assets are external" if self.node_def is None else f"its node_def is {self.node_def!r}"
            raise InvariantViolationError(f"{self!r} has no op: {made}.")
        ordering = {name for name in self.node_keys_by_input_name if name not in self.keys_by_input}
        return shown_op(
            self.node_def,
            inputs={
                name: (self.input_metadata.get(name), self.input_manager_keys.get(name)) for name in self.node_def.ins
            },
            ordering=ordering - self.node_def.ins.keys(),
            specs=self._all_specs,
            checks=self.node_check_specs_by_output_name.keys(),
            io_managers={name: self.io_manager_key_of(name) for name in self._all_specs},
            optional=self.optional_outputs,
        )

    @property
    def name(self) -> str:
        """The name of its op or graph: the key of its step."""
        return "" if self.node_def is None else self.node_def.name

    @property
    def source(self) -> SourceLocation:
        """Where it stands in the user's files."""
        return source_of(self.node_def)

    def __repr__(self) -> str:
        names = ", ".join(key.to_user_string() for key in sorted(self.keys)) or ", ".join(
            key.to_user_string() for key in sorted(self.check_keys)
        )
        return f"{type(self).__name__}({names})"

    @property
    def keys(self) -> frozenset[AssetKey]:
        """The assets it makes."""
        return frozenset([spec.key for spec in self.specs_by_output.values()])

    @property
    def has_keys(self) -> bool:
        """Whether it makes assets at all."""
        return bool(self.specs_by_output)

    @property
    def has_check_keys(self) -> bool:
        """Whether it runs checks."""
        return bool(self.checks_by_output)

    @property
    def key(self) -> AssetKey:
        """The asset it makes.

        Raises:
            InvalidDefinitionError: it makes none, or several.
        """
        if len(self.specs_by_output) != 1:
            raise InvalidDefinitionError(
                f"{self!r} has {len(self.specs_by_output)} assets, expected exactly one: use keys, or pass an asset key."
            )
        return next(iter(self.specs_by_output.values())).key

    @property
    def asset_and_check_keys(self) -> frozenset[AssetOrCheckKey]:
        """The assets it makes and the checks it runs."""
        return frozenset([*self.keys, *self.check_keys])

    @property
    def specs(self) -> Sequence[AssetSpec]:
        """The specs of the assets that its op or graph can make: with those that a subset leaves out."""
        return list(self._all_specs.values())

    @property
    def specs_by_key(self) -> Mapping[AssetKey, AssetSpec]:
        """The same as `specs`, by key."""
        return {spec.key: spec for spec in self._all_specs.values()}

    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]:
        """The checks it runs."""
        return list(self.checks_by_output.values())

    @property
    def check_keys(self) -> frozenset[AssetCheckKey]:
        """The keys of the checks it runs."""
        return frozenset([spec.key for spec in self.checks_by_output.values()])

    @property
    def check_key(self) -> AssetCheckKey:
        """The check.

        Raises:
            InvalidDefinitionError: there is none, or several.
        """
        if len(self.checks_by_output) != 1:
            raise InvalidDefinitionError(
                f"{self!r} has {len(self.checks_by_output)} checks, expected exactly one: use check_keys."
            )
        return next(iter(self.checks_by_output.values())).key

    def get_spec_for_check_key(self, asset_check_key: AssetCheckKey) -> AssetCheckSpec:
        """The spec of one of its checks.

        Raises:
            InvalidDefinitionError: it does not run this check.
        """
        for spec in self.checks_by_output.values():
            if spec.key == asset_check_key:
                return spec
        raise InvalidDefinitionError(f"{self!r} has no check {asset_check_key.to_user_string()!r}.")

    @property
    def dependency_keys(self) -> frozenset[AssetKey]:
        """The assets that its assets are made from."""
        return frozenset([dep.asset_key for spec in self.specs_by_output.values() for dep in spec.deps])

    @property
    def asset_deps(self) -> Mapping[AssetKey, Set[AssetKey]]:
        """The assets that each of its assets is made from."""
        return {spec.key: {dep.asset_key for dep in spec.deps} for spec in self._all_specs.values()}

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How its assets are partitioned; None without.

        Raises:
            InvalidDefinitionError: they are partitioned in different ways.
        """
        found: PartitionsDefinition | None = None
        for spec in self.specs_by_output.values():
            if spec.partitions_def is None:
                continue
            if found is not None and found != spec.partitions_def:
                raise InvalidDefinitionError(
                    f"The assets of {self!r} have different partitions definitions: use the partitions_def of each spec."
                )
            found = spec.partitions_def
        return found

    def get_partition_mapping(self, in_asset_key: AssetKey) -> PartitionMapping | None:
        """The mapping that a dependency on an asset was declared with; None without."""
        for spec in self.specs_by_output.values():
            if in_asset_key in spec.partition_mappings:
                return spec.partition_mappings[in_asset_key]
        return None

    def get_partition_mapping_for_dep(self, dep_key: AssetKey) -> PartitionMapping | None:
        """The same as `get_partition_mapping`."""
        return self.get_partition_mapping(dep_key)

    def infer_partition_mapping(
        self, asset_key: AssetKey, upstream_asset_key: AssetKey, upstream_partitions_def: PartitionsDefinition | None
    ) -> PartitionMapping:
        """The mapping by which one of its assets takes partitions of another: the declared one, or the default."""
        spec = self.get_asset_spec(asset_key)
        declared = spec.partition_mappings.get(upstream_asset_key)
        return declared or bound("default_mapping")(upstream_partitions_def, spec.partitions_def)

    @property
    def is_executable(self) -> bool:
        """Whether a run can do something with its assets."""
        return self.execution_type is not AssetExecutionType.UNEXECUTABLE

    @property
    def is_materializable(self) -> bool:
        """Whether a run can make its assets: not where it only checks or observes them."""
        return self.execution_type is AssetExecutionType.MATERIALIZATION and self.has_keys

    @property
    def is_observable(self) -> bool:
        """Whether a run can look at its assets."""
        return self.execution_type is AssetExecutionType.OBSERVATION

    @property
    def is_external(self) -> bool:
        """Whether its assets are external."""
        return self.execution_type is not AssetExecutionType.MATERIALIZATION

    @property
    def group_names_by_key(self) -> Mapping[AssetKey, str]:
        """The group of each asset."""
        return {spec.key: spec.group_name or DEFAULT_GROUP for spec in self.specs}

    @property
    def descriptions_by_key(self) -> Mapping[AssetKey, str]:
        """The description of each asset that has one."""
        return {spec.key: spec.description for spec in self.specs if spec.description is not None}

    @property
    def metadata_by_key(self) -> Mapping[AssetKey, Mapping[str, object]]:
        """The metadata of each asset."""
        return {spec.key: spec.metadata for spec in self.specs}

    @property
    def automation_conditions_by_key(self) -> Mapping[AssetKey, AnyCondition]:
        """The automation condition of each asset that has one."""
        return {spec.key: spec.automation_condition for spec in self.specs if spec.automation_condition is not None}

    @property
    def auto_materialize_policies_by_key(self) -> Mapping[AssetKey, AnyCondition]:
        """The conditions that superseded policies became."""
        return self.automation_conditions_by_key

    @property
    def legacy_freshness_policies_by_key(self) -> Mapping[AssetKey, AnyFreshnessPolicy]:
        """The policies that superseded ones became."""
        return {spec.key: spec.freshness_policy for spec in self.specs if spec.freshness_policy is not None}

    @property
    def tags_by_key(self) -> Mapping[AssetKey, Mapping[str, str]]:
        """The tags of each asset."""
        return {spec.key: spec.tags for spec in self.specs}

    @property
    def owners_by_key(self) -> Mapping[AssetKey, Sequence[str]]:
        """The owners of each asset."""
        return {spec.key: spec.owners for spec in self.specs}

    @property
    def code_versions_by_key(self) -> Mapping[AssetKey, str | None]:
        """The version of the code that makes each asset."""
        return {spec.key: spec.code_version for spec in self.specs}

    @property
    def required_resource_keys(self) -> set[str]:
        """The resources that it needs: those of `resource_keys`, and the IO managers of what it gives and takes."""
        if self.node_def is None:
            return set()
        managers = {self.io_manager_key_of(output) for output in self.specs_by_output} or {DEFAULT_IO_MANAGER_KEY}
        if not isinstance(self.node_def, OpDefinition):
            managers |= {out.io_manager_key for op in ops_of(self.node_def) for out in op.outs.values()}
        return self.resource_keys | managers | set(self.input_manager_keys.values())

    @property
    def resource_keys(self) -> set[str]:
        """The resources that its function, or its graph, and its hooks need, IO managers not included."""
        if isinstance(self.node_def, OpDefinition) and not self.hook_defs:
            return set(self.node_def.resource_keys)
        hooks = self.hook_defs | inner_hooks(self.node_def)
        keys = {key for op in ops_of(self.node_def) for key in op.resource_keys}
        return keys | {key for hook in hooks for key in hook.required_resource_keys}

    def get_asset_spec(self, key: AssetKey | None = None) -> AssetSpec:
        """The spec of one of its assets; of the only one when no key is given.

        Raises:
            UnknownAssetError: it does not make this asset.
            InvalidDefinitionError: it makes several, and no key is given.
        """
        wanted = self.key if key is None else key
        found = self.specs_by_key.get(wanted)
        if found is None:
            raise UnknownAssetError(f"{self!r} has no asset {wanted.to_user_string()!r}.")
        return found

    def get_io_manager_key_for_asset_key(self, key: AssetKey) -> str:
        """The resource that stores an asset's value: named at the output, in the metadata, or by the op of a graph."""
        return self.io_manager_key_of(self.get_output_name_for_asset_key(key))

    def io_manager_key_of(self, output: str) -> str:
        """The resource that stores the value of an output."""
        named = self.io_manager_keys.get(output)
        in_metadata = self._all_specs[output].metadata.get(IO_MANAGER_KEY_METADATA)
        if named is not None:
            return named
        if isinstance(in_metadata, str):
            return in_metadata
        return DEFAULT_IO_MANAGER_KEY

    def get_op_def_for_asset_key(self, key: AssetKey) -> OpDefinition | None:
        """The op whose output carries an asset; None where nothing here makes it."""
        output = self.get_output_name_for_asset_key(key)
        return self.op if isinstance(self.node_def, OpDefinition) else self.node_def and inner_op(self.node_def, output)

    def get_upstream_input_keys(self, keys: frozenset[AssetKey]) -> frozenset[AssetKey]:
        """The assets outside of this definition that some of its assets are made from, directly or through others of it."""
        found, open_keys = set[AssetKey](), list(keys)
        while open_keys:
            for upstream in self.asset_deps.get(open_keys.pop(), ()):
                if upstream in self.asset_deps:
                    open_keys.append(upstream)
                else:
                    found.add(upstream)
        return frozenset(found)

    def get_checks_targeting_keys(self, keys: frozenset[AssetKey]) -> frozenset[AssetCheckKey]:
        """Those of its checks that look at one of these assets."""
        return frozenset([key for key in self.check_keys if key.asset_key in keys])

    @property
    def is_subset(self) -> bool:
        """Whether it is asked for a part of what its op or graph can make."""
        return self._whole is not None
