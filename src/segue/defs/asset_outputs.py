"""What a function of assets gives: the spec of the asset, or of the check, behind each output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from segue.defs.asset_inputs import AssetInputs
from segue.defs.asset_io import AssetOut
from segue.defs.io_marks import NO_TYPE
from segue.defs.op_io import Out
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_each, require_kind, require_list
from segue.model.asset_deps import AssetDep
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetKey, require_name
from segue.model.partitions.base import PartitionsDefinition
from segue.model.policies import BackfillPolicy


def keys_of_outs(outs: Mapping[str, AssetOut], what: str) -> dict[str, AssetKey]:
    """The asset behind each output.

    Raises:
        InvalidDefinitionError: an invalid name, something that is not an `AssetOut`, or two outputs for one asset.
    """
    require_kind(what, "outs", outs, Mapping)
    found: dict[str, AssetKey] = {}
    for output, out in outs.items():
        require_each(what, f"outs[{output!r}]", out, AssetOut)
        key = out.resolve_key(require_name(output, "an output", what))
        if key in found.values():
            raise InvalidDefinitionError(f"{what}: duplicate asset key {key.to_user_string()!r}.")
        found[output] = key
    return found


def specs_by_output(
    specs: Sequence[AssetSpec], inputs: AssetInputs, what: str, *, can_subset: bool = False
) -> dict[str, AssetSpec]:
    """The specs, by the output that carries each.

    A spec that names an input as its dependency is made from it, with the partition mapping that `ins` gives. A function
    that can make some of the assets only may leave out any: all specs are skippable.

    Raises:
        InvalidDefinitionError: something that is not a spec, two specs for one asset or output, or an input that is in no
            spec's deps.
    """
    given = require_list(what, "specs", specs)
    for spec in given:
        require_each(what, "specs", spec, AssetSpec)
    named = {dep.asset_key for spec in specs for dep in spec.deps}
    idle = ", ".join(repr(key.to_user_string()) for key in sorted(inputs.deps) if key not in named)
    if idle:
        raise InvalidDefinitionError(
            f"{what} has the input {idle}, specified as AssetIns or parameters, which is not in the deps of any spec: add it to "
            "one of them."
        )
    found: dict[str, AssetSpec] = {}
    for spec in specs:
        output = spec.key.to_python_identifier()
        if output in found:
            other = found[output].key.to_user_string()
            raise InvalidDefinitionError(
                f"{what}: duplicate asset key {spec.key.to_user_string()!r}."
                if found[output].key == spec.key
                else f"{what}: the asset keys {other!r} and {spec.key.to_user_string()!r} give the same output name "
                f"{output!r}: rename one."
            )
        mapped = [_with_mapping(dep, inputs) for dep in spec.deps]
        is_changed = mapped != list(spec.deps) or can_subset > spec.skippable
        found[output] = (
            spec.replace_attributes(deps=mapped, skippable=can_subset or spec.skippable) if is_changed else spec
        )
    return found


def _with_mapping(dep: AssetDep, inputs: AssetInputs) -> AssetDep:
    """The dependency with the partition mapping of its input, where it has none itself."""
    taken = inputs.deps.get(dep.asset_key)
    if taken is None or taken.partition_mapping is None or dep.partition_mapping is not None:
        return dep
    return AssetDep(dep.asset_key, partition_mapping=taken.partition_mapping, metadata=dep.metadata)


def with_defaults(
    spec: AssetSpec,
    group_name: str | None,
    code_version: str | None,
    partitions_def: PartitionsDefinition | None,
    compute_kind: str | None,
    what: str,
    description: str | None = None,
) -> AssetSpec:
    """A spec with what is said of the function as a whole.

    Raises:
        InvalidDefinitionError: the two disagree.
    """
    if group_name is not None and spec.group_name is not None and spec.group_name != group_name:
        raise WrongDeclarationError(
            f"{what} and its asset {spec.key.to_user_string()!r} have different group names; keep one."
        )
    if partitions_def is not None and spec.partitions_def is not None and spec.partitions_def != partitions_def:
        raise WrongDeclarationError(
            f"{what} and its asset {spec.key.to_user_string()!r} have different partitions definitions."
        )
    if all(each is None for each in (group_name, code_version, partitions_def, compute_kind, description)):
        return spec
    return spec.replace_attributes(
        group_name=spec.group_name or group_name,
        code_version=spec.code_version or code_version,
        description=spec.description or description,
        partitions_def=spec.partitions_def or partitions_def,
        kinds=with_compute_kind(spec.kinds, compute_kind),
    )


def require_same_partitions(specs: Iterable[AssetSpec], what: str) -> None:
    """Refuses assets that are partitioned in different ways, where a run makes all of them.

    Raises:
        InvalidDefinitionError: two of them are.
    """
    different = list(dict.fromkeys(spec.partitions_def for spec in specs if spec.partitions_def is not None))
    if len(different) > 1:
        raise InvalidDefinitionError(
            f"{what}: its assets have different partitions definitions, but are materialized together; set can_subset=True, or "
            "give them one partitions definition."
        )


def checks_by_output(
    check_specs: Sequence[AssetCheckSpec] | None,
    outputs: Mapping[str, AssetSpec],
    what: str,
    *,
    of_others: bool = False,
) -> dict[str, AssetCheckSpec]:
    """The checks that the function carries, by output.

    Args:
        check_specs: the checks.
        outputs: the assets that it makes, by output.
        what: how errors name it.
        of_others: whether they may look at assets that it does not make.

    Raises:
        InvalidDefinitionError: something that is not a spec, a check of an asset that it does not produce, or a duplicate.
    """
    if check_specs is None:
        return {}
    keys = {spec.key for spec in outputs.values()}
    found: dict[str, AssetCheckSpec] = {}
    for spec in require_list(what, "check_specs", check_specs):
        if not isinstance(spec, AssetCheckSpec):
            raise WrongDeclarationError(f"{what}: check_specs must be a list of AssetCheckSpecs, got {spec!r}.")
        if spec.asset_key not in keys and not of_others:
            raise InvalidDefinitionError(
                f"{what}: the check {spec.key.to_user_string()!r} is for an asset that this function "
                "does not produce; use asset_check."
            )
        output = spec.get_python_identifier()
        if output in found:
            raise InvalidDefinitionError(f"{what}: duplicate asset check {spec.key.to_user_string()!r}.")
        if output in outputs:
            raise WrongDeclarationError(
                f"{what}: the check {spec.key.to_user_string()!r} and the asset {outputs[output].key.to_user_string()!r} "
                f"give the same output name {output!r}: rename one."
            )
        found[output] = spec
    return found


def common_backfill_policy(outs: Mapping[str, AssetOut] | None, what: str) -> BackfillPolicy | None:
    """The backfill policy of all outputs; None where none names one.

    Raises:
        InvalidDefinitionError: two of them name different ones.
    """
    policies = {out.backfill_policy for out in (outs or {}).values() if out.backfill_policy is not None}
    if len(policies) > 1:
        raise InvalidDefinitionError(
            f"{what}: its outputs have different backfill policies, but they are materialized together; keep one."
        )
    return next(iter(policies), None)


def with_compute_kind(kinds: Set[str] | None, compute_kind: str | None) -> Set[str] | None:
    """The kinds, and the superseded `compute_kind` as one more of them."""
    if compute_kind is None:
        return kinds
    return frozenset([*(kinds or ()), compute_kind.lower()])


def with_io_manager(
    key: AssetKey,
    io_manager_key: str | None,
    io_manager_def: object,
    resource_defs: Mapping[str, object] | None,
    what: str,
) -> tuple[str | None, Mapping[str, object]]:
    """The resource that stores an asset, and the resources that are provided with it.

    Raises:
        InvalidDefinitionError: both io_manager_def and io_manager_key.
    """
    if io_manager_def is None:
        return io_manager_key, resource_defs or {}
    if io_manager_key is not None:
        raise WrongDeclarationError(f"{what}: io_manager_def and io_manager_key were both provided; keep one.")
    own_key = key.to_python_identifier("io_manager")
    return own_key, {**(resource_defs or {}), own_key: io_manager_def}


def typed_outs(types: Mapping[str, object], outputs: Sequence[str], optional: Sequence[str]) -> dict[str, Out] | None:
    """What is said of each output of the op, where the type of one is named; None leaves all open."""
    if all(kind is NO_TYPE or kind is None for kind in types.values()):
        return None
    return {
        name: Out(NO_TYPE if types.get(name) is None else types[name], is_required=name not in optional)
        for name in outputs
    }
