"""What is done to the definitions of a component after it has made them: attributes for selected assets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from segue.defs.components.asset_attributes import SharedAssetKwargs
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolvable import Resolvable, resolve_fields
from segue.defs.components.resolver import Model, Resolver
from segue.defs.definitions import Definitions
from segue.defs.external_assets import assets_definition_of, map_asset_specs
from segue.model.assets import AssetSpec
from segue.model.keys import AssetKey
from segue.model.selection import AssetSelection

_MERGED = ("deps", "kinds", "metadata", "owners", "tags")
PostProcessor: TypeAlias = Callable[[Definitions], Definitions]


class AssetPostProcessorModel(Resolvable, Model):
    """What to do to which assets.

    Attributes:
        target: a selection, such as `group:sales`.
        operation: `merge` adds to lists and mappings; `replace` takes their place.
        attributes: what a file can say of an asset; templates can speak of it as `asset`.
    """

    target: str = "*"
    operation: Literal["merge", "replace"] = "merge"
    attributes: SharedAssetKwargs


def apply_post_processor_to_defs(model: Any, defs: Definitions, context: ResolutionContext) -> Definitions:
    """The definitions with the attributes that a file gives to some of their assets.

    Args:
        model: of the class that `AssetPostProcessorModel.model()` gives.
        defs: the definitions; they stay as they are.
        context: what templates can speak of.

    Raises:
        ResolutionError: a template failed.
        InvalidSubsetError: the selection names something that is not there.
    """

    def change(spec: AssetSpec) -> AssetSpec:
        own = context.at_path("attributes").with_scope(asset=spec)
        given = resolve_fields(model.attributes, SharedAssetKwargs, own)
        if model.operation == "replace":
            return spec.replace_attributes(**given)
        added: dict[str, Any] = {name: given[name] for name in _MERGED if given.get(name) is not None}
        merged = spec.merge_attributes(**added)
        return merged.replace_attributes(**{name: value for name, value in given.items() if name not in _MERGED})

    return with_mapped_specs(defs, change, str(context.resolve_value(model.target, as_type=str)))


def with_mapped_specs(
    defs: Definitions, change: Callable[[AssetSpec], AssetSpec], selection: str | None = None
) -> Definitions:
    """The definitions with some of their specs changed.

    Args:
        defs: the definitions; they stay as they are.
        change: gives the new spec for an old one.
        selection: which assets; all when None.
    """
    chosen = _selected(defs, selection)

    def change_chosen(spec: AssetSpec) -> AssetSpec:
        return change(spec) if spec.key in chosen else spec

    made = copy(defs)
    for name in ("described", "encoded_manifest", "manifest_hash"):
        vars(made).pop(name, None)
    made.assets = tuple(map_asset_specs(change_chosen, defs.assets))
    return made


def _selected(defs: Definitions, selection: str | None) -> frozenset[AssetKey]:
    specs = {spec.key: spec for each in defs.assets for spec in assets_definition_of(each).specs}
    if selection in (None, "*"):
        return frozenset(specs)
    # Among the specs alone: which assets are meant does not depend on resources or jobs, which may stand elsewhere.
    return frozenset(AssetSelection.from_string(selection, include_sources=True).resolve(list(specs.values())))


def _resolve_post_processor(context: ResolutionContext, model: BaseModel) -> PostProcessor:
    return lambda defs: apply_post_processor_to_defs(model, defs, context)


AssetPostProcessor: TypeAlias = Annotated[
    PostProcessor, Resolver(_resolve_post_processor, model_field_type=AssetPostProcessorModel.model())
]
"""A function that gives attributes to selected assets of definitions."""


def post_process_defs(defs: Definitions, post_processors: Iterable[PostProcessor] | None) -> Definitions:
    """The definitions after each of the post processors, in order."""
    for each in post_processors or ():
        defs = each(defs)
    return defs


class PostProcessing(Resolvable, Model):
    """What stands under `post_processing` in a file."""

    assets: list[AssetPostProcessor] = Field([])
