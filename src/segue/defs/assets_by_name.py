"""The inputs and outputs of a definition of assets by their names, and what stands behind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from segue.defs.node import NodeDefinition
from segue.defs.op import OpDefinition
from segue.defs.ordering_inputs import check_upstream, ordering_inputs
from segue.errors import InvariantViolationError
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetCheckKey, AssetKey, AssetOrCheckKey


class NamedAssets:
    """What an `AssetsDefinition` takes and gives, by name.

    Attributes:
        node_def: the op or graph; None for external assets.
        specs_by_output: the assets, by the output that carries them.
        checks_by_output: the checks, by the output that carries them.
        keys_by_input: the assets whose values the inputs take.
        can_subset: whether it can materialize a subset of its assets.
    """

    node_def: NodeDefinition | None
    specs_by_output: Mapping[str, AssetSpec]
    checks_by_output: Mapping[str, AssetCheckSpec]
    keys_by_input: Mapping[str, AssetKey]
    can_subset: bool
    _whole: tuple[Mapping[str, AssetSpec], Mapping[str, AssetCheckSpec]] | None

    @property
    def input_names(self) -> Sequence[str]:
        """The inputs that the selected assets and checks need."""
        return list(self.keys_by_input_name)

    @property
    def keys_by_input_name(self) -> Mapping[str, AssetKey]:
        """The assets behind the inputs, as far as the selected assets and checks need them."""
        if self._whole is None:
            return self.node_keys_by_input_name
        needed = {dep.asset_key for spec in self.specs_by_output.values() for dep in spec.deps}
        own = {spec.key for spec in self._all_specs.values()}
        needed.update(key for spec in self.checks_by_output.values() for key in check_upstream(spec) if key not in own)
        return {name: key for name, key in self.node_keys_by_input_name.items() if key in needed}

    @property
    def node_keys_by_input_name(self) -> Mapping[str, AssetKey]:
        """The assets behind the inputs: those whose values it takes, then those that it only waits for."""
        if not isinstance(self.node_def, OpDefinition):
            return self.keys_by_input
        ordering = ordering_inputs(
            self._all_specs,
            self.node_check_specs_by_output_name.values(),
            set(self.keys_by_input.values()),
            can_subset=self.can_subset,
        )
        return {**self.keys_by_input, **ordering}

    @property
    def input_names_by_node_key(self) -> Mapping[AssetKey, str]:
        """The input behind which each of these assets stands."""
        return {key: name for name, key in self.node_keys_by_input_name.items()}

    @property
    def keys_by_output_name(self) -> Mapping[str, AssetKey]:
        """The assets it makes, by output."""
        return {name: spec.key for name, spec in self.specs_by_output.items()}

    @property
    def node_keys_by_output_name(self) -> Mapping[str, AssetKey]:
        """The assets that its op or graph can make, by output: with those that a subset leaves out."""
        return {name: spec.key for name, spec in self._all_specs.items()}

    @property
    def check_specs_by_output_name(self) -> Mapping[str, AssetCheckSpec]:
        """The checks it runs, by output."""
        return self.checks_by_output

    @property
    def node_check_specs_by_output_name(self) -> Mapping[str, AssetCheckSpec]:
        """The checks that its op or graph can run, by output: with those that a subset leaves out."""
        return self.checks_by_output if self._whole is None else self._whole[1]

    @property
    def entity_keys_by_output_name(self) -> Mapping[str, AssetOrCheckKey]:
        """The assets it makes and the checks it runs, by output."""
        return {**self.keys_by_output_name, **{name: spec.key for name, spec in self.checks_by_output.items()}}

    @property
    def output_names_by_entity_key(self) -> Mapping[AssetOrCheckKey, str]:
        """The output that carries each asset or check."""
        return {key: name for name, key in self.entity_keys_by_output_name.items()}

    @property
    def optional_outputs(self) -> Set[str]:
        """The outputs that its function may leave out.

        Those of skippable assets, and of a function that can make some of its assets only all that carry no value: what
        it does not report was not made.
        """
        found = {name for name, spec in self.specs_by_output.items() if spec.skippable}
        if self.can_subset and isinstance(self.node_def, OpDefinition):
            found |= {*self.specs_by_output, *self.checks_by_output} & self.node_def.valueless_outputs
        return found

    @property
    def _all_specs(self) -> Mapping[str, AssetSpec]:
        return self.specs_by_output if self._whole is None else self._whole[0]

    def has_output_for_asset_key(self, key: AssetKey) -> bool:
        """Whether it makes this asset."""
        return any(spec.key == key for spec in self.specs_by_output.values())

    def get_output_name_for_asset_key(self, key: AssetKey) -> str:
        """The output that carries an asset.

        Raises:
            InvariantViolationError: it does not have this asset.
        """
        for name, spec in self.specs_by_output.items():
            if spec.key == key:
                return name
        raise InvariantViolationError(f"{self!r} has no asset {key.to_user_string()!r}.")

    def get_output_name_for_asset_check_key(self, key: AssetCheckKey) -> str:
        """The output that carries a check.

        Raises:
            InvariantViolationError: it does not have this check.
        """
        for name, spec in self.checks_by_output.items():
            if spec.key == key:
                return name
        raise InvariantViolationError(f"{self!r} has no check {key.to_user_string()!r}.")
