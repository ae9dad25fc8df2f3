"""Loading user code: a file, a module, and the definitions in it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from segue.defs.assets_definition import AssetChecksDefinition, AssetsDefinition
from segue.defs.collecting import collector_paused
from segue.defs.definitions import Definitions
from segue.defs.lazy_definitions import LazyDefinitions
from segue.defs.load import load_asset_checks_from_modules, load_assets_from_modules
from segue.errors import LoadError, SegueError

_OWN_FOLDER = str(Path(__file__).parent.parent) + "/"
_DEFAULT_ATTRIBUTE = "defs"
_IMPORT_HOOK = "segue.compat.hook"  # by name: it stands above all floors, and is part of what the user asks to load
_USE_COMPAT = (
    "To run Dagster code on Segue without changes, set dagster_compat = true in segue.toml or pass --dagster-compat."
)
_HOLDERS = (Definitions, LazyDefinitions)


class CodeTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where user code stands.

    Attributes:
        file: a Python file; or
        module: an importable module.
        attribute: the `Definitions` in it, or a function that returns one; found by itself when None.
        working_directory: put on the import path, and the start of a relative `file`.
        dagster_compat: whether Segue answers for `dagster` from then on.
    """

    file: str | None = None
    module: str | None = None
    attribute: str | None = None
    working_directory: str = "."
    dagster_compat: bool = False


def load_definitions(target: CodeTarget) -> Definitions:
    """Imports user code and finds its definitions.

    Raises:
        LoadError: the code cannot be imported (with file and line, and the user's exception as cause), or holds no, or
            several, `Definitions`.
    """
    directory = os.path.abspath(target.working_directory)
    if directory not in sys.path:
        sys.path.insert(0, directory)
    if target.dagster_compat:
        importlib.import_module(_IMPORT_HOOK).install()
    with collector_paused():
        if target.file is not None:
            module = imported_file(Path(directory, target.file))
        elif target.module is not None:
            module = imported_module(target.module, directory)
        else:
            raise LoadError("No code to load: pass a file (-f FILE) or a module (-m MODULE), or set one in segue.toml.")
        return _definitions_in(module, target)


def module_named(name: str) -> ModuleType:
    """A module, imported; what it raises comes out as it is."""
    return importlib.import_module(name)


def package_modules(package: ModuleType | str) -> Sequence[ModuleType]:
    """A package and every module below it, imported; a module that is no package stands alone."""
    return list(_with_submodules(importlib.import_module(package) if isinstance(package, str) else package))


def _with_submodules(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    for each in pkgutil.iter_modules(getattr(module, "__path__", [])):
        yield from _with_submodules(importlib.import_module(f"{module.__name__}.{each.name}"))


def imported_file(path: Path) -> ModuleType:
    """A Python file as a module.

    Raises:
        LoadError: it cannot be imported.
    """
    if not path.is_file():
        raise LoadError(f"There is no file {path}. Correct the path (-f FILE).")
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{path} is not a Python file: its name must end with .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    loader = spec.loader
    try:
        _guarded(str(path), lambda: loader.exec_module(module))
    except LoadError:
        sys.modules.pop(path.stem, None)
        raise
    return module


def imported_module(name: str, directory: str) -> ModuleType:
    """A module, imported; `directory` is where it was looked for, for the message.

    Raises:
        LoadError: it cannot be imported.
    """
    try:
        return _guarded(name, lambda: importlib.import_module(name))
    except LoadError as error:
        missing = error.__cause__
        if isinstance(missing, ModuleNotFoundError) and missing.name and f"{name}.".startswith(f"{missing.name}."):
            raise LoadError(
                f"There is no module {name!r}: {missing.name!r} is neither installed nor in {directory}. Correct the "
                "name (-m MODULE), or set the folder that contains it (--working-directory)."
            ) from missing
        raise


def _guarded(what: str, action: Callable[[], Any]) -> Any:
    """Runs user code; what it raises becomes a LoadError that names the place."""
    try:
        return action()
    except LoadError:
        raise
    except (Exception, SystemExit) as error:
        place = _place(error)
        said = str(error) if isinstance(error, SegueError) else f"{type(error).__name__}: {error}"
        if isinstance(error, ModuleNotFoundError) and error.name == "dagster":
            said = f"{said}. {_USE_COMPAT}"
        raise LoadError(f"{what} could not be loaded. {place}{said}") from error


def _place(error: BaseException) -> str:
    """`file:line: ` of the user's code that raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: "
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_OWN_FOLDER) and not frame.filename.startswith("<frozen ")
    ]
    own = [
        frame
        for frame in frames
        if "site-packages" not in frame.filename and os.sep + "lib" + os.sep + "python" not in frame.filename
    ]
    return f"{own[-1].filename}:{own[-1].lineno}: " if own else ""


def _definitions_in(module: ModuleType, target: CodeTarget) -> Definitions:
    where = target.file or target.module
    if target.attribute is not None:
        found = getattr(module, target.attribute, None)
        if found is None:
            raise LoadError(f"{where} has no attribute {target.attribute!r}. Correct --attribute.")
        return _as_definitions(found, f"{where}:{target.attribute}")
    default = getattr(module, _DEFAULT_ATTRIBUTE, None)
    if isinstance(default, _HOLDERS):
        return _as_definitions(default, f"{where}:{_DEFAULT_ATTRIBUTE}")
    all_found = {id(value): (name, value) for name, value in vars(module).items() if isinstance(value, _HOLDERS)}
    if len(all_found) == 1:
        name, value = next(iter(all_found.values()))
        return _as_definitions(value, f"{where}:{name}")
    if all_found:
        names = ", ".join(name for name, _ in all_found.values())
        raise LoadError(f"{where} contains several Definitions ({names}). Choose one with --attribute.")
    if any(isinstance(value, AssetsDefinition) for value in vars(module).values()):
        assets = [each for each in load_assets_from_modules([module]) if not isinstance(each, AssetChecksDefinition)]
        return Definitions(assets=assets, asset_checks=load_asset_checks_from_modules([module]))
    if any(type(value).__module__.startswith("dagster.") for value in vars(module).values()):
        raise LoadError(f"{where} contains definitions made with Dagster, not with Segue. {_USE_COMPAT}")
    raise LoadError(f"{where} contains no Definitions and no assets. Add `defs = Definitions(assets=[...])` to it.")


def _as_definitions(value: object, where: str) -> Definitions:
    if isinstance(value, Definitions):
        return value
    if callable(value):
        made = _guarded(where, value)
        if isinstance(made, Definitions):
            return made
        raise LoadError(f"{where} is a function that returned {type(made).__name__}: it must return Definitions.")
    raise LoadError(f"{where} is a {type(value).__name__}: it must be Definitions, or a function that returns one.")
