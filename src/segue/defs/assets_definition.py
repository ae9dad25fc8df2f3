"""`AssetsDefinition`: one computation and the assets and checks its outputs carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from segue.defs.bindings import bound
from segue.defs.composition import is_composing
from segue.defs.op import OpDefinition
from segue.errors import InvalidDefinitionError
from segue.model.assets import AssetSpec, require_not_built
from segue.model.checks import AssetCheckSpec
from segue.model.condition.base import AnyCondition
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import BackfillPolicy


class AssetsDefinition:
    """The assets and checks that one function makes. Written by `@asset`, `@multi_asset` and `@asset_check`.

    Calling it calls the function as it stands, without a run.

    Attributes:
        op: the computation.
        specs_by_output: the assets, by the output that carries them.
        checks_by_output: the checks, by the output that carries them.
        keys_by_input: the assets whose values the inputs take.
        input_manager_keys: the resources that load inputs, where it is not the asset's own IO manager.
        input_metadata: what is declared of inputs, for IO managers.
        implicit_inputs: the inputs whose asset is named by nothing but the parameter.
        io_manager_keys: the resources that store outputs, where one is named.
        backfill_policy: how a request for many partitions becomes runs.
    """

    __slots__ = (
        "backfill_policy",
        "checks_by_output",
        "implicit_inputs",
        "input_manager_keys",
        "input_metadata",
        "io_manager_keys",
        "keys_by_input",
        "op",
        "specs_by_output",
    )

    def __init__(
        self,
        op: OpDefinition,
        *,
        specs_by_output: Mapping[str, AssetSpec],
        checks_by_output: Mapping[str, AssetCheckSpec],
        keys_by_input: Mapping[str, AssetKey],
        input_manager_keys: Mapping[str, str],
        implicit_inputs: frozenset[str],
        io_manager_keys: Mapping[str, str],
        backfill_policy: BackfillPolicy | None = None,
        input_metadata: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.op = op
        self.specs_by_output = specs_by_output
        self.checks_by_output = checks_by_output
        self.keys_by_input = keys_by_input
        self.input_manager_keys = input_manager_keys
        self.input_metadata: Mapping[str, Mapping[str, object]] = input_metadata or {}
        self.implicit_inputs = implicit_inputs
        self.io_manager_keys = io_manager_keys
        self.backfill_policy = backfill_policy

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Calls the user's function without a run, its arguments and outputs checked as in one: for tests.

        The function's context, where it takes one, comes from `build_asset_context`.
        """
        if is_composing():
            return self.op(*args, **kwargs)
        return bound("invoke_directly")(self.op, args, kwargs, self)

    def __repr__(self) -> str:
        names = ", ".join(key.to_user_string() for key in sorted(self.keys)) or ", ".join(
            key.to_user_string() for key in sorted(self.check_keys)
        )
        return f"{type(self).__name__}({names})"

    @property
    def is_executable(self) -> bool:
        """Whether there is a function to run: always; an asset without one is an `AssetSpec`."""
        return True

    @property
    def is_materializable(self) -> bool:
        """Whether its function makes assets, and does not only check them."""
        return bool(self.specs_by_output)

    @property
    def keys(self) -> frozenset[AssetKey]:
        """The assets it makes."""
        return frozenset([spec.key for spec in self.specs_by_output.values()])

    @property
    def key(self) -> AssetKey:
        """The asset it makes.

        Raises:
            InvalidDefinitionError: it makes none, or several.
        """
        if len(self.specs_by_output) != 1:
            raise InvalidDefinitionError(f"{self!r} makes {len(self.specs_by_output)} assets: name one by its key.")
        return next(iter(self.specs_by_output.values())).key

    @property
    def specs(self) -> Sequence[AssetSpec]:
        """The specs of the assets it makes."""
        return list(self.specs_by_output.values())

    @property
    def specs_by_key(self) -> Mapping[AssetKey, AssetSpec]:
        """The specs of the assets it makes, by key."""
        return {spec.key: spec for spec in self.specs_by_output.values()}

    @property
    def check_specs(self) -> Sequence[AssetCheckSpec]:
        """The checks it runs."""
        return list(self.checks_by_output.values())

    @property
    def check_keys(self) -> frozenset[AssetCheckKey]:
        """The keys of the checks it runs."""
        return frozenset([spec.key for spec in self.checks_by_output.values()])

    def get_spec_for_check_key(self, asset_check_key: AssetCheckKey) -> AssetCheckSpec:
        """The spec of one of the checks it runs.

        Raises:
            InvalidDefinitionError: it does not run this check.
        """
        for spec in self.checks_by_output.values():
            if spec.key == asset_check_key:
                return spec
        raise InvalidDefinitionError(f"{self!r} does not run the check {asset_check_key.to_user_string()!r}.")

    @property
    def dependency_keys(self) -> frozenset[AssetKey]:
        """The assets that its assets are made from."""
        return frozenset([dep.asset_key for spec in self.specs for dep in spec.deps])

    @property
    def asset_deps(self) -> Mapping[AssetKey, frozenset[AssetKey]]:
        """The assets that each of its assets is made from."""
        return {spec.key: frozenset([dep.asset_key for dep in spec.deps]) for spec in self.specs}

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
                    f"The assets of {self!r} are partitioned in different ways: ask their specs."
                )
            found = spec.partitions_def
        return found

    @property
    def can_subset(self) -> bool:
        """Whether it can make some of its assets only."""
        return self.op.can_subset

    @property
    def group_names_by_key(self) -> Mapping[AssetKey, str]:
        """The group of each asset."""
        return {spec.key: spec.group_name or "default" for spec in self.specs}

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
    def tags_by_key(self) -> Mapping[AssetKey, Mapping[str, str]]:
        """The tags of each asset."""
        return {spec.key: spec.tags for spec in self.specs}

    @property
    def required_resource_keys(self) -> set[str]:
        """The resources that its function needs, IO managers not included."""
        return set(self.op.resource_keys)

    def get_asset_spec(self, key: AssetKey | None = None) -> AssetSpec:
        """The spec of one of its assets; of the only one when no key is given.

        Raises:
            InvalidDefinitionError: it does not make this asset, or makes several and no key is given.
        """
        wanted = self.key if key is None else key
        found = self.specs_by_key.get(wanted)
        if found is None:
            raise InvalidDefinitionError(f"{self!r} does not make the asset {wanted.to_user_string()!r}.")
        return found

    def map_asset_specs(self, fn: Callable[[AssetSpec], AssetSpec]) -> AssetsDefinition:
        """A copy in which each spec is replaced by what `fn` makes of it.

        Raises:
            InvalidDefinitionError: a dependency that an input needs is gone.
        """
        specs = {name: fn(spec) for name, spec in self.specs_by_output.items()}
        renamed = {
            old.key: new.key
            for old, new in zip(self.specs_by_output.values(), specs.values(), strict=True)
            if old.key != new.key
        }
        kept = {dep.asset_key for spec in specs.values() for dep in spec.deps} | set(renamed)
        for name, key in self.keys_by_input.items():
            if specs and key not in kept:
                raise InvalidDefinitionError(
                    f"map_asset_specs took the dependency on {key.to_user_string()!r} from {self!r}, "
                    f"but its input {name!r} loads it."
                )
        return self.with_attributes(specs_by_output=specs, renamed=renamed)

    def with_attributes(
        self,
        *,
        specs_by_output: Mapping[str, AssetSpec] | None = None,
        renamed: Mapping[AssetKey, AssetKey] | None = None,
        backfill_policy: BackfillPolicy | None = None,
    ) -> AssetsDefinition:
        """A copy with other specs, another backfill policy, or assets (its own and upstream ones) under other keys."""
        names = renamed or {}
        checks = {
            name: spec.replace_key(AssetCheckKey(names[spec.asset_key], spec.name)) if spec.asset_key in names else spec
            for name, spec in self.checks_by_output.items()
        }
        return type(self)(
            self.op,
            specs_by_output=self.specs_by_output if specs_by_output is None else specs_by_output,
            checks_by_output=checks,
            keys_by_input={name: names.get(key, key) for name, key in self.keys_by_input.items()},
            input_manager_keys=self.input_manager_keys,
            input_metadata=self.input_metadata,
            implicit_inputs=self.implicit_inputs,
            io_manager_keys=self.io_manager_keys,
            backfill_policy=backfill_policy or self.backfill_policy,
        )


class AssetChecksDefinition(AssetsDefinition):
    """Checks that run in a step of their own. Written by `@asset_check` and `@multi_asset_check`."""

    __slots__ = ()

    @property
    def keys_by_input_name(self) -> Mapping[str, AssetKey]:
        """The assets it looks at, by the input that takes the value; one without by its key as an identifier."""
        taken = set(self.keys_by_input.values())
        looked_at = [
            key
            for spec in self.check_specs
            for key in (spec.asset_key, *(dep.asset_key for dep in spec.additional_deps))
        ]
        others = {key.to_python_identifier(): key for key in looked_at if key not in taken}
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
            node_def: the op; it gives an `AssetCheckResult` for each output.
            check_specs_by_output_name: the checks, by the output that carries the result.
            can_subset: whether the op runs only the checks that `context.selected_asset_check_keys` asks for.
            resource_defs: resources of its own.

        Raises:
            InvalidDefinitionError: a name that is no input or output of the op, or an output without a check.
            NotSupportedError: `resource_defs`.
        """
        require_not_built("AssetChecksDefinition.create", resource_defs=resource_defs)
        strange = sorted({*keys_by_input_name} - {*node_def.input_names}) + sorted(
            {*check_specs_by_output_name} ^ {*node_def.output_names}
        )
        if strange:
            raise InvalidDefinitionError(
                f"AssetChecksDefinition.create: {', '.join(map(repr, strange))} stand on one side only: name inputs of the op "
                f"({', '.join(node_def.input_names) or 'none'}) and all of its outputs ({', '.join(node_def.output_names)})."
            )
        op = node_def.with_replaced_properties(
            node_def.name, can_subset=can_subset, valueless_outputs=frozenset(check_specs_by_output_name)
        )
        return AssetChecksDefinition(
            op,
            specs_by_output={},
            checks_by_output=check_specs_by_output_name,
            keys_by_input=keys_by_input_name,
            input_manager_keys={},
            implicit_inputs=frozenset(),
            io_manager_keys={},
        )

    @property
    def check_key(self) -> AssetCheckKey:
        """The check.

        Raises:
            InvalidDefinitionError: there are several.
        """
        if len(self.checks_by_output) != 1:
            raise InvalidDefinitionError(f"{self!r} holds {len(self.checks_by_output)} checks: name one by its key.")
        return next(iter(self.checks_by_output.values())).key
