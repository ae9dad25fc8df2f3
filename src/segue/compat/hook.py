"""Lets code that imports `dagster` run on Segue as it stands.

`install()` puts a finder before all others: `dagster`, and whatever lies below it, becomes a module whose names are
looked up here; a library of Dagster's (`dagster_duckdb`) becomes `segue.integrations.duckdb`, and is never loaded
itself. Error classes carry Dagster's names meanwhile. `uninstall()` takes it away.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from segue.compat.error_names import use_dagster_names, use_own_names
from segue.compat.libraries import LIBRARIES
from segue.compat.lookup import missing, private_name, public_name, public_names
from segue.errors import LoadError, NotSupportedError

_PUBLIC_MODULES = frozenset(
    {"components", "deprecated", "preview", "version", "core", "utils", "config", "check", "serdes", "cli", "grpc"}
)


def install() -> None:
    """Makes `import dagster` give Segue, from now on, in this process.

    Raises:
        LoadError: the real Dagster was imported before.
    """
    loaded = sys.modules.get("dagster")
    if loaded is not None and not isinstance(loaded, _Stand):
        raise LoadError(
            f"dagster was imported (from {getattr(loaded, '__file__', '?')}) before the import hook was installed. Let Segue "
            "load your code: set dagster_compat = true in segue.toml, or pass --dagster-compat."
        )
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    use_dagster_names()


def uninstall() -> None:
    """Takes the hook away, every module that it made, and the names of error classes, where nothing else uses them."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in [name for name, module in sys.modules.items() if isinstance(module, _Stand)]:
        del sys.modules[name]
    if "segue.compat.dagster" not in sys.modules:
        use_own_names()


class _Stand(ModuleType):
    """A module that stands in for one of Dagster's: its names are looked up when they are first used."""

    def __getattr__(self, name: str) -> Any:
        top, _, below = self.__name__.partition(".")
        if top == "dagster" and not below:
            value = public_names() if name == "__all__" else public_name(name)
        elif top in LIBRARIES:
            value = getattr(importlib.import_module(_integration(self.__name__)), name)
        else:
            value = private_name(self.__name__, name)
        vars(self)[name] = value
        return value

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        """A private function that is unknown here cannot be told from a private module until it is called."""
        raise NotSupportedError(missing(self.__name__))

    def __dir__(self) -> list[str]:
        return public_names() if self.__name__ == "dagster" else [*vars(self)]


class _Finder(MetaPathFinder, Loader):
    """Finds `dagster`, what lies below it, and Dagster's libraries."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        top = fullname.partition(".")[0]
        if top in LIBRARIES:
            _require_integration(fullname)
        elif top not in ("dagster", "dagster_shared"):
            return None
        elif _is_name(fullname):
            raise ImportError(missing(fullname), name=fullname)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Stand(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def _is_name(fullname: str) -> bool:
    """Whether a dotted name cannot be a module, so that `from ... import` looks for it in vain."""
    parent, _, last = fullname.rpartition(".")
    return last[:1].isupper() or (parent == "dagster" and not last.startswith("_") and last not in _PUBLIC_MODULES)


def _integration(fullname: str) -> str:
    library, _, below = fullname.partition(".")
    return f"segue.integrations.{LIBRARIES[library]}" + (f".{below}" if below else "")


def _require_integration(fullname: str) -> None:
    """Raises ModuleNotFoundError, with what to do, for a library that has no counterpart here."""
    own = _integration(fullname)
    try:
        found = importlib.util.find_spec(own)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise ModuleNotFoundError(
            f"{fullname} is a library for Dagster and cannot run on Segue, and this version has no equivalent ({own}). "
            "docs/migration.md lists the alternatives.",
            name=fullname,
        )
