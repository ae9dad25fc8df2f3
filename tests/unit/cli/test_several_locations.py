"""Commands of the control plane in a project with several code locations of which none was loaded yet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from segue.cli.main import command

CODE = """
import segue as sg


@sg.asset
def {name}() -> None: ...


@sg.sensor(target=[{name}])
def watch_{name}(context):
    return sg.SkipReason("nothing")


defs = sg.Definitions(assets=[{name}], sensors=[watch_{name}])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("sales", "stock"):
        (tmp_path / f"{name}.py").write_text(CODE.format(name=name))
    settings = "".join(f'[[locations]]\nfile = "{name}.py"\n' for name in ("sales", "stock", "gone"))
    (tmp_path / "segue.toml").write_text(settings)
    return tmp_path


def test_all_are_loaded_and_one_that_does_not_load_is_told(project: Path) -> None:
    result = CliRunner().invoke(command, ["sensor", "list", "--json"])
    assert result.exit_code == 0, result.output
    listed = [(each["sensor"], each["location"]) for each in json.loads(result.stdout)["sensors"]]
    assert listed == [("watch_sales", "sales"), ("watch_stock", "stock")]
    assert "The code location gone failed to load and is left out: " in result.stderr
    assert "gone.py" in result.stderr
    again = CliRunner().invoke(command, ["sensor", "list", "--json"])
    assert (again.stdout, again.stderr) == (result.stdout, "")  # they are on record now


def test_where_none_loads_the_command_fails(project: Path) -> None:
    for name in ("sales", "stock"):
        (project / f"{name}.py").write_text("1 / 0\n")
    result = CliRunner().invoke(command, ["sensor", "list"])
    assert result.exit_code == 1
    assert "No code location could be loaded. 'segue location check' shows why." in result.stderr
    assert "ZeroDivisionError" in result.stderr
