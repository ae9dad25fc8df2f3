"""Code locations by every key of their tables, in `[tool.segue]`: each has its code, and shows nobody what it is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import Project
from control_plane import control_plane

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

SECRET = "s3cret-of-the-location"
TABLES = f"""
[[tool.segue.locations]]
module = "shop.assets"
working_directory = "code"
attribute = "wanted"

[[tool.segue.locations]]
name = "reports"
package = "reports"
working_directory = "code"
environment = {{ PASSWORD = "{SECRET}", STAGE = "production" }}

[[tool.segue.locations]]
file = "old.py"
dagster_compat = true
environment = {{ PASSWORD = "{SECRET}" }}

[[tool.segue.locations]]
name = "broken"
file = "broken.py"
environment = {{ PASSWORD = "{SECRET}" }}
"""
CODE = {
    "code/shop/__init__.py": "",
    "code/shop/assets.py": """
import segue as sg


@sg.asset
def of_module():
    pass


@sg.asset
def not_wanted():
    pass


wanted = sg.Definitions(assets=[of_module])
other = sg.Definitions(assets=[not_wanted])
""",
    "code/reports/__init__.py": """
import os

import segue as sg


@sg.asset
def of_package():
    assert len(os.environ["PASSWORD"]) == 22
    assert os.environ["STAGE"] == "production"


defs = sg.Definitions(assets=[of_package])
""",
    "old.py": """
import dagster as dg


@dg.asset
def of_file():
    pass


defs = dg.Definitions(assets=[of_file])
""",
    "broken.py": """
import os

password = os.environ["PASSWORD"]
raise ValueError("no way")
""",
}


def _project(folder: Path) -> Project:
    for name, text in CODE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "pyproject.toml").write_text(TABLES)
    return Project(folder)


def test_each_location_has_what_its_table_says_and_nothing_shows_its_environment(tmp_path: Path) -> None:
    project = _project(tmp_path)
    with control_plane(project.folder) as plane:
        served = {each["name"]: each for each in plane.get("/api/locations").document}
        assert {name: (each["status"], each["assets"]) for name, each in served.items()} == {
            "shop.assets": ("ready", 1),
            "reports": ("ready", 1),
            "old": ("ready", 1),
            "broken": ("broken", 0),
        }
        assert 'broken.py", line 5' in served["broken"]["error"]
        for asset, location in (("of_module", "shop.assets"), ("of_package", "reports"), ("of_file", "old")):
            run = plane.run(assets=[asset])
            assert (run["status"], run["location"]) == ("SUCCESS", location)
        shown = ["\n".join(plane.lines), str(plane.get("/api/locations").document)]
        for command in (
            ("location", "list"),
            ("location", "check", "--json"),
            ("doctor", "--json"),
        ):
            answer = project.run(*command)
            shown += [answer.out, answer.err]
        assert "no way" in "".join(shown)
        assert not [each for each in shown if SECRET in each]
