"""The modules that the `load_..._from_...` functions look into: the caller's own, or those of a package."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from types import ModuleType

from segue.defs.bindings import bound
from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongArgumentError


def calling_module(function: str) -> ModuleType:
    """The module that called the function that calls this one.

    Raises:
        InvalidInvocationError: it was not called from a module.
    """
    name = sys._getframe(2).f_globals.get("__name__")  # pyright: ignore[reportPrivateUsage] reason: there is no public way to the caller
    module = sys.modules.get(name) if isinstance(name, str) else None
    if module is None:
        raise InvalidInvocationError(
            f"{function} must be called from a module; elsewhere, use the variant without 'current' and pass the module."
        )
    return module


def require_modules(modules: Iterable[ModuleType], function: str) -> Sequence[ModuleType]:
    """The modules, if that is what they are.

    Raises:
        InvalidInvocationError: something that is not a module.
    """
    if isinstance(modules, ModuleType):
        raise WrongArgumentError(
            f"{function}: modules must be a list, got the module {modules.__name__!r}: put it into a list."
        )
    found = list(modules)
    for each in found:
        if not isinstance(each, ModuleType):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongArgumentError(
                f"{function}: expected a module, got {each!r}: import it, and pass the module itself."
            )
    return found


def require_one_place(places: dict[str, str], what: str, name: str, place: str) -> None:
    """Notes where a name is defined.

    Args:
        places: the names that were met so far; the new one is added.
        what, name: what is defined, such as an asset, and its name.
        place: where, as module and variable.

    Raises:
        InvalidDefinitionError: it is defined at another place, too.
    """
    if places.setdefault(name, place) != place:
        raise InvalidDefinitionError(f"The {what} {name!r} is defined at {places[name]} and at {place}: rename one.")


def package_modules(package: ModuleType | str) -> Sequence[ModuleType]:
    """A package and every module below it, in order, imported.

    Args:
        package: the package itself, or its name.
    """
    return bound("package_modules")(package)
