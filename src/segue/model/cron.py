"""Cron lines: what is one, and what never fires."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from segue.errors import InvalidDefinitionError, WrongDeclarationError

_SHORTHANDS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_DAYS_OF_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = r"(?P<first>\*|[a-z]+|\d+)(?:-(?P<last>[a-z]+|\d+))?(?:/(?P<step>\d+))?"


def cron_problem(line: str, *, may_have_seconds: bool = False) -> str | None:
    """Why a string is not a valid cron schedule, or None where it is one.

    A line has five fields (minute, hour, day of month, month, day of week) or is a shorthand such as `@daily`. Fields take
    `*`, numbers, names of months and days, ranges, lists, steps, `L` for the last day and `MON#2` for the second Monday.
    With `may_have_seconds`, a sixth field may stand before them: the seconds.
    """
    text = line.strip().lower()
    if text.startswith("@"):
        return (
            None
            if text in _SHORTHANDS
            else f"unknown shorthand {line!r}; expected one of {', '.join(sorted(_SHORTHANDS))}"
        )
    fields = text.split()
    if may_have_seconds and len(fields) == len(_FIELDS) + 1:
        seconds, *fields = fields
        for part in seconds.split(","):
            if not _is_part("second", part, 0, 59, {}):
                return f"{part!r} is not a valid second"
    if len(fields) != len(_FIELDS):
        more = ", or 6 with the seconds first" if may_have_seconds else ""
        return f"expected 5 fields (minute, hour, day of month, month, day of week){more}, got {len(fields)}"
    for (name, low, high, names), field in zip(_FIELDS, fields, strict=True):
        for part in field.split(","):
            if not _is_part(name, part, low, high, names):
                return f"{part!r} is not a valid {name}"
    return _never(fields[2], fields[3], fields[4])


def looks_like_cron(text: str) -> bool:
    """Whether a text is meant as a cron schedule: five fields, or a shorthand."""
    return text.startswith("@") or len(text.split()) == len(_FIELDS)


def require_cron(lines: object, where: str, *, may_have_seconds: bool = False) -> None:
    """Do nothing if this is a cron schedule, or a list of them; of schedules they may have seconds.

    Raises:
        WrongDeclarationError: it is not; the message says why.
    """
    several: list[object] = [lines] if isinstance(lines, str) else list(_elements(lines, where))
    if not several:
        raise InvalidDefinitionError(f"{where}: cron_schedule is an empty list; provide at least one cron schedule.")
    for line in several:
        problem = (
            cron_problem(line, may_have_seconds=may_have_seconds) if isinstance(line, str) else "expected a string"
        )
        if problem is not None:
            raise WrongDeclarationError(f"{where}: {line!r} is not a valid cron schedule: {problem}.")


def _elements(lines: object, where: str) -> Iterator[object]:
    if not isinstance(lines, (list, tuple)):
        raise WrongDeclarationError(f"{where}: cron_schedule must be a string or a list of strings, got {lines!r}.")
    yield from lines


def _is_part(field: str, part: str, low: int, high: int, names: Mapping[str, int]) -> bool:
    if field == "day of month" and part in ("l", "?"):
        return True
    if field == "day of week" and (part == "?" or _is_special_day(part)):
        return True
    match = re.fullmatch(_PART, part)
    if match is None or (match["first"] == "*" and match["last"] is not None):
        return False
    for value in (match["first"], match["last"]):
        if value is not None and value != "*" and not low <= names.get(value, _number(value)) <= high:
            return False
    return match["step"] is None or int(match["step"]) > 0


def _is_special_day(part: str) -> bool:
    """Whether this is `l5` (the last Friday) or `fri#2` (the second one)."""
    if part.startswith("l"):
        return part[1:].isdigit() and 0 <= int(part[1:]) <= 7
    day, found, nth = part.partition("#")
    return bool(found) and 0 <= _DAYS.get(day, _number(day)) <= 7 and (nth == "l" or _number(nth) in range(1, 6))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else -1


def _never(days: str, months: str, weekdays: str) -> str | None:
    """Why no date fits, where the days asked for are in none of the months."""
    if weekdays not in ("*", "?") or not all(part.isdigit() for part in days.split(",")):
        return None
    asked = [_MONTHS.get(part, _number(part)) for part in months.split(",")]
    if any(month < 1 for month in asked):
        return None
    longest = max(_DAYS_OF_MONTHS[month - 1] for month in asked)
    if min(int(day) for day in days.split(",")) > longest:
        return f"none of its months has a day {days}"
    return None
