"""What happened since one looked last, as the log tells it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.decide.sensors import WATCHED_EVENTS, News
from segue.model.event_log import EventLogRecord
from segue.model.stores import EventFilter, Store

AT_ONCE = 1_000


class LogReader:
    """Reads on in the log.

    Where several processes write, an event may appear behind others that were drawn later: so what lies behind the place up to
    where none can appear any more is looked at again, and told once.

    Args:
        store: the log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._settled: int | None = None  # read up to here for good
        self._told: set[int] = set()  # behind that

    def news(self) -> Sequence[News]:
        """What happened since this was asked last; nothing at the first time."""
        if self._settled is None:
            last = self._store.events(EventFilter(ascending=False, settled=True), 1)
            self._settled = last[0].storage_id if last else 0
            return []
        settled = self._read(EventFilter(types=WATCHED_EVENTS, after=self._settled, settled=True))
        if settled:
            self._settled = settled[-1].storage_id
        found = [*settled, *self._read(EventFilter(types=WATCHED_EVENTS, after=self._settled))]
        new = [each for each in found if each.storage_id not in self._told]
        self._told = {each.storage_id for each in found if each.storage_id > self._settled}
        return list(dict.fromkeys(News(each.event.event_type, each.asset_key) for each in new))

    def _read(self, which: EventFilter) -> list[EventLogRecord]:
        found: list[EventLogRecord] = []
        while True:
            place = found[-1].storage_id if found else which.after
            page = self._store.events(msgspec.structs.replace(which, after=place), AT_ONCE)
            found += page
            if len(page) < AT_ONCE:
                return found
