"""Which ticks of schedules are due."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.decide.schedules import due_ticks
from segue.model.automation_nodes import ScheduleNode
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState
from segue.model.tick import CatchUp

HOURLY = ScheduleNode(name="hourly", cron_schedules=("0 * * * *",), job_name="job")
ID = InstigatorId("main", InstigatorKind.SCHEDULE, "hourly")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def state(started: str, last: str | None = None) -> InstigatorState:
    return InstigatorState(id=ID, started_at=at(started), last_tick_at=None if last is None else at(last))


@pytest.mark.parametrize(
    ("catch_up", "up_since", "expected"),
    [
        (CatchUp.ALL, "2026-01-01T12:30", ["10:00", "11:00", "12:00", "13:00"]),
        (CatchUp.LATEST, "2026-01-01T12:30", ["12:00", "13:00"]),
        (CatchUp.SKIP, "2026-01-01T12:30", ["13:00"]),
        (CatchUp.SKIP, "2026-01-01T09:00", ["10:00", "11:00", "12:00", "13:00"]),
        (CatchUp.LATEST, "2026-01-01T09:00", ["10:00", "11:00", "12:00", "13:00"]),
        (CatchUp.LATEST, "2026-01-01T09:45", ["10:00", "11:00", "12:00", "13:00"]),
    ],
)
def test_what_was_missed_while_nobody_decided_is_a_choice(
    catch_up: CatchUp, up_since: str, expected: list[str]
) -> None:
    due = due_ticks(
        HOURLY, state("2026-01-01T00:10", "2026-01-01T09:00"), at("2026-01-01T13:05"), at(up_since), catch_up, 100
    )
    assert due.times == tuple(at(f"2026-01-01T{each}") for each in expected)
    assert due.next_at == at("2026-01-01T14:00")


@pytest.mark.parametrize("catch_up", CatchUp)
@pytest.mark.parametrize(("seconds", "is_whole"), [(3, True), (59, True), (90, False)])
def test_nothing_is_lost_in_a_short_break(catch_up: CatchUp, seconds: int, is_whole: bool) -> None:
    node = ScheduleNode(name="each second", cron_schedules=("* * * * * *",), job_name="job")
    last = at("2026-01-01T12:00")
    before = InstigatorState(id=ID, started_at=last - 100, last_tick_at=last)
    due = due_ticks(node, before, last + seconds, last + seconds, catch_up, 1_000)
    all_of_them = tuple(last + second for second in range(1, seconds + 1))
    assert (due.times == all_of_them) is (is_whole or catch_up is CatchUp.ALL)
    assert due.times == all_of_them[-len(due.times) :]


@pytest.mark.parametrize(
    ("own", "most", "expected"),
    [
        (CatchUp.ALL, 2, ["11:00", "12:00", "13:00"]),
        (CatchUp.ALL, 1, ["12:00", "13:00"]),
        (CatchUp.ALL, 100, ["10:00", "11:00", "12:00", "13:00"]),
        (CatchUp.LATEST, 2, ["12:00", "13:00"]),
        (CatchUp.SKIP, 2, ["13:00"]),
        (None, 3, ["10:00", "11:00", "12:00", "13:00"]),
    ],
)
def test_what_a_schedule_says_wins_and_no_more_is_made_up_for_than_may_be(
    own: CatchUp | None, most: int, expected: list[str]
) -> None:
    node = msgspec.structs.replace(HOURLY, catch_up=own)
    now, up_since = at("2026-01-01T13:05"), at("2026-01-01T12:30")
    due = due_ticks(node, state("2026-01-01T00:10", "2026-01-01T09:00"), now, up_since, CatchUp.ALL, 100, most)
    assert due.times == tuple(at(f"2026-01-01T{each}") for each in expected)


def test_no_tick_lies_before_the_schedule_was_switched_on() -> None:
    due = due_ticks(HOURLY, state("2026-01-01T11:30"), at("2026-01-01T12:00"), 0.0, CatchUp.ALL, 100)
    assert due.times == (at("2026-01-01T12:00"),)


def test_a_clock_that_went_back_makes_nothing_due_again() -> None:
    due = due_ticks(
        HOURLY, state("2026-01-01T00:00", "2026-01-01T12:00"), at("2026-01-01T11:00:01"), 0.0, CatchUp.ALL, 100
    )
    assert due.times == ()
    assert due.next_at == at("2026-01-01T13:00")


def test_more_than_fits_is_due_at_once_again() -> None:
    now = at("2026-01-05T00:00")
    due = due_ticks(HOURLY, state("2026-01-01T00:30"), now, 0.0, CatchUp.ALL, 10)
    assert len(due.times) == 10
    assert due.next_at == now


def test_several_lines_tick_once_where_they_meet() -> None:
    node = ScheduleNode(name="both", cron_schedules=("0 * * * *", "0 */2 * * *"), job_name="job")
    due = due_ticks(node, state("2026-01-01T00:30"), at("2026-01-01T02:00"), 0.0, CatchUp.ALL, 100)
    assert due.times == (at("2026-01-01T01:00"), at("2026-01-01T02:00"))


@given(
    st.integers(0, 10**6),
    st.lists(st.integers(1, 20_000), min_size=1, max_size=12),
    st.sampled_from(["0 * * * *", "*/7 * * * *", "30 3 * * *"]),
)
def test_however_the_time_is_cut_into_rounds_each_tick_is_decided_once(start: int, steps: list[int], line: str) -> None:
    node = ScheduleNode(name="any", cron_schedules=(line,), job_name="job", execution_timezone="Europe/Berlin")
    origin = at("2026-03-28T00:00") + start % 200_000
    before = InstigatorState(id=ID, started_at=origin)
    now, decided, last = origin, list[float](), before
    for step in steps:
        now += step
        due = due_ticks(node, last, now, origin, CatchUp.ALL, 10_000)
        decided += due.times
        if due.times:
            last = InstigatorState(id=ID, started_at=origin, last_tick_at=due.times[-1])
    whole = due_ticks(node, before, now, origin, CatchUp.ALL, 100_000)
    assert tuple(decided) == whole.times
