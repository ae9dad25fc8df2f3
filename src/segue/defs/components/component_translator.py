"""Translators that belong to a component: what a tool describes becomes specs, and a class below the component has the
last word."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from segue.defs.components.component import Component
from segue.errors import InvalidDefinitionError
from segue.model.assets import AssetSpec

AnyComponent = TypeVar("AnyComponent", bound=Component)
AnyTranslator = TypeVar("AnyTranslator")


class ComponentTranslator(Generic[AnyComponent]):
    """A translator that sees its component.

    Args:
        component: the component.
    """

    def __init__(self, component: AnyComponent) -> None:
        self._component = component

    @property
    def component(self) -> AnyComponent:
        """The component that it translates for."""
        return self._component


def create_component_translator_cls(
    base_component_cls: type[Component], base_translator_cls: type[AnyTranslator]
) -> type[AnyTranslator]:
    """A translator class whose `get_asset_spec` is that of the component, where a class below `base_component_cls` has one of
    its own, and else that of `base_translator_cls`.

    Args:
        base_component_cls: a component with a method `get_asset_spec`.
        base_translator_cls: the translator of the tool, with the same method.

    Returns:
        a class to derive from together with `ComponentTranslator`: it expects the component in `_component`.

    Raises:
        InvalidDefinitionError: one of the two has no `get_asset_spec`.
    """
    for each in (base_component_cls, base_translator_cls):
        if not hasattr(each, "get_asset_spec"):
            raise InvalidDefinitionError(
                f"{each.__name__} has no method get_asset_spec. Give it one that returns an AssetSpec."
            )
    of_component: Any = getattr(base_component_cls, "get_asset_spec")  # noqa: B009 reason: `Component` does not declare it
    of_translator: Any = getattr(base_translator_cls, "get_asset_spec")  # noqa: B009 reason: nor does any class

    def get_asset_spec(self: Any, *args: object, **kwargs: object) -> AssetSpec:
        component, its_class = self.component, cast("Any", type(self.component))
        if its_class.get_asset_spec is not of_component:
            return component.get_asset_spec(*args, **kwargs)
        return of_translator(self, *args, **kwargs)

    name = f"{base_component_cls.__name__}Translator"
    return cast("type[AnyTranslator]", type(name, (base_translator_cls,), {"get_asset_spec": get_asset_spec}))
