"""`context.log`: a standard logger whose lines are recorded with the run. They also reach the loggers that the run config
names, or, where it names none, Python's logging.

Code that has no context at hand takes `get_logger()`: within a run its lines are recorded too.
"""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from segue.errors import WrongArgumentError
from segue.model.run import Run

LogSink = Callable[[logging.LogRecord], bool]
_logger = logging.getLogger("segue.run")
_USER_LOGGER = "segue.user"
META_ATTRIBUTE = "dagster_meta"  # kept as user code reads it: `record.dagster_meta["orig_message"]`


class LogManager(logging.Logger):
    """The logger of one step. Every line from DEBUG up is recorded with the run, and goes to its loggers; where it has
    none, the line goes the way of `segue.run`.

    Args:
        sink: records a line, and says whether the run has loggers that took it.
        tags: added to `record.dagster_meta` of each line, in addition to details of the run.
    """

    def __init__(self, sink: LogSink, tags: Mapping[str, object] | None = None) -> None:
        super().__init__("segue.run", logging.DEBUG)
        self._sink = sink
        self._tags: Mapping[str, object] = tags or {}
        self.parent = _logger

    @classmethod
    def create(
        cls,
        loggers: Sequence[logging.Logger],
        handlers: Sequence[logging.Handler] | None = None,
        instance: object = None,
        dagster_run: Run | None = None,
    ) -> LogManager:
        """A log outside of a step: its lines go to loggers and handlers, and are recorded nowhere.

        Args:
            loggers, handlers: who gets the lines.
            instance: ignored: lines logged outside of a step belong to no run.
            dagster_run: the run that the lines speak of.
        """
        del instance  # a parameter of the compatible API
        takers = [*loggers, *(handlers or ())]

        def pass_on(record: logging.LogRecord) -> bool:
            for taker in takers:
                if record.levelno >= taker.level:
                    taker.handle(record)
            return True

        known: dict[str, object] = {"run_id": None, "job_name": None, "job_tags": {}}
        if dagster_run is not None:
            known = {"run_id": dagster_run.run_id, "job_name": dagster_run.job_name, "job_tags": dict(dagster_run.tags)}
        return cls(pass_on, known)

    def with_tags(self, **new_tags: str) -> LogManager:
        """The same log with more tags, which loggers and handlers find in `record.dagster_meta`."""
        return LogManager(self._sink, {**self._tags, **new_tags})

    @property
    def metadata(self) -> Mapping[str, object]:
        """The tags of its lines; of a log outside of a step also which run they speak of."""
        return dict(self._tags)

    def handle(self, record: logging.LogRecord) -> None:
        """Records the line, then passes it to Python's logging where the run has no loggers."""
        if self._tags:
            setattr(record, META_ATTRIBUTE, {**self._tags, "orig_message": record.getMessage()})
        if not self._sink(record) and _logger.isEnabledFor(record.levelno):
            _logger.handle(record)

    def record(self, record: logging.LogRecord) -> None:
        """Records a line that Python's logging has passed on already."""
        self._sink(record)

    def log(self, level: int | str, msg: object, *args: object, **kwargs: Any) -> None:
        """Logs a line at a level: a number, or a name such as `"info"`.

        Raises:
            WrongArgumentError: there is no level of this name.
        """
        number = logging.getLevelNamesMapping().get(level.upper()) if isinstance(level, str) else level
        if number is None:
            raise WrongArgumentError(
                f"{level!r} is not a valid log level: use {', '.join(logging.getLevelNamesMapping())} or a number."
            )
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1  # the line that called this
        super().log(number, msg, *args, **kwargs)


class HasLog(Protocol):
    """A run or a step, as far as lines are recorded with it."""

    @property
    def log(self) -> LogManager: ...


running: contextvars.ContextVar[HasLog | None] = contextvars.ContextVar("segue_running", default=None)


class _RecordsLines(logging.Handler):
    """Records lines of `get_logger()` with the step or run in which they are logged."""

    def emit(self, record: logging.LogRecord) -> None:
        now_running = running.get()
        if now_running is not None:
            now_running.log.record(record)


def get_logger(name: str | None = None) -> logging.Logger:
    """A standard logger for code that has no context at hand; within a run its lines are recorded with it.

    Args:
        name: the name of the logger; lines of `get_logger("loader")` have the logger name `segue.user.loader`.
    """
    base = logging.getLogger(_USER_LOGGER)
    if not base.handlers:
        base.setLevel(logging.DEBUG)
        base.addHandler(_RecordsLines())
    return base if not name else base.getChild(name)
