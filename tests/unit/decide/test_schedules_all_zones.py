"""Ticks of schedules at every change of clocks in every zone, against a walk over the clock minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from clock_changes import Change, Rhythm, different_changes, time_met, walk

from segue.decide.schedules import SHORT_BREAK_SECONDS, due_ticks, following_times
from segue.model.automation_nodes import ScheduleNode
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState
from segue.model.tick import CatchUp

ID = InstigatorId("main", InstigatorKind.SCHEDULE, "any")
PARTS = 4


class Case(NamedTuple):
    """The lines of a schedule, and what the walk knows them as; `seconds` of each minute at which they fire."""

    lines: tuple[str, ...]
    rhythms: tuple[Rhythm, ...]
    seconds: tuple[int, ...] = (0,)


def cases_at(change: Change) -> list[Case]:
    """Schedules that meet a change of clocks."""
    met = time_met(change)
    hour, minute, day = met.hour, met.minute, met.isoweekday() % 7
    at = hour * 60 + minute
    next_hour = (hour + 1) % 24
    days = [(day + more) % 7 for more in (-1, 0, 1)]
    return [
        Case(("* * * * *",), (Rhythm(tuple(range(60)), every_hour=True),)),
        Case(("0 * * * *",), (Rhythm((0,), every_hour=True),)),
        Case((f"{minute} * * * *",), (Rhythm((minute,), every_hour=True),)),
        Case(("0 0 * * *",), (Rhythm((0,)),)),
        Case(("0 */6 * * *",), (Rhythm((0, 360, 720, 1080)),)),
        Case((f"{minute} {hour} * * *",), (Rhythm((at,)),)),
        Case((f"{minute} {hour},{next_hour} * * *",), (Rhythm(tuple(sorted((at, next_hour * 60 + minute)))),)),
        *(Case((f"{minute} {hour} * * {each}",), (Rhythm((at,), weekday=each),)) for each in days),
        *(Case((f"0 0 * * {each}",), (Rhythm((0,), weekday=each),)) for each in days),
        Case((f"{minute} {hour} {met.day} * *",), (Rhythm((at,), day=met.day),)),
        Case((f"0,30 {minute} {hour} * * *",), (Rhythm((at,)),), (0, 30)),
        Case((f"15 {minute} * * * *",), (Rhythm((minute,), every_hour=True),), (15,)),
        Case(("0 0 * * *", f"{minute} {hour} * * *", "0 12 * * *"), (Rhythm((0, 720)), Rhythm((at,)))),
    ]


def expected(change: Change, case: Case) -> list[float]:
    """What the walk finds."""
    minutes = {minute for rhythm in case.rhythms for minute in walk(change, rhythm)}
    return sorted(float(minute + second) for minute in minutes for second in case.seconds)


def decided(node: ScheduleNode, begin: float, end: float, rounds: Sequence[float]) -> list[float]:
    """What is decided, from a time until before another, by rounds at these times."""
    state, found = InstigatorState(id=ID, started_at=begin), list[float]()
    for now in (*rounds, end):
        due = due_ticks(node, state, now, begin, CatchUp.ALL, 100_000)
        found += due.times
        if due.times:
            state = InstigatorState(id=ID, started_at=begin, last_tick_at=due.times[-1])
        assert due.next_at is None or due.next_at > now
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_ticks_lie_where_the_clock_says(part: int) -> None:
    changes = different_changes()
    assert len(changes) > 200
    for change in changes[part::PARTS]:
        for case in cases_at(change):
            node = ScheduleNode(name="any", cron_schedules=case.lines, job_name="job", execution_timezone=change.zone)
            span = case.rhythms[0].span
            begin, end = change.epoch - span - 0.5, change.epoch + span - 0.5
            wanted = expected(change, case)
            rounds = [change.epoch + seconds for seconds in (-3600, -60, -1, 0, 1, 60, 1800, 3600, 7200)]
            assert decided(node, begin, end, rounds) == wanted, (change, case)
            for now in (change.epoch, change.epoch + 1800, end):
                passed = [each for each in wanted if each <= now]
                assert latest(node, begin, now) == passed[-1:], (change, case, now)


def latest(node: ScheduleNode, begin: float, now: float) -> list[float]:
    """What is decided of all that was missed since `begin` where only the latest counts."""
    up_since = now + SHORT_BREAK_SECONDS  # none of it lies in a break so short that it is none
    due = due_ticks(node, InstigatorState(id=ID, started_at=begin), now, up_since, CatchUp.LATEST, 10)
    return list(due.times)


def test_a_preview_goes_over_a_change_of_clocks() -> None:
    node = ScheduleNode(name="any", cron_schedules=("30 2 * * *",), job_name="job", execution_timezone="Europe/Berlin")
    times = following_times(node, 1_774_650_600.0)  # 2026-03-27, 23:30 in Berlin
    assert [next(times) for _ in range(3)] == [1_774_661_400.0, 1_774_746_000.0, 1_774_830_600.0]
