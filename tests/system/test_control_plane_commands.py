"""Commands beside a running control plane: they see it, change it, and say when there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Project
from control_plane import ControlPlane, control_plane

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
@sg.asset
def a():
    pass


defs = sg.Definitions(assets=[a])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"), DEFINITIONS)


@pytest.fixture(scope="module")
def plane(project: Project) -> Iterator[ControlPlane]:
    with control_plane(project.folder) as plane:
        yield plane


def _findings(project: Project, code: int) -> dict[str, dict[str, Any]]:
    answer = project.run("doctor", "--json")
    assert answer.code == code, answer
    return {each["subject"]: each for each in answer.document["findings"]}


def test_a_second_development_server_in_one_home_is_refused(plane: ControlPlane, project: Project) -> None:
    answer = project.run("dev", "--port", "0")
    assert answer.code == 1
    assert str(plane.process.pid) in answer.err
    assert "--home" in answer.err


def test_locations_are_listed(plane: ControlPlane, project: Project) -> None:
    [listed] = project.run("location", "list", "--json").document["locations"]
    assert (listed["name"], listed["status"], listed["error"]) == ("definitions", "ready", None)
    [served] = plane.get("/api/locations").document
    assert (served["manifest_hash"], served["assets"]) == (listed["manifest_hash"], 1)


def test_a_location_is_loaded_anew_when_asked(plane: ControlPlane, project: Project) -> None:
    seen = len(plane.lines)
    answer = project.run("location", "reload", "definitions", "--url", plane.url)
    assert answer.code == 0, answer
    plane.wait_for_line("is loaded", after=seen)
    answer = project.run("location", "reload", "nobody", "--url", plane.url)
    assert answer.code == 1
    assert "'nobody'" in answer.err


def test_who_asks_where_nothing_serves_is_told(project: Project) -> None:
    answer = project.run("location", "reload", "definitions", "--url", "http://127.0.0.1:9")
    assert answer.code == 1
    assert "segue dev" in answer.err


def test_a_doctor_finds_nothing_wrong_with_what_runs(plane: ControlPlane, project: Project) -> None:
    plane.wait_for(lambda: len([each for each in _findings(project, 0) if each.startswith("loop ")]) >= 4)
    findings = _findings(project, 0)
    assert {each["level"] for each in findings.values()} == {"ok"}, findings
    assert {"versions", "settings", "disk of home", "database", "clock", "push", "code location definitions"} <= set(
        findings
    )


def test_a_doctor_names_what_is_wrong_with_its_cure(tmp_path: Path) -> None:
    project = Project(tmp_path, "1 / 0\n")
    assert _findings(project, 0)["loops"]["level"] == "warning"
    with control_plane(project.folder) as plane:
        plane.wait_for_line("does not load")
        found = _findings(project, 1)["code location definitions"]
    assert found["level"] == "error"
    assert "ZeroDivisionError" in found["message"]
    assert "segue location check definitions" in found["cure"]


def test_code_that_does_not_load_is_told_with_its_error_once_and_listed_with_its_last_line(tmp_path: Path) -> None:
    project = Project(tmp_path, "1 / 0\n")
    with control_plane(project.folder) as plane:
        plane.wait_for_line("still does not load")
        assert len([line for line in plane.lines if line.startswith("Traceback")]) == 1
        (row,) = project.run("location", "list").out.splitlines()[1:]
        assert row.startswith("definitions")
        assert "ZeroDivisionError" in row
    answer = project.run("location", "check")
    assert answer.err.startswith("definitions: Traceback")


def test_a_location_that_is_none_any_more_is_forgotten_and_the_one_that_has_an_asset_is_found(tmp_path: Path) -> None:
    one = "import segue as sg\n\n\n@sg.asset\ndef {0}():\n    pass\n"
    project = Project(tmp_path, one.format("mine"))
    (tmp_path / "other.py").write_text(one.format("yours"))
    settings = tmp_path / "segue.toml"
    both = '[[locations]]\nfile = "definitions.py"\n[[locations]]\nfile = "other.py"\n'
    settings.write_text(both)
    with control_plane(project.folder, command="serve") as plane:
        assert {each["name"] for each in project.json("location", "list")["locations"]} == {"definitions", "other"}
        assert project.json("launch", "--select", "yours")["location"] == "other"
        assert "'nobody' is not in any code location" in project.run("launch", "--select", "nobody").err
        assert "'*' is in several code locations" in project.run("launch", "--select", "*").err
        plane.wait_for(lambda: project.json("runs")["runs"][0]["status"] == "success")
    assert "code locations (definitions, other)" in project.run("list").err
    settings.write_text('file = "definitions.py"\n')
    with control_plane(project.folder, command="serve"):
        assert [each["name"] for each in project.json("location", "list")["locations"]] == ["definitions"]
        assert project.json("launch", "--select", "mine")["location"] == "definitions"


SEVERAL = """
import os

import segue as sg


@sg.asset
def {name}():
    if "RETRY" not in os.environ:
        raise ValueError("not yet")
    return os.environ["STAGE"]


@sg.sensor(target=[{name}])
def of_{name}(context):
    return sg.SkipReason("in " + os.environ["STAGE"])


defs = sg.Definitions(assets=[{name}], sensors=[of_{name}])
"""


OPAQUE = """
import segue as sg


class Squares(sg.PartitionsDefinition):
    def get_partition_keys(self, current_time=None, dynamic_partitions_store=None):
        return ["0", "1", "4", "9"]


@sg.asset(partitions_def=Squares())
def squares():
    pass


defs = sg.Definitions(assets=[squares])
"""


def test_a_backfill_asks_the_code_of_one_location_among_several(tmp_path: Path) -> None:
    project = Project(tmp_path, "import segue as sg\n\n\n@sg.asset\ndef alone():\n    pass\n")
    (tmp_path / "opaque.py").write_text(OPAQUE)
    tables = '[[locations]]\nfile = "definitions.py"\n[[locations]]\nfile = "opaque.py"\n'
    (tmp_path / "segue.toml").write_text(tables)
    with control_plane(project.folder, command="serve") as plane:
        made = project.json("backfill", "create", "--select", "squares", "--all")
        assert (made["location"], made["targets"][0]["partitions"]) == ("opaque", [["0", "9"]])
        plane.wait_for(lambda: project.json("backfill", "show", made["backfill_id"])["status"] == "COMPLETED_SUCCESS")


def test_commands_that_load_code_find_that_of_one_location_among_several(tmp_path: Path) -> None:
    project = Project(tmp_path, "")
    tables = list[str]()
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text(SEVERAL.format(name=name))
        tables.append(f'[[locations]]\nfile = "{name}.py"\nenvironment = {{ STAGE = "{name} stage" }}\n')
    tables.append(f'[[locations]]\nname = "elsewhere"\nfile = "first.py"\npython = "{tmp_path}/python"\n')
    (tmp_path / "segue.toml").write_text("".join(tables))
    with control_plane(project.folder, command="serve") as plane:
        run = project.json("launch", "--select", "second")["run_id"]
        plane.wait_for(lambda: project.json("runs")["runs"][0]["status"] == "failure")
        preview = project.json("sensor", "preview", "of_second")
        assert preview["skip_reason"] == "in second stage"
        assert "There is no sensor 'nobody'" in project.run("sensor", "preview", "nobody").err
        answer = project.run("runs", "retry", run, "--json", environment={"RETRY": "1"})
        assert answer.code == 0, answer.err


def test_locations_are_checked_without_a_control_plane(tmp_path: Path) -> None:
    project = Project(tmp_path, DEFINITIONS)
    assert project.run("location", "check").code == 0
    project.define("def broken(:\n")
    answer = project.run("location", "check", "--json")
    assert answer.code == 1
    assert "SyntaxError" in answer.document["locations"][0]["error"]
    assert project.run("location", "check", "nobody").code == 1


def test_a_workspace_of_dagster_is_served(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("import dagster as dg\n\n\n@dg.asset\ndef kept():\n    pass\n")
    (tmp_path / "workspace.yaml").write_text(
        "load_from:\n  - python_file:\n      relative_path: old.py\n      location_name: old\n"
    )
    with control_plane(tmp_path) as plane:
        run = plane.run(assets=["kept"])
        assert (run["status"], run["location"]) == ("SUCCESS", "old")


def test_loops_and_api_can_be_served_apart(tmp_path: Path) -> None:
    project = Project(tmp_path, DEFINITIONS)
    with control_plane(project.folder, "--only", "api", command="serve") as api:
        run_id = api.start_run(assets=["a"])
        assert api.get(f"/api/runs/{run_id}").document["status"] == "QUEUED"
        with control_plane(project.folder, "--only", "loops", command="serve", served=False):
            assert api.ended(run_id)["status"] == "SUCCESS"
