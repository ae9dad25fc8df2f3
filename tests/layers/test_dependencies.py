"""`pip install segue` stays small, and nothing it needs is held back by an upper bound."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from checkout import ROOT

AT_MOST = 12


def needed_by(name: str, extras: frozenset[str] = frozenset()) -> Iterator[tuple[str, frozenset[str]]]:
    """What an installed package asks for on this platform, with these extras."""
    for line in metadata.requires(name) or []:
        requirement = Requirement(line)
        environments = [{"extra": extra} for extra in sorted(extras) or [""]]
        if requirement.marker is None or any(map(requirement.marker.evaluate, environments)):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


def brought_by(name: str) -> set[str]:
    """Every package that installing `name` without extras brings, itself not counted."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(name, frozenset[str]())]
    while waiting:
        package = waiting.pop()
        if package not in seen:
            seen.add(package)
            waiting.extend(needed_by(*package))
    return {package for package, _ in seen} - {name}


def test_the_library_brings_few_packages() -> None:
    brought = brought_by("segue")
    assert {"msgspec", "pydantic-core"} <= brought
    assert len(brought) <= AT_MOST, sorted(brought)


def test_the_count_follows_dependencies_of_dependencies() -> None:
    assert {"iniconfig", "pluggy"} <= brought_by("pytest-timeout")


def test_no_upper_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    operators = {specifier.operator for line in lines for specifier in Requirement(line).specifier}
    assert operators <= {">=", "!="}


def test_the_lock_names_no_index_and_pins_everything() -> None:
    text = (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    assert "://" not in text
    assert all("==" in line for line in lines)
