"""A project written for Dagster runs as it stands: by a setting, an option, the environment, and in its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Project

CODE = """
import dagster as dg
from dagster._core.definitions.time_window_partitions import TimeWindow

@dg.asset
def orders(context: dg.AssetExecutionContext) -> list[int]:
    return [1, 2, 3]

@dg.definitions
def defs():
    return dg.Definitions(assets=[orders])
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "defs.py").write_text(CODE, encoding="utf-8")
    return Project(tmp_path)


def test_the_setting(project: Project) -> None:
    (project.folder / "segue.toml").write_text('file = "defs.py"\ndagster_compat = true\n', encoding="utf-8")
    answer = project.run("materialize")
    assert answer.code == 0, answer.err
    assert '"orders"' in project.run("asset", "orders", "--json").out


def test_the_option(project: Project) -> None:
    assert project.run("check", "-f", "defs.py", "--dagster-compat").code == 0


def test_the_environment(project: Project) -> None:
    on = project.run("check", "-f", "defs.py", environment={"SEGUE_DAGSTER_COMPAT": "true"})
    assert on.code == 0, on.err
    wrong = project.run("check", "-f", "defs.py", environment={"SEGUE_DAGSTER_COMPAT": "perhaps"})
    assert wrong.code == 1
    assert "SEGUE_DAGSTER_COMPAT is 'perhaps': it must be true or false." in wrong.err


def test_without_it_the_error_says_what_to_do(project: Project) -> None:
    answer = project.run("check", "-f", "defs.py")
    assert answer.code == 1
    assert "defs.py:2" in answer.err
    assert "dagster_compat = true" in answer.err


def test_definitions_of_the_real_one_are_told_apart(project: Project) -> None:
    package = project.folder / "dagster"
    package.mkdir()
    (package / "__init__.py").write_text("class Definitions:\n    ...\n", encoding="utf-8")
    (package / "real.py").write_text("class Definitions:\n    ...\n", encoding="utf-8")
    (project.folder / "defs.py").write_text(
        "from dagster.real import Definitions\ndefs = Definitions()\n", encoding="utf-8"
    )
    answer = project.run("check", "-f", "defs.py")
    assert answer.code == 1
    assert "contains definitions made with Dagster, not with Segue" in answer.err


def test_the_project_s_own_tests(project: Project) -> None:
    (project.folder / "conftest.py").write_text("from dagster import DagsterInstance\n", encoding="utf-8")
    (project.folder / "test_it.py").write_text(
        "import dagster\nfrom defs import orders\n"
        "def test_orders():\n"
        "    result = dagster.materialize([orders], instance=dagster.DagsterInstance.ephemeral())\n"
        "    assert result.output_for_node('orders') == [1, 2, 3]\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "segue.compat.pytest_plugin"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
