"""A project from its first minute: made, checked, run, looked at, wiped."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from command_line import Project

DEFINITIONS = """
import os

@sg.asset(group_name="shop", kinds={"python"}, owners=["ada@example.com"], description="What came in.")
def orders(context) -> list[int]:
    print("printed by user code")
    os.system("echo printed by a subprocess")
    context.log.info("three orders")
    return [1, 2, 3]

@sg.asset(group_name="shop")
def report(context, orders: list[int]) -> int:
    context.add_output_metadata({"total": sum(orders)})
    return sum(orders)

@sg.asset_check(asset=orders)
def not_empty(orders: list[int]) -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=bool(orders), metadata={"rows": len(orders)})

@sg.asset_check(asset=report)
def is_large(report: int) -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=report > 100, severity=sg.AssetCheckSeverity.WARN)

defs = sg.Definitions(
    assets=[orders, report, sg.AssetSpec("outside")],
    asset_checks=[not_empty, is_large],
    jobs=[sg.define_asset_job("only_orders", selection=["orders"])],
)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "mit Leerzeichen und ä", DEFINITIONS)


@pytest.mark.parametrize("name", ["shop", "ein Laden für Bücher"])
def test_a_new_project_runs(tmp_path: Path, name: str) -> None:
    made = Project(tmp_path).run("init", name)
    assert made.code == 0, made.err
    project = Project(tmp_path / name)
    checked = project.run("check")
    assert (checked.code, checked.out) == (0, "No errors: 3 assets, 1 check, 0 jobs, 0 resources.\n"), checked.err
    done = project.json("materialize", "--partition", "2024-01-01")
    assert done["success"]
    assert sorted(done["runs"][0]["run"]["assets"]) == ["daily_orders", "order_report", "orders"]
    listed = project.json("list")["assets"]
    assert [row["asset"] for row in listed if row["last_materialized"] is None] == []


def test_a_run_is_told_line_by_line_and_summed_up(project: Project) -> None:
    done = project.run("materialize")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    run_id = lines[0].removeprefix("run ").removesuffix(": started")
    assert run_id == project.json("runs")["runs"][0]["run_id"]
    assert "orders: INFO three orders" in lines
    assert any(line.startswith("report: materialized report (") and "total=6" in line for line in lines)
    assert any(line.startswith("report: succeeded in ") for line in lines)
    assert lines[-2].startswith(f"run {run_id}: success in ")
    assert lines[-1] == "checks: 1 passed, 1 warning"
    assert "printed by user code" in lines
    assert "\x1b" not in done.out


def test_with_json_nothing_else_is_on_standard_output(project: Project) -> None:
    done = project.run("materialize", "--json")
    assert done.code == 0, done.err
    assert done.document["success"] is True
    steps = {step["step"]: step for step in done.document["runs"][0]["steps"]}
    assert steps["report"]["materializations"][0]["metadata"]["total"] == {"type": "int", "value": 6}
    assert "printed by user code" in done.err
    assert "printed by a subprocess" in done.err


def test_selections_jobs_tags_and_runs(project: Project) -> None:
    assert project.json("materialize", "--select", "orders", "--tag", "who=ada")["success"]
    assert project.json("materialize", "--job", "only_orders")["success"]
    runs = project.json("runs")["runs"]
    assert [(run["job"], run["assets"]) for run in runs] == [
        ("only_orders", ["orders"]),
        ("__ephemeral_asset_job__", ["orders"]),
    ]
    assert [run["tags"].get("who") for run in project.json("runs", "--tag", "who=ada")["runs"]] == ["ada"]
    assert len(project.json("runs", "--job", "only_orders")["runs"]) == 1
    assert len(project.json("runs", "--limit", "1")["runs"]) == 1
    assert project.json("runs", "--status", "failure")["runs"] == []
    table = project.run("runs").out.splitlines()
    assert table[0].split() == "RUN STATUS JOB OR ASSETS PARTITION CREATED DURATION FAILURE".split()
    assert table[1].split()[1:3] == ["success", "only_orders"]


def test_what_is_listed(project: Project) -> None:
    assets = {row["asset"]: row for row in project.json("list")["assets"]}
    assert assets["orders"]["group"] == "shop"
    assert assets["orders"]["kinds"] == ["python"]
    assert assets["outside"]["external"] is True
    assert [row["check"] for row in project.json("list", "checks")["checks"]] == ["orders:not_empty", "report:is_large"]
    assert project.json("list", "jobs")["jobs"][0]["assets"] == ["orders"]
    assert project.run("list").out.splitlines()[1].split() == ["orders", "shop", "python", "never"]
    project.json("materialize")
    assert [row["passed"] for row in project.json("list", "checks")["checks"]] == [True, False]


def test_show_and_asset(project: Project) -> None:
    run_id = project.json("materialize")["runs"][0]["run"]["run_id"]
    shown = project.json("show", run_id, "--logs")
    assert [line["message"] for line in shown["logs"] if line["level"] == "INFO"] == ["three orders"]
    text = project.run("show", run_id[:-4]).out
    assert [
        part for part in (run_id, "Steps", "report  total=6", "orders:not_empty", "warning") if part not in text
    ] == []
    about = project.json("asset", "report")
    assert (about["upstream"], about["downstream"]) == (["orders"], [])
    assert about["latest"]["run_id"] == run_id
    assert [check["check"] for check in about["checks"]] == ["report:is_large"]
    assert [run["run_id"] for run in about["recent_runs"]] == [run_id]
    assert "definitions.py:" in about["source"]
    text = project.run("asset", "orders").out
    assert [part for part in ("What came in.", "ada@example.com", "report", run_id) if part not in text] == []


def test_wipe_asks_and_takes_only_what_is_recorded(project: Project) -> None:
    project.json("materialize")
    values = sorted(path for path in (project.home / "storage").rglob("*") if path.is_file())
    refused = project.run("wipe", "orders")
    assert refused.code == 2
    assert "--yes" in refused.last_error_line
    assert project.json("asset", "orders")["latest"] is not None
    wiped = project.run("wipe", "orders", "--yes")
    assert wiped.code == 0, wiped.err
    assert "Stored values are not changed" in wiped.out
    assert project.json("asset", "orders")["latest"] is None
    assert sorted(path for path in (project.home / "storage").rglob("*") if path.is_file()) == values
    assert project.run("materialize", "--select", "report").code == 0


def test_a_failed_run_says_why_and_is_retried(project: Project) -> None:
    broken = 'def report(context, orders: list[int]) -> int:\n    raise ValueError("no paper")'
    project.define(DEFINITIONS.replace("def report(context, orders: list[int]) -> int:", broken))
    failed = project.run("materialize")
    assert failed.code == 1
    assert "ValueError: no paper" in failed.last_error_line
    assert "segue runs retry" in failed.last_error_line
    assert 'definitions.py", line' in failed.out
    assert "segue/execute" not in failed.out
    run_id = project.json("runs")["runs"][0]["run_id"]
    project.define(DEFINITIONS)
    retried = project.json("runs", "retry", run_id)
    steps = {step["step"]: step["status"] for step in retried["runs"][0]["steps"]}
    assert steps["orders"] == "succeeded before"
    assert steps["report"] == "succeeded"
    assert project.run("runs", "retry", retried["runs"][0]["run"]["run_id"]).code == 1


@pytest.mark.parametrize("home", [None, "read-only"])
def test_the_users_home_folder_is_never_needed(project: Project, tmp_path: Path, home: str | None) -> None:
    folder = tmp_path / "of the user"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    done = project.run("materialize", environment={"HOME": None if home is None else str(folder)})
    folder.chmod(stat.S_IRWXU)
    assert done.code == 0, done.err
    assert list(folder.iterdir()) == []


def test_the_home_option_and_variable_move_everything(project: Project, tmp_path: Path) -> None:
    assert project.run("materialize", "--home", str(tmp_path / "first")).code == 0
    assert project.run("materialize", environment={"SEGUE_HOME": str(tmp_path / "second")}).code == 0
    assert not project.home.exists()
    for name in ("first", "second"):
        assert len(project.json("runs", "--home", str(tmp_path / name))["runs"]) == 1


def test_when_nobody_reads_the_output_the_run_still_ends(project: Project) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = project.run("materialize", output=writing)
    os.close(writing)
    assert done.code == 0
    assert "BrokenPipe" not in done.err
    assert [run["status"] for run in project.json("runs")["runs"]] == ["success"]
