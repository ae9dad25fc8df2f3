"""For how long what was recorded is kept: the policy as people write it, and what a store has to offer to carry it out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Protocol, TypeAlias

import msgspec

from segue.errors import InvalidConfigError
from segue.model.tick_record import TickStatus

DAY = 86_400.0
Period: TypeAlias = str | int | float
"""`"90 days"`, `"36 hours"`, `"30d"`, a number of days, or `"never"` (as 0) for what is never removed."""

_UNITS = {"m": 60.0, "h": 3_600.0, "d": DAY, "w": 7 * DAY}
_PERIOD = re.compile(r"(\d+(?:\.\d+)?)\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)?")


def seconds_of(period: Period, name: str) -> float | None:
    """A period in seconds; None for never.

    Args:
        period: as it is written.
        name: of what it was written for, for the message.

    Raises:
        InvalidConfigError: it cannot be read.
    """
    if period == "never":
        return None
    text = str(period).strip().lower()
    found = _PERIOD.fullmatch(text)
    if isinstance(period, bool) or found is None:
        raise InvalidConfigError(
            f'{name}: {period!r} is not a valid duration: expected a number of days, "90 days", "36 hours", "30d" or '
            '"never".'
        )
    seconds = float(found[1]) * _UNITS[(found[2] or "d")[0]]
    return seconds if seconds > 0 and math.isfinite(seconds) else None


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """For how many seconds each kind of record is kept, None for ever.

    The latest state of assets, partitions and checks, runs with their tags, and the keys by which sensors know what they
    asked for are no part of it: these stay.

    Attributes:
        events: the events of a run after its end, and events without a run after they happened. The plan of a run goes with
            its events, and so does content beside the log to which nothing else refers.
        output: what the steps of a run wrote to stdout and stderr, after its end.
        ticks: ticks of schedules and sensors that asked for runs or for nothing.
        failed_ticks: ticks that failed.
        evaluations: evaluations of automation conditions.
    """

    events: float | None = 90 * DAY
    output: float | None = 90 * DAY
    ticks: float | None = 7 * DAY
    failed_ticks: float | None = 30 * DAY
    evaluations: float | None = 30 * DAY


class RetentionTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in `[retention]` of the settings, as it is written there."""

    events: Period | None = None
    output: Period | None = None
    ticks: Period | None = None
    failed_ticks: Period | None = None
    evaluations: Period | None = None

    def policy(self) -> Retention:
        """What is meant; the default where nothing is written.

        Raises:
            InvalidConfigError: the value is not a valid duration.
        """
        written = {name: getattr(self, name) for name in self.__struct_fields__}
        return Retention(
            **{name: seconds_of(each, f"retention.{name}") for name, each in written.items() if each is not None}
        )


class LogPart(msgspec.Struct, frozen=True):
    """A part of the event log that is pruned by itself.

    Attributes:
        table: where it lies.
        month: the month of the runs whose events it holds, as a number like 202401; None where it holds any.
        is_in_use: of a month: whether a run of it is too young yet, or has not ended.
    """

    table: str
    month: int | None = None
    is_in_use: bool = True


class Examined(msgspec.Struct, frozen=True):
    """A batch of events that was looked at.

    Attributes:
        count: how many there were.
        place: the storage id of the last of them.
        old: the storage ids of those that may go.
        is_young: whether there were any, and all of them are too young.
    """

    count: int
    place: int
    old: tuple[int, ...] = ()
    is_young: bool = False


class RetentionStore(Protocol):
    """How a store gets rid of what is old. Whatever is removed in one call is one short transaction."""

    def log_parts(self, before: float) -> Sequence[LogPart]:
        """The parts of the log; `is_in_use` is about runs that ended at `before` or later, or have not ended."""
        ...

    def make_parts(self) -> None:
        """Makes the parts of the log ahead that will be needed soon."""
        ...

    def examine(self, part: LogPart, after: int, limit: int, before: float, until: int | None) -> Examined:
        """Looks at events in order of the log.

        An event may go when its run ended before `before`, or when it has no run and happened before, and neither is it the
        last of its kind about an asset or a partition, nor the latest result of a check, nor does it say that an asset was wiped
        or why a run failed.

        Args:
            part: of the log.
            after: the storage id behind which to begin.
            limit: how many to look at.
            before: seconds since 1970, UTC.
            until: only events with a storage id up to this.
        """
        ...

    def delete_events(self, part: LogPart, ids: Sequence[int]) -> int:
        """Removes events; gives back how many there still were."""
        ...

    def drop_part(self, part: LogPart, before: float, until: int | None) -> int | None:
        """Removes all of a part that is not in use, at once; what may not go (see `examine`) is moved out of it first.

        Returns:
            How many events it held, more or less; None where that cannot be done (now, or at all): `examine` and
            `delete_events` can.
        """
        ...

    def delete_content(self, before: float, limit: int, is_trial: bool) -> int:
        """Removes plans and manifests that no run refers to which ended at `before` or later or has not ended, and no code
        location: all of them, at most `limit` in a transaction; only counted where `is_trial`."""
        ...

    def delete_evaluations(self, before: float, limit: int, is_trial: bool) -> int:
        """Removes evaluations of automation conditions, the oldest first; at most `limit`, only counted where `is_trial`."""
        ...

    def delete_ticks(self, before: float, statuses: Sequence[TickStatus], limit: int, is_trial: bool) -> int:
        """Removes ticks that ended before, likewise."""
        ...

    def ended_before(self, run_ids: Sequence[str], before: float) -> Sequence[str]:
        """Those of these runs that ended before, or that are not recorded."""
        ...

    def artifact_hashes(self) -> set[str]:
        """The hashes of all content beside the log that an event, or the state of an asset or a check, refers to."""
        ...


class KeptArtifacts(Protocol):
    """Content beside the log, by its hash."""

    def untouched(self, before: float) -> Sequence[str]:
        """What nobody has written, or found there and referred to again, at `before` or later; leavings of writers that died
        go at once."""
        ...

    def remove(self, name: str, before: float) -> bool:
        """Removes content, unless a writer has come upon it meanwhile; says whether it is gone."""
        ...
