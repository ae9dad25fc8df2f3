"""model/, plan/ and decide/ are pure, and the checker would see it if they were not."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkout import SOURCE
from purity import READS_THE_CLOCK, check_tree


def test_the_pure_floors_are_pure() -> None:
    offences = check_tree(SOURCE)
    assert not offences, "\n".join(offences)


def test_each_excuse_is_still_needed() -> None:
    for excuse in READS_THE_CLOCK:
        without = {other: why for other, why in READS_THE_CLOCK.items() if other != excuse}
        assert check_tree(SOURCE, without), f"{excuse} no longer reads the clock: take it off the list"


IMPURE = {
    "import os\nx = os.getpid()": "uses os.getpid",
    "import os\nx = os.environ": "uses os.environ",
    "import os as system": "imports os",
    "import pathlib\nx = pathlib.Path": "uses pathlib.Path",
    "from os import environ": "imports environ",
    "import os.path": "imports os.path",
    "from pathlib import Path": "imports Path",
    "import random": "imports random",
    "from uuid import uuid4": "imports uuid4",
    "import time": "imports time",
    "from time import time": "imports time",
    "import urllib.request": "imports urllib.request",
    "def f():\n    import socket": "imports socket",
    "x = open('a')": "calls open()",
    "print(1)": "calls print()",
    "eval('1')": "calls eval()",
    "import datetime\nx = datetime.datetime.now()": "reads the clock: now()",
    "from datetime import datetime\nx = datetime.now(tz=None)": "reads the clock: now()",
    "from datetime import date\nx = date.today()": "reads the clock: today()",
    "def f(moment): return moment.astimezone()": "own time zone",
    "from datetime import datetime as d\nx = d.fromtimestamp(1)": "own time zone",
}


@pytest.mark.parametrize("code", IMPURE)
@pytest.mark.parametrize("floor", ["model", "plan", "decide"])
def test_planted_impurity_is_seen(tmp_path: Path, floor: str, code: str) -> None:
    (tmp_path / floor).mkdir()
    (tmp_path / floor / "x.py").write_text(code)
    (offence,) = check_tree(tmp_path)
    assert IMPURE[code] in offence


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime, timedelta, timezone\nx = datetime(2026, 1, 1, tzinfo=timezone.utc)",
        "import zoneinfo, re, math, urllib.parse\nfrom os import PathLike\nfrom urllib.parse import quote",
        "from pathlib import PurePosixPath",
        "import os\ndef f(path: os.PathLike[str]): return os.fspath(path)",
        "def f(moment, zone): return moment.astimezone(zone)",
        "from datetime import datetime as d, timezone as z\nx = d.fromtimestamp(1, z.utc)",
    ],
)
def test_pure_code_passes(tmp_path: Path, code: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "x.py").write_text(code)
    assert check_tree(tmp_path) == []


def test_an_excuse_covers_the_clock_in_one_function_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "x.py").write_text(
        "from datetime import datetime as d\n"
        "def f():\n    open('a')\n    return d.now()\n"
        "def g():\n    return d.now()\n"
    )
    offences = check_tree(tmp_path, {("model/x.py", "f"): "fills in the present moment"})
    assert sorted(offences) == ["model/x.py:3: calls open() in f()", "model/x.py:6: reads the clock: now() in g()"]
