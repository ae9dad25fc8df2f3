"""The log as users read it: events as entries, and entries with their place in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from segue.errors import InvalidInvocationError, InvariantViolationError
from segue.model import codec
from segue.model.checks import AssetCheckEvaluation
from segue.model.event import (
    AssetCheckEvaluationData,
    AssetObservationData,
    ErrorInfo,
    Event,
    EventType,
    LogMessageData,
    ResourceInitFailureData,
    StepMaterializationData,
)
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation

Item = TypeVar("Item")

_LEVELS = {"CRITICAL": 50, "ERROR": 40, "WARNING": 30, "INFO": 20, "DEBUG": 10}
# What is recorded from outside of the run that it is about.
_FROM_OUTSIDE = frozenset({EventType.RUN_ENQUEUED, EventType.RUN_STARTING, EventType.RUN_CANCELING})


class EventLogEntry:
    """An event as an entry of the log: one of Segue's, or a line that user code logged.

    Args:
        error_info: the exception that came with a line.
        level: of a line: a number as `logging` has them, or its name.
        user_message: the text of a line.
        run_id: the run; None for an event reported from outside of a run.
        timestamp: seconds since 1970, UTC.
        step_key: the step.
        job_name: the job of the run.
        dagster_event: the event, where the entry is not a line.

    Raises:
        InvalidInvocationError: a level that is none.
    """

    __slots__ = ("event",)
    event: Event

    def __init__(
        self,
        error_info: ErrorInfo | None,
        level: str | int,
        user_message: str,
        run_id: str | None,
        timestamp: float,
        step_key: str | None = None,
        job_name: str | None = None,
        dagster_event: Event | None = None,
    ) -> None:
        payload = (
            LogMessageData(_level(level), user_message, error_info) if dagster_event is None else dagster_event.payload
        )
        step = step_key if step_key is not None or dagster_event is None else dagster_event.step_key
        job = job_name if job_name is not None or dagster_event is None else dagster_event.job_name
        object.__setattr__(self, "event", Event(timestamp, payload, step, run_id or None, job))

    @staticmethod
    def of(event: Event) -> EventLogEntry:
        """The entry of an event."""
        entry = EventLogEntry.__new__(EventLogEntry)
        object.__setattr__(entry, "event", event)
        return entry

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"EventLogEntry is immutable: {name!r} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventLogEntry) and self.event == other.event

    def __hash__(self) -> int:
        return hash((self.run_id, self.timestamp, self.step_key))

    def __repr__(self) -> str:
        return f"EventLogEntry({self.event!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (EventLogEntry.of, (self.event,))

    @property
    def run_id(self) -> str:
        """The run; empty for what was reported from outside of one."""
        return self.event.run_id or ""

    @property
    def timestamp(self) -> float:
        """Seconds since 1970, UTC."""
        return self.event.timestamp

    @property
    def step_key(self) -> str | None:
        """The step it happened in."""
        return self.event.step_key

    @property
    def job_name(self) -> str | None:
        """The job of the run."""
        return self.event.job_name

    @property
    def is_dagster_event(self) -> bool:
        """Whether it is an event of Segue's, and not a line that user code logged."""
        return not isinstance(self.event.payload, LogMessageData)

    @property
    def dagster_event(self) -> Event | None:
        """The event; None for a line that user code logged."""
        return self.event if self.is_dagster_event else None

    def get_dagster_event(self) -> Event:
        """The event.

        Raises:
            InvariantViolationError: it is a line that user code logged.
        """
        if not self.is_dagster_event:
            raise InvariantViolationError("This entry is a line that user code logged, not an event.")
        return self.event

    @property
    def dagster_event_type(self) -> EventType | None:
        """The kind of event; None for a line that user code logged."""
        return self.event.event_type if self.is_dagster_event else None

    @property
    def level(self) -> int:
        """How much it matters, as `logging` counts: as the user said for a line, ERROR for failures, else DEBUG or INFO."""
        payload = self.event.payload
        if isinstance(payload, LogMessageData):
            return payload.level
        if self.event.is_failure or isinstance(payload, ResourceInitFailureData):
            return _LEVELS["ERROR"]
        return _LEVELS["INFO" if payload.type in _FROM_OUTSIDE else "DEBUG"]

    @property
    def user_message(self) -> str:
        """The text of a line; of an event, what it says in a sentence."""
        return self.event.message

    @property
    def message(self) -> str:
        """The same as `user_message`."""
        return self.event.message

    @property
    def error_info(self) -> ErrorInfo | None:
        """The exception that came with a line that user code logged; that of an event stands in its data."""
        return self.event.payload.error if isinstance(self.event.payload, LogMessageData) else None

    @property
    def asset_materialization(self) -> AssetMaterialization | None:
        """The materialization, if it is one."""
        payload = self.event.payload
        return payload.materialization if isinstance(payload, StepMaterializationData) else None

    @property
    def asset_observation(self) -> AssetObservation | None:
        """The observation of an asset, if it is one."""
        payload = self.event.payload
        return payload.asset_observation if isinstance(payload, AssetObservationData) else None

    @property
    def asset_check_evaluation(self) -> AssetCheckEvaluation | None:
        """The result of a check, if it is one."""
        payload = self.event.payload
        return payload.evaluation if isinstance(payload, AssetCheckEvaluationData) else None

    @property
    def tags(self) -> Mapping[str, str] | None:
        """The tags of the materialization or observation, if it is one."""
        fact = self.asset_materialization or self.asset_observation
        return None if fact is None else fact.tags

    def to_json(self) -> str:
        """The entry as JSON text, for `from_json`."""
        return codec.encode(self.event).decode()

    @staticmethod
    def from_json(json_str: str) -> EventLogEntry:
        """The entry that `to_json` wrote.

        Raises:
            InvalidInvocationError: the text is something else.
        """
        try:
            return EventLogEntry.of(codec.decoder(Event).decode(json_str.encode()))
        except msgspec.DecodeError as error:
            raise InvalidInvocationError(f"The text is not an event log entry written by to_json: {error}.") from error


def _level(level: str | int) -> int:
    if isinstance(level, int):
        return level
    if level.upper() not in _LEVELS:
        raise InvalidInvocationError(
            f"{level!r} is not a log level: expected one of {', '.join(_LEVELS)}, or a number."
        )
    return _LEVELS[level.upper()]


class EventLogRecord(NamedTuple):
    """An entry with its place in the log: `storage_id` grows with every event of the store."""

    storage_id: int
    event_log_entry: EventLogEntry

    @property
    def event(self) -> Event:
        """The event."""
        return self.event_log_entry.event

    @property
    def run_id(self) -> str:
        """The run; empty for what was reported from outside of one."""
        return self.event_log_entry.run_id

    @property
    def timestamp(self) -> float:
        """Seconds since 1970, UTC."""
        return self.event.timestamp

    @property
    def event_type(self) -> EventType:
        """The kind of event."""
        return self.event.event_type

    @property
    def asset_key(self) -> AssetKey | None:
        """The asset it is about, if any."""
        return self.event.asset_key

    @property
    def partition_key(self) -> str | None:
        """The partition it is about, if any."""
        return self.event.partition

    @property
    def asset_materialization(self) -> AssetMaterialization | None:
        """The materialization, if it is one."""
        return self.event_log_entry.asset_materialization

    @property
    def asset_observation(self) -> AssetObservation | None:
        """The observation of an asset, if it is one."""
        return self.event_log_entry.asset_observation

    @property
    def asset_event(self) -> AssetMaterialization | AssetObservation | None:
        """The materialization or observation, if it is one."""
        return self.asset_materialization or self.asset_observation


class EventRecordsResult(NamedTuple):
    """One page of records.

    Attributes:
        records: in the requested order.
        cursor: what to pass to get the next page.
        has_more: whether there is one.
    """

    records: Sequence[EventLogRecord]
    cursor: str
    has_more: bool


class PaginatedResults(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """One page of a list.

    Attributes:
        results: in the requested order.
        cursor: what to pass to get the next page.
        has_more: whether there is one.
    """

    results: Sequence[Item]
    cursor: str
    has_more: bool

    @classmethod
    def create_from_sequence(
        cls, seq: Sequence[Item], limit: int, ascending: bool, cursor: str | None = None
    ) -> PaginatedResults[Item]:
        """The page of a list that starts after `cursor`.

        Args:
            seq: the whole list, in ascending order.
            limit: at most so many.
            ascending: from the first on; otherwise from the last back.
            cursor: that of the page before.

        Raises:
            InvalidInvocationError: a cursor of something else.
        """
        ordered = list(seq) if ascending else list(reversed(seq))
        start = offset_of(cursor)
        page = ordered[start : start + limit]
        return cls(results=page, cursor=str(start + len(page)), has_more=start + len(page) < len(ordered))


def offset_of(cursor: str | None) -> int:
    """The number that a cursor is; 0 for None.

    Raises:
        InvalidInvocationError: it is none.
    """
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit():
        raise InvalidInvocationError(
            f"{cursor!r} is not a valid cursor: pass the cursor that was returned with the previous page."
        )
    return int(cursor)
