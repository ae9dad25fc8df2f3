"""What steps that run in the process of the run write to stdout and stderr, kept besides going where it always went.

While a run executes, `sys.stdout` and `sys.stderr` are replaced by streams that pass everything on. What is written in the
context of an attempt is kept as well; so is what threads write that were started meanwhile, as long as a single attempt
is being executed in this process. What bypasses Python's streams (C code, child processes) is not seen here.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextvars import ContextVar, Token
from pathlib import Path
from typing import Any, TextIO

from segue.execute.capture import StepCapture
from segue.model.event import Event, LogsCapturedData
from segue.model.step_settings import LOG_LIMIT


class AttemptOutput:
    """What one attempt writes; nothing is made before the first byte.

    A context manager: what is written within belongs to it.

    Args:
        folder: that of the run.
        step_key, attempt: which attempt.
        limit: how many bytes are kept of each stream.

    Attributes:
        failed: why nothing more is kept.
    """

    def __init__(self, folder: Path, step_key: str, attempt: int, limit: int = LOG_LIMIT) -> None:
        self._place = (folder, step_key, attempt, limit)
        self._capture: StepCapture | None = None
        self._lock = threading.Lock()  # user code writes from threads of its own
        self._token: Token[AttemptOutput | None] | None = None
        self._has_ended = False
        self.failed: OSError | None = None

    def __enter__(self) -> AttemptOutput:
        """From here on, what is written in this context belongs to the attempt."""
        self._token = _current.set(self)
        _active.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _active.remove(self)
        if self._token is not None:
            _current.reset(self._token)

    def take(self, is_error: bool, data: bytes) -> None:
        """Takes more of stderr or stdout. What cannot be kept is no failure of the step: `failed` says so."""
        with self._lock:
            if self.failed is not None or self._has_ended:
                return
            if self._capture is None:
                self._capture = StepCapture(*self._place)
            try:
                (self._capture.err if is_error else self._capture.out).take(data)
            except OSError as error:
                self.failed = error

    def end(self) -> LogsCapturedData | None:
        """Closes the files; gives back the event that says what they hold, None where nothing was written."""
        if self._capture is None:
            return None
        with self._lock:
            try:
                return self._capture.end()
            except OSError as error:
                self.failed = self.failed or error
                return None
            finally:
                self._capture = None
                self._has_ended = True  # a thread may go on writing


_current: ContextVar[AttemptOutput | None] = ContextVar("output_of_attempt")
_active: list[AttemptOutput] = []
_guard = threading.Lock()
_STREAMS = ("stdout", "stderr")
_installed: dict[str, Tee] = {}
_users = 0
_earlier_threads: frozenset[int | None] = frozenset()


@contextlib.contextmanager
def teed_streams() -> Generator[None]:
    """A `with` block in which what attempts write can be kept; several may be open at once, in any threads."""
    global _users, _earlier_threads
    with _guard:
        _users += 1
        if _users == 1:
            _earlier_threads = frozenset(each.ident for each in threading.enumerate())
            for name in _STREAMS:
                if getattr(sys, name) is not None:  # a program without console has none
                    _installed[name] = Tee(getattr(sys, name), name == "stderr")
                    setattr(sys, name, _installed[name])
    try:
        yield
    finally:
        with _guard:
            _users -= 1
            if _users == 0:
                for name, tee in _installed.items():
                    if getattr(sys, name) is tee:  # else user code has put in another, which stays
                        setattr(sys, name, tee.original)
                _installed.clear()


def show(observers: Iterable[Callable[[Event], None]], event: Event) -> None:
    """Calls those who watch a run; what they print in the middle of a step is not that of the step."""
    if not _installed:  # nothing is kept now
        for observer in observers:
            observer(event)
        return
    token = _current.set(None)
    try:
        for observer in observers:
            observer(event)
    finally:
        _current.reset(token)


def _output() -> AttemptOutput | None:
    """The attempt to which what is written now belongs."""
    try:
        return _current.get()
    except LookupError:
        pass  # a thread, which begins without context
    if len(_active) != 1 or threading.get_ident() in _earlier_threads:
        return None
    return _active[0]


class Tee(io.TextIOBase):
    """A text stream that passes everything on, and keeps what belongs to an attempt.

    Args:
        original: the stream it stands for.
        is_error: whether that is stderr.
    """

    def __init__(self, original: TextIO, is_error: bool) -> None:
        self.original = original
        self._is_error = is_error

    def write(self, text: str, /) -> int:
        """Writes; gives back how many characters."""
        output = _output()
        if output is not None and text:
            output.take(self._is_error, str(text).encode("utf-8", "backslashreplace"))
        return self.original.write(text)

    def writelines(self, lines: Iterable[str], /) -> None:
        """Writes several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flushes the stream behind."""
        self.original.flush()

    def close(self) -> None:
        """Flushes, and closes nothing: steps after this one write to the same stream."""
        if not self.original.closed:
            self.original.flush()

    @property
    def closed(self) -> bool:
        """Whether the stream behind is closed."""
        return self.original.closed

    @property
    def buffer(self) -> Any:
        """The bytes below, for who writes these."""
        return _TeeBytes(self.original.buffer, self._is_error)

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] reason: an attribute of the base, settable in name only
        """That of the stream behind."""
        return self.original.encoding

    @property
    def errors(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride] reason: as for encoding
        """That of the stream behind."""
        return self.original.errors

    def fileno(self) -> int:
        """The descriptor of the stream behind."""
        return self.original.fileno()

    def isatty(self) -> bool:
        """Whether the stream behind is a terminal."""
        return self.original.isatty()

    def readable(self) -> bool:
        """False."""
        return False

    def writable(self) -> bool:
        """True."""
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


class _TeeBytes:
    """The bytes below a `Tee`."""

    def __init__(self, original: Any, is_error: bool) -> None:
        self._original = original
        self._is_error = is_error

    def write(self, data: Any, /) -> int:
        """Writes; gives back how many bytes."""
        output = _output()
        if output is not None:
            output.take(self._is_error, bytes(data))
        return self._original.write(data)

    def close(self) -> None:
        """Flushes, and closes nothing."""
        self._original.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)
