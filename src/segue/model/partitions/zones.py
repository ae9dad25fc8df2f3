"""Time zones as arithmetic: what a clock on the wall shows, and which moment it means.

Moments are seconds since 1970-01-01 00:00 UTC ("epoch"); wall clock readings are seconds since 1970-01-01 00:00 on that
same clock ("wall"). Everything here is a function of the time zone database, which counts as data.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

import msgspec

import segue.late as late
from segue.errors import InvalidDefinitionError, WrongDeclarationError

DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WALL_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)


class Transition(msgspec.Struct, frozen=True):
    """A moment at which a zone changes its offset from UTC (both offsets in seconds)."""

    epoch: int
    before: int
    after: int


def zone_named(name: str) -> tzinfo:
    """The zone of this name in the time zone database; `UTC` is `datetime.UTC`.

    Raises:
        InvalidDefinitionError: the database has no such zone.
        WrongDeclarationError: it is no text at all.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(f"A time zone must be a string such as 'Europe/Berlin', got {name!r}.")
    if name.upper() == "UTC":
        return UTC
    try:
        return late.zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidDefinitionError(
            f"Unknown time zone {name!r}: use a name from the IANA time zone database such as 'Europe/Berlin' (if the "
            "system has no such database, install the package tzdata)."
        ) from error


def datetime_at(zone: tzinfo, epoch: float) -> datetime:
    """The moment as an aware datetime of the zone."""
    moment = _EPOCH + timedelta(seconds=epoch)
    return moment if zone is UTC else moment.astimezone(zone)


def offset_at(zone: tzinfo, epoch: float) -> int:
    """How far the zone's clocks are ahead of UTC at that moment, in seconds."""
    return 0 if zone is UTC else _seconds(datetime_at(zone, epoch).utcoffset())


def epoch_of_wall(zone: tzinfo, wall: int, second_if_twice: bool) -> int:
    """The moment at which the zone's clocks show `wall`.

    A reading that clocks skip means the first moment after the gap; one that they show twice means the first or the
    second occurrence, as asked.
    """
    if zone is UTC:
        return wall
    reading = (_WALL_EPOCH + timedelta(seconds=wall)).replace(tzinfo=zone)
    first = _seconds(reading.utcoffset())
    second = _seconds(reading.replace(fold=1).utcoffset())
    if first < second:
        return _change_between(zone, wall - second, wall - first)
    return wall - (second if second_if_twice else first)


@lru_cache(maxsize=4096)
def transitions_in_year(zone: tzinfo, year: int) -> tuple[Transition, ...]:
    """The transitions of a zone in one year of UTC, found by looking at each day (two within a day are missed)."""
    low = _year_start(year)
    before = offset_at(zone, low)
    found: list[Transition] = []
    for high in range(low + DAY, _year_start(year + 1) + 1, DAY):
        after = offset_at(zone, high)
        if after != before:
            found.append(Transition(_change_between(zone, high - DAY, high), before, after))
            before = after
    return tuple(found)


def transitions_between(zone: tzinfo, low: int, high: int) -> list[Transition]:
    """The transitions with low < epoch <= high, oldest first."""
    if zone is UTC or low >= high:
        return []
    years = range(datetime_at(UTC, low).year, datetime_at(UTC, high).year + 1)
    return [each for year in years for each in transitions_in_year(zone, year) if low < each.epoch <= high]


@lru_cache(maxsize=1024)
def skipped_days(zone: tzinfo) -> tuple[int, ...]:
    """The dates since 1900 that a zone never had because it moved across the date line, as days since 1970-01-01.

    Such a move changes the offset from UTC for good, so comparing the first moments of the years finds it.
    """
    if zone is UTC:
        return ()
    skipped: list[int] = []
    offsets = [offset_at(zone, _year_start(year)) for year in range(1900, 2038)]
    for year, (before, after) in enumerate(pairwise(offsets), start=1900):
        if after - before > DAY * 3 // 4:
            for move in transitions_in_year(zone, year):
                first, last = (move.epoch + move.before) // DAY, (move.epoch + move.after) // DAY
                skipped.extend(range(first, last) if move.after - move.before >= DAY else ())
    return tuple(skipped)


def _year_start(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND


def _change_between(zone: tzinfo, low: int, high: int) -> int:
    """The first moment in (low, high] with the offset that holds at `high`, where it changes once in between."""
    after = offset_at(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == after:
            high = middle
        else:
            low = middle
    return high


def _seconds(offset: timedelta | None) -> int:
    return offset // _SECOND if offset is not None else 0
