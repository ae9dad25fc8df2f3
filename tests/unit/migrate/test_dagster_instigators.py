"""`segue migrate dagster` leaves schedules and sensors as they stood: switched, and with what they know."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import segue as sg
from segue.cli.main import command
from segue.deployment import control_of
from segue.model.asset_cursor import decode_cursors
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState, InstigatorStatus

ROWS = Path(__file__).parent / "dagster_home"
SCHEDULE, SENSOR = InstigatorKind.SCHEDULE, InstigatorKind.SENSOR


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of Dagster, beside a project with the code location `shop` in which the command is given."""
    folder = tmp_path / "dagster home"
    for name, place in {
        "runs": "history/runs.db",
        "index": "history/runs/index.db",
        "schedules": "schedules/schedules.db",
    }.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(folder / place) as connection:
            connection.executescript((ROWS / f"{name}.sql").read_text(encoding="utf-8"))
        connection.close()
    project = tmp_path / "project"
    project.mkdir()
    (project / "segue.toml").write_text(
        '[[locations]]\nname = "shop"\nmodule = "shop.defs"\n\n[[locations]]\nmodule = "other"\n'
    )
    monkeypatch.chdir(project)
    return folder


def origin(name: str, location: str = "shop") -> dict[str, Any]:
    place = {"__class__": "GrpcServerRepositoryLocationOrigin", "host": "h", "port": 1, "location_name": location}
    repository = {"repository_location_origin": place, "repository_name": "__repository__"}
    return {"__class__": "ExternalJobOrigin", "external_repository_origin": repository, "job_name": name}


def record(home: Path, kind: str, name: str, status: str, location: str = "shop", **state: Any) -> None:
    if "sensor_type" in state:
        state["sensor_type"] = {"__enum__": f"SensorType.{state['sensor_type']}"}
    body = {"__class__": "InstigatorState", "job_specific_data": state, "origin": origin(name, location)}
    execute(
        home / "schedules" / "schedules.db",
        "INSERT INTO instigators (selector_id, status, instigator_type, instigator_body) VALUES (?, ?, ?, ?)",
        (name + location, status, kind, json.dumps(body)),
    )


def execute(database: Path, statement: str, values: tuple[object, ...]) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(statement, values)
    connection.close()


def migrate(home: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, ["migrate", "dagster", "--json", "--from", str(home), *arguments])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def states() -> dict[InstigatorId, InstigatorState]:
    with sg.Instance.get() as instance:
        return dict(control_of(instance.store).instigator_states())


def test_what_somebody_switched_stays_switched(home: Path) -> None:
    record(home, "SCHEDULE", "nightly", "RUNNING")
    record(home, "SCHEDULE", "weekly", "STOPPED")
    record(home, "SCHEDULE", "as_declared", "DECLARED_IN_CODE")
    record(home, "SENSOR", "files", "RUNNING", cursor="2026-11-01", sensor_type="STANDARD")
    dry = migrate(home)["moved"]
    assert (dry["instigators"], dry["running"]) == (3, 2)
    assert migrate(home, "--apply")["moved"] == dry
    found = states()
    assert {each.name: state.status for each, state in found.items()} == {
        "nightly": InstigatorStatus.RUNNING,
        "weekly": InstigatorStatus.STOPPED,
        "files": InstigatorStatus.RUNNING,
    }
    assert found[InstigatorId("shop", SENSOR, "files")].cursor == "2026-11-01"
    assert migrate(home, "--apply")["moved"]["instigators"] == 0


def test_what_somebody_said_here_stays(home: Path) -> None:
    record(home, "SENSOR", "files", "RUNNING", cursor="there", sensor_type="STANDARD")
    which = InstigatorId("shop", SENSOR, "files")
    with sg.Instance.get() as instance:
        control_of(instance.store).set_instigator(which, InstigatorStatus.STOPPED, 1.0)
        control_of(instance.store).set_cursor(which, "here")
    migrate(home, "--apply")
    state = states()[which]
    assert (state.status, state.cursor) == (InstigatorStatus.STOPPED, "here")


def test_a_sensor_over_assets_goes_on_from_the_newest_place_in_the_log(home: Path) -> None:
    record(home, "SENSOR", "one", "RUNNING", cursor="17", sensor_type="ASSET")
    cursor = json.dumps({"AssetKey(['deep', 'table'])": [None, 12, {}], "AssetKey(['orders'])": ["x", 3, {}]})
    record(home, "SENSOR", "several", "STOPPED", cursor=cursor, sensor_type="MULTI_ASSET")
    record(home, "SENSOR", "runs", "RUNNING", cursor='{"record_id": 9}', sensor_type="RUN_STATUS")
    document = migrate(home, "--apply")
    assert [line for line in document["left"] if "watch" not in line] == [
        "the cursor of the sensor one: it continues with what is materialized from now on",
        "the cursor of the sensor several: it continues with what is materialized from now on",
        "the cursor of the sensor runs: it continues with what happens once it runs here",
    ]
    found = {each.name: state.cursor for each, state in states().items()}
    with sg.Instance.get() as instance:
        newest = max(each.storage_id for each in instance.fetch_materializations(sg.AssetKey(["orders"]), 9).records)
    assert int(found["one"] or 0) >= newest
    assert {key.to_user_string(): seen.storage_id for key, seen in decode_cursors(found["several"]).items()} == {
        "deep/table": int(found["one"] or 0),
        "orders": int(found["one"] or 0),
    }
    assert found["runs"] is None


def test_code_locations_are_found_by_name_and_what_has_none_is_told(home: Path) -> None:
    record(home, "SCHEDULE", "nightly", "RUNNING", location="gone")
    record(home, "SCHEDULE", "nightly", "STOPPED", location="other")
    document = migrate(home, "--apply")
    assert "the schedule nightly of the code location 'gone': no code location here has that name" in document["left"]
    assert list(states()) == [InstigatorId("other", SCHEDULE, "nightly")]


def test_a_sensor_knows_which_runs_it_has_asked_for(home: Path) -> None:
    for number, (run_id, key, location) in enumerate(
        [("a", "file-1", "shop"), ("b", "file-2", "shop"), ("c", "x", "gone")]
    ):
        tags = {"dagster/sensor_name": "files", "dagster/run_key": key}
        body = {"pipeline_name": "load", "tags": tags, "external_pipeline_origin": origin("load", location)}
        execute(
            home / "history" / "runs.db",
            "INSERT INTO runs (run_id, pipeline_name, status, run_body, create_timestamp, start_time, end_time) "
            "VALUES (?, 'load', 'SUCCESS', ?, ?, 1.0, 2.0)",
            (run_id, json.dumps(body), f"2026-11-01 00:00:0{number}.0"),
        )
    assert migrate(home, "--apply")["moved"]["run_keys"] == 2
    assert migrate(home, "--apply")["moved"]["run_keys"] == 0
    with sg.Instance.get() as instance:
        assert (
            control_of(instance.store).add_run_keys(InstigatorId("shop", SENSOR, "files"), {"file-1": "d", "new": "e"})
            == 1
        )


def test_limits_of_pools_are_taken_and_those_that_are_set_here_stay(home: Path) -> None:
    execute(
        home / "history" / "runs" / "index.db",
        'INSERT INTO concurrency_limits (concurrency_key, "limit") VALUES (?, ?)',
        ("api", 2),
    )
    with sg.Instance.get() as instance:
        instance.set_pool_limit("api", 9)
    assert migrate(home, "--apply")["moved"]["pools"] == 1
    with sg.Instance.get() as instance:
        assert dict(instance.pool_limits()) == {"api": 9, "warehouse": 3}


def test_people_are_told_to_stop_what_runs_there(home: Path) -> None:
    record(home, "SCHEDULE", "nightly", "RUNNING")
    result = CliRunner().invoke(command, ["migrate", "dagster", "--from", str(home)])
    assert "1, of which 1 start as soon as a control plane runs" in result.stdout
    assert "Stop Dagster's daemon before you start `segue dev` or `segue serve`" in result.stdout
