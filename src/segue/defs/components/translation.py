"""Translation: what a file says of assets that another tool describes, one spec after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

import msgspec
from pydantic import BaseModel

from segue.defs.components.asset_attributes import AssetAttributesModel, resolve_asset_attributes
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolver import Resolver
from segue.model.asset_words import without_kinds
from segue.model.assets import AssetSpec

Data = TypeVar("Data")
TranslationFn: TypeAlias = Callable[[AssetSpec, Data], AssetSpec]


class TranslatorResolvingInfo(msgspec.Struct, frozen=True):
    """What a file says of assets.

    Attributes:
        resolution_context: of the attributes.
        asset_attributes: the attributes, or a template that gives them, or that gives a whole `AssetSpec`.
        model_key: what the file calls them.
    """

    resolution_context: ResolutionContext
    asset_attributes: str | BaseModel
    model_key: str = "asset_attributes"

    def get_asset_spec(self, base_spec: AssetSpec, context: Mapping[str, Any]) -> AssetSpec:
        """The spec of one asset, as the file wants it: metadata and tags are added, everything else takes the place of what
        the spec has.

        Args:
            base_spec: as the tool describes it.
            context: what templates can speak of, besides the usual.

        Raises:
            ResolutionError: a template failed, or gives something else.
        """
        base = self.resolution_context
        here = (base if base.path[-1:] == [self.model_key] else base.at_path(self.model_key)).with_scope(**context)
        said: object = self.asset_attributes
        if isinstance(said, str):
            said = here.resolve_value(said)
        if isinstance(said, AssetSpec):
            return said
        if isinstance(said, BaseModel):
            return _updated(base_spec, resolve_asset_attributes(here, said))
        if isinstance(said, Mapping):
            return _updated(base_spec, cast("Mapping[str, Any]", said))
        raise here.error(f"attributes of assets are expected here, or a template that gives them; got {said!r}.")


def _updated(spec: AssetSpec, given: Mapping[str, Any]) -> AssetSpec:
    changes = dict(given)
    prefix = changes.pop("key_prefix", None)
    key = changes.pop("key", None) or spec.key
    if "metadata" in changes:
        changes["metadata"] = {**spec.metadata, **changes["metadata"]}
    if "tags" in changes:
        changes["tags"] = {**without_kinds(spec.tags), **changes["tags"]}
    return spec.replace_attributes(key=key if prefix is None else key.with_prefix(prefix), **changes)


class TranslationFnResolver(Resolver):
    """Makes a function of what a file says of assets: `(spec, data)` gives the spec that the file wants.

    Args:
        template_vars_for_translation_fn: gives, for the data that a tool has of an asset, what templates can speak of.
        model_field_type: what the file may say there.
    """

    def __init__(
        self,
        template_vars_for_translation_fn: Callable[[Any], Mapping[str, Any]],
        model_field_type: Any = AssetAttributesModel,
    ) -> None:
        def resolve(context: ResolutionContext, model: Any) -> TranslationFn[Any]:
            def translate(spec: AssetSpec, data: Any) -> AssetSpec:
                scope = {"spec": spec, **template_vars_for_translation_fn(data)}
                info = TranslatorResolvingInfo(context, model, model_key=str(context.path[-1]))
                return info.get_asset_spec(spec, scope)

            return translate

        super().__init__(resolve, model_field_type=str | model_field_type, inject_before_resolve=False)
