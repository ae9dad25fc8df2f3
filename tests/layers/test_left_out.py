"""docs/migration.md lists what of Dagster's public names is not here: all of that, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import segue.compat.dagster
from checkout import ROOT

NAMES = [
    line
    for line in (Path(__file__).parent / "dagster_names.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


PRIVATE_NAMES = [
    line
    for line in (Path(__file__).parent / "dagster_private_names.txt").read_text(encoding="utf-8").splitlines()
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


def public_left_out() -> list[str]:
    return [name for name in left_out() if not name.startswith("dagster.")]


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
    listed = public_left_out()
    missing = [name for name in NAMES if name not in listed and not is_there(name)]
    assert not missing, f"neither here nor in docs/migration.md, section 'Left out': {', '.join(missing)}"


def test_what_is_listed_is_not_there() -> None:
    there = [path for path in public_left_out() if is_there(path)]
    assert not there, f"here, and listed as left out in docs/migration.md: {', '.join(there)}"


def test_what_is_listed_is_a_name_or_a_member_of_one_that_is_there() -> None:
    for path in public_left_out():
        name, _, member = path.partition(".")
        assert name in NAMES, path
        assert not member or is_there(name), path


@pytest.fixture(scope="module")
def missing_private_names() -> list[str]:
    """Those that cannot be imported, in a process of their own, since the import hook changes what `dagster` means."""
    code = """
import json, sys
from segue.compat import hook
hook.install()
missing = []
for name in json.load(sys.stdin):
    module, _, attribute = name.rpartition(".")
    try:
        exec(f"from {module} import {attribute} as found", space := {})
    except ImportError:
        missing.append(name)
    else:
        # A function that is unknown stands there as a module until it is called.
        if type(space["found"]).__name__ == "_Stand" and not attribute.startswith("_"):
            missing.append(name)
print(json.dumps(missing))
"""
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps(PRIVATE_NAMES),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


def test_each_private_name_is_there_or_listed(missing_private_names: list[str]) -> None:
    listed = [name for name in left_out() if name.startswith("dagster.")]
    astray = [name for name in missing_private_names if not any(f"{name}.".startswith(f"{each}.") for each in listed)]
    assert not astray, f"neither here nor in docs/migration.md, section 'Left out': {', '.join(astray)}"
    idle = [each for each in listed if not any(f"{name}.".startswith(f"{each}.") for name in missing_private_names)]
    assert not idle, f"here, and listed as left out in docs/migration.md: {', '.join(idle)}"
