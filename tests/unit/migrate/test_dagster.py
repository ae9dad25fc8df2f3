"""`segue migrate dagster` takes over what Dagster recorded; the rows of `dagster_home/` are those of a real home of its."""

from __future__ import annotations

import json
import pickle
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import segue as sg
from segue.cli.main import command
from segue.deployment import store_of
from segue.migrate.settings import new_settings
from segue.model.run import FailureReason
from segue.settings import read_settings

ROWS = Path(__file__).parent / "dagster_home"
DATABASES = {"runs": "history/runs.db", "index": "history/runs/index.db", "schedules": "schedules/schedules.db"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder of Dagster."""
    folder = tmp_path / "dagster home"
    for name, place in DATABASES.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(folder / place) as connection:
            connection.executescript((ROWS / f"{name}.sql").read_text(encoding="utf-8"))
        connection.close()
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command is given."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return folder


def migrate(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(command, ["migrate", "dagster", "--json", *arguments])
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def instance_of(project: Path) -> sg.Instance:
    settings = read_settings(project, {})
    return sg.Instance(store_of(settings), settings.storage_directory)


def change(home: Path, database: str, statement: str) -> None:
    with sqlite3.connect(home / DATABASES[database]) as connection:
        connection.execute(statement)
    connection.close()


WATCH = "the sensor watch of the code location 'defs.py': no code location here has that name"
ALL = {
    "runs": 6,
    "unfinished_runs": 0,
    "known_runs": 0,
    "materializations": 6,
    "observations": 1,
    "evaluations": 1,
    "dynamic_partitions": 2,
    "pools": 1,
    "instigators": 0,
    "running": 0,
    "run_keys": 0,
    "left": [WATCH],
    "failed": [],
}


def test_a_dry_run_counts_and_leaves_no_trace(home: Path, project: Path) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    document = migrate("--from", str(home))
    assert document["moved"] == ALL
    assert not document["applied"]
    assert list(project.iterdir()) == []
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_what_is_moved_is_there(home: Path, project: Path) -> None:
    assert migrate("--from", str(home), "--apply")["moved"] == ALL
    with instance_of(project) as instance:
        runs = instance.get_runs()
        assert [run.status.value for run in runs].count("SUCCESS") == 5
        (failed,) = [run for run in runs if run.is_failure]
        assert failed.failure_reason is FailureReason.STEP_FAILURE
        assert {"team": "finance"} in [run.tags for run in runs]
        assert {run.partition_start for run in runs} == {None, "2026-01-01", "2026-01-02", "ada"}
        assert all(run.started_at is not None and run.ended_at is not None for run in runs)
        assert instance.get_materialized_partitions(sg.AssetKey("daily")) == {"2026-01-01", "2026-01-02"}
        assert list(instance.get_dynamic_partitions("customers")) == ["ada", "zoë"]
        assert not instance.has_asset_key(sg.AssetKey("wiped"))
        (check,) = instance.get_latest_check_results().values()
        assert check.evaluation.passed
        assert instance.get_run_by_id(check.run_id or "") is not None


def test_metadata_keeps_its_kinds(home: Path, project: Path) -> None:
    migrate("--from", str(home), "--apply")
    with instance_of(project) as instance:

        def metadata(key: str) -> dict[str, Any]:
            state = instance.store.asset_states(None)[sg.AssetKey.from_user_string(key)]
            return dict(state.materialization.metadata)

        assert metadata("orders") == {
            "rows": sg.IntMetadataValue(3),
            "note": sg.TextMetadataValue("für"),
            "page": sg.MetadataValue.url("https://example.com"),
            "doc": sg.MetadataValue.md("# x"),
            "share": sg.MetadataValue.float(0.5),
            "ok": sg.MetadataValue.bool(True),
            "path": sg.MetadataValue.path("/data/x"),
            "raw": sg.MetadataValue.json({"a": [1]}),
        }
        deep = metadata("deep/table")
        column = deep["schema"].schema.columns[0]
        assert (column.name, column.type, column.description, column.constraints.nullable) == (
            "a",
            "int",
            "the a",
            False,
        )
        assert deep["t"].records == [sg.TableRecord({"a": 1})]
        assert deep["lineage"].column_lineage.deps_by_column["a"] == [sg.TableColumnDep(sg.AssetKey("orders"), "id")]
        assert deep["src"] == sg.MetadataValue.asset(sg.AssetKey("orders"))
        assert deep["future"] == sg.PoolMetadataValue("p")


def test_metadata_of_an_unknown_kind_stays_as_json(home: Path, project: Path) -> None:
    change(home, "index", "UPDATE event_logs SET event = replace(event, 'PoolMetadataValue', 'LaterMetadataValue')")
    migrate("--from", str(home), "--apply")
    with instance_of(project) as instance:
        state = instance.store.asset_states(None)[sg.AssetKey(["deep", "table"])]
        kept = state.materialization.metadata["future"]
        assert kept == sg.MetadataValue.json({"__class__": "LaterMetadataValue", "pool": "p"})


def test_a_second_round_moves_only_what_is_new(home: Path, project: Path) -> None:
    migrate("--from", str(home), "--apply")
    again = migrate("--from", str(home), "--apply")["moved"]
    assert again == {**dict.fromkeys(ALL, 0), "known_runs": 6, "left": [WATCH], "failed": []}
    with instance_of(project) as instance:
        instance.report_runless_asset_event(sg.AssetMaterialization("orders", metadata={"rows": 9}))
    change(home, "index", "UPDATE event_logs SET id = id + 100 WHERE asset_key LIKE '%orders%'")
    assert migrate("--from", str(home), "--apply")["moved"]["materializations"] == 0


@pytest.mark.parametrize(
    ("status", "start", "ends_as"),
    [("STARTED", "1.0", "FAILURE"), ("QUEUED", "NULL", "CANCELED"), ("CANCELED", "NULL", "CANCELED")],
)
def test_runs_that_had_not_ended_end_here(home: Path, project: Path, status: str, start: str, ends_as: str) -> None:
    change(home, "runs", f"UPDATE runs SET status = '{status}', start_time = {start}, end_time = NULL WHERE id = 1")
    moved = migrate("--from", str(home), "--apply")["moved"]
    assert moved["unfinished_runs"] == (status != "CANCELED")
    with instance_of(project) as instance:
        assert instance.get_runs()[-1].status.value == ends_as


def test_events_of_a_run_that_is_gone_are_kept_without_it(home: Path, project: Path) -> None:
    change(home, "runs", "DELETE FROM runs")
    assert migrate("--from", str(home), "--apply")["moved"]["materializations"] == 6
    with instance_of(project) as instance:
        assert {state.run_id for state in instance.store.asset_states(None).values()} == {None}


def test_settings_are_proposed_and_what_has_no_counterpart_is_named(home: Path, project: Path) -> None:
    (home / "dagster.yaml").write_text(
        "run_queue:\n  max_concurrent_runs: 5\n  dequeue_num_workers: 2\nsecret: hunter2\n"
    )
    (project / "workspace.yaml").write_text(
        "load_from:\n- python_file: {relative_path: defs.py, attribute: defs}\n- grpc_server: {port: 1}\n"
    )
    document = migrate("--from", str(home))
    assert 'file = "defs.py"\nattribute = "defs"\n' in document["settings"]
    assert document["left"] == [
        "workspace.yaml: grpc_server",
        "dagster.yaml: run_queue.dequeue_num_workers",
        "dagster.yaml: secret",
    ]
    migrate("--from", str(home), "--apply")
    settings = read_settings(project, {})
    assert (settings.file, settings.attribute, settings.dagster_compat) == (str(project / "defs.py"), "defs", True)
    assert settings.queue.max_runs == 5


def test_each_code_location_of_a_workspace_is_one_here(home: Path, project: Path) -> None:
    (project / "workspace.yaml").write_text(
        "load_from:\n"
        "- python_file: {relative_path: code/defs.py, working_directory: code, location_name: shop}\n"
        "- python_module: {module_name: other.defs, executable_path: /opt/other/bin/python}\n"
        "- python_package: third\n"
    )
    assert migrate("--from", str(home), "--apply")["left"] == [WATCH]
    shop, other, third = read_settings(project, {}).locations
    assert (shop.name, shop.file, shop.working_directory) == (
        "shop",
        str(project / "code" / "defs.py"),
        str(project / "code"),
    )
    assert (other.name, other.module, other.python) == ("other.defs", "other.defs", "/opt/other/bin/python")
    assert (third.module, third.dagster_compat) == ("third", True)


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ('[tool.dagster]\nmodule_name = "shop.defs"', "shop.defs"),
        ('[tool.dg.project]\nroot_module = "shop"', "shop.definitions"),
        ('[tool.dg.project]\nroot_module = "shop"\ndefs_module = "shop.d"', "shop.d"),
    ],
)
def test_the_module_comes_from_pyproject(tmp_path: Path, text: str, module: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert f'module = "{module}"' in new_settings(tmp_path, None).text


def test_settings_of_the_project_are_left_alone(home: Path, project: Path) -> None:
    (project / "segue.toml").write_text('home = "records"\n')
    assert migrate("--from", str(home), "--apply")["settings"] is None
    assert (project / "segue.toml").read_text() == 'home = "records"\n'
    assert (project / "records" / "segue.db").exists()


def stored_value(folder: Path) -> None:
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "table").write_bytes(pickle.dumps([1, 2, 3], 5))


@sg.asset(ins={"table": sg.AssetIn(["deep", "table"])})
def rows(table: list[int]) -> int:
    return len(table)


@pytest.mark.parametrize("elsewhere", [None, "artifacts"])
def test_stored_values_are_read_where_they_are(home: Path, project: Path, elsewhere: str | None) -> None:
    if elsewhere is not None:
        config = f"{{base_dir: {home / elsewhere}}}"
        (home / "dagster.yaml").write_text(
            f"local_artifact_storage: {{module: dagster.core.storage.root, class: LocalArtifactStorage, config: {config}}}\n"
        )
    values = home / (elsewhere or "") / "storage"
    stored_value(values)
    document = migrate("--from", str(home), "--apply")
    assert document["failed"] == []
    assert [line for line in document["left"] if "artifact" in line] == []
    with sg.Instance.get() as instance:
        assert instance.storage_directory() == str(values)
        result = sg.materialize([sg.AssetSpec(["deep", "table"]), rows], selection=[rows], instance=instance)
        assert result.asset_value("rows") == 3
        with sg.Instance.from_ref(instance.get_ref()) as again:
            assert again.storage_directory() == str(values)


def test_values_that_the_settings_do_not_reach_are_reported(home: Path, project: Path) -> None:
    stored_value(home / "storage")
    (project / "segue.toml").write_text('home = "records"\n')
    (line,) = migrate("--from", str(home), "--apply", exit_code=1)["failed"]
    assert f'Write storage = "{home / "storage"}" there' in line
    (project / "segue.toml").write_text(f'home = "records"\nstorage = "{home / "storage"}"\n')
    assert migrate("--from", str(home), "--apply")["failed"] == []


@pytest.mark.parametrize(
    ("database", "statement", "what", "moved"),
    [
        (
            "index",
            "UPDATE event_logs SET event = '{' WHERE asset_key LIKE '%orders%'",
            'of the asset ["orders"]',
            "materializations",
        ),
        ("index", "UPDATE asset_check_executions SET evaluation_event = '{}'", "of the check", "evaluations"),
        ("runs", "UPDATE runs SET run_body = 'x' WHERE id = 1", "the run ", "runs"),
    ],
)
def test_what_cannot_be_understood_is_reported_and_the_rest_is_moved(
    home: Path, project: Path, database: str, statement: str, what: str, moved: str
) -> None:
    change(home, database, statement)
    document = migrate("--from", str(home), "--apply", exit_code=1)
    assert what in document["failed"][0]
    assert {name for name in ALL if document["moved"][name] != ALL[name]} == {moved, "failed"}
    result = CliRunner().invoke(command, ["migrate", "dagster", "--from", str(home)])
    assert result.exit_code == 1
    assert "Failed to import:" in result.stdout


def test_people_read_what_would_happen(home: Path, project: Path) -> None:
    result = CliRunner().invoke(command, ["migrate", "dagster", "--from", str(home)])
    assert "Would move from" in result.stdout
    assert "Nothing was written. Add --apply to do it." in result.stdout
    assert WATCH in result.stdout


def test_wrong_calls_are_refused(home: Path, project: Path) -> None:
    def said(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, ["migrate", "dagster", *arguments])
        return result.exit_code, result.stderr

    assert said() == (2, said()[1])
    assert "pass --from FOLDER or --postgres URL" in said()[1]
    code, text = said("--from", str(project))
    assert code == 1
    assert "is not a DAGSTER_HOME folder" in text
    (home / "history" / "runs.db").write_bytes(b"this is no database")
    code, text = said("--from", str(home), "--apply")
    assert code == 1
    assert "runs.db cannot be read as a Dagster database" in text
    shutil.rmtree(home / "history")
    assert said("--from", str(home))[0] == 1
    (project / "workspace.yaml").write_text("a: [")
    assert "is not valid YAML" in said("--from", str(home))[1]
