"""Small functions that projects take from Dagster's private modules."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from segue.defs.bindings import extra_module
from segue.defs.modules import package_modules
from segue.execute.failure import error_info
from segue.model.asset_words import KIND_PREFIX
from segue.model.error_info import ErrorInfo


def merge_dicts(*mappings: Mapping[Any, Any]) -> dict[Any, Any]:
    """One dict of several mappings; of a key that is in more than one the last value counts."""
    merged: dict[Any, Any] = {}
    for each in mappings:
        merged.update(each)
    return merged


def mkdir_p(path: str) -> str | None:
    """Makes a folder with all above it; gives back its path if it was not there."""
    if os.path.isdir(path):
        return None
    os.makedirs(path, exist_ok=True)
    return path


@contextlib.contextmanager
def safe_tempfile_path() -> Generator[str]:
    """The path of a file that does not exist yet, in a folder of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield os.path.join(folder, "file")


def get_system_temp_directory() -> str:
    """The folder for temporary files, without symbolic links."""
    return os.path.realpath(tempfile.gettempdir())


def load_yaml_from_path(path: str) -> object:
    """What stands in a YAML file.

    Raises:
        LoadError: PyYAML is not installed.
    """
    yaml: Any = extra_module("yaml")
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def get_current_datetime() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@contextlib.contextmanager
def environ(env: Mapping[str, str | None]) -> Generator[None]:
    """Sets environment variables, or takes those away whose value is None, and puts all back afterwards."""
    before = {name: os.environ.get(name) for name in env}
    _set(env)
    try:
        yield
    finally:
        _set(before)


def _set(env: Mapping[str, str | None]) -> None:
    for name, value in env.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def serializable_error_info_from_exc_info(
    exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None],
) -> ErrorInfo:
    """What `sys.exc_info()` gives, as an event records it.

    Raises:
        ValueError: nothing was raised.
    """
    if exc_info[1] is None:
        raise ValueError("serializable_error_info_from_exc_info: sys.exc_info() contains no exception.")
    return error_info(exc_info[1])


def build_kind_tag(kind: str) -> Mapping[str, str]:
    """The tag that marks a kind."""
    return {f"{KIND_PREFIX}{kind}": ""}


def parse_env_var(env_var_str: str) -> tuple[str, str]:
    """Name and value of an environment variable: of `NAME=VALUE` as it is written, of `NAME` as it is set.

    Raises:
        ValueError: it is not set.
    """
    name, sign, value = env_var_str.partition("=")
    if sign:
        return name, value
    if name not in os.environ:
        raise ValueError(f"The environment variable {name!r} is not set: set it, or write {name}=VALUE.")
    return name, os.environ[name]


def find_modules_in_package(package_module: ModuleType) -> Sequence[ModuleType]:
    """A package and every module below it, imported."""
    return package_modules(package_module)
