"""Which attempts, and which run, have taken too long: facts and times in, answers out."""

from __future__ import annotations

import pytest

from segue.errors import InvalidInvocationError
from segue.plan.deadlines import Deadlines, Overdue, run_seconds


def test_a_step_is_told_once_when_its_time_is_over() -> None:
    deadlines = Deadlines(None, 0.0)
    deadlines.start("a", 5, 10.0)
    deadlines.start("b", None, 10.0)
    assert (deadlines.next_in(12.0), deadlines.left("a", 12.0), deadlines.left("b", 12.0)) == (3.0, 3.0, None)
    assert deadlines.overdue(14.9) == []
    assert deadlines.overdue(15.0) == [Overdue("a", "The step 'a' took longer than its timeout of 5 seconds.")]
    assert deadlines.overdue(16.0) == []
    assert deadlines.next_in(16.0) is None
    assert deadlines.end("a", False) == "The step 'a' took longer than its timeout of 5 seconds."
    assert deadlines.end("b", True) is None


def test_what_failed_by_itself_before_or_after_its_time_was_not_ended_for_it() -> None:
    deadlines = Deadlines(None, 0.0)
    deadlines.start("a", 5, 0.0)
    assert deadlines.end("a", False) is None
    deadlines.start("a", 5, 20.0)
    assert deadlines.overdue(21.0) == []


def test_the_earlier_of_two_limits_counts_and_is_named() -> None:
    deadlines = Deadlines(10.0, 0.0)
    deadlines.start("own", 3, 0.0)
    deadlines.start("late", 30, 5.0)
    deadlines.start("none", None, 5.0)
    assert [each.step_key for each in deadlines.overdue(4.0)] == ["own"]
    assert deadlines.run_is_over(9.9) is None
    said = "The run took longer than its limit of 10 seconds (tag dagster/max_runtime, or the setting max_runtime)."
    assert deadlines.overdue(10.0) == [Overdue("late", said), Overdue("none", said)]
    assert deadlines.run_is_over(10.0) == said
    assert deadlines.next_in(11.0) is None


def test_a_run_with_nothing_running_is_looked_at_when_its_time_is_over() -> None:
    assert Deadlines(10.0, 2.0).next_in(5.0) == 7.0


@pytest.mark.parametrize(("text", "seconds"), [("60", 60.0), ("0.5", 0.5)])
def test_the_tag_of_a_run(text: str, seconds: float) -> None:
    assert run_seconds({"dagster/max_runtime": text}) == seconds
    assert run_seconds({}) is None
    assert run_seconds({}, 5.0) == 5.0
    assert run_seconds({"dagster/max_runtime": text}, 5.0) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0", "-5", "inf", "nan"])
def test_a_tag_that_says_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidInvocationError, match="number of seconds"):
        run_seconds({"dagster/max_runtime": text})
