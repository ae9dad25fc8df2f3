"""Classes of failures on the command line: rules of the settings, `segue runs` and `segue show`."""

from __future__ import annotations

from pathlib import Path

from command_line import Project

DEFINITIONS = """
class OutOfStock(Exception): ...

@sg.asset
def stock():
    raise OutOfStock("nothing left")

@sg.asset
def prices():
    raise ConnectionResetError(104, "reset by the other side")

defs = sg.Definitions(assets=[stock, prices])
"""
RULE = '\n[[failure_rules]]\nexception = "definitions.OutOfStock"\nfailure_class = "upstream_data"\n'


def test_runs_are_listed_by_the_class_of_their_failure_and_shown_with_it(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", DEFINITIONS)
    with (project.folder / "segue.toml").open("a") as settings:
        settings.write(RULE)
    for asset in ("stock", "prices"):
        assert project.run("materialize", "--select", asset).code == 1
    listed = project.run("runs", "--json").document["runs"]
    assert [(run["assets"], run["failure_class"]) for run in listed] == [
        (["prices"], "network"),
        (["stock"], "upstream_data"),
    ]
    (found,) = project.run("runs", "--failure-class", "upstream_data", "--json").document["runs"]
    assert found["assets"] == ["stock"]
    shown = project.run("show", found["run_id"], "--json").document
    assert (shown["run"]["failure_class"], shown["steps"][0]["failure_class"]) == ("upstream_data", "upstream_data")
    assert "in step stock (upstream_data):" in project.run("show", found["run_id"]).out
    assert "network" in project.run("runs").out


def test_a_wrong_rule_in_the_settings_is_told_with_its_place(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", DEFINITIONS)
    with (project.folder / "segue.toml").open("a") as settings:
        settings.write(RULE.replace("upstream_data", "stock"))
    answer = project.run("materialize", "--select", "stock")
    assert answer.code == 1
    assert "segue.toml: failure_rules: FailureRule: 'stock' is not a failure class" in answer.last_error_line
