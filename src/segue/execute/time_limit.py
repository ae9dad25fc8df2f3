"""Ending user code that takes too long, in the thread that runs it.

In the main thread the alarm of the process (SIGALRM) raises `TimeLimitReached` inside of user code, wherever that is; what
runs in C ends when it comes back to Python. Code that swallows it is told again after a grace period. In other threads,
and where there is no such alarm (Windows), the step ends with its next call of Segue.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import msgspec

from segue.errors import StepTimeoutError, TimeLimitReached
from segue.execute.attempt import StepAttempt
from segue.execute.failure import FailedAttempt, cause_chain, error_info
from segue.execute.step import USER_CODE_STAGES, StepOutcome
from segue.model.failure_class import FailureClass

GRACE_SECONDS = 30.0
_AGAIN_SECONDS = 0.005
_OWN_FOLDER = str(Path(__file__).parent.parent) + "/"
_NOT_TO_BE_TORN = (_OWN_FOLDER + "execute/sink.py", _OWN_FOLDER + "storage/")
_STAGES = frozenset(stage.__code__ for stage in USER_CODE_STAGES)


@contextlib.contextmanager
def time_limit(attempt: StepAttempt, seconds: float | None) -> Generator[None]:
    """A `with` block that runs an attempt, with so many seconds for its user code; None for as long as it takes."""
    if seconds is None:
        yield
        return
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        attempt.ends_at = time.monotonic() + seconds
        try:
            yield
        finally:
            attempt.ends_at = None
        return
    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, _ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, max(seconds, _AGAIN_SECONDS), GRACE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler)
        if left:  # somebody else's alarm: it rings when it would have, or at once where that is past
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), _AGAIN_SECONDS), interval)


def _ring(_number: int, frame: FrameType | None) -> None:
    """Raises in user code; where Segue records something just now, a moment later."""
    found = is_within_user_code(frame)
    if found is None:
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS, GRACE_SECONDS)
    elif found:
        raise TimeLimitReached


def is_within_user_code(frame: FrameType | None) -> bool | None:
    """Whether a thread is in the user code of a step; None where Segue records something just now, which must not be torn."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_NOT_TO_BE_TORN):
            return None
        if frame.f_code in _STAGES:
            return True
        frame = frame.f_back
    return False


def timed_out(outcome: StepOutcome, reason: str) -> StepOutcome:
    """The outcome of an attempt that was ended because of a limit, which the reason names."""
    error = StepTimeoutError(reason)
    error.__cause__ = outcome.error
    failure = outcome.failure
    if failure is not None:
        told = msgspec.structs.replace(error_info(StepTimeoutError(reason)), cause=failure.error)
        failure = FailedAttempt(told, failure_class=FailureClass.TIMEOUT)
    found = FailureClass.TIMEOUT
    return msgspec.structs.replace(
        outcome, error=error, retryable=True, requested=None, failure_class=found, failure=failure
    )


def was_interrupted(outcome: StepOutcome) -> bool:
    """Whether the end of its time was raised in the attempt, and it failed."""
    return outcome.error is not None and any(isinstance(each, TimeLimitReached) for each in cause_chain(outcome.error))
