"""Errors of user code that are kept out of what is recorded, for they may hold secrets. An id stands in their place, and the
log of the process (Python's logging, logger `segue.hidden_errors`) shows the error under that id.

Asked for by SEGUE_REDACT_USER_CODE_ERRORS in the environment of the process that executes the run; the name that Dagster reads
for the same is taken too.
"""

from __future__ import annotations

import logging
import os
import uuid

from segue.defs.results import Failure
from segue.errors import SegueError, UserCodeExecutionError

VARIABLES = ("SEGUE_REDACT_USER_CODE_ERRORS", "DAGSTER_REDACT_USER_CODE_ERRORS")
_NO = ("", "0", "false", "no")
_ID = "_segue_error_id"
_log = logging.getLogger("segue.hidden_errors")


def hides_errors() -> bool:
    """Whether errors of user code are kept out of what is recorded."""
    return any(os.environ.get(name, "").lower() not in _NO for name in VARIABLES)


def bears_its_message(error: BaseException) -> bool:
    """Whether the message of an error may be shown: that of a `Failure`, which says what was meant to be said, of an interrupt,
    and of Segue's own errors that quote no other.
    """
    own = isinstance(error, SegueError) and not isinstance(error, UserCodeExecutionError)
    return own or isinstance(error, (Failure, KeyboardInterrupt))


def hidden_error_id(error: BaseException) -> str:
    """The id under which the log of the process shows an error; writes it there when first asked."""
    known: str | None = error.__dict__.get(_ID)
    if known is None:
        known = error.__dict__[_ID] = str(uuid.uuid4())
        _log.error("User code raised, error id %s", known, exc_info=error)
    return known
