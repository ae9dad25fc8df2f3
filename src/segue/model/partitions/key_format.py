"""The keys of time windows: window number <-> text, for the default formats fast and for any other correctly."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.partitions.calendar import (
    HOUR,
    Rhythm,
    ScheduleType,
    date_of_day,
    day_of_date,
    epoch_of,
    epochs_between,
    number_at,
    number_from,
    number_on,
    runs_of_hours,
    wall_of,
)
from segue.model.partitions.key_range import TimestampWithTimezone
from segue.model.partitions.zones import DAY, datetime_at, epoch_of_wall, offset_at, transitions_between

DATE_FORMAT = "%Y-%m-%d"
HOUR_FORMAT = "%Y-%m-%d-%H:%M"


def time_of_text(text: str, fmt: str) -> datetime | None:
    """The clock reading that a text in this format means, aware if the text names an offset; None if it is none."""
    if fmt in (DATE_FORMAT, HOUR_FORMAT):
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            return _strptime(text, fmt)
        if text == (parsed.isoformat()[:10] if fmt == DATE_FORMAT else parsed.isoformat("-", "minutes")):
            return parsed
    return _strptime(text, fmt)


def _strptime(text: str, fmt: str) -> datetime | None:
    for pattern in (fmt,) if "%z" in fmt else (fmt, f"{fmt}%z"):
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    return None


def epoch_of_reading(zone: tzinfo, reading: datetime) -> float:
    """The moment a clock reading means; a naive one is read off the zone's clocks."""
    return (reading if reading.tzinfo is not None else reading.replace(tzinfo=zone)).timestamp()


def _moments_showing(zone: tzinfo, reading: datetime) -> list[int]:
    """The moments at which a zone's clocks show a reading: two where they go back, the one after it where they skip it."""
    if reading.tzinfo is not None:
        return [math.ceil(reading.timestamp())]
    wall = math.ceil(reading.replace(tzinfo=UTC).timestamp())
    return list(dict.fromkeys(epoch_of_wall(zone, wall, second_if_twice=second) for second in (False, True)))


def key_of(rhythm: Rhythm, fmt: str, number: int) -> str:
    """The key of a window."""
    if fmt == DATE_FORMAT and rhythm.is_by_date:
        return date_of_day(wall_of(rhythm, number) // DAY).isoformat()
    return _key_at(rhythm, fmt, epoch_of(rhythm, number))


def _key_at(rhythm: Rhythm, fmt: str, epoch: int) -> str:
    """The key of the window that starts at a moment."""
    start = datetime_at(rhythm.zone, epoch)
    key = start.replace(tzinfo=None).isoformat("-", "minutes") if fmt == HOUR_FORMAT else start.strftime(fmt)
    return key + start.strftime("%z") if start.fold and rhythm.repeats and "%z" not in fmt else key


def number_of_key(rhythm: Rhythm, fmt: str, key: str) -> int | None:
    """The window of a partition key; None for a string that is not the key of a window.

    A key may say less than its window's start (a date, for a window that starts at 02:00): it names the first window
    from there on, if that window has this key.
    """
    reading = time_of_text(key, fmt)
    if reading is None:
        return None
    if fmt == DATE_FORMAT and rhythm.is_by_date:
        return number_on(rhythm, day_of_date(reading)) if reading.isoformat()[:10] == key else None
    try:
        for moment in _moments_showing(rhythm.zone, reading):
            number = number_from(rhythm, moment)
            if key_of(rhythm, fmt, number) == key:
                return number
        return None
    except (OverflowError, ValueError):  # the calendar ends with year 9999
        return None


def keys_of_run(rhythm: Rhythm, fmt: str, start: int, stop: int) -> list[str]:
    """The keys of the windows [start, stop), oldest first."""
    if rhythm.schedule_type is ScheduleType.HOURLY and fmt == HOUR_FORMAT:
        return _hourly_keys(rhythm, start, stop)
    if rhythm.schedule_type is ScheduleType.DAILY and fmt == DATE_FORMAT:
        return [date_of_day(day).isoformat() for day in range(start, stop)]
    if rhythm.is_by_date:
        return [key_of(rhythm, fmt, number) for number in range(start, stop)]
    return [_key_at(rhythm, fmt, epoch) for epoch in epochs_between(rhythm, start, stop)]


def _hourly_keys(rhythm: Rhythm, start: int, stop: int) -> list[str]:
    """Keys in the default format: between two transitions local time runs evenly, so that days are written whole."""
    keys: list[str] = []
    for first, count in runs_of_hours(rhythm, start, stop):
        end = first + count * HOUR
        changes = transitions_between(rhythm.zone, first - DAY, end)
        ends_of_repeats = [change.epoch + change.before - change.after for change in changes]
        moments = {*(change.epoch for change in changes), *ends_of_repeats}
        at = first
        for cut in (*sorted(moment for moment in moments if first < moment < end), end):
            number_of_keys = -(-(cut - at) // HOUR)
            if number_of_keys > 0:
                twice = datetime_at(rhythm.zone, at)
                suffix = twice.strftime("%z") if twice.fold else ""
                keys.extend(_even_hours(at + offset_at(rhythm.zone, at), number_of_keys, suffix))
                at += number_of_keys * HOUR
    return keys


def _even_hours(wall: int, count: int, suffix: str) -> list[str]:
    """`count` hourly keys from a clock reading on, with no change of clocks in between."""
    minute = wall % HOUR // 60
    hours = [f"-{hour:02}:{minute:02}{suffix}" for hour in range(24)]
    first_hour = wall // HOUR
    first_day, skip = divmod(first_hour, 24)
    days = range(first_day, (first_hour + count - 1) // 24 + 1)
    keys = [day + hour for day in [date_of_day(day).isoformat() for day in days] for hour in hours]
    return keys[skip : skip + count]


def reads_back(rhythm: Rhythm, fmt: str, first: int, count: int | None) -> bool:
    """Whether keys in this format find back to their windows (looked at in a sample of the first `count`; None: endless)."""
    if fmt == DATE_FORMAT and rhythm.is_by_date:
        return True
    if fmt == HOUR_FORMAT:
        return True
    sample = [first + step for step in (0, 1, 13, 40) if count is None or step < count]
    return all(number_of_key(rhythm, fmt, key_of(rhythm, fmt, number)) == number for number in sample)


def timestamp_of_bound(value: object, name: str, fmt: str, zone: tzinfo) -> float:
    """The moment that `start` or `end` means."""
    if isinstance(value, TimestampWithTimezone):
        return value.timestamp
    if isinstance(value, datetime):
        return value.replace(tzinfo=zone).timestamp()
    if not isinstance(value, str):
        raise WrongDeclarationError(f"{name}: expected a datetime or a string in the format {fmt!r}, got {value!r}.")
    reading = time_of_text(value, fmt)
    if reading is None:
        raise InvalidDefinitionError(
            f"{name}={value!r} does not match the format {fmt!r}: use that format, or pass a datetime."
        )
    return epoch_of_reading(zone, reading)


def start_of_excluded(value: object, rhythm: Rhythm, fmt: str) -> int:
    """The start of the window that an exclusion names."""
    if isinstance(value, TimestampWithTimezone):
        value = datetime_at(rhythm.zone, value.timestamp)
    if isinstance(value, datetime):
        epoch = math.floor(value.replace(tzinfo=rhythm.zone).timestamp())
        number = number_at(rhythm, epoch)
        if epoch_of(rhythm, number) == epoch:
            return epoch
        hint = f"the window that contains it starts at {datetime_at(rhythm.zone, epoch_of(rhythm, number))}"
    else:
        number = number_of_key(rhythm, fmt, value) if isinstance(value, str) else None
        if number is not None:
            return epoch_of(rhythm, number)
        hint = f"pass a datetime, a cron schedule, or a partition key in the format {fmt!r}"
    kind = InvalidDefinitionError if isinstance(value, (str, datetime)) else WrongDeclarationError
    raise kind(f"exclusions: {value!r} is not the start of a window: {hint}.")
