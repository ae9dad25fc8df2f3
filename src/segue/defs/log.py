"""`context.log`: a standard logger whose lines are recorded with the run and also reach Python's logging."""

from __future__ import annotations

import logging
from collections.abc import Callable

LogSink = Callable[[logging.LogRecord], None]
_logger = logging.getLogger("segue.run")


class RunLogger(logging.Logger):
    """The logger of one step. Every line from DEBUG up is recorded with the run; then it goes the way of `segue.run`.

    Args:
        sink: what records a line.
    """

    def __init__(self, sink: LogSink) -> None:
        super().__init__("segue.run", logging.DEBUG)
        self._sink = sink
        self.parent = _logger

    def handle(self, record: logging.LogRecord) -> None:
        """Records the line, then passes it to Python's logging."""
        self._sink(record)
        if _logger.isEnabledFor(record.levelno):
            _logger.handle(record)


def get_logger(name: str = "segue") -> logging.Logger:
    """A standard logger below `segue`, for code that has no context at hand."""
    return logging.getLogger(name if name == "segue" else f"segue.{name}")
