"""One zygote of a code location together with what it has started: a reload makes a new one beside it."""

from __future__ import annotations

import contextlib
import signal
import threading

from segue.errors import LocationUnavailableError
from segue.location.tick_processes import TickProcesses
from segue.location.zygote import Zygote
from segue.model.messages import ProcessEnded, ProcessStarted, Records, RunTask, encode_message

_SECONDS_TO_START = 30.0


class _Starting:
    """A process that was asked for and is not there yet."""

    def __init__(self) -> None:
        self.is_told = threading.Event()
        self.error: str | None = None


class Generation:
    """One zygote, its runs and its tick processes.

    Args:
        zygote: the zygote.
        ticks: its tick processes.
        records: where its processes find what is recorded; None where the location has its own.
    """

    def __init__(self, zygote: Zygote, ticks: TickProcesses, records: Records | None) -> None:
        self.zygote = zygote
        self.ticks = ticks
        self._records = records
        self._lock = threading.Lock()
        self._starting: dict[int, _Starting] = {}
        self._runs: dict[int, str] = {}
        self._is_closed = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing that it has started is at work."""
        return not self._runs and not self.ticks.is_busy

    @property
    def running(self) -> int:
        """How many runs it executes."""
        return len(self._runs)

    def launch(self, run_id: str, supervisor: str | None) -> None:
        """Starts a process for a run, and waits until it is there.

        Where the zygote is on another machine and nothing is heard of the process, it may be there or not: that is not told as
        a failure, since it may have begun to work. A run that nobody takes up is launched again.

        Args:
            run_id: the run.
            supervisor: the worker that this is, where its lease stands for such processes. It stands for none on another
                machine, which goes on without it.

        Raises:
            LocationUnavailableError: it could not be started.
        """
        starting, number = _Starting(), self.zygote.next_number()
        is_supervised = self.zygote.owner.ends_with_channel
        task = RunTask(run_id=run_id, records=self._records, supervisor=supervisor if is_supervised else None)
        with self._lock:
            if self._is_closed:
                raise LocationUnavailableError("The process of the code location is gone.")
            self._starting[number] = starting
            self._runs[number] = run_id
        try:
            self.zygote.start_run(number, encode_message(task))
            if not starting.is_told.wait(_SECONDS_TO_START) and self.zygote.owner.ends_with_channel:
                self.zygote.signal(number, signal.SIGKILL, to_group=True)
                raise LocationUnavailableError(f"No process was started within {_SECONDS_TO_START:g} seconds.")
        except BaseException:
            with self._lock:
                self._runs.pop(number, None)
            raise
        if starting.error is not None:
            raise LocationUnavailableError(starting.error)

    def started(self, message: ProcessStarted) -> None:
        """Takes note that a process is there, or could not be started."""
        with self._lock:
            starting = self._starting.pop(message.number, None)
            if message.error is not None:
                self._runs.pop(message.number, None)
        if starting is not None:
            starting.error = message.error
            starting.is_told.set()
        elif message.error is not None:
            self.ticks.ended(message.number, f"could not be started: {message.error}")

    def ended(self, message: ProcessEnded) -> str | None:
        """Takes note that a process has ended; gives back the run that it executed."""
        self.ticks.ended(message.number, how_it_ended(message.exit_code))
        with self._lock:
            return self._runs.pop(message.number, None)

    def stop_runs(self) -> None:
        """Asks each run to end as Ctrl-C does."""
        with self._lock:
            numbers = list(self._runs)
        for number in numbers:
            self.zygote.signal(number, signal.SIGINT)

    def close(self, why: str) -> list[str]:
        """Ends what waits with an error; gives back the runs that go with the zygote."""
        with self._lock:
            self._is_closed = True
            starting, self._starting = list(self._starting.values()), {}
            runs, self._runs = list(self._runs.values()), {}
        for each in starting:
            each.error = why if self.zygote.owner.ends_with_channel else None
            each.is_told.set()
        self.ticks.close(why)
        return runs if self.zygote.owner.ends_with_channel else []  # their leases show that they go on


def how_it_ended(exit_code: int) -> str:
    """`was killed by SIGSEGV`, `ended with exit code 3`."""
    if exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
