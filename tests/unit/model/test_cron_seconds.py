"""Cron lines with seconds, against a count of all seconds from the documented rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.errors import InvalidDefinitionError
from segue.model.cron_times import last_fire, next_fire

BEGIN = datetime(2026, 3, 28, 22, tzinfo=UTC)


@st.composite
def fields(draw: st.DrawFn, high: int) -> tuple[str, frozenset[int]]:
    """A field of a line, and the values that it means."""
    kind = draw(st.sampled_from(["any", "step", "range", "list"]))
    if kind == "any":
        return "*", frozenset(range(high))
    if kind == "step":
        step = draw(st.integers(1, high))
        return f"*/{step}", frozenset(range(0, high, step))
    values = sorted(draw(st.sets(st.integers(0, high - 1), min_size=1, max_size=4)))
    if kind == "range":
        return f"{values[0]}-{values[-1]}", frozenset(range(values[0], values[-1] + 1))
    return ",".join(map(str, values)), frozenset(values)


@given(second=fields(60), minute=fields(60), offset=st.integers(0, 7_200), part=st.sampled_from([0.0, 0.25]))
def test_next_and_last_moment_with_seconds(
    second: tuple[str, frozenset[int]], minute: tuple[str, frozenset[int]], offset: int, part: float
) -> None:
    line = f"{second[0]} {minute[0]} * * * *"
    at = BEGIN + timedelta(seconds=offset + part)

    def fires(moment: datetime) -> bool:
        return moment.second in second[1] and moment.minute in minute[1]

    whole = at.replace(microsecond=0)
    after = next(each for step in range(1, 7_201) if fires(each := whole + timedelta(seconds=step)))
    before = next(each for step in range(7_201) if fires(each := whole - timedelta(seconds=step)))
    assert next_fire(line, "UTC", at) == after
    assert last_fire(line, "UTC", at) == before


def test_seconds_over_changes_of_the_clock() -> None:
    zone, line = "Europe/Berlin", "0,30 30 2 * * *"

    def times(begin: str, number: int) -> list[str]:
        moment, found = datetime.fromisoformat(begin), list[str]()
        for _ in range(number):
            following = next_fire(line, zone, moment)
            assert following is not None
            moment = following
            found.append(moment.astimezone(UTC).isoformat())
        return found

    # The clocks skip 02:30, which means the first minute after the gap; in autumn it is the second 02:30.
    assert times("2026-03-29T00:00+01:00", 3) == [
        "2026-03-29T01:00:00+00:00", "2026-03-29T01:00:30+00:00", "2026-03-30T00:30:00+00:00",
    ]  # fmt: skip
    assert times("2026-10-25T00:00+02:00", 3) == [
        "2026-10-25T01:30:00+00:00", "2026-10-25T01:30:30+00:00", "2026-10-26T01:30:00+00:00",
    ]  # fmt: skip


@sg.op
def step() -> None: ...


@sg.job
def job() -> None:
    step()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("60 * * * * *", "'60' is not a valid second"),
        ("* * * * * * *", "got 7"),
        ("0 0 31 2 *", "none of its months has a day 31"),
        ("0 0 0 30 2 *", "none of its months has a day 30"),
        (["0 * * * *", "x * * * *"], "'x' is not a valid minute"),
    ],
)
def test_a_schedule_that_can_never_tick_is_refused_where_it_is_declared(line: str | list[str], said: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=said):
        sg.ScheduleDefinition(job=job, cron_schedule=line)


def test_schedules_take_seconds_and_partitions_do_not() -> None:
    assert sg.ScheduleDefinition(job=job, cron_schedule="*/15 * * * * *").cron_schedule == "*/15 * * * * *"
    with pytest.raises(InvalidDefinitionError, match="got 6"):
        sg.TimeWindowPartitionsDefinition(cron_schedule="0 0 0 * * *", start="2026-01-01", fmt="%Y-%m-%d")
