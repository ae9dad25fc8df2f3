"""What the loggers of a run are given: its lines and events as records of Python's logging, with what is known of the run."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from segue.defs.log import META_ATTRIBUTE
from segue.model.event import Event, LogMessageData
from segue.model.event_log import EventLogEntry
from segue.model.run import Run

EVENT_ATTRIBUTE = "dagster_event"
_OF_EVERY_RECORD = frozenset([*vars(logging.makeLogRecord({})), "message", "asctime"])


class LoggerFailure(msgspec.Struct, frozen=True):
    """A logger that raised.

    Attributes:
        name: its key.
        error: what it raised.
    """

    name: str
    error: Exception


class RunLoggers:
    """The loggers of one run. One that raises gets no more of it.

    Args:
        loggers: the loggers, by key.
        run: the run, whose name and id stand before each line.
    """

    def __init__(self, loggers: Mapping[str, logging.Logger], run: Run) -> None:
        self._loggers = dict(loggers)
        self._run = run

    def pass_on(self, event: Event, record: logging.LogRecord | None) -> list[LoggerFailure]:
        """Hands an event to each logger whose level it has.

        Args:
            event: the event.
            record: of a line that user code logged: the record, whose exception and `extra` go along.

        Returns:
            The loggers that raised.
        """
        level = EventLogEntry.of(event).level
        wanting = [(key, each) for key, each in list(self._loggers.items()) if each.isEnabledFor(level)]
        if not wanting:
            return []
        facts = record_facts(event, self._run)
        text = "{job_name} - {run_id} - ".format_map(facts) + "".join(_rest_of_line(event))
        extra = {META_ATTRIBUTE: facts, EVENT_ATTRIBUTE: facts[EVENT_ATTRIBUTE]}
        exception = None
        if record is not None:
            exception = record.exc_info
            extra |= {key: value for key, value in vars(record).items() if key not in _OF_EVERY_RECORD}
            extra[META_ATTRIBUTE] = {**getattr(record, META_ATTRIBUTE, {}), **facts}
        failures: list[LoggerFailure] = []
        for key, logger in wanting:
            try:
                logger.log(level, text, exc_info=exception, extra=extra)
            except Exception as error:  # noqa: BLE001 reason: a logger of the user's own; the caller records what it raised
                self._loggers.pop(key, None)
                failures.append(LoggerFailure(key, error))
        return failures


def record_facts(event: Event, run: Run) -> dict[str, Any]:
    """What is known of an event, by the names under which user code reads it from a record.

    Args:
        event: the event.
        run: its run.
    """
    is_line = isinstance(event.payload, LogMessageData)
    return {
        "run_id": run.run_id,
        "job_name": run.job_name,
        "job_tags": dict(run.tags),
        "op_name": event.node_name,
        "step_key": event.step_key,
        "resource_name": None,
        "resource_fn_name": None,
        "orig_message": event.message,
        "log_message_id": str(uuid.uuid4()),
        "log_timestamp": datetime.fromtimestamp(event.timestamp, UTC).replace(tzinfo=None).isoformat(),
        EVENT_ATTRIBUTE: None if is_line else event,
    }


def _rest_of_line(event: Event) -> Iterator[str]:
    """What stands in a line after job and run: of an event its process, step, kind and error, of a line its step."""
    is_line = isinstance(event.payload, LogMessageData)
    if not is_line:
        yield f"{os.getpid()} - "
    if event.step_key is not None:
        yield f"{event.step_key} - "
    if not is_line:
        yield f"{event.event_type_value} - "
    yield event.message
    error = None if is_line else getattr(event.payload, "error", None)
    if error is not None:
        yield f"\n\n{error.to_string()}"
