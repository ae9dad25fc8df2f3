"""Which records of the log users ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from segue.errors import InvalidInvocationError, WrongArgumentError
from segue.model.arguments import require_sequence, require_type
from segue.model.event import EventType
from segue.model.event_log import offset_of
from segue.model.event_type import RUN_EVENTS
from segue.model.keys import AssetKey
from segue.model.named_fields import NamedFields


class RunShardedEventsCursor(NamedTuple):
    """A place in the log: after the event `id`. The time is for logs that are kept apart by run; this one is not.

    Attributes:
        id: the storage id.
        run_updated_after: not read.
    """

    id: int
    run_updated_after: datetime


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "asset_key": AssetKey,
    **dict.fromkeys(("after_cursor", "before_cursor"), (int, RunShardedEventsCursor)),
    **dict.fromkeys(("after_timestamp", "before_timestamp"), (float, int)),
}


class EventRecordsFilter(msgspec.Struct, frozen=True):
    """Which records of one kind; None means any.

    Attributes:
        event_type: the kind of event.
        asset_key: the asset they are about.
        asset_partitions: the partitions they are about.
        after_cursor, before_cursor: exclusive bounds on the storage id.
        after_timestamp, before_timestamp: exclusive bounds on the time, in seconds since 1970, UTC.
        storage_ids: only these.

    Raises:
        InvalidInvocationError: the kind of event is not an `EventType`.
    """

    event_type: EventType
    asset_key: AssetKey | None = None
    asset_partitions: Sequence[str] | None = None
    after_cursor: int | RunShardedEventsCursor | None = None
    before_cursor: int | RunShardedEventsCursor | None = None
    after_timestamp: float | None = None
    before_timestamp: float | None = None
    storage_ids: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.event_type, EventType):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongArgumentError(f"EventRecordsFilter: event_type must be an EventType, got {self.event_type!r}.")
        for name, kind in _KINDS.items():
            if getattr(self, name) is not None:
                require_type(self, name, getattr(self, name), kind)
        for name, element in (("asset_partitions", str), ("storage_ids", int)):
            if getattr(self, name) is not None:
                require_sequence(self, name, getattr(self, name), element)

    @staticmethod
    def get_cursor_params(cursor: str | None = None, ascending: bool = False) -> tuple[int | None, int | None]:
        """A cursor as the bounds before and after which to go on: (before, after).

        Raises:
            InvalidInvocationError: the cursor is not valid.
        """
        if cursor is None:
            return None, None
        place = offset_of(cursor)
        return (None, place) if ascending else (place, None)


class AssetRecordsFilter(NamedFields, msgspec.Struct, frozen=True):
    """Which records about one asset; None means any.

    Attributes:
        asset_key: the asset.
        asset_partitions: the partitions they are about.
        after_timestamp, before_timestamp: exclusive bounds on the time, in seconds since 1970, UTC.
        after_storage_id, before_storage_id: exclusive bounds on the storage id.
        storage_ids: only these.

    Raises:
        WrongArgumentError: a value is of a wrong type.
    """

    asset_key: AssetKey
    asset_partitions: Sequence[str] | None = None
    after_timestamp: float | None = None
    before_timestamp: float | None = None
    after_storage_id: int | None = None
    before_storage_id: int | None = None
    storage_ids: Sequence[int] | None = None

    def __post_init__(self) -> None:
        require_type(self, "asset_key", self.asset_key, AssetKey)
        for name, element in (("asset_partitions", str), ("storage_ids", int)):
            if getattr(self, name) is not None:
                require_sequence(self, name, getattr(self, name), element)

    def to_event_records_filter(
        self, event_type: EventType, cursor: str | None = None, ascending: bool = False
    ) -> EventRecordsFilter:
        """The same for one kind of event, from a cursor on."""
        after, before = _bounds(self.after_storage_id, self.before_storage_id, cursor, ascending)
        return EventRecordsFilter(
            event_type,
            self.asset_key,
            self.asset_partitions,
            after,
            before,
            self.after_timestamp,
            self.before_timestamp,
            self.storage_ids,
        )


class RunStatusChangeRecordsFilter(NamedFields, msgspec.Struct, frozen=True):
    """Which records of runs that came to a status; None means any.

    Attributes:
        event_type: the event that takes a run to the status.
        after_timestamp, before_timestamp: exclusive bounds on the time, in seconds since 1970, UTC.
        after_storage_id, before_storage_id: exclusive bounds on the storage id.
        storage_ids: only these.
        job_names: only runs of these jobs.

    Raises:
        InvalidInvocationError: the kind of event is not one of a run.
    """

    event_type: EventType
    after_timestamp: float | None = None
    before_timestamp: float | None = None
    after_storage_id: int | None = None
    before_storage_id: int | None = None
    storage_ids: Sequence[int] | None = None
    job_names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.event_type not in RUN_EVENTS:
            raise InvalidInvocationError(
                "RunStatusChangeRecordsFilter: event_type must be the type of a run event, such as "
                f"EventType.RUN_SUCCESS, got {self.event_type!r}."
            )

    def to_event_records_filter_without_job_names(
        self, cursor: str | None = None, ascending: bool = False
    ) -> EventRecordsFilter:
        """The same for all jobs, from a cursor on."""
        after, before = _bounds(self.after_storage_id, self.before_storage_id, cursor, ascending)
        return EventRecordsFilter(
            self.event_type,
            after_cursor=after,
            before_cursor=before,
            after_timestamp=self.after_timestamp,
            before_timestamp=self.before_timestamp,
            storage_ids=self.storage_ids,
        )


def _bounds(
    after: int | None, before: int | None, cursor: str | None, ascending: bool
) -> tuple[int | None, int | None]:
    """The narrower of the bounds of a filter and those of a cursor."""
    cursor_before, cursor_after = EventRecordsFilter.get_cursor_params(cursor, ascending)
    afters = [each for each in (after, cursor_after) if each is not None]
    befores = [each for each in (before, cursor_before) if each is not None]
    return max(afters, default=None), min(befores, default=None)
