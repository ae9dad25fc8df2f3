"""How the messages of an external process get here."""

from __future__ import annotations

import abc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Generic, TypeVar

from segue.errors import InvariantViolationError
from segue.execute.pipes.handler import PipesLaunchedData, PipesMessageHandler
from segue.execute.pipes.protocol import COMPOSITE_WRITERS_KEY, PipesOpenedData, PipesParams, decode_message

Cursor = TypeVar("Cursor")
_FILE_INTERVAL = 0.05  # seconds between two looks at a file
_LAST_LOOK = 60.0  # seconds that log readers get to begin and end after the process has


class PipesMessageReader(abc.ABC):
    """Reads the messages of an external process, and says where it is to write them. Subclass it for ways of your own."""

    @abc.abstractmethod
    def read_messages(self, handler: PipesMessageHandler) -> AbstractContextManager[PipesParams]:
        """Reads messages for as long as this is open, and hands each to the handler; gives what the process must know.

        Args:
            handler: `handle_message` may be called from any thread.
        """

    def on_opened(self, opened_payload: PipesOpenedData) -> None:  # noqa: B027 reason: a hook, to be filled or not
        """Called with what the process says when it begins."""

    def on_launched(self, launched_payload: PipesLaunchedData) -> None:  # noqa: B027 reason: as above
        """Called with what is known of the process when it was started."""

    @property
    def expected_writer_count(self) -> int:
        """How many processes write messages."""
        return 1

    @abc.abstractmethod
    def no_messages_debug_text(self) -> str:
        """How messages are read, as a hint if none arrive."""


def take_line(line: str, handler: PipesMessageHandler, source: str) -> None:
    """Hands the message on a line of a file of messages to the handler; what is none is a problem."""
    if not line.strip():
        return
    message = decode_message(line)
    if message is None:
        shown = line.strip()[:200]
        handler.report_problem(f"{source} has a line that is not a message: {shown!r}")
    else:
        handler.handle_message(message)


class PipesFileMessageReader(PipesMessageReader):
    """Reads messages from a file.

    Args:
        path: the file; it is created if it does not exist.
        include_stdio_in_messages: whether the process should also send its output as messages.
        cleanup_file: whether the file is removed in the end.
    """

    def __init__(self, path: str, include_stdio_in_messages: bool = False, cleanup_file: bool = True) -> None:
        self._path = path
        self._include_stdio = include_stdio_in_messages
        self._cleanup = cleanup_file

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Generator[PipesParams]:
        """Reads the file in a thread; yields its path."""
        open(self._path, "a", encoding="utf-8").close()
        ended = threading.Event()
        reader = threading.Thread(target=self._read, args=(handler, ended), daemon=True, name="segue-pipes-file")
        reader.start()
        try:
            yield {"path": os.path.abspath(self._path), "include_stdio_in_messages": self._include_stdio}
        finally:
            ended.set()
            reader.join()
            if self._cleanup and os.path.exists(self._path):
                os.remove(self._path)

    def _read(self, handler: PipesMessageHandler, ended: threading.Event) -> None:
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                for line in _lines(file, ended):
                    take_line(line, handler, "the file of messages")
        except Exception:  # noqa: BLE001 reason: a thread has nobody to raise to; the handler tells it
            handler.report_pipes_framework_exception(f"reading {self._path}", sys.exc_info())

    def no_messages_debug_text(self) -> str:
        """How messages were read."""
        return f"Messages were expected in {self._path}."


def _lines(file: Any, ended: threading.Event) -> Iterator[str]:
    """The whole lines of a file that grows, until the end is announced and the file is read."""
    begun = ""
    while True:
        last_look = ended.is_set()  # asked before reading: what is written before the end is read
        for chunk in iter(file.readline, ""):
            begun += chunk
            if begun.endswith("\n"):
                yield begun
                begun = ""
        if last_look:
            if begun:
                yield begun
            return
        ended.wait(_FILE_INTERVAL)


class PipesTempFileMessageReader(PipesMessageReader):
    """Reads messages from a temporary file.

    Args:
        include_stdio_in_messages: whether the process should also send its output as messages.
    """

    def __init__(self, include_stdio_in_messages: bool = False) -> None:
        self._include_stdio = include_stdio_in_messages

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Generator[PipesParams]:
        """Reads the file in a thread; yields its path."""
        with tempfile.TemporaryDirectory() as folder:
            file = PipesFileMessageReader(os.path.join(folder, "messages"), self._include_stdio, cleanup_file=False)
            with file.read_messages(handler) as params:
                yield params

    def no_messages_debug_text(self) -> str:
        """How messages were read."""
        return "Messages were expected in a temporary file."


class PipesLogReader(abc.ABC):
    """Reads the output of an external process, from wherever it is stored, and forwards it."""

    @abc.abstractmethod
    def start(self, params: PipesParams, is_session_closed: threading.Event) -> None:
        """Starts to read, in its own thread.

        Args:
            params: what the process knows.
            is_session_closed: set when the process has ended.
        """

    @abc.abstractmethod
    def stop(self) -> None:
        """Ends the thread."""

    @abc.abstractmethod
    def is_running(self) -> bool:
        """Whether the thread is alive."""

    @abc.abstractmethod
    def target_is_readable(self, params: PipesParams) -> bool:
        """Whether there is something to read yet."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return type(self).__name__

    @property
    def debug_info(self) -> str | None:
        """Where it reads, as a hint if nothing arrives."""
        return None

    def with_debug_info(self, message: str) -> str:
        """A message with where it reads."""
        return message if self.debug_info is None else f"{message}\n{self.debug_info}"


class PipesThreadedMessageReader(PipesMessageReader, Generic[Cursor]):
    """Reads messages in a thread that looks for new ones again and again.

    Args:
        interval: seconds between two looks.
        log_readers: what reads what the process prints besides.
    """

    def __init__(self, interval: float = 10, log_readers: Sequence[PipesLogReader] | None = None) -> None:
        self.interval = interval
        self.log_readers: list[PipesLogReader] = list(log_readers or ())
        self.opened_payload: PipesOpenedData | None = None
        self.launched_payload: PipesLaunchedData | None = None

    @abc.abstractmethod
    def get_params(self) -> AbstractContextManager[PipesParams]:
        """What the process must know, for as long as this is open."""

    @abc.abstractmethod
    def messages_are_readable(self, params: PipesParams) -> bool:
        """Whether there is a place with messages yet."""

    @abc.abstractmethod
    def download_messages(self, cursor: Cursor | None, params: PipesParams) -> tuple[Cursor, str] | None:
        """New messages, as lines, and where they end; None where there are none.

        Args:
            cursor: where the last ones ended; None at first.
            params: what the process knows.
        """

    def on_opened(self, opened_payload: PipesOpenedData) -> None:
        """Keeps what the process said when it began."""
        self.opened_payload = opened_payload

    def on_launched(self, launched_payload: PipesLaunchedData) -> None:
        """Keeps what is known of the process."""
        self.launched_payload = launched_payload

    def add_log_reader(self, log_reader: PipesLogReader) -> None:
        """Adds what reads what the process prints, also while messages are read."""
        self.log_readers.append(log_reader)

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Generator[PipesParams]:
        """Reads in a thread; gives what the process must know."""
        with self.get_params() as params:
            ended = threading.Event()
            thread = threading.Thread(target=self._read, args=(handler, params, ended), daemon=True, name="segue-pipes")
            logs = threading.Thread(
                target=self._read_logs, args=(handler, params, ended), daemon=True, name="segue-pipes-logs"
            )
            thread.start()
            logs.start()
            try:
                yield params
            finally:
                ended.set()
                thread.join()
                logs.join()

    def _read(self, handler: PipesMessageHandler, params: PipesParams, ended: threading.Event) -> None:
        cursor: Cursor | None = None
        try:
            while True:
                last_look = ended.is_set()
                found = self.download_messages(cursor, params) if self.messages_are_readable(params) else None
                if found is not None:
                    cursor, text = found
                    for line in text.splitlines():
                        take_line(line, handler, "the stored messages")
                elif last_look:
                    return
                else:
                    ended.wait(self.interval)
        except Exception:  # noqa: BLE001 reason: a thread has nobody to raise to; the handler tells it
            handler.report_pipes_framework_exception(f"{type(self).__name__}", sys.exc_info())

    def _read_logs(self, handler: PipesMessageHandler, params: PipesParams, ended: threading.Event) -> None:
        """Starts each log reader as soon as there is something to read, and stops them all in the end."""
        started: list[PipesLogReader] = []
        deadline: float | None = None
        try:
            while True:
                waiting = [each for each in self.log_readers if each not in started]
                for each in [each for each in waiting if each.target_is_readable(params)]:
                    each.start(params, ended)
                    started.append(each)
                if ended.is_set():
                    deadline = deadline or time.monotonic() + min(_LAST_LOOK, self.interval * 2)
                    done = all(each in started and not each.is_running() for each in self.log_readers)
                    if done or time.monotonic() > deadline:
                        return
                time.sleep(min(self.interval, _FILE_INTERVAL)) if ended.is_set() else ended.wait(self.interval)
        except Exception:  # noqa: BLE001 reason: as above
            handler.report_pipes_framework_exception("a log reader", sys.exc_info())
        finally:
            for each in started:
                if each.is_running():
                    each.stop()


class PipesBlobStoreMessageReader(PipesThreadedMessageReader[int]):
    """Reads messages from numbered chunks in a store: 1, 2, 3 and so on.

    Args:
        interval: seconds between two looks.
        log_readers: what reads what the process prints besides.
    """

    def __init__(self, interval: float = 10, log_readers: Sequence[PipesLogReader] | None = None) -> None:
        super().__init__(interval=interval, log_readers=log_readers)
        self.counter = 1

    @abc.abstractmethod
    def download_messages_chunk(self, index: int, params: PipesParams) -> str | None:
        """The chunk of a number, as lines; None while it is not there."""

    def messages_are_readable(self, params: PipesParams) -> bool:
        """There is always a place: a chunk that is not there yet is none."""
        del params
        return True

    def download_messages(self, cursor: int | None, params: PipesParams) -> tuple[int, str] | None:
        """The next chunk, and its number."""
        index = self.counter if cursor is None else cursor + 1
        chunk = self.download_messages_chunk(index, params)
        if chunk is None:
            return None
        self.counter = index + 1
        return index, chunk


class PipesCompositeMessageReader(PipesMessageReader):
    """Reads messages with several readers.

    Args:
        readers: one for each process.

    Raises:
        InvariantViolationError: none, or one that reads several processes itself.
    """

    def __init__(self, readers: Sequence[PipesMessageReader]) -> None:
        if not readers:
            raise InvariantViolationError("PipesCompositeMessageReader requires at least one reader.")
        if any(each.expected_writer_count != 1 for each in readers):
            raise InvariantViolationError(
                "PipesCompositeMessageReader must be given single-writer readers, not composite ones."
            )
        self._readers = list(readers)

    @property
    def expected_writer_count(self) -> int:
        """How many processes write messages."""
        return len(self._readers)

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Generator[PipesParams]:
        """Reads with all readers; yields what each process must know."""
        with ExitStack() as stack:
            found = [stack.enter_context(each.read_messages(handler)) for each in self._readers]
            yield {COMPOSITE_WRITERS_KEY: found} if len(found) > 1 else found[0]

    def on_opened(self, opened_payload: PipesOpenedData) -> None:
        """Tells every reader."""
        for each in self._readers:
            each.on_opened(opened_payload)

    def on_launched(self, launched_payload: PipesLaunchedData) -> None:
        """Tells every reader."""
        for each in self._readers:
            each.on_launched(launched_payload)

    def no_messages_debug_text(self) -> str:
        """How messages were read."""
        return "\n".join(each.no_messages_debug_text() for each in self._readers)
