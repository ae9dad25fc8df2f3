"""Code locations of other machines: used like those of this one, over connections that break, and closed to all strangers."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from control_plane import ControlPlane, gone
from location_server import NAME, TOKEN, between, location_server, user_of
from postgres_server import Server

from segue.model.instigator import InstigatorId, InstigatorKind
from segue.storage.opening import open_control, open_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
import os
import time
from pathlib import Path

import segue as sg


@sg.asset
def quick(context):
    context.add_output_metadata({"where": os.getcwd(), "token": os.environ.get("SEGUE_LOCATION_TOKEN", "none")})


@sg.asset
def next_one(quick):
    pass


@sg.asset
def waiting():
    Path("waits").touch()
    while not Path("goes on").exists():
        time.sleep(0.01)


@sg.sensor(target=[quick], minimum_interval_seconds=1, default_status=sg.DefaultSensorStatus.RUNNING)
def asking(context):
    if Path("asks").exists():
        return sg.RunRequest(run_key="once")
    return sg.SkipReason("not yet")


@sg.sensor(target=[quick], minimum_interval_seconds=1, default_status=sg.DefaultSensorStatus.RUNNING)
def dying():
    os._exit(9)


apart = sg.define_asset_job("apart", selection=["quick", "next_one"], executor_def=sg.multiprocess_executor)
defs = sg.Definitions(assets=[quick, next_one, waiting], jobs=[apart], sensors=[asking, dying])
"""


def _far(tmp_path: Path) -> Path:
    """A project as it stands on the other machine."""
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "far.py").write_text(DEFINITIONS)
    (folder / "segue.toml").write_text('file = "far.py"\n')
    return folder


def _environment(postgres_url: str, token: str = TOKEN) -> dict[str, str]:
    return {"SEGUE_DATABASE": postgres_url, "SEGUE_LOCATION_TOKEN": token}


def test_a_location_of_another_machine_is_used_like_one_of_this(tmp_path: Path, postgres_url: str) -> None:
    far, environment = _far(tmp_path), _environment(postgres_url)
    with (
        location_server(far, environment=environment) as server,
        user_of(tmp_path / "here", server.url, environment) as plane,
    ):
        assert plane.run(assets=["quick", "next_one"])["location"] == NAME
        assert plane.run(job="apart")["status"] == "SUCCESS"
        store = open_store(tmp_path, postgres_url)
        control = open_control(store)
        where = next(state for key, state in store.asset_states(None).items() if "quick" in str(key))
        assert where.materialization.metadata["where"].value == str(far)
        assert where.materialization.metadata["token"].value == "none"  # it is not for user code

        def ticks(name: str, status: str) -> list[str]:
            found = control.ticks(InstigatorId(NAME, InstigatorKind.SENSOR, name), 100)
            return [str(each.tick.error) for each in found if each.tick.status.value == status]

        (far / "asks").touch()
        plane.wait_for(lambda: bool(ticks("asking", "success")))
        plane.wait_for(lambda: bool(ticks("dying", "failure")))
        assert "exit code 9" in ticks("dying", "failure")[0]
        store.close()
        assert not any(b"zygote" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in plane.descendants())
        assert not list((tmp_path / "here").glob("*/storage/*"))


def test_a_location_that_records_in_another_database_is_refused_and_says_what_to_set(
    tmp_path: Path, postgres_url: str, postgres_server: Server
) -> None:
    with (
        postgres_server.schema("elsewhere") as other,
        location_server(_far(tmp_path), environment=_environment(other)) as server,
        user_of(tmp_path / "here", server.url, _environment(postgres_url), served=False) as plane,
    ):
        server.wait_for_line(": it uses another database")
        plane.wait_for(lambda: "Set `database` (SEGUE_DATABASE)" in _stand(postgres_url)[1])
        assert _stand(postgres_url)[0] == "broken"
    # On another way to the same one it is known again.
    longer = postgres_url + ("&" if "?" in postgres_url else "?") + "application_name=other"
    far = tmp_path / "there"
    with (
        location_server(far, environment=_environment(longer)) as server,
        user_of(tmp_path / "here", server.url, _environment(postgres_url)) as plane,
    ):
        assert plane.run(assets=["quick"])["status"] == "SUCCESS"


def _stand(postgres_url: str) -> tuple[str, str]:
    """How the location is recorded to stand."""
    store = open_store(Path("unused"), postgres_url)
    states = open_control(store).location_states()
    store.close()
    return (states[0].status.value, states[0].error or "") if states else ("", "")


def _start_waiting(plane: ControlPlane, far: Path) -> str:
    run_id = plane.start_run(assets=["waiting"])
    plane.wait_for((far / "waits").exists)
    return run_id


def test_runs_go_on_when_the_connection_is_lost_and_it_is_made_again(tmp_path: Path, postgres_url: str) -> None:
    far, environment = _far(tmp_path), _environment(postgres_url)
    with (
        location_server(far, environment=environment) as server,
        between(server.url) as way,
        user_of(tmp_path / "here", way.port, environment) as plane,
    ):
        run_id = _start_waiting(plane, far)
        seen = len(plane.lines)
        way.cut()
        assert "was lost" in plane.wait_for_line("The connection to 127.0.0.1", after=seen)
        plane.wait_for_line("is loaded", after=seen)
        assert plane.run(assets=["quick"])["status"] == "SUCCESS"
        assert plane.get(f"/api/runs/{run_id}").document["status"] == "STARTED"
        server.wait_for_line("Control plane disconnected")
        (far / "goes on").touch()
        assert plane.ended(run_id)["status"] == "SUCCESS"
        assert len(way.heard) == 2
        assert _stand(postgres_url) == ("ready", "")


def test_a_connection_that_only_falls_silent_is_noticed_on_both_sides(tmp_path: Path, postgres_url: str) -> None:
    far, environment = _far(tmp_path), _environment(postgres_url)
    with (
        location_server(far, "--timeout", "1", environment=environment) as server,
        between(server.url) as way,
        user_of(tmp_path / "here", way.port, environment, timeout=1.0) as plane,
    ):
        run_id = _start_waiting(plane, far)
        seen = len(plane.lines)
        way.is_silent = True
        assert "no message arrived" in plane.wait_for_line("The connection to 127.0.0.1", after=seen)
        assert "no message arrived" in server.wait_for_line("Control plane disconnected")
        plane.wait_for(lambda: "Cannot connect" in _stand(postgres_url)[1])
        assert _stand(postgres_url)[0] == "loading"
        way.is_silent = False
        plane.wait_for(lambda: _stand(postgres_url) == ("ready", ""))
        assert plane.run(assets=["quick"])["status"] == "SUCCESS"
        (far / "goes on").touch()
        assert plane.ended(run_id)["status"] == "SUCCESS"


def test_a_server_that_dies_takes_its_runs_along_and_the_next_one_is_found(tmp_path: Path, postgres_url: str) -> None:
    far, environment = _far(tmp_path), _environment(postgres_url)
    with (
        location_server(far, environment=environment) as server,
        user_of(tmp_path / "here", server.url, environment) as plane,
    ):
        run_id, started = _start_waiting(plane, far), server.descendants()
        assert started
        server.stop(signal.SIGKILL)
        gone(started)
        run = plane.ended(run_id)
        assert (run["status"], run["failure_reason"]) == ("FAILURE", "interrupted")
        seen = len(plane.lines)
        with location_server(far, environment=environment, port=int(server.url)) as again:
            plane.wait_for_line("is loaded", after=seen)
            assert plane.run(assets=["quick"])["status"] == "SUCCESS"
            left = again.descendants()
            assert again.stop(signal.SIGTERM) == 0
            gone(left)


def test_the_end_of_a_control_plane_harms_no_run(tmp_path: Path, postgres_url: str) -> None:
    far, environment = _far(tmp_path), _environment(postgres_url)
    with location_server(far, environment=environment) as server:
        with user_of(tmp_path / "here", server.url, environment) as plane:
            run_id = _start_waiting(plane, far)
            plane.stop(signal.SIGKILL)
        (far / "goes on").touch()
        with user_of(tmp_path / "here", server.url, environment) as plane:
            assert plane.ended(run_id)["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("broken", "said"),
    [("1 / 0\n", 'far.py", line 1'), ("import os; print('last words', flush=True); os._exit(7)", "last words")],
    ids=["raises", "exits"],
)
def test_broken_code_of_another_machine_keeps_the_last_good_and_shows_where(
    tmp_path: Path, postgres_url: str, broken: str, said: str
) -> None:
    far, environment = _far(tmp_path), _environment(postgres_url)
    with (
        location_server(far, environment=environment) as server,
        user_of(tmp_path / "here", server.url, environment) as plane,
    ):
        (far / "far.py").write_text(broken)
        assert plane.post(f"/api/locations/{NAME}/reload", {}).status < 300
        plane.wait_for(lambda: said in _stand(postgres_url)[1])
        assert _stand(postgres_url)[0] == "broken"
        assert plane.run(assets=["quick"])["status"] == "SUCCESS"
        (far / "far.py").write_text(DEFINITIONS.replace("next_one", "another"))
        plane.wait_for(lambda: _stand(postgres_url) == ("ready", ""))
        assert plane.run(assets=["another"])["status"] == "SUCCESS"
