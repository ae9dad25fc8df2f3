"""The assets behind an op or graph: which output carries which, and what each is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import msgspec

from segue.defs.hook import require_hooks
from segue.defs.node import NodeDefinition
from segue.defs.node_origin import inner_op, managers_in, origin_output, with_metadata_of_ops
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind, require_list
from segue.model.asset_deps import AssetDep
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.policies import BackfillPolicy


class AssetParts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an `AssetsDefinition`, under the names of its attributes."""

    node_def: NodeDefinition | None
    specs_by_output: Mapping[str, AssetSpec]
    checks_by_output: Mapping[str, AssetCheckSpec]
    keys_by_input: Mapping[str, AssetKey]
    input_manager_keys: Mapping[str, str] = {}
    input_metadata: Mapping[str, Mapping[str, object]] = {}
    implicit_inputs: frozenset[str] = frozenset()
    io_manager_keys: Mapping[str, str] = {}


def require_words_of_node(
    what: str, *, backfill_policy: object, can_subset: object, resource_defs: object, hooks: object
) -> None:
    """Refuses what cannot stand for these parameters of assets.

    Raises:
        InvalidDefinitionError: one of them is of a wrong type.
    """
    require_kind(what, "backfill_policy", backfill_policy, BackfillPolicy)
    require_kind(what, "can_subset", can_subset, bool)
    require_kind(what, "resource_defs", resource_defs, Mapping)
    require_hooks(hooks, what)


def parts_of_node(
    node: NodeDefinition | None,
    keys_by_input: Mapping[str, AssetKey],
    keys_by_output: Mapping[str, AssetKey] | None,
    *,
    specs: Sequence[AssetSpec] | None,
    asset_deps: Mapping[AssetKey, Set[AssetKey]],
    partitions_def: PartitionsDefinition | None,
    partition_mappings: Mapping[AssetKey, PartitionMapping],
    attributes: Mapping[str, Mapping[AssetKey, object]],
    checks: Mapping[str, AssetCheckSpec],
    of_node: Mapping[str, object],
) -> AssetParts:
    """The parts of a definition that is declared with an op or graph and keys.

    Args:
        node: the op or graph; None for external assets.
        keys_by_input, keys_by_output: the assets behind inputs and outputs.
        specs: the assets, in place of `asset_deps` and `attributes`.
        asset_deps: what each asset is made from; all inputs where it says nothing.
        partitions_def, partition_mappings: how the assets are partitioned and depend on partitions of others.
        attributes: further attributes of `AssetSpec`, each by key.
        checks: the checks that outputs carry.
        of_node: further arguments of the definition that require an op or graph, by name; empty ones are ignored.

    Raises:
        InvalidDefinitionError: a name that is not an input or output, an asset at two outputs, a mapping or dependency
            that does not match anything, or an argument that requires an op or graph where there is none.
    """
    if node is None:
        said = {"keys_by_input_name": keys_by_input, "keys_by_output_name": keys_by_output, "asset_deps": asset_deps}
        _require_none({**said, "partition_mappings": partition_mappings, **attributes, **of_node})
        return _made_elsewhere(specs, partitions_def)
    what = f"The assets of {node!r}"
    _require_names(what, "keys_by_input_name", keys_by_input, node.input_names)
    given = _keys_of_outputs(what, node, keys_by_output, specs, checks)
    _require_names(what, "keys_by_output_name", given, node.output_names)
    by_key: dict[AssetKey, str] = {}
    for output, key in given.items():
        if key in by_key:
            raise WrongDeclarationError(
                f"{what}: the outputs {by_key[key]!r} and {output!r} both have the asset key {key.to_user_string()!r}; keep one."
            )
        by_key[key] = output
    strange = [key for key in asset_deps if key not in by_key]
    if strange:
        raise InvalidDefinitionError(f"{what}: asset_deps includes {_shown(strange)}, which is not an output.")
    known = {*keys_by_input.values(), *by_key}
    if specs is None:
        for key, upstream in asset_deps.items():
            unknown = [each for each in upstream if each not in known]
            if unknown:
                raise InvalidDefinitionError(
                    f"{what}: asset_deps of {key.to_user_string()!r} includes {_shown(unknown)}, which is neither an "
                    "input nor an output."
                )
        specs = [
            _spec(
                node,
                output,
                key,
                asset_deps.get(key, set(keys_by_input.values())),
                partitions_def,
                partition_mappings,
                attributes,
            )
            for output, key in given.items()
        ]
    elif partitions_def is not None:
        specs = [spec.replace_attributes(partitions_def=spec.partitions_def or partitions_def) for spec in specs]
    found = {spec.key: spec for spec in specs}
    upstream = {dep.asset_key for spec in specs for dep in spec.deps}
    lost = [key for key in partition_mappings if key not in upstream]
    if lost:
        raise WrongDeclarationError(
            f"{what}: partition mapping for {_shown(lost)}, which is not a dependency: remove it, or add the dependency."
        )
    return AssetParts(
        node_def=node,
        specs_by_output=with_metadata_of_ops(
            node, {output: found[key] for output, key in given.items() if key in found}
        ),
        checks_by_output=checks,
        keys_by_input=dict(keys_by_input),
        io_manager_keys=managers_in(node, given),
    )


def _require_none(given: Mapping[str, object]) -> None:
    strange = [name for name, value in given.items() if value]
    if strange:
        raise WrongDeclarationError(
            f"AssetsDefinition: {', '.join(strange)} cannot be used without node_def, as there is no function: put the attributes "
            "of the assets into specs."
        )


def _made_elsewhere(specs: Sequence[AssetSpec] | None, partitions_def: PartitionsDefinition | None) -> AssetParts:
    if specs is None:
        raise WrongDeclarationError(
            "AssetsDefinition: neither node_def nor specs was provided: pass node_def, the op or graph that materializes the "
            "assets, or specs for external assets."
        )
    given = require_list("AssetsDefinition", "specs", specs)
    by_output: dict[str, AssetSpec] = {}
    for each in given:
        require_kind("AssetsDefinition", "specs", each, AssetSpec)
    for spec in specs:
        if partitions_def is not None:
            spec = spec.replace_attributes(partitions_def=spec.partitions_def or partitions_def)
        if by_output.setdefault(spec.key.to_python_identifier(), spec) != spec:
            raise InvalidDefinitionError(
                f"AssetsDefinition: conflicting AssetSpecs for {spec.key.to_user_string()!r}; keep one."
            )
    return AssetParts(node_def=None, specs_by_output=by_output, checks_by_output={}, keys_by_input={})


def _keys_of_outputs(
    what: str,
    node: NodeDefinition,
    given: Mapping[str, AssetKey] | None,
    specs: Sequence[AssetSpec] | None,
    checks: Mapping[str, AssetCheckSpec],
) -> dict[str, AssetKey]:
    if given is not None:
        return dict(given)
    outputs = [name for name in node.output_names if name not in checks]
    if specs is not None:
        if len(specs) != len(outputs):
            raise InvalidDefinitionError(
                f"{what}: got {len(specs)} specs for {len(outputs)} outputs: set keys_by_output_name."
            )
        return dict(zip(outputs, [spec.key for spec in specs], strict=True))
    return default_output_keys(node, outputs)


def default_output_keys(node: NodeDefinition, outputs: Sequence[str]) -> dict[str, AssetKey]:
    """The default assets of outputs: that of the node's name, or of the outputs' names."""
    if list(outputs) == ["result"]:
        return {"result": AssetKey(node.name)}
    return {name: AssetKey(name) for name in outputs}


def _spec(
    node: NodeDefinition,
    output: str,
    key: AssetKey,
    upstream: Set[AssetKey],
    partitions_def: PartitionsDefinition | None,
    mappings: Mapping[AssetKey, PartitionMapping],
    attributes: Mapping[str, Mapping[AssetKey, object]],
) -> AssetSpec:
    op = inner_op(node, output)
    own_output = origin_output(node, output)
    spec = AssetSpec(
        key,
        deps=[AssetDep(each, partition_mapping=mappings.get(each)) for each in sorted(upstream)],
        skippable=op is not None and not op.outs[own_output].is_required,
        partitions_def=partitions_def,
        description=None if op is None else op.outs[own_output].description or node.description,
        code_version=None if op is None else op.outs[own_output].code_version or op.code_version,
    )
    more = {name: by_key[key] for name, by_key in attributes.items() if by_key.get(key) is not None}
    return spec.replace_attributes(**more) if more else spec  # pyright: ignore[reportArgumentType] reason: attributes of AssetSpec


def _require_names(what: str, parameter: str, given: Mapping[str, AssetKey], known: Sequence[str]) -> None:
    strange = [name for name in given if name not in known]
    if strange:
        raise WrongDeclarationError(
            f"{what}: {parameter} includes {', '.join(map(repr, strange))}, not found; available: {', '.join(known) or 'none'}."
        )


def _shown(keys: Sequence[AssetKey]) -> str:
    return ", ".join(repr(key.to_user_string()) for key in keys)
