"""Schedules of partitioned jobs at the end of windows that are left out."""

from __future__ import annotations

from datetime import UTC, datetime

import segue as sg


def test_a_tick_at_the_end_of_a_window_that_is_left_out_asks_for_nothing() -> None:
    days = sg.DailyPartitionsDefinition("2023-01-01", exclusions=["2023-01-05", "0 0 * * 6"])

    @sg.job(partitions_def=days)
    def work() -> None:
        pass

    schedule = sg.build_schedule_from_partitioned_job(work)
    found = {
        day: [request.partition_key for request in schedule.evaluate_tick(_context_of(day)).run_requests]
        for day in (5, 6, 7, 8, 9)
    }
    assert found == {5: ["2023-01-04"], 6: [], 7: ["2023-01-06"], 8: [], 9: ["2023-01-08"]}


def _context_of(day: int) -> sg.ScheduleEvaluationContext:
    return sg.build_schedule_context(scheduled_execution_time=datetime(2023, 1, day, tzinfo=UTC))
