"""What happened since one looked last, as the log tells it."""

from __future__ import annotations

from collections.abc import Sequence

from segue.decide.sensors import WATCHED_EVENTS, News
from segue.model.event_log import EventLogRecord
from segue.model.stores import EventFilter, Store

AT_ONCE = 1_000
LATE_SECONDS = 5.0


class LogReader:
    """Reads on in the log.

    Where several processes write, an event may appear behind others that were drawn later: what was read in the last seconds
    is looked at again, and told once.

    Args:
        store: the log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ends: list[tuple[float, int]] = []  # when the log was found to end where, the oldest first
        self._told: set[int] = set()

    def news(self, now: float) -> Sequence[News]:
        """What happened since this was asked last; nothing at the first time."""
        end = self._store.append(())
        if not self._ends:
            self._ends = [(now, end)]
            return []
        while len(self._ends) > 1 and self._ends[1][0] <= now - LATE_SECONDS:
            del self._ends[0]
        found: list[EventLogRecord] = []
        after = self._ends[0][1]
        if end > after:
            found = self._read(after)
        if end > self._ends[-1][1]:
            self._ends.append((now, end))
        self._told = {each for each in self._told if each > after}
        new = [each for each in found if each.storage_id not in self._told]
        self._told.update(each.storage_id for each in new)
        return list(dict.fromkeys(News(each.event.event_type, each.asset_key) for each in new))

    def _read(self, after: int) -> list[EventLogRecord]:
        found: list[EventLogRecord] = []
        while True:
            place = found[-1].storage_id if found else after
            page = self._store.events(EventFilter(types=WATCHED_EVENTS, after=place), AT_ONCE)
            found += page
            if len(page) < AT_ONCE:
                return found
