"""Code locations under everything that user code and people do to them: broken, hanging, killed, changed, several."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Project
from control_plane import ControlPlane, control_plane, gone

from segue.model.instigator import InstigatorId, InstigatorKind
from segue.storage.opening import open_control
from segue.storage.sqlite import open_sqlite

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

GOOD = """
@sg.asset
def a():
    return {value}


defs = sg.Definitions(assets=[a])
"""
WAITS = """
import time
from pathlib import Path


@sg.asset
def waiting():
    Path("waits").touch()
    while not Path("goes on").exists():
        time.sleep(0.01)


@sg.asset
def quick():
    pass


defs = sg.Definitions(assets=[waiting, quick])
"""


def _project(folder: Path, definitions: str) -> Project:
    return Project(folder, definitions)


def _zygotes(plane: ControlPlane) -> list[int]:
    return [
        pid
        for pid in plane.descendants()
        if b"segue.host.zygote" in _command(pid) and _parent(pid) == plane.process.pid
    ]


def _zygote(plane: ControlPlane) -> int:
    """The process that has the code: the one that waits for other code is younger."""
    return min(_zygotes(plane))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def test_a_run_goes_on_in_the_code_that_it_began_with(tmp_path: Path) -> None:
    project = _project(tmp_path, WAITS)
    with control_plane(project.folder) as plane:
        run_id = plane.start_run(assets=["waiting"])
        plane.wait_for((tmp_path / "waits").exists)
        old = _zygote(plane)
        seen = len(plane.lines)
        project.define(WAITS + "\n# changed\n")
        plane.wait_for_line("is loaded", after=seen)
        assert _zygote(plane) == old
        assert len(_zygotes(plane)) > 1
        assert plane.run(assets=["quick"])["status"] == "SUCCESS"
        (tmp_path / "goes on").touch()
        assert plane.ended(run_id)["status"] == "SUCCESS"
        gone([old])


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("raise ValueError('not today')", "ValueError: not today"),
        ("def (", "SyntaxError"),
        ("import nothing_like_it", "nothing_like_it"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("raise SystemExit(3)", "SystemExit"),
        ("import os; print('last words', flush=True); os._exit(7)", "last words"),
    ],
    ids=["raises", "syntax", "missing module", "segfault", "exit", "hard exit"],
)
def test_broken_code_is_told_and_the_last_good_one_goes_on(tmp_path: Path, broken: str, said: str) -> None:
    project = _project(tmp_path, GOOD.format(value=1))
    with control_plane(project.folder) as plane:
        seen = len(plane.lines)
        project.define(broken + "\n")
        plane.wait_for_line("does not load", after=seen)
        store = open_sqlite(project.home)
        [state] = open_control(store).location_states()
        assert state.status.value == "broken"
        assert state.manifest_hash is not None
        assert said in (state.error or "")
        if "signal" not in broken and "_exit" not in broken:
            assert "definitions.py" in (state.error or "")
        assert plane.run(assets=["a"])["status"] == "SUCCESS"
        seen = len(plane.lines)
        project.define(GOOD.format(value=3))
        plane.wait_for_line("is loaded", after=seen)
        [state] = open_control(store).location_states()
        assert (state.status.value, state.error) == ("ready", None)
        store.close()


def test_code_that_is_broken_from_the_start_is_told_and_can_be_mended(tmp_path: Path) -> None:
    project = _project(tmp_path, "1 / 0\n")
    with control_plane(project.folder) as plane:
        assert plane.wait_for_line("ZeroDivisionError")
        assert plane.post("/api/runs", {"assets": ["a"]}).status == 503
        project.define(GOOD.format(value=1))
        plane.wait_for_line("is loaded")
        assert plane.run(assets=["a"])["status"] == "SUCCESS"


def test_threads_at_import_have_runs_started_anew_and_are_named(tmp_path: Path) -> None:
    threads = (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,), daemon=True, name='ticker').start()\n"
    )
    project = _project(tmp_path, threads + GOOD.format(value=1))
    with control_plane(project.folder) as plane:
        assert "ticker" in plane.wait_for_line("is loaded")
        assert plane.run(assets=["a"])["status"] == "SUCCESS"


def test_the_process_for_the_next_code_is_not_missed_when_it_is_gone(tmp_path: Path) -> None:
    project = _project(tmp_path, GOOD.format(value=1))
    with control_plane(project.folder) as plane:
        plane.wait_for(lambda: len(_zygotes(plane)) > 1)
        [ahead] = set(_zygotes(plane)) - {_zygote(plane)}
        os.kill(ahead, signal.SIGKILL)
        project.define(GOOD.format(value=2).replace("def a", "def b").replace("[a]", "[b]"))
        plane.wait_for(lambda: plane.post("/api/runs", {"assets": ["b"]}).status == 201)


def test_a_zygote_that_is_killed_is_started_again(tmp_path: Path) -> None:
    project = _project(tmp_path, WAITS)
    with control_plane(project.folder, command="serve") as plane:
        run_id = plane.start_run(assets=["waiting"])
        plane.wait_for((tmp_path / "waits").exists)
        [zygote] = _zygotes(plane)
        started = plane.descendants()
        os.kill(zygote, signal.SIGKILL)
        run = plane.ended(run_id)
        assert (run["status"], run["failure_reason"]) == ("FAILURE", "interrupted")
        gone(started)
        assert plane.run(assets=["quick"])["status"] == "SUCCESS"
        assert _zygotes(plane) != [zygote]


def test_a_run_whose_process_is_killed_ends_at_once(tmp_path: Path) -> None:
    project = _project(tmp_path, WAITS)
    with control_plane(project.folder) as plane:
        run_id = plane.start_run(assets=["waiting"])
        plane.wait_for((tmp_path / "waits").exists)
        store = open_sqlite(project.home)
        recorded = store.get_run(run_id)
        assert recorded is not None
        assert recorded.worker is not None
        os.kill(int(recorded.worker.partition("-")[0]), signal.SIGKILL)
        run = plane.ended(run_id)
        assert (run["status"], run["failure_reason"]) == ("FAILURE", "interrupted")
        assert "SIGKILL" in project.run("show", run_id).out


def test_a_control_plane_that_is_killed_leaves_no_process_and_the_next_one_ends_its_runs(tmp_path: Path) -> None:
    project = _project(tmp_path, WAITS)
    with control_plane(project.folder) as plane:
        run_id = plane.start_run(assets=["waiting"])
        plane.wait_for((tmp_path / "waits").exists)
        started = plane.descendants()
        plane.stop(signal.SIGKILL)
        gone(started)
    with control_plane(project.folder) as plane:
        run = plane.ended(run_id)
        assert (run["status"], run["failure_reason"]) == ("FAILURE", "interrupted")


def test_a_run_can_be_canceled_from_another_process(tmp_path: Path) -> None:
    project = _project(tmp_path, WAITS)
    with control_plane(project.folder) as plane:
        run_id = plane.start_run(assets=["waiting"])
        plane.wait_for((tmp_path / "waits").exists)
        assert project.run("runs", "cancel", run_id).code == 0
        assert plane.ended(run_id)["status"] == "CANCELED"


SENSORS = """
import os
import time
from pathlib import Path


@sg.asset
def wanted():
    pass


@sg.sensor(target=[wanted], minimum_interval_seconds=1, default_status=sg.DefaultSensorStatus.RUNNING)
def hanging():
    with open("hangs", "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(1e6)


@sg.sensor(target=[wanted], minimum_interval_seconds=1, default_status=sg.DefaultSensorStatus.RUNNING)
def dying():
    os._exit(9)


@sg.sensor(target=[wanted], minimum_interval_seconds=1, default_status=sg.DefaultSensorStatus.RUNNING)
def asking(context):
    if Path("asks").exists():
        return sg.RunRequest(run_key="once")
    return sg.SkipReason("not yet")


defs = sg.Definitions(assets=[wanted], sensors=[hanging, dying, asking])
"""


def test_a_sensor_that_hangs_or_dies_delays_no_other(tmp_path: Path) -> None:
    project = _project(tmp_path, SENSORS)
    with control_plane(project.folder) as plane:
        plane.wait_for((tmp_path / "hangs").exists)
        (tmp_path / "asks").touch()
        store = open_sqlite(project.home)
        control = open_control(store)

        def ticks(name: str, status: str) -> list[str]:
            found = control.ticks(InstigatorId("definitions", InstigatorKind.SENSOR, name), 100)
            return [str(each.tick.error) for each in found if each.tick.status.value == status]

        plane.wait_for(lambda: bool(ticks("asking", "success")))
        plane.wait_for(lambda: bool(ticks("dying", "failure")))
        assert "exit code 9" in ticks("dying", "failure")[0]
        assert not ticks("hanging", "success")
        asked = list(map(int, (tmp_path / "hangs").read_text(encoding="utf-8").split()))
        assert len(asked) == 1
        store.close()
        assert plane.stop() == 0
        gone(asked)


def test_several_locations_have_environments_of_their_own(tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(other)], check=True)
    [packages] = other.glob("lib/python*/site-packages")
    (packages / "more.pth").write_text("\n".join(path for path in sys.path if path.endswith(("site-packages", "src"))))
    (packages / "only_here.py").write_text("VALUE = 'from the other environment'\n")
    for name, definitions in (
        (
            "first",
            "import os, sys\n"
            + GOOD.format(value="sys.prefix").replace("def a", "def first_a").replace("[a]", "[first_a]"),
        ),
        (
            "second",
            "import os\nimport only_here\n\n\n@sg.asset\ndef second_a(context):\n"
            "    context.add_output_metadata({'said': only_here.VALUE, 'stage': os.environ['STAGE'], 'cwd': os.getcwd()})\n\n\n"
            "defs = sg.Definitions(assets=[second_a])\n",
        ),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code.py").write_text("import segue as sg\n" + definitions)
    (tmp_path / "segue.toml").write_text(
        f"""
[[locations]]
name = "first"
file = "code.py"
working_directory = "first"

[[locations]]
name = "second"
file = "code.py"
working_directory = "second"
python = {json.dumps(str(other / "bin" / "python"))}
environment = {{ STAGE = "production" }}
"""
    )
    with control_plane(tmp_path) as plane:
        first, second = plane.run(assets=["first_a"]), plane.run(assets=["second_a"])
        assert (first["status"], first["location"]) == ("SUCCESS", "first")
        assert (second["status"], second["location"]) == ("SUCCESS", "second")
        store = open_sqlite(tmp_path / ".segue")
        key = next(iter(store.asset_states(None).keys() - {k for k in store.asset_states(None) if "first" in str(k)}))
        metadata = store.asset_states([key])[key].materialization.metadata
        assert metadata["said"].value == "from the other environment"
        assert metadata["stage"].value == "production"
        assert metadata["cwd"].value == str(tmp_path / "second")
        store.close()


def test_the_api_asks_for_the_token_where_one_is_set(tmp_path: Path) -> None:
    project = _project(tmp_path, GOOD.format(value=1))
    with control_plane(project.folder, environment={"SEGUE_API_TOKEN": "s3cret"}) as plane:
        body = {"assets": ["a"]}
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "s3cret"},
            {"Authorization": "Basic s3cret"},
        ):
            assert plane.post("/api/runs", body, headers).status == 401
        assert plane.post("/api/runs", body, {"Authorization": "Bearer s3cret"}).status == 201


def test_the_api_is_not_opened_to_other_machines_without_a_token(tmp_path: Path) -> None:
    project = _project(tmp_path, GOOD.format(value=1))
    for command in ("dev", "serve"):
        answer = project.run(command, "--host", "0.0.0.0", "--port", "0")
        assert answer.code == 1
        assert "SEGUE_API_TOKEN" in answer.err


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    project = _project(tmp_path, GOOD.format(value=1))
    with control_plane(project.folder, command="serve") as plane:
        port = plane.url.rpartition(":")[2]
        answer = project.run("serve", "--port", port)
        assert answer.code == 1
        assert port in answer.err


def test_nothing_to_serve_is_said(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text("")
    answer = Project(tmp_path).run("dev", "--port", "0")
    assert answer.code == 1
    assert "--file" in answer.err


def test_an_environment_that_cannot_serve_is_named_and_harms_no_other(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    babbling = tmp_path / "babbling.py"
    babbling.write_text(
        "#!/bin/sh\n"
        f'exec "{sys.executable}" -c \'import socket, sys, time\n'
        "channel = socket.socket(fileno=int(sys.argv[4]))\n"
        'channel.sendall((3).to_bytes(4) + b"abc")\n'
        'time.sleep(1e6)\' "$@"\n'
    )
    babbling.chmod(0o755)
    (tmp_path / "code.py").write_text("import segue as sg\n" + GOOD.format(value=1))
    tables = {"good": "", "bare": bare / "bin" / "python", "missing": tmp_path / "nowhere", "babbling": babbling}
    (tmp_path / "segue.toml").write_text(
        "".join(
            f'[[locations]]\nname = "{name}"\nfile = "code.py"\n' + (f'python = "{python}"\n' if python else "")
            for name, python in tables.items()
        )
    )
    with control_plane(tmp_path) as plane:
        found = {each["name"]: each for each in plane.get("/api/locations").document}
        assert {name: each["status"] for name, each in found.items()} == {
            "good": "ready",
            "bare": "broken",
            "missing": "broken",
            "babbling": "broken",
        }
        assert "No module named" in found["bare"]["error"]
        assert "nowhere" in found["missing"]["error"]
        assert "Install segue" in found["babbling"]["error"]
        assert plane.run(assets=["a"], location="good")["status"] == "SUCCESS"
