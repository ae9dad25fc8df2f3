"""The walls between the floors of the house hold, and the checker would see a breach."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkout import SOURCE
from walls import STANDS_ON, TOPS, check_tree, reachable

CONTROL = {"storage", "location", "launch", "settings", "deployment", "observe", "daemon", "server"}


def test_no_wall_is_broken() -> None:
    offences = check_tree(SOURCE)
    assert not offences, "\n".join(offences)


def test_the_table_itself_keeps_the_sides_apart() -> None:
    for floor in STANDS_ON:
        assert not reachable(floor) & TOPS
    for floor in ("model", "plan", "decide"):
        assert reachable(floor) <= {"errors", "version", "late", "model", floor}
    for floor in CONTROL:
        assert not reachable(floor) & {"defs", "execute", "host"}
    for floor in ("defs", "execute"):
        assert not reachable(floor) & (CONTROL | {"host"})


BREACHES = {
    "upwards": ("model/keys.py", "from segue.defs.asset import asset", "model imports defs"),
    "sideways between pure floors": ("plan/planner.py", "import segue.decide.queue", "plan imports decide"),
    "the control side imports user code": ("daemon/loop.py", "from segue.host import worker", "daemon imports host"),
    "execution sees the database": ("execute/run.py", "from segue.storage.sqlite import open", "execute imports stor"),
    "only for type checkers": (
        "model/keys.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from segue.plan.plan import Plan",
        "model imports plan",
    ),
    "relative": ("model/partitions/keys.py", "from ...defs import asset", "model imports defs"),
    "relative, of the package": ("model/keys.py", "from .. import plan", "model imports plan"),
    "somebody stands on the command line": ("execute/run.py", "from segue.cli import main", "nobody may import"),
    "the front door from inside": ("model/keys.py", "from segue import AssetKey", "public names"),
    "the bare front door": ("model/keys.py", "import segue", "public names"),
    "inside a function": ("model/keys.py", "def f():\n    import json\n", "inside a function"),
    "inside a method": ("model/keys.py", "class A:\n    def f(self):\n        from re import sub\n", "inside a f"),
    "importlib": ("model/keys.py", "from importlib import import_module", "uses importlib"),
    "importlib as a module": ("execute/run.py", "import importlib.util", "uses importlib"),
    "__import__": ("execute/run.py", "x = __import__('segue.storage')", "calls __import__"),
    "a floor nobody planned": ("helpers2/x.py", "import json", "not in the table"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_planted_breach_is_seen(tmp_path: Path, breach: str) -> None:
    name, code, expected = BREACHES[breach]
    _plant(tmp_path, name, code)
    offences = check_tree(tmp_path)
    assert len(offences) == 1
    assert offences[0].startswith(name.split("/")[0])
    assert expected in offences[0]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (
            "execute/run.py",
            "from segue.plan.plan import Plan\nfrom segue.model import keys\nfrom segue.errors import X",
        ),
        ("host/worker.py", "import segue.storage.sqlite, segue.execute.run, segue.defs.asset, segue.launch"),
        ("host/source.py", "import importlib"),
        ("defs/bindings.py", "from importlib import import_module"),
        ("cli/main.py", "def f():\n    import segue.server.app\n    from importlib import import_module\n"),
        ("integrations/duckdb/io.py", "def f():\n    import duckdb\n    from segue.defs import io\n"),
        ("testing/clock.py", "import segue\nfrom segue.daemon import loop"),
        ("storage/sql/schema.py", "from importlib.resources import files"),
        ("__init__.py", "def __getattr__(name):\n    from importlib import import_module\n"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, name: str, code: str) -> None:
    _plant(tmp_path, name, code)
    assert check_tree(tmp_path) == []


def _plant(source: Path, name: str, code: str) -> None:
    """A house with all its floors, empty but for one file."""
    for floor in (*STANDS_ON, *TOPS):
        (source / floor).mkdir()
    file = source / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code)
