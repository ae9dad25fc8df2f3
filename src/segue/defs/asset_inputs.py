"""What a function of assets takes: the asset behind each input, and the dependencies that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from segue.defs.asset_io import AssetIn
from segue.defs.io_marks import NO_TYPE, is_nothing
from segue.defs.op_io import In
from segue.defs.op_signature import read_in, require_values
from segue.defs.signature import FunctionShape
from segue.errors import ConflictingDefinitionsError, InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind, require_list
from segue.model.asset_deps import AssetDep, CoercibleToAssetDep
from segue.model.keys import AssetKey
from segue.model.shared import name_set


class AssetInputs(msgspec.Struct, frozen=True):
    """The inputs of a function of assets.

    Attributes:
        keys: the asset behind each input.
        given: what `ins` says of an input.
        implicit: the inputs whose asset only the parameter's name says.
        deps: the dependencies through inputs.
    """

    keys: Mapping[str, AssetKey]
    given: Mapping[str, AssetIn]
    implicit: frozenset[str]
    deps: Mapping[AssetKey, AssetDep]

    @property
    def manager_keys(self) -> dict[str, str]:
        """The resources that load inputs, where it is not the asset's own IO manager."""
        return {name: each.input_manager_key for name, each in self.given.items() if each.input_manager_key is not None}

    @property
    def metadata(self) -> dict[str, Mapping[str, object]]:
        """What is declared of inputs, for IO managers."""
        return {name: each.metadata for name, each in self.given.items() if each.metadata}


def read_inputs(shape: FunctionShape, ins: Mapping[str, AssetIn] | None, what: str) -> AssetInputs:
    """The inputs of a function.

    Raises:
        InvalidDefinitionError: `ins` names no parameter, or two inputs want different partitions of one asset.
    """
    require_kind(what, "ins", ins, Mapping)
    every = {name: AssetIn.from_coercible(each) for name, each in (ins or {}).items()}
    ordering = {
        name: each for name, each in every.items() if is_nothing(each.dagster_type) and name not in shape.inputs
    }
    given = {name: each for name, each in every.items() if name not in ordering}
    require_values({name: each.dagster_type for name, each in given.items()}, shape, what)
    unknown = [name for name in given if name not in shape.inputs and not shape.takes_any]
    if unknown:
        parameters = ", ".join(shape.inputs) or "none"
        raise InvalidDefinitionError(
            f"{what} ({shape.source}): ins includes {', '.join(map(repr, unknown))}, not found among the "
            f"function's parameters: {parameters}."
        )
    names = [*shape.inputs, *(name for name in given if name not in shape.inputs)]
    keys = {name: given[name].resolve_key(name) if name in given else AssetKey.from_user_string(name) for name in names}
    deps: dict[AssetKey, AssetDep] = {}
    for name, key in {**keys, **{name: each.resolve_key(name) for name, each in ordering.items()}}.items():
        dep = AssetDep(key, partition_mapping=every[name].partition_mapping if name in every else None)
        known = deps.setdefault(key, dep)
        if known is not dep and known != dep:
            raise InvalidDefinitionError(
                f"{what} ({shape.source}): two inputs load the asset {key.to_user_string()!r} with different partition mappings."
            )
    implicit = [name for name in shape.inputs if name not in given or given[name].is_implicit]
    return AssetInputs(keys, given, name_set(implicit), deps)


def typed_ins(shape: FunctionShape, inputs: AssetInputs) -> dict[str, In] | None:
    """What is said of each input of the op, where the type of one is named; None leaves all to the annotations."""
    if all(each.dagster_type is NO_TYPE for each in inputs.given.values()):
        return None
    given = {name: In(each.dagster_type, metadata=each.metadata) for name, each in inputs.given.items()}
    return {name: read_in(shape, name, given.get(name)) for name in inputs.keys}


def deps_of(
    deps: Iterable[CoercibleToAssetDep] | None, superseded: Iterable[CoercibleToAssetDep] | None, what: str
) -> Iterable[CoercibleToAssetDep] | None:
    """What `deps` names, or the superseded `non_argument_deps`.

    Raises:
        InvalidDefinitionError: both name something.
    """
    if deps and superseded:
        raise InvalidDefinitionError(f"{what}: deps and non_argument_deps were both provided; put all into deps.")
    return deps or superseded


def all_deps(inputs: AssetInputs, deps: Iterable[CoercibleToAssetDep] | None, what: str) -> list[CoercibleToAssetDep]:
    """The dependencies through inputs, then the others.

    Raises:
        InvalidDefinitionError: `deps` is not a list of assets, or has a different partition mapping than an input.
    """
    through_inputs, others = dict(inputs.deps), list[CoercibleToAssetDep]()
    for each in () if deps is None else require_list(what, "deps", deps):
        if isinstance(each, AssetDep) and each.asset_key in through_inputs:
            through_inputs[each.asset_key] = _both(through_inputs[each.asset_key], each, what)
        else:
            others.append(each)
    return [*through_inputs.values(), *others]


def _both(through_input: AssetDep, named: AssetDep, what: str) -> AssetDep:
    """The dependency through an input, with what `deps` says of it.

    Raises:
        ConflictingDefinitionsError: both name a partition mapping, and not the same.
    """
    mappings = [each for each in (through_input.partition_mapping, named.partition_mapping) if each is not None]
    if len(mappings) == 2 and mappings[0] != mappings[1]:
        raise ConflictingDefinitionsError(
            f"{what}: the asset {named.asset_key.to_user_string()!r} is both an input and in deps, with different partition "
            "mappings; keep one."
        )
    metadata = {**through_input.metadata, **named.metadata}
    return AssetDep(named.asset_key, partition_mapping=mappings[0] if mappings else None, metadata=metadata)


def deps_by_output(
    internal: Mapping[str, Set[AssetKey]] | None,
    keys: Mapping[str, AssetKey],
    common: Sequence[CoercibleToAssetDep],
    what: str,
) -> dict[str, list[CoercibleToAssetDep]]:
    """What each output is made from: all that the function takes, or what `internal_asset_deps` says.

    Args:
        internal: keys of inputs, of `deps` or of other outputs, by output.
        keys: the asset of each output.
        common: the dependencies of the function as a whole.
        what: how errors name the function.

    Raises:
        InvalidDefinitionError: no such output, an asset that the function neither takes nor makes, or one that it takes for
            nothing.
    """
    if not internal:
        return {output: list(common) for output in keys}
    unknown = sorted(set(internal) - set(keys))
    if unknown:
        raise WrongDeclarationError(
            f"{what} has no output {', '.join(map(repr, unknown))} for internal_asset_deps; available: "
            f"{', '.join(keys)}."
        )
    taken = {dep.asset_key: dep for dep in map(AssetDep.from_coercible, common)}
    known: dict[AssetKey, CoercibleToAssetDep] = {**{key: key for key in keys.values()}, **taken}
    found: dict[str, list[CoercibleToAssetDep]] = {output: [] for output in keys}
    for output, wanted in internal.items():
        strange = sorted(set(wanted) - set(known))
        if strange:
            raise WrongDeclarationError(
                f"{what}: internal_asset_deps[{output!r}] includes {_shown(strange)}, "
                "which is neither an input nor an output of the function: add it to ins or deps."
            )
        found[output] = [known[key] for key in sorted(wanted)]
    idle = sorted(set(taken).difference(*internal.values()))
    if idle:
        raise WrongDeclarationError(
            f"{what}: the input {_shown(idle)} is not in the internal_asset_deps of any output: add it to one."
        )
    return found


def _shown(keys: Iterable[AssetKey]) -> str:
    return ", ".join(repr(key.to_user_string()) for key in keys)
