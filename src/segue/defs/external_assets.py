"""External assets as definitions; and specs of any assets, replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.graph import GraphDefinition
from segue.defs.source_asset import SourceAsset
from segue.model.asset_deps import coerce_asset_key
from segue.model.assets import AssetSpec
from segue.model.keys import AssetKey
from segue.model.policies import AssetExecutionType

AnyAsset: TypeAlias = AssetsDefinition | AssetSpec | SourceAsset


def assets_definition_of(asset: AnyAsset) -> AssetsDefinition:
    """The definition that a spec or source asset stands for; a definition as it is."""
    if isinstance(asset, AssetsDefinition):
        return asset
    if isinstance(asset, AssetSpec):
        return AssetsDefinition(specs=[asset])
    if asset.node_def is None:
        return AssetsDefinition(specs=[asset.to_spec()], resource_defs=asset.resource_defs)
    return AssetsDefinition.of_parts(
        asset.node_def,
        specs_by_output={"result": asset.to_spec()},
        checks_by_output={},
        keys_by_input={},
        input_manager_keys={},
        implicit_inputs=frozenset(),
        io_manager_keys={},
        resource_defs=asset.resource_defs,
        execution_type=AssetExecutionType.OBSERVATION,
    )


def taken_assets(graph: GraphDefinition) -> dict[AssetKey, AnyAsset]:
    """The assets whose values inputs of a graph take, and of the graphs in it."""
    given = [each for inputs in graph.input_assets.values() for each in inputs.values()]
    found = {
        coerce_asset_key(each): each for each in given if isinstance(each, (AssetsDefinition, AssetSpec, SourceAsset))
    }
    for definition in graph.node_defs:
        if isinstance(definition, GraphDefinition):
            found |= taken_assets(definition)
    return found


def stored_spec(asset: AnyAsset) -> AssetSpec:
    """An asset of which only the stored value matters: its spec, which names the IO manager that loads it."""
    if isinstance(asset, AssetSpec):
        return asset
    if isinstance(asset, SourceAsset):
        return asset.to_spec()
    output, spec = next(iter(asset.specs_by_output.items()))
    return spec.with_io_manager_key(asset.io_manager_key_of(output))


def map_asset_specs(func: Callable[[AssetSpec], AssetSpec], iterable: Iterable[AnyAsset]) -> Sequence[AnyAsset]:
    """Copies of assets in which a function replaces each spec.

    Args:
        func: takes a spec and returns its replacement.
        iterable: definitions and specs.

    Raises:
        InvalidDefinitionError: a dependency that an input needs was removed.
    """
    return [
        func(each) if isinstance(each, AssetSpec) else assets_definition_of(each).map_asset_specs(func)
        for each in iterable
    ]
