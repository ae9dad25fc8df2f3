"""The component class that a file names."""

from __future__ import annotations

import difflib
import inspect
from types import ModuleType

from segue.defs.bindings import bound
from segue.defs.components.component import Component
from segue.defs.components.context import ComponentLoadContext
from segue.errors import ResolutionError

_OWN_PACKAGES = ("dagster", "segue")  # a file names the built-in components by either


def component_type(type_name: str, context: ComponentLoadContext) -> type[Component]:
    """The class of this name.

    Args:
        type_name: `package.module.Class`, or `.module.Class` from the folder of the file on.
        context: of the file.

    Raises:
        ResolutionError: there is no such module or class, or it is no component.
    """
    module_name, _, name = context.absolute_module_name(type_name).rpartition(".")
    if module_name.partition(".")[0] in _OWN_PACKAGES and name in _built_in():
        return _built_in()[name]
    if not module_name:
        raise ResolutionError(
            f"{type_name!r} is not the full name of a component class: write the module before it, as in my_package.{name}."
        )
    try:
        module: ModuleType = bound("module_named")(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ResolutionError(
            f"module {error.name!r} of {type_name!r} not found: install it, or correct the name."
        ) from error
    found: object = getattr(module, name, None)
    if inspect.isclass(found) and issubclass(found, Component):
        return found
    names = component_names(module)
    near = difflib.get_close_matches(name, names, n=2) or sorted(set(names) - {"Component"})
    hint = f" It has: {', '.join(near)}." if near else ""
    what = "has no component" if found is None else "does not have a component class"
    raise ResolutionError(f"the module {module_name} {what} {name!r}.{hint}")


def component_names(module: ModuleType) -> list[str]:
    """The names of the component classes in a module."""
    classes = {name: value for name, value in vars(module).items() if inspect.isclass(value)}
    return [name for name, value in classes.items() if issubclass(value, Component)]


def _built_in() -> dict[str, type[Component]]:
    return bound("built_in_components")()
