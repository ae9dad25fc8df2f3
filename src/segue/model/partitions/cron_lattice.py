"""When a cron schedule fires, numbered: moment <-> number without listing what lies between.

Years are read one by one when they are first asked about, and kept. On a day without a change of clocks a line fires at
the same times of the day, so a year is a list of days that share one tuple of times. Days around a change are taken together
and listed as they are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, tzinfo
from functools import lru_cache

import msgspec

from segue.model.cron_times import CronTimes, cron_times, fires_on, is_day
from segue.model.partitions.zones import DAY, datetime_at, offset_at, transitions_between

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_FIRST_YEAR, _LAST_YEAR = 1, 9998


class _Stretch(msgspec.Struct, frozen=True):
    """Fires that follow each other: at `start + each` of the offsets."""

    start: int
    offsets: tuple[int, ...]


class _Year(msgspec.Struct, frozen=True):
    """The fires of about a year: stretches, the first moment of each, and how many fires come before it in the year."""

    stretches: tuple[_Stretch, ...]
    firsts: tuple[int, ...]
    before: tuple[int, ...]
    size: int


class CronLattice:
    """The fires of a cron schedule in a time zone, or those of them at which one of other lines fires too.

    Numbers count from the first fire of `year` on; those before it are negative.
    """

    def __init__(self, line: str, zone_name: str, zone: tzinfo, year: int, only: tuple[str, ...] = ()) -> None:
        self._times = cron_times(line)
        self._only = tuple([cron_times(each) for each in only])
        self._zone_name = zone_name
        self._zone = zone
        self._anchor = year
        self._years: dict[int, _Year] = {}
        self._numbers: dict[int, int] = {year: 0}  # of the first fire of a year
        self._read_up_to = self._read_down_to = year

    def at(self, epoch: int) -> int:
        """The number of the last fire at or before a moment."""
        year = self._year_around(epoch)
        number = self._number_of_year(year)
        found = self._year(year)
        place = bisect_right(found.firsts, epoch) - 1
        if place < 0:
            return number - 1
        stretch = found.stretches[place]
        return number + found.before[place] + bisect_right(stretch.offsets, epoch - stretch.start) - 1

    def epoch(self, number: int) -> int:
        """The moment of a fire.

        Raises:
            OverflowError: it lies beyond the calendar.
        """
        year = self._year_with(number)
        found = self._year(year)
        inside = number - self._number_of_year(year)
        place = bisect_right(found.before, inside) - 1
        stretch = found.stretches[place]
        return stretch.start + stretch.offsets[inside - found.before[place]]

    def epochs(self, start: int, stop: int) -> Iterator[int]:
        """The moments of the fires [start, stop), in order."""
        while start < stop:
            year = self._year_with(start)
            found, first = self._year(year), self._number_of_year(year)
            last = min(stop, first + found.size)
            place = bisect_right(found.before, start - first) - 1
            while start < last:
                stretch = found.stretches[place]
                inside = start - first - found.before[place]
                taken = stretch.offsets[inside : inside + last - start]
                yield from (stretch.start + each for each in taken)
                start += len(taken)
                place += 1

    def _year_around(self, epoch: int) -> int:
        year = min(max(datetime_at(self._zone, epoch).year, _FIRST_YEAR), _LAST_YEAR)
        return year - 1 if year > _FIRST_YEAR and epoch < self._begin(year) else year

    def _year_with(self, number: int) -> int:
        """The year in which a fire lies."""
        while number >= self._numbers[self._read_up_to]:
            if self._read_up_to >= _LAST_YEAR:
                raise OverflowError("Dates after the year 9999 are not supported.")
            self._number_of_year(self._read_up_to + 1)
        while number < self._numbers[self._read_down_to]:
            if self._read_down_to <= _FIRST_YEAR:
                raise OverflowError("Dates before the year 1 are not supported.")
            self._number_of_year(self._read_down_to - 1)
        low, high = self._read_down_to, self._read_up_to
        while low < high:  # the last year whose first fire is not after it
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._numbers[middle] <= number else (low, middle - 1)
        while self._year(low).size == 0:
            low -= 1
        return low

    def _number_of_year(self, year: int) -> int:
        while self._read_up_to < year:
            up_to = self._read_up_to
            self._numbers[up_to + 1] = self._numbers[up_to] + self._year(up_to).size
            self._read_up_to += 1
        while self._read_down_to > year:
            down_to = self._read_down_to
            self._numbers[down_to - 1] = self._numbers[down_to] - self._year(down_to - 1).size
            self._read_down_to -= 1
        return self._numbers[year]

    def _begin(self, year: int) -> int:
        """The moment at which a year begins here: a midnight with no change of clocks near, soon after New Year."""
        return self._midnight(_first_quiet_day(self._zone, year))

    def _midnight(self, day: int) -> int:
        wall = day * DAY
        return wall - offset_at(self._zone, wall - offset_at(self._zone, wall))

    def _year(self, year: int) -> _Year:
        found = self._years.get(year)
        if found is None:
            found = self._years[year] = self._read(year)
        return found

    def _read(self, year: int) -> _Year:
        first, last = _first_quiet_day(self._zone, year), _first_quiet_day(self._zone, year + 1)
        changes = transitions_between(self._zone, (first - 3) * DAY, (last + 3) * DAY)
        restless = {change.epoch // DAY + shift for change in changes for shift in range(-2, 4)}
        stretches: list[_Stretch] = []
        waiting: set[int] = set()
        for number in range(first, last):
            day = date.fromordinal(number + _EPOCH_ORDINAL)
            if number in restless:
                waiting.update(self._fires(day))
                continue
            if waiting:
                stretches.append(_listed(waiting))
                waiting = set()
            if is_day(self._times, day):
                offsets = self._offsets(day)
                if offsets:
                    stretches.append(_Stretch(self._midnight(number), offsets))
        if waiting:
            stretches.append(_listed(waiting))
        before: list[int] = []
        size = 0
        for stretch in stretches:
            before.append(size)
            size += len(stretch.offsets)
        return _Year(tuple(stretches), tuple([each.start + each.offsets[0] for each in stretches]), tuple(before), size)

    def _fires(self, day: date) -> set[int]:
        fires = set(fires_on(self._times, self._zone_name, day))
        if self._only and fires:
            fires &= {each for times in self._only for each in fires_on(times, self._zone_name, day)}
        return fires

    def _offsets(self, day: date) -> tuple[int, ...]:
        if not self._only:
            return _times_of_day(self._times)
        return _shared_times(self._times, tuple([each for each in self._only if is_day(each, day)]))


@lru_cache(maxsize=256)
def _times_of_day(times: CronTimes) -> tuple[int, ...]:
    return tuple([hour * 3600 + minute * 60 for hour in times.hours for minute in times.minutes])


@lru_cache(maxsize=256)
def _shared_times(times: CronTimes, others: tuple[CronTimes, ...]) -> tuple[int, ...]:
    among = {each for other in others for each in _times_of_day(other)}
    return tuple([each for each in _times_of_day(times) if each in among])


def _listed(fires: set[int]) -> _Stretch:
    start = min(fires)
    return _Stretch(start, tuple(sorted(each - start for each in fires)))


@lru_cache(maxsize=4096)
def _first_quiet_day(zone: tzinfo, year: int) -> int:
    """The first day of a year with no change of clocks within three days, as days since 1970-01-01."""
    day = date(year, 1, 1).toordinal() - _EPOCH_ORDINAL
    while transitions_between(zone, (day - 3) * DAY, (day + 4) * DAY):
        day += 1
    return day


@lru_cache(maxsize=256)
def lattice_of(line: str, zone_name: str, zone: tzinfo, year: int, only: tuple[str, ...] = ()) -> CronLattice:
    """The lattice of a cron schedule; made once and kept, so that its years are read once."""
    return CronLattice(line, zone_name, zone, year, only)
