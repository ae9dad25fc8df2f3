"""The processes of a code location that answer for schedules and sensors: a few, long-lived, one question at a time each."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections import deque
from collections.abc import Callable

import msgspec

from segue.channel import ChannelClosedError, Inbox, send
from segue.errors import LocationUnavailableError
from segue.location.zygote import Zygote
from segue.model.error_info import ErrorInfo
from segue.model.messages import AskOpaque, AskTick, FromTicks, Records, TicksTask, decode_answer, encode_message

MOST_AT_ONCE = 16
KEPT_IDLE = 2
ANSWERS_PER_PROCESS = 1_000
GROWTH_ALLOWED = 256 << 20  # bytes


class Asked(msgspec.Struct, frozen=True):
    """What is asked, and whom the answer goes to, or why there is none."""

    message: AskTick | AskOpaque
    timeout: float
    answered: Callable[[FromTicks], None]
    failed: Callable[[ErrorInfo], None]

    @property
    def subject(self) -> str | None:
        """What its process may keep something in memory for: the schedule or sensor."""
        return self.message.task.name if isinstance(self.message, AskTick) else None


class TickProcess:
    """One process that answers.

    Args:
        number: its number with the zygote.
        channel: the socket to it.
    """

    def __init__(self, number: int, channel: socket.socket) -> None:
        self.number = number
        self.channel = channel
        self.inbox = Inbox(channel)
        self.question: Asked | None = None
        self.subjects: set[str | None] = set()
        self.memory = 0
        self.deadline = 0.0
        self.answers = 0
        self.first_memory = 0

    def ask(self, question: Asked) -> None:
        self.question = question
        self.subjects.add(question.subject)
        self.deadline = time.monotonic() + question.timeout
        # It died, of which the zygote tells; or it reads nothing, and is killed when its time is over.
        with contextlib.suppress(ChannelClosedError, BlockingIOError):
            send(self.channel, encode_message(question.message))

    def is_worn_out(self, memory: int) -> bool:
        """Whether it has answered often enough, or has grown too much, to be replaced."""
        self.answers += 1
        self.memory = memory
        self.first_memory = self.first_memory or memory
        return self.answers >= ANSWERS_PER_PROCESS or memory > self.first_memory + GROWTH_ALLOWED


class TickProcesses:
    """The tick processes of one zygote. All methods are called in the thread of the location.

    Args:
        zygote: starts them.
        records: where they find what is recorded; None where the location has its own.
        watch: called with each new process, whose channel is then to be watched.
        unwatch: called with one whose channel closes.
    """

    def __init__(
        self,
        zygote: Zygote,
        records: Records | None,
        watch: Callable[[TickProcess], None],
        unwatch: Callable[[TickProcess], None],
    ) -> None:
        self._zygote = zygote
        self._task = encode_message(TicksTask(records=records))
        self._watch = watch
        self._unwatch = unwatch
        self._processes: dict[int, TickProcess] = {}
        self._idle: list[TickProcess] = []
        self._waiting: deque[Asked] = deque()

    @property
    def is_busy(self) -> bool:
        """Whether anything is asked and not answered."""
        return bool(self._waiting) or any(each.question is not None for each in self._processes.values())

    def ask(self, question: Asked) -> None:
        """Asks, now or as soon as a process is free."""
        self._waiting.append(question)
        self._give_out()

    def _give_out(self) -> None:
        while self._waiting:
            if not self._idle and len(self._processes) >= MOST_AT_ONCE:
                return
            question = self._waiting.popleft()
            try:
                process = self._free(question) or self._start()
            except (LocationUnavailableError, OSError) as error:
                question.failed(ErrorInfo(str(error), type(error).__name__))
                continue
            process.ask(question)

    def _free(self, question: Asked) -> TickProcess | None:
        """A process that waits for a question: one that has answered for the same before, and may remember, if it is there."""
        process = next((each for each in self._idle if question.subject in each.subjects), None)
        process = process or min(self._idle, key=lambda each: each.memory, default=None)
        if process is not None:
            self._idle.remove(process)
        return process

    def _start(self) -> TickProcess:
        number = self._zygote.next_number()
        process = TickProcess(number, self._zygote.start_ticks(number, self._task))
        self._processes[number] = process
        self._watch(process)
        return process

    def hear(self, process: TickProcess) -> None:
        """Takes the answer of a process; called when its channel can be read."""
        if process.number not in self._processes:
            return  # it was let go while others were heard
        for data in process.inbox.messages():
            said: FromTicks = decode_answer.decode(data)
            question, process.question = process.question, None
            if process.is_worn_out(said.memory):
                self._let_go(process)
            else:
                self._idle.append(process)
            if len(self._idle) > KEPT_IDLE:
                self._let_go(min(self._idle, key=lambda each: each.memory))  # the one that remembers least
            if question is not None:
                question.answered(said)
        if process.inbox.is_closed and process.number in self._processes:
            self._unwatch(process)  # how it ended is told by the zygote
        self._give_out()

    def ended(self, number: int, how: str) -> bool:
        """Takes note that a process has ended; False where it was none of these."""
        process = self._processes.get(number)
        if process is None:
            return False
        self._let_go(process)
        self._fail(process, ErrorInfo(f"The tick process {how}.", "ProcessEnded"))
        self._give_out()
        return True

    def expire(self, now: float) -> float | None:
        """Kills what has thought for too long; gives back when the next will have, on the monotonic clock."""
        for process in list(self._processes.values()):
            question = process.question
            if question is not None and process.deadline <= now:
                self._zygote.signal(process.number, signal.SIGKILL, to_group=True)
                self._let_go(process)
                message = f"No answer within {question.timeout:g} seconds: the process was killed."
                self._fail(process, ErrorInfo(message, "TimeoutError"))
        self._give_out()
        return min((each.deadline for each in self._processes.values() if each.question is not None), default=None)

    def close(self, why: str) -> None:
        """Answers all that is open with an error, and lets every process go."""
        for process in list(self._processes.values()):
            self._let_go(process)
            self._fail(process, ErrorInfo(why, "LocationUnavailableError"))
        while self._waiting:
            self._waiting.popleft().failed(ErrorInfo(why, "LocationUnavailableError"))

    def _fail(self, process: TickProcess, error: ErrorInfo) -> None:
        question, process.question = process.question, None
        if question is not None:
            question.failed(error)

    def _let_go(self, process: TickProcess) -> None:
        """Closes the channel, on which the process ends."""
        self._processes.pop(process.number, None)
        if process in self._idle:
            self._idle.remove(process)
        self._unwatch(process)
        process.channel.close()
