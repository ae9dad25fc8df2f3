"""Unmodified code for Dagster runs: `dagster` and what lies below it leads to Segue."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest
from code_for_dagster import run

import segue
from segue.compat import hook

pytestmark = pytest.mark.usefixtures("import_hook")


def test_user_code_runs_as_it_stands() -> None:
    code = """
import dagster as dg
from dagster import DagsterInstance, asset
from dagster._core.definitions.time_window_partitions import TimeWindow

@asset
def number() -> int:
    return 3

result = dg.materialize([number], instance=DagsterInstance.ephemeral())
"""
    namespace = run(code)
    result = namespace["result"]
    assert isinstance(result, segue.ExecuteInProcessResult)
    assert result.output_for_node("number") == 3
    assert namespace["TimeWindow"] is segue.TimeWindow
    assert namespace["DagsterInstance"] is segue.Instance


def test_a_star_import_brings_all() -> None:
    namespace = run("from dagster import *")
    assert namespace["DagsterInstance"] is segue.Instance
    assert namespace["asset"] is segue.asset


def test_the_version_is_that_of_the_compatible_api() -> None:
    version = run("import dagster; version = dagster.__version__")["version"]
    assert str(version).split(".")[0] == "1"


@pytest.mark.parametrize(
    "line",
    [
        "from dagster import NoSuchName",
        "from dagster import no_such_name",
        "from dagster._core.definitions import NoSuchName",
    ],
)
def test_an_unknown_name_is_refused_with_the_page_to_read(line: str) -> None:
    with pytest.raises(ImportError, match=r"Segue has no equivalent of .*migration\.md"):
        run(line)


def test_a_private_function_that_is_unknown_is_refused_when_called() -> None:
    with pytest.raises(segue.NotSupportedError, match=r"dagster\._core\.things\.do_it"):
        run("from dagster._core.things import do_it; do_it(1)")


def test_a_library_without_counterpart_is_refused_even_if_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(
        ModuleNotFoundError, match=r"dagster_twilio is a library for Dagster.*segue\.integrations\.twilio"
    ):
        run("import dagster_twilio")


def test_a_library_is_answered_by_the_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("segue.integrations")
    package.__path__ = []
    ours = types.ModuleType("segue.integrations.twilio")
    ours.__spec__ = __import__("importlib.machinery").machinery.ModuleSpec("segue.integrations.twilio", None)
    vars(ours)["TwilioResource"] = int
    monkeypatch.setitem(sys.modules, "segue.integrations", package)
    monkeypatch.setitem(sys.modules, "segue.integrations.twilio", ours)
    assert run("from dagster_twilio import TwilioResource")["TwilioResource"] is int


def test_a_users_own_package_is_left_alone() -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'dagster_quickstart'"):
        run("import dagster_quickstart")


def test_a_library_of_somebody_else_is_left_alone() -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'dagster_evidence'"):
        run("import dagster_evidence")


def test_installing_after_the_real_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    hook.uninstall()
    monkeypatch.setitem(sys.modules, "dagster", types.ModuleType("dagster"))
    with pytest.raises(segue.LoadError, match="dagster_compat = true"):
        hook.install()


def test_uninstalling_leaves_nothing() -> None:
    run("import dagster._core.definitions")
    hook.uninstall()
    done = [name for name in sys.modules if name.partition(".")[0] == "dagster"]
    assert done == []
    with pytest.raises(ModuleNotFoundError):
        run("import dagster")


def test_a_second_install_changes_nothing() -> None:
    before = list(sys.meta_path)
    hook.install()
    assert sys.meta_path == before


def test_the_hook_costs_little() -> None:
    code = "import sys; from segue.compat import hook; hook.install(); import dagster; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
