"""Ctrl-C and SIGTERM while user code runs."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType

from segue.errors import ExecutionInterruptedError

_DEFAULTS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


@contextlib.contextmanager
def raise_execution_interrupts() -> Generator[None]:
    """A `with` block in which Ctrl-C and SIGTERM raise `ExecutionInterruptedError`, as they do in every step of a run.

    Whoever handles one of the signals already keeps it, and nothing changes outside of the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number, default in _DEFAULTS.items() if signal.getsignal(number) == default]
    try:
        for number in ours:
            signal.signal(number, _interrupt)
        yield
    finally:
        for number in ours:
            signal.signal(number, _DEFAULTS[number])


def may_interrupt() -> bool:
    """Whether this is the main thread, and SIGINT raises in it, since nobody else handles it."""
    ours = (_interrupt, signal.default_int_handler)
    return threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) in ours


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise ExecutionInterruptedError(f"The execution was interrupted by {signal.Signals(number).name}.")
