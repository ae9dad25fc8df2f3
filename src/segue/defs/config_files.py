"""Run config out of YAML: files, texts, resources of packages. It needs the extra `segue[components]`."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from segue.defs.bindings import bound, extra_module
from segue.errors import InvariantViolationError


def config_from_files(config_files: Sequence[str]) -> dict[str, Any]:
    """The run config that YAML files hold together; where several name the same, the last one wins.

    Args:
        config_files: paths, or patterns of paths (`config/*.yaml`).

    Raises:
        InvariantViolationError: a file that is not there or holds no mapping, or a pattern that fits none.
        LoadError: pyyaml is not installed.
    """
    found: list[tuple[str, str]] = []
    for pattern in config_files:
        paths = sorted(glob.glob(str(pattern)))
        if not paths:
            raise InvariantViolationError(f"No config file matches {str(pattern)!r}.")
        for path in paths:
            try:
                found.append((path, Path(path).read_text(encoding="utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                raise InvariantViolationError(f"The config file {path} cannot be decoded as text: {error}.") from error
    return _together(found)


def config_from_pkg_resources(pkg_resource_defs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The run config that YAML files in packages hold together; where several name the same, the last one wins.

    Args:
        pkg_resource_defs: pairs of a package and the name of a file in it.

    Raises:
        InvariantViolationError: a file that is not there or holds no mapping.
        LoadError: pyyaml is not installed.
    """
    found: list[tuple[str, str]] = []
    for package, name in pkg_resource_defs:
        place = f"{package}/{name}"
        try:
            found.append((place, bound("package_files")(package).joinpath(name).read_text(encoding="utf-8")))
        except (OSError, ModuleNotFoundError, UnicodeDecodeError) as error:
            raise InvariantViolationError(f"The config file {place} cannot be decoded as text: {error}.") from error
    return _together(found)


def config_from_yaml_strings(yaml_strings: Sequence[str]) -> dict[str, Any]:
    """The run config that YAML texts hold together; where several name the same, the last one wins.

    Raises:
        InvariantViolationError: a text that is no YAML or holds no mapping.
        LoadError: pyyaml is not installed.
    """
    return _together([(f"YAML text {number}", text) for number, text in enumerate(yaml_strings, start=1)])


def _together(texts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    yaml = extra_module("yaml")
    whole: dict[str, Any] = {}
    for place, text in texts:
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InvariantViolationError(f"{place} is not valid YAML: {' '.join(str(error).split())}.") from error
        if not isinstance(value, Mapping):
            raise InvariantViolationError(f"{place} contains a {type(value).__name__}: run config must be a mapping.")
        _merge(whole, cast("Mapping[str, Any]", value))
    return whole


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Puts one config over another: mappings entry by entry, all else as a whole."""
    for key, value in above.items():
        known: object = below.get(key)
        if isinstance(known, dict) and isinstance(value, Mapping):
            _merge(cast("dict[str, Any]", known), cast("Mapping[str, Any]", value))
        else:
            below[key] = value
