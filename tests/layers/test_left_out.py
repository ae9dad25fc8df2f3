"""docs/migration.md lists what of Dagster's public names is not here: all of that, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import segue.compat.dagster
from checkout import ROOT

NAMES = [
    line
    for line in (Path(__file__).parent / "dagster_names.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def left_out() -> Mapping[str, tuple[str, str]]:
    """What the page lists, with the reason and what to use instead."""
    page = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("\n## Left out\n")
    section, _, _ = rest.partition("\n## ")
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    found = {name: (reason, instead) for name, reason, instead in rows}
    assert len(found) == len(rows), "a name is listed twice"
    return found


def is_there(path: str) -> bool:
    found: object = segue.compat.dagster
    for name in path.split("."):
        if not hasattr(found, name) and name not in getattr(found, "__annotations__", {}):
            return False
        found = getattr(found, name, None)
    return True


def test_the_list_of_names_is_whole_and_sorted() -> None:
    assert len(NAMES) == 433
    assert sorted(set(NAMES)) == NAMES


def test_each_name_is_there_or_listed() -> None:
    listed = left_out()
    missing = [name for name in NAMES if name not in listed and not is_there(name)]
    assert not missing, f"neither here nor in docs/migration.md, section 'Left out': {', '.join(missing)}"


def test_what_is_listed_is_not_there() -> None:
    there = [path for path in left_out() if is_there(path)]
    assert not there, f"here, and listed as left out in docs/migration.md: {', '.join(there)}"


def test_what_is_listed_is_a_name_or_a_member_of_one_that_is_there() -> None:
    for path in left_out():
        name, _, member = path.partition(".")
        assert name in NAMES, path
        assert not member or is_there(name), path
