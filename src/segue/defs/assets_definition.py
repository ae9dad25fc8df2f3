"""`AssetsDefinition`: one computation and the assets and checks its outputs carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Self

from segue.defs.asset_changes import require_possible_deps
from segue.defs.assets_changing import ChangeableAssets
from segue.defs.assets_from_node import parts_from_node, require_graph, require_op
from segue.defs.assets_parts import AssetParts, parts_of_node
from segue.defs.bindings import bound
from segue.defs.collecting import count_definition
from segue.defs.composition import is_composing
from segue.defs.graph import GraphDefinition
from segue.defs.node import NodeDefinition
from segue.defs.op import OpDefinition
from segue.defs.ordering_inputs import ordering_inputs
from segue.errors import InvalidDefinitionError, InvalidInvocationError
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.condition_argument import conditions_of
from segue.model.freshness_argument import policies_of
from segue.model.keys import AssetCheckKey, AssetKey, CoercibleToAssetKeyPrefix
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.policies import AssetExecutionType, BackfillPolicy
from segue.model.shared import NO_ENTRIES, name_set

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


class AssetsDefinition(ChangeableAssets):
    """The assets and checks of one function or graph of ops. Created by `@asset`, `@multi_asset` and similar
    decorators.

    Calling it calls the function directly, without a run.

    Args:
        keys_by_input_name: the asset keys of the inputs of the op or graph.
        keys_by_output_name: the asset keys of its outputs.
        node_def: the op or graph; None for external assets, which `specs` describe.
        partitions_def: how all its assets are partitioned.
        partition_mappings: by upstream asset, which of its partitions a downstream partition depends on.
        asset_deps: the dependencies of each asset, if they are not all inputs.
        selected_asset_keys, selected_asset_check_keys, is_subset: the selection, if it is a subset.
        can_subset: whether it can materialize a subset of its assets.
        resource_defs: resources that are provided with it.
        group_names_by_key, metadata_by_key, tags_by_key, descriptions_by_key, owners_by_key: as in `AssetSpec`.
        backfill_policy: how a backfill is split into runs.
        check_specs_by_output_name: the checks that its outputs carry.
        specs: the assets, instead of all attributes by key.
        execution_type: what a run does with the assets.
        hook_defs: what runs after its steps.
        legacy_freshness_policies_by_key, auto_materialize_policies_by_key: superseded; write them into `specs`.

    Raises:
        InvalidDefinitionError: an argument does not match the op or graph.
    """

    def __init__(
        self,
        *,
        keys_by_input_name: Mapping[str, AssetKey] | None = None,
        keys_by_output_name: Mapping[str, AssetKey] | None = None,
        node_def: NodeDefinition | None = None,
        partitions_def: PartitionsDefinition | None = None,
        partition_mappings: Mapping[AssetKey, PartitionMapping] | None = None,
        asset_deps: Mapping[AssetKey, Set[AssetKey]] | None = None,
        selected_asset_keys: Set[AssetKey] | None = None,
        can_subset: bool = False,
        resource_defs: Mapping[str, object] | None = None,
        group_names_by_key: Mapping[AssetKey, str] | None = None,
        metadata_by_key: Mapping[AssetKey, Mapping[str, object]] | None = None,
        tags_by_key: Mapping[AssetKey, Mapping[str, str]] | None = None,
        backfill_policy: BackfillPolicy | None = None,
        descriptions_by_key: Mapping[AssetKey, str] | None = None,
        check_specs_by_output_name: Mapping[str, AssetCheckSpec] | None = None,
        selected_asset_check_keys: Set[AssetCheckKey] | None = None,
        is_subset: bool = False,
        owners_by_key: Mapping[AssetKey, Sequence[str]] | None = None,
        specs: Sequence[AssetSpec] | None = None,
        execution_type: AssetExecutionType | None = None,
        hook_defs: Set[Any] | None = None,
        legacy_freshness_policies_by_key: Mapping[AssetKey, object] | None = None,
        auto_materialize_policies_by_key: Mapping[AssetKey, object] | None = None,
    ) -> None:
        parts = parts_of_node(
            node_def,
            keys_by_input_name or {},
            keys_by_output_name,
            specs=specs,
            asset_deps=asset_deps or {},
            partitions_def=partitions_def,
            partition_mappings=partition_mappings or {},
            of_node={"can_subset": can_subset, "backfill_policy": backfill_policy, "hook_defs": hook_defs},
            attributes={
                "group_name": group_names_by_key or {},
                "metadata": metadata_by_key or {},
                "tags": tags_by_key or {},
                "description": descriptions_by_key or {},
                "owners": owners_by_key or {},
                "automation_condition": conditions_of(node_def, None, auto_materialize_policies_by_key),
                "freshness_policy": policies_of(node_def, legacy_freshness_policies_by_key),
            },
            checks=check_specs_by_output_name or {},
        )
        self._settle(
            parts,
            can_subset=can_subset,
            resource_defs=resource_defs,
            backfill_policy=backfill_policy,
            execution_type=execution_type,
            hook_defs=hook_defs,
        )
        if selected_asset_keys is not None or selected_asset_check_keys is not None or is_subset:
            keys = self.keys if selected_asset_keys is None else selected_asset_keys
            self._select(keys, selected_asset_check_keys)

    @classmethod
    def of_parts(
        cls,
        node_def: NodeDefinition,
        *,
        specs_by_output: Mapping[str, AssetSpec],
        checks_by_output: Mapping[str, AssetCheckSpec],
        keys_by_input: Mapping[str, AssetKey],
        input_manager_keys: Mapping[str, str],
        implicit_inputs: frozenset[str],
        io_manager_keys: Mapping[str, str],
        backfill_policy: BackfillPolicy | None = None,
        input_metadata: Mapping[str, Mapping[str, object]] | None = None,
        can_subset: bool = False,
        resource_defs: Mapping[str, object] | None = None,
        hook_defs: Set[Any] | None = None,
        execution_type: AssetExecutionType | None = None,
    ) -> Self:
        """The definition of an op or graph whose inputs and outputs are already resolved."""
        parts = AssetParts(
            node_def=node_def,
            specs_by_output=specs_by_output,
            checks_by_output=checks_by_output,
            keys_by_input=keys_by_input,
            input_manager_keys=input_manager_keys,
            input_metadata=input_metadata or {},
            implicit_inputs=implicit_inputs,
            io_manager_keys=io_manager_keys,
        )
        return cls._of(parts, can_subset, resource_defs, backfill_policy, hook_defs, execution_type)

    @classmethod
    def _of(
        cls,
        parts: AssetParts,
        can_subset: bool,
        resource_defs: Mapping[str, object] | None,
        backfill_policy: BackfillPolicy | None,
        hook_defs: Set[Any] | None,
        execution_type: AssetExecutionType | None = None,
    ) -> Self:
        made = cls.__new__(cls)
        made._settle(parts, can_subset, resource_defs, backfill_policy, execution_type, hook_defs)
        return made

    @staticmethod
    def from_graph(
        graph_def: GraphDefinition,
        *,
        keys_by_input_name: Mapping[str, AssetKey] | None = None,
        keys_by_output_name: Mapping[str, AssetKey] | None = None,
        key_prefix: CoercibleToAssetKeyPrefix | None = None,
        internal_asset_deps: Mapping[str, Set[AssetKey]] | None = None,
        partitions_def: PartitionsDefinition | None = None,
        partition_mappings: Mapping[str, PartitionMapping] | None = None,
        resource_defs: Mapping[str, object] | None = None,
        group_name: str | None = None,
        group_names_by_output_name: Mapping[str, str | None] | None = None,
        descriptions_by_output_name: Mapping[str, str] | None = None,
        metadata_by_output_name: Mapping[str, Mapping[str, object] | None] | None = None,
        tags_by_output_name: Mapping[str, Mapping[str, str] | None] | None = None,
        automation_conditions_by_output_name: Mapping[str, AnyCondition | None] | None = None,
        backfill_policy: BackfillPolicy | None = None,
        can_subset: bool = False,
        check_specs: Sequence[AssetCheckSpec] | None = None,
        owners_by_output_name: Mapping[str, Sequence[str]] | None = None,
        code_versions_by_output_name: Mapping[str, str | None] | None = None,
        hook_defs: Set[Any] | None = None,
        auto_materialize_policies_by_output_name: Mapping[str, object] | None = None,
    ) -> AssetsDefinition:
        """Assets computed by a graph of ops; each op is a separate step, `graph.op`.

        Args:
            graph_def: the graph; each output of an op must be an input of another op, or an output of the graph.
            keys_by_input_name: the assets behind its inputs; those of their names when left out.
            keys_by_output_name: the assets that its outputs carry; those of their names when left out, and that of the
                graph's own name for an output `result`.
            key_prefix: a prefix before the keys of the outputs.
            internal_asset_deps: by output, its dependencies, if they are not all inputs.
            partitions_def: how all the assets are partitioned.
            partition_mappings: by input, which upstream partitions a downstream partition depends on.
            resource_defs: resources that are provided with it.
            group_name: the group of all the assets.
            group_names_by_output_name, descriptions_by_output_name, metadata_by_output_name, tags_by_output_name,
                automation_conditions_by_output_name, owners_by_output_name, code_versions_by_output_name: as for
                `AssetSpec`, by output.
            backfill_policy: how a backfill is split into runs.
            can_subset: whether a run may select some of the assets; it then runs only the ops that these need.
            check_specs: checks whose results the graph returns.
            hook_defs: what runs after its steps.
            auto_materialize_policies_by_output_name: superseded by `automation_conditions_by_output_name`.

        Raises:
            InvalidDefinitionError: an argument does not match the graph.
        """
        parts = parts_from_node(
            require_graph(graph_def),
            keys_by_input_name=keys_by_input_name,
            keys_by_output_name=keys_by_output_name,
            key_prefix=key_prefix,
            internal_asset_deps=internal_asset_deps,
            partitions_def=partitions_def,
            partition_mappings=partition_mappings,
            group_name=group_name,
            by_output_name={
                "group_name": group_names_by_output_name,
                "description": descriptions_by_output_name,
                "metadata": metadata_by_output_name,
                "tags": tags_by_output_name,
                "automation_condition": conditions_of(
                    graph_def, automation_conditions_by_output_name, auto_materialize_policies_by_output_name
                ),
                "owners": owners_by_output_name,
                "code_version": code_versions_by_output_name,
            },
            check_specs=check_specs,
        )
        return AssetsDefinition._of(parts, can_subset, resource_defs, backfill_policy, hook_defs)

    @staticmethod
    def from_op(
        op_def: OpDefinition,
        *,
        keys_by_input_name: Mapping[str, AssetKey] | None = None,
        keys_by_output_name: Mapping[str, AssetKey] | None = None,
        key_prefix: CoercibleToAssetKeyPrefix | None = None,
        internal_asset_deps: Mapping[str, Set[AssetKey]] | None = None,
        partitions_def: PartitionsDefinition | None = None,
        partition_mappings: Mapping[str, PartitionMapping] | None = None,
        group_name: str | None = None,
        group_names_by_output_name: Mapping[str, str | None] | None = None,
        descriptions_by_output_name: Mapping[str, str] | None = None,
        metadata_by_output_name: Mapping[str, Mapping[str, object] | None] | None = None,
        tags_by_output_name: Mapping[str, Mapping[str, str] | None] | None = None,
        automation_conditions_by_output_name: Mapping[str, AnyCondition | None] | None = None,
        backfill_policy: BackfillPolicy | None = None,
        can_subset: bool = False,
        hook_defs: Set[Any] | None = None,
        auto_materialize_policies_by_output_name: Mapping[str, object] | None = None,
    ) -> AssetsDefinition:
        """Assets computed by an op.

        Args:
            op_def: the op.
            keys_by_input_name ... auto_materialize_policies_by_output_name: as for `from_graph`.

        Raises:
            InvalidDefinitionError: an argument does not match the op.
        """
        parts = parts_from_node(
            require_op(op_def),
            keys_by_input_name=keys_by_input_name,
            keys_by_output_name=keys_by_output_name,
            key_prefix=key_prefix,
            internal_asset_deps=internal_asset_deps,
            partitions_def=partitions_def,
            partition_mappings=partition_mappings,
            group_name=group_name,
            by_output_name={
                "group_name": group_names_by_output_name,
                "description": descriptions_by_output_name,
                "metadata": metadata_by_output_name,
                "tags": tags_by_output_name,
                "automation_condition": conditions_of(
                    op_def, automation_conditions_by_output_name, auto_materialize_policies_by_output_name
                ),
            },
            check_specs=None,
        )
        return AssetsDefinition._of(parts, can_subset, None, backfill_policy, hook_defs)

    def _settle(
        self,
        parts: AssetParts,
        can_subset: bool,
        resource_defs: Mapping[str, object] | None,
        backfill_policy: BackfillPolicy | None,
        execution_type: AssetExecutionType | None,
        hook_defs: Set[Any] | None,
    ) -> None:
        self.node_def = parts.node_def
        described = None if parts.node_def is None else parts.node_def.description
        self.specs_by_output = {name: spec.of_definition(described) for name, spec in parts.specs_by_output.items()}
        require_possible_deps(self.specs_by_output.values())
        self.checks_by_output = parts.checks_by_output or NO_ENTRIES
        self.keys_by_input = parts.keys_by_input or NO_ENTRIES
        self.input_manager_keys = parts.input_manager_keys or NO_ENTRIES
        self.input_metadata = parts.input_metadata or NO_ENTRIES
        self.implicit_inputs = parts.implicit_inputs
        self.io_manager_keys = parts.io_manager_keys or NO_ENTRIES
        self.backfill_policy = backfill_policy
        node = parts.node_def
        self.can_subset = can_subset or (isinstance(node, OpDefinition) and node.can_subset)
        self.resource_defs = dict(resource_defs) if resource_defs else NO_ENTRIES
        self.hook_defs = frozenset(hook_defs) if hook_defs else name_set(())
        usual = AssetExecutionType.MATERIALIZATION if parts.node_def else AssetExecutionType.UNEXECUTABLE
        self.execution_type = execution_type or usual
        self._whole = None
        count_definition()

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Calls the user's function without a run, its arguments and outputs checked as in one: for tests.

        The function's context, where it takes one, comes from `build_asset_context`.

        Raises:
            InvalidInvocationError: it has no function, but a graph of ops, or nothing.
        """
        if not isinstance(self.node_def, OpDefinition):
            raise InvalidInvocationError(
                f"{self!r} is not backed by a single function and cannot be called: materialize it."
            )
        if is_composing():
            return self.node_def(*args, **kwargs)
        return bound("invoke_directly")(self.node_def, args, kwargs, self)


class AssetChecksDefinition(AssetsDefinition):
    """Checks that run in their own step. Created by `@asset_check` and `@multi_asset_check`."""

    @property
    def keys_by_input_name(self) -> Mapping[str, AssetKey]:
        """The assets it looks at, by the input that takes the value or only waits for it."""
        others = ordering_inputs({}, self.check_specs, set(self.keys_by_input.values()), can_subset=False)
        return {**others, **self.keys_by_input}

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How its checks are partitioned; None without."""
        return next((spec.partitions_def for spec in self.check_specs if spec.partitions_def is not None), None)

    @staticmethod
    def create(
        *,
        keys_by_input_name: Mapping[str, AssetKey],
        node_def: OpDefinition,
        check_specs_by_output_name: Mapping[str, AssetCheckSpec],
        can_subset: bool = False,
        resource_defs: Mapping[str, object] | None = None,
    ) -> AssetChecksDefinition:
        """Checks that an op runs.

        Args:
            keys_by_input_name: the assets behind the inputs of the op.
            node_def: the op; it returns an `AssetCheckResult` for each output.
            check_specs_by_output_name: the checks, by the output that carries the result.
            can_subset: whether the op runs only the checks in `context.selected_asset_check_keys`.
            resource_defs: its own resources.

        Raises:
            InvalidDefinitionError: a name that is not an input or output of the op, or an output without a check.
        """
        strange = sorted({*keys_by_input_name} - {*node_def.input_names}) + sorted(
            {*check_specs_by_output_name} ^ {*node_def.output_names}
        )
        if strange:
            raise InvalidDefinitionError(
                f"AssetChecksDefinition.create: {', '.join(map(repr, strange))} does not match the op: the inputs must be among "
                f"its inputs ({', '.join(node_def.input_names) or 'none'}), the outputs all of its outputs "
                f"({', '.join(node_def.output_names)})."
            )
        op = node_def.with_replaced_properties(
            node_def.name, can_subset=can_subset, valueless_outputs=frozenset(check_specs_by_output_name)
        )
        return AssetChecksDefinition.of_parts(
            op,
            specs_by_output={},
            checks_by_output=check_specs_by_output_name,
            keys_by_input=keys_by_input_name,
            input_manager_keys={},
            implicit_inputs=frozenset(),
            io_manager_keys={},
            can_subset=can_subset,
            resource_defs=resource_defs,
        )
