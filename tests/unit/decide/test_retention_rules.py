"""What of the log is too old, and how it goes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from segue.decide.retention import (
    LARGEST_BATCH,
    SMALLEST_BATCH,
    PartAction,
    all_older_than,
    cutoff,
    next_batch,
    part_action,
)
from segue.model.retention import LogPart

MIDDLE_OF_MARCH = datetime(2024, 3, 15, tzinfo=UTC).timestamp()


def test_what_is_kept_for_ever_is_never_too_old() -> None:
    assert cutoff(None, 1000.0) is None
    assert cutoff(60.0, 1000.0) == 940.0
    gone = all_older_than(60.0)
    assert {gone.events, gone.output, gone.ticks, gone.failed_ticks, gone.evaluations} == {60.0}


@pytest.mark.parametrize(
    ("part", "is_asked", "action"),
    [
        (LogPart("events"), False, PartAction.BATCHES),
        (LogPart("events_202402", 202402, is_in_use=False), False, PartAction.DROP),
        (LogPart("events_202402", 202402), False, PartAction.BATCHES),
        (LogPart("events_202403", 202403, is_in_use=False), False, PartAction.KEEP),
        (LogPart("events_202403", 202403, is_in_use=False), True, PartAction.BATCHES),
        (LogPart("events_202404", 202404), False, PartAction.KEEP),
    ],
)
def test_a_month_is_dropped_when_all_of_it_is_too_old(part: LogPart, is_asked: bool, action: PartAction) -> None:
    assert part_action(part, MIDDLE_OF_MARCH, is_asked=is_asked) is action


def test_batches_follow_how_long_the_last_one_took() -> None:
    assert next_batch(1000, 0.03) == 1000
    assert next_batch(1000, 0.06) == 500
    assert next_batch(1000, 0.0001) == 2000, "not more than twice as many at once"
    assert next_batch(1000, 60.0) == SMALLEST_BATCH
    assert next_batch(LARGEST_BATCH, 0.001) == LARGEST_BATCH
