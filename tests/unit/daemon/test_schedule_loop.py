"""The loop over schedules, from the cron line to the run in the queue."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from plane import NOON, Plane

import segue as sg
from segue.daemon.schedules import Schedules
from segue.errors import LeaseLostError
from segue.model.control_stores import LoopLease
from segue.model.instigator import InstigatorStatus
from segue.model.run import RunStatus
from segue.model.tick import CatchUp
from segue.model.tick_record import TickStatus

HOUR = 3600.0
ON = sg.DefaultScheduleStatus.RUNNING


@sg.asset
def table() -> None: ...


job = sg.define_asset_job("job", [table], tags={"team": "a"})


def hourly(**arguments: object) -> sg.ScheduleDefinition:
    return sg.ScheduleDefinition(name="hourly", job=job, cron_schedule="0 * * * *", default_status=ON, **arguments)  # pyright: ignore[reportArgumentType] reason: what a test varies


def plane(*schedules: sg.ScheduleDefinition, catch_up: CatchUp = CatchUp.ALL, timeout: float = 30.0) -> Plane:
    return Plane(sg.Definitions(assets=[table], jobs=[job], schedules=schedules), catch_up=catch_up, timeout=timeout)


def times(made: Plane, name: str = "hourly") -> list[float | None]:
    return [tick.scheduled_at for tick in made.ticks(name)]


def test_a_due_time_becomes_a_run_in_the_queue() -> None:
    made = plane(hourly(tags={"own": "tag"}, run_config={"ops": {}}))
    assert made.run_schedules(NOON + 1) == NOON + HOUR  # seen for the first time: what went before is nothing to it
    assert made.runs() == []
    assert made.run_schedules(NOON + HOUR) == NOON + 2 * HOUR
    (run,) = made.runs()
    assert run.status is RunStatus.QUEUED
    assert run.location == "main"
    assert run.job_name == "job"
    assert run.asset_selection == {table.key}
    assert run.run_config == {"ops": {}}
    assert {"team": "a", "own": "tag", "dagster/schedule_name": "hourly"}.items() <= run.tags.items()
    assert run.manifest_hash == made.location.state.manifest_hash
    (tick,) = made.ticks("hourly")
    assert (tick.status, tick.scheduled_at, tick.run_ids) == (TickStatus.SUCCESS, NOON + HOUR, (run.run_id,))


def test_a_static_schedule_needs_no_user_code() -> None:
    made = plane(hourly())
    made.run_schedules(NOON)
    made.run_schedules(NOON + HOUR)
    assert made.location.asked == []
    assert len(made.runs()) == 1


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        (CatchUp.ALL, [1, 2, 3, 4]),
        (CatchUp.LATEST, [1, 4]),
        (CatchUp.SKIP, [1]),
    ],
)
def test_what_was_missed_while_no_control_plane_ran(catch_up: CatchUp, expected: list[int]) -> None:
    made = plane(hourly(), catch_up=catch_up)
    made.run_schedules(NOON)
    made.run_schedules(NOON + HOUR)
    made.up_since = NOON + 4.5 * HOUR
    made.schedules = Schedules(made.control, made.locations, catch_up)
    made.run_schedules(NOON + 4.5 * HOUR)
    assert times(made) == [NOON + each * HOUR for each in expected]


@pytest.mark.parametrize(("own", "expected"), [("skip", [1]), ("latest", [1, 4]), ("all", [1, 3, 4]), (None, [1])])
def test_a_schedule_says_itself_what_becomes_of_missed_times(own: str | None, expected: list[int]) -> None:
    made = plane(hourly(catch_up=own), catch_up=CatchUp.SKIP)
    made.run_schedules(NOON)
    made.run_schedules(NOON + HOUR)
    made.up_since = NOON + 4.5 * HOUR
    made.schedules = Schedules(made.control, made.locations, CatchUp.SKIP, most_missed=2)
    made.run_schedules(NOON + 4.5 * HOUR)
    assert times(made) == [NOON + each * HOUR for each in expected]


def test_missed_times_are_decided_in_order_also_where_they_are_many() -> None:
    made = plane(hourly())
    made.run_schedules(NOON)
    made.run_schedules(NOON + 100 * HOUR)
    assert times(made) == [NOON + each * HOUR for each in range(1, 101)]


def test_a_function_is_asked_for_one_time_after_the_other() -> None:
    @sg.schedule(job=job, cron_schedule="0 * * * *", execution_timezone="Europe/Berlin", default_status=ON)
    def asked(context: sg.ScheduleEvaluationContext) -> Iterator[sg.RunRequest]:
        at = context.scheduled_execution_time
        assert str(at.tzinfo) == "Europe/Berlin"
        yield sg.RunRequest("one", tags={"at": at.isoformat()})
        yield sg.RunRequest("two", tags={"at": "again"})
        yield sg.RunRequest("two", tags={"at": "again"})

    made = plane(asked)
    made.run_schedules(NOON)
    made.run_schedules(NOON + 3 * HOUR)
    assert times(made, "asked") == [NOON + each * HOUR for each in (1, 2, 3)]
    assert [task.scheduled_at for task in made.location.asked] == times(made, "asked")
    assert len(made.runs()) == 6


def test_a_reason_to_skip_and_an_exception_are_kept_and_the_time_is_over() -> None:
    @sg.schedule(job=job, cron_schedule="0 * * * *", default_status=ON)
    def odd(context: sg.ScheduleEvaluationContext) -> sg.SkipReason:
        if context.scheduled_execution_time.timestamp() == NOON + HOUR:
            raise RuntimeError("no luck today")
        return sg.SkipReason("holiday")

    made = plane(odd)
    made.run_schedules(NOON)
    made.run_schedules(NOON + 2 * HOUR)
    failed, skipped = made.ticks("odd")
    assert failed.status is TickStatus.FAILURE
    assert failed.error is not None
    assert "no luck today" in failed.error.message
    assert (skipped.status, skipped.skip_reason) == (TickStatus.SKIPPED, "holiday")
    assert made.run_schedules(NOON + 2 * HOUR) == NOON + 3 * HOUR


def test_a_schedule_that_hangs_delays_no_other() -> None:
    import threading

    release = threading.Event()

    @sg.schedule(job=job, cron_schedule="0 * * * *", default_status=ON)
    def hanging() -> sg.SkipReason:
        release.wait()
        return sg.SkipReason("late")

    made = plane(hanging, hourly(), timeout=0.01)
    made.schedules.round(made.turn(NOON))
    made.schedules.round(made.turn(NOON + HOUR))
    assert times(made) == [NOON + HOUR]
    made.location.settle()
    made.schedules.round(made.turn(NOON + HOUR))
    (tick,) = made.ticks("hanging")
    assert tick.error is not None
    assert "0.01 seconds" in tick.error.message
    release.set()


def test_what_is_switched_off_or_on_by_another_process_counts_at_once() -> None:
    off = sg.ScheduleDefinition(name="off", job=job, cron_schedule="0 * * * *")
    made = plane(hourly(), off)
    made.run_schedules(NOON)
    made.switch("hourly", InstigatorStatus.STOPPED, NOON)
    made.switch("off", InstigatorStatus.RUNNING, NOON + 1.5 * HOUR)
    made.run_schedules(NOON + 2 * HOUR)
    assert times(made) == []
    assert times(made, "off") == [NOON + 2 * HOUR]
    made.switch("hourly", InstigatorStatus.RUNNING, NOON + 2.5 * HOUR)
    made.run_schedules(NOON + 3 * HOUR)
    assert times(made) == [NOON + 3 * HOUR]  # and nothing of the time in which it was off


def test_other_definitions_are_heeded_at_once() -> None:
    made = plane(hourly())
    made.run_schedules(NOON)
    faster = sg.ScheduleDefinition(name="hourly", job=job, cron_schedule="*/30 * * * *", default_status=ON)
    made.location.load(sg.Definitions(assets=[table], schedules=[faster]))
    made.run_schedules(NOON + HOUR)
    assert times(made) == [NOON + HOUR / 2, NOON + HOUR]
    made.location.load(sg.Definitions(assets=[table]))
    assert made.run_schedules(NOON + 9 * HOUR) is None
    assert len(times(made)) == 2


def test_several_cron_lines_tick_together_once() -> None:
    both = sg.ScheduleDefinition(name="both", job=job, cron_schedule=["0 * * * *", "*/30 * * * *"], default_status=ON)
    made = plane(both)
    made.run_schedules(NOON)
    made.run_schedules(NOON + HOUR)
    assert times(made, "both") == [NOON + HOUR / 2, NOON + HOUR]


def test_a_process_that_lost_its_lease_decides_nothing_and_the_next_one_everything() -> None:
    made = plane(hourly())
    made.run_schedules(NOON)
    late, made.lease = made.lease, LoopLease(made.lease.name, made.lease.token + 1)
    with pytest.raises(LeaseLostError):
        made.run_schedules(NOON + HOUR)
    assert made.runs() == []
    made.lease = late
    made.run_schedules(NOON + HOUR)
    assert len(made.runs()) == 1


def test_a_time_that_another_process_decided_is_not_decided_again() -> None:
    made = plane(hourly())
    made.run_schedules(NOON)
    other = Schedules(made.control, made.locations, CatchUp.ALL)
    for _ in range(2):
        other.round(made.turn(NOON + 2 * HOUR))
    assert made.run_schedules(NOON + 3 * HOUR) == NOON + 4 * HOUR
    assert times(made) == [NOON + each * HOUR for each in (1, 2, 3)]
    assert len(made.runs()) == 3


def test_a_request_that_cannot_be_recorded_fails_its_own_tick_only() -> None:
    @sg.schedule(job=job, cron_schedule="0 * * * *", default_status=ON)
    def bad() -> sg.RunRequest:
        return sg.RunRequest(tags={"with": "a nul \0 in it"})

    made = plane(bad, hourly())
    made.run_schedules(NOON)
    made.run_schedules(NOON + HOUR)
    (tick,) = made.ticks("bad")
    assert tick.status is TickStatus.FAILURE
    assert tick.error is not None
    assert "NUL" in tick.error.message
    assert len(made.runs()) == 1


def test_ten_thousand_schedules_due_on_one_second() -> None:
    many = [
        sg.ScheduleDefinition(name=f"s{number}", job=job, cron_schedule=f"0 {number % 5} * * *", default_status=ON)
        for number in range(10_000)
    ]
    made = plane(*many)
    made.schedules.round(made.turn(NOON))
    begin = time.process_time()
    at = NOON + 36 * HOUR
    while (following := made.schedules.round(made.turn(at))) is not None and following <= at:
        pass
    seconds = time.process_time() - begin
    assert len(made.runs()) >= 10_000
    assert seconds < 10
    quiet = time.process_time()
    for _ in range(100):
        made.schedules.round(made.turn(at))
    assert time.process_time() - quiet < 1.0  # a round in which nothing is due costs next to nothing
