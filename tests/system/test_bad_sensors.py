"""Sensors and schedules that do everything wrong, in real processes: it is named and contained, and the next one answers."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from command_line import Project

from segue.location.client import ProcessLocation
from segue.model.instigator import InstigatorKind
from segue.model.location import LocationState, LocationTarget
from segue.model.messages import Records
from segue.model.tick_task import TickAnswer, TickTask

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted by /proc")

DEFINITIONS = """
import os
import signal
import sys
import threading
import time
from pathlib import Path

KEPT = []
ON = sg.DefaultSensorStatus.RUNNING


@sg.asset
def wanted():
    pass


@sg.sensor(target=[wanted])
def good(context):
    return sg.SensorResult([sg.RunRequest()], cursor=str(os.getpid()))


@sg.sensor(target=[wanted])
def hangs():
    Path("hangs").write_text(str(os.getpid()))
    while True:
        try:
            time.sleep(1e6)
        except BaseException:
            pass


@sg.sensor(target=[wanted])
def leaks(context):
    KEPT.append(b"x" * (300 << 20))
    return sg.SensorResult(cursor=str(os.getpid()))


@sg.sensor(target=[wanted])
def stands_still(context):
    if context.cursor is not None:
        return sg.SkipReason("it was read")
    KEPT.append(b"x" * (50 << 20))  # what remembers most is kept
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGSTOP)).start()
    return sg.SensorResult(cursor=str(os.getpid()))


@sg.sensor(target=[wanted])
def raises():
    raise ValueError("no luck")


@sg.sensor(target=[wanted])
def leaves():
    sys.exit(3)


@sg.sensor(target=[wanted])
def skips_with_no_text():
    return sg.SkipReason("caf\\udce9")


@sg.sensor(target=[wanted])
def gives_garbage():
    return {"run": "please"}


@sg.sensor(target=[wanted])
def gives_what_has_no_json():
    return sg.RunRequest(run_config={"ops": {"wanted": {"config": {"value": object()}}}})


@sg.sensor(target=[wanted])
def asks_for_a_million():
    for number in range(1_000_000):
        yield sg.RunRequest(run_key=str(number))


@sg.sensor(target=[wanted])
def crashes():
    os.abort()


@sg.sensor(target=[wanted])
def recurses():
    return recurses_on()


def recurses_on():
    return recurses_on()


@sg.sensor(target=[wanted])
def prints(context):
    print("x" * 1_000_000)
    os.write(1, b"y" * 1_000_000)
    return sg.SkipReason("said enough")


@sg.schedule(target=[wanted], cron_schedule="@daily")
def raises_daily():
    raise ValueError("not today")


defs = sg.Definitions(
    assets=[wanted],
    schedules=[raises_daily],
    sensors=[
        good, hangs, leaks, raises, leaves, gives_garbage, gives_what_has_no_json, asks_for_a_million, crashes, recurses,
        prints, skips_with_no_text, stands_still,
    ],
)
"""


class Listener:
    """Waits until the code has loaded."""

    def __init__(self) -> None:
        self.ready = threading.Event()

    def record(self, state: LocationState, manifest: bytes | None) -> None: ...

    def changed(self, state: LocationState) -> None:
        if state.manifest_hash is not None:
            self.ready.set()

    def supervisor(self) -> str | None:
        return None

    def run_ended(self, run_id: str, how: str) -> None:
        raise AssertionError(run_id)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Project(tmp_path_factory.mktemp("bad"), DEFINITIONS).folder


@pytest.fixture(scope="module")
def location(folder: Path) -> Iterator[ProcessLocation]:
    target = LocationTarget(name="bad", file=str(folder / "definitions.py"), working_directory=str(folder))
    listener = Listener()
    quiet = os.open(os.devnull, os.O_WRONLY)
    records = Records(home=str(folder / ".segue"), storage_directory=str(folder / "values"))
    made = ProcessLocation(target, records, listener, (quiet, quiet))
    made.start()
    assert listener.ready.wait(60), made.state.error
    yield made
    made.stop()
    os.close(quiet)


def ask(
    location: ProcessLocation, name: str, timeout: float = 60.0, kind: InstigatorKind = InstigatorKind.SENSOR
) -> TickAnswer:
    """What a sensor answers."""
    answers: list[TickAnswer] = []
    is_answered = threading.Event()

    def answered(answer: TickAnswer) -> None:
        answers.append(answer)
        is_answered.set()

    location.evaluate(TickTask(kind=kind, name=name, scheduled_at=1_900_000_000.0), timeout, answered)
    assert is_answered.wait(60)
    return answers[0]


def require_good(location: ProcessLocation) -> int:
    """That the next question is answered; gives the process that did."""
    answer = ask(location, "good")
    assert answer.error is None
    assert len(answer.requests) == 1
    return int(answer.cursor or 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", "ValueError: no luck"),
        ("leaves", "SystemExit"),
        ("gives_garbage", "gives_garbage"),
        ("skips_with_no_text", "lone surrogates"),
        ("gives_what_has_no_json", "object"),
        ("asks_for_a_million", "10,000"),
        ("crashes", "SIGABRT"),
        ("recurses", "RecursionError"),
        ("nobody_knows", "nobody_knows"),
    ],
)
def test_what_a_sensor_does_wrong_is_named_and_the_next_one_answers(
    location: ProcessLocation, name: str, said: str
) -> None:
    before = location.pid
    answer = ask(location, name)
    assert answer.error is not None
    assert said in answer.error.to_string()
    assert answer.requests == ()
    require_good(location)
    assert location.pid == before


def test_a_schedule_that_raises_is_named(location: ProcessLocation) -> None:
    answer = ask(location, "raises_daily", kind=InstigatorKind.SCHEDULE)
    assert answer.error is not None
    assert "ValueError: not today" in answer.error.to_string()
    require_good(location)


def test_a_sensor_that_hangs_is_killed_and_others_are_not_kept_waiting(location: ProcessLocation, folder: Path) -> None:
    answers: list[TickAnswer] = []
    is_over = threading.Event()

    def answered(answer: TickAnswer) -> None:
        answers.append(answer)
        is_over.set()

    location.evaluate(TickTask(kind=InstigatorKind.SENSOR, name="hangs"), 3.0, answered)
    require_good(location)
    assert not answers
    assert is_over.wait(60)
    assert answers[0].error is not None
    assert "No answer within 3 seconds" in answers[0].error.message
    pid = int((folder / "hangs").read_text())
    while Path(f"/proc/{pid}").exists():
        require_good(location)


def test_a_process_that_reads_nothing_any_more_keeps_nobody_waiting(location: ProcessLocation) -> None:
    pid = int(ask(location, "stands_still").cursor or 0)
    stopped = psutil.Process(pid)
    while stopped.status() != psutil.STATUS_STOPPED:
        os.sched_yield()
    answers: list[TickAnswer] = []
    is_over = threading.Event()

    def answered(answer: TickAnswer) -> None:
        answers.append(answer)
        is_over.set()

    much = TickTask(kind=InstigatorKind.SENSOR, name="stands_still", cursor="x" * 4_000_000)
    location.evaluate(much, 3.0, answered)
    require_good(location)
    assert is_over.wait(60)
    assert answers[0].error is not None
    assert "No answer within 3 seconds" in answers[0].error.message


def test_a_process_that_grew_too_much_is_replaced(location: ProcessLocation) -> None:
    answer = ask(location, "leaks")
    assert answer.error is None
    for _ in range(3):
        assert require_good(location) != int(answer.cursor or 0)


def test_what_a_sensor_prints_harms_nobody(location: ProcessLocation) -> None:
    assert ask(location, "prints").skip_reason == "said enough"
    require_good(location)
