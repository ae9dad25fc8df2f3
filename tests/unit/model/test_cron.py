"""What is a cron line, and why others are none."""

from __future__ import annotations

import pytest

import segue as sg
from segue.model.cron import cron_problem

GOOD = """@hourly|@daily|@DAILY|@weekly|@monthly|@yearly|@annually|@midnight|* * * * *|0 0 L * *|0 0 * * SUN|0 0 * * MON#1
0 0 * jan *|*/7 * * * *|0 0 * * 7|0 0 1-5/2 * *|0  0 * * *| 0 0 * * * |0 0 ? * *|5-1 * * * *|0 0 * * l5|0 0 * * fri-mon
1,2,3 * * * *|*/100 * * * *|0 0 29 2 *|0 0 31 2 mon|0 0 31 4,5 *|0 0 * * fri#l""".replace("\n", "|").split("|")

BAD = {
    "": "got 0",
    "bad": "got 1",
    "* * * *": "got 4",
    "* * * * * * *": "got 7",
    "@reboot": "unknown shorthand",
    "60 * * * *": "minute",
    "0 24 * * *": "hour",
    "0 0 0 * *": "day of month",
    "0 0 * 13 *": "month",
    "0 0 * * 8": "day of week",
    "*/0 * * * *": "minute",
    "*-5 * * * *": "minute",
    "0 0 1W * *": "day of month",
    "0 0 * * mon#6": "day of week",
    "0 0 * * foo": "day of week",
    "1,,2 * * * *": "minute",
    "0 0 30 2 *": "none of its months",
    "0 0 31 4,jun *": "none of its months",
}


@pytest.mark.parametrize("line", GOOD)
def test_cron_lines(line: str) -> None:
    assert cron_problem(line) is None
    assert sg.ScheduleDefinition(job_name="j", cron_schedule=line).cron_schedule == line


@pytest.mark.parametrize(("line", "why"), BAD.items())
def test_what_is_no_cron_line_is_refused_with_the_reason(line: str, why: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=why):
        sg.ScheduleDefinition(job_name="j", cron_schedule=line)
    with pytest.raises(sg.InvalidDefinitionError, match=why):
        sg.ScheduleDefinition(job_name="j", cron_schedule=["@daily", line])


@pytest.mark.parametrize("lines", [None, 5, [], [5], {"a": "b"}])
def test_other_things_than_lines_are_refused(lines: object) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=r"cron.schedule"):
        sg.ScheduleDefinition(job_name="j", cron_schedule=lines)  # type: ignore[arg-type]
