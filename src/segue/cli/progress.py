"""How a run is watched while it goes: plain lines, or on a terminal the same with the running steps below them.

Nothing here may end a run: when nobody reads the output any more, the run goes on in silence.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from segue.cli.documents import duration_of, error_document, status_of
from segue.cli.metadata import one_line
from segue.cli.output import count, duration, is_terminal, styled
from segue.cli.streams import write
from segue.model.event import (
    AssetCheckEvaluationData,
    Event,
    LogMessageData,
    ResourceInitFailureData,
    RunStartData,
    StepFailureData,
    StepMaterializationData,
    StepRestartedData,
    StepRetryData,
    StepSkippedData,
    StepStartData,
    StepSuccessData,
)
from segue.model.run import Run

if TYPE_CHECKING:
    from rich.text import Text

LIVE_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
SECONDS_PER_FRAME = 0.1


class Watcher:
    """Prints what happens.

    Args:
        total: how many runs there will be.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.number = 0

    def announce(self, what: str) -> None:
        """Another run is about to begin."""
        self.number += 1
        if self.total > 1:
            self.say(click.style(f"[{self.number}/{self.total}] {what}", bold=True))

    def event(self, event: Event) -> None:
        """Something happened in the run."""
        lines = lines_of(event)
        if lines:
            self.say("\n".join(lines))

    def ended(self, run: Run) -> None:
        """The run came to its end."""
        took = duration(duration_of(run))
        self.say(f"run {run.run_id}: {styled(status_of(run))}{' in ' + took if took else ''}")

    def say(self, text: str) -> None:
        """Prints lines at once; when nobody reads any more, they go nowhere."""
        write(sys.stdout, f"{text if sys.stdout.isatty() else click.unstyle(text)}\n")


class SilentWatcher(Watcher):
    """Prints nothing: the document at the end says it all."""

    def say(self, text: str) -> None:
        """Nothing is printed."""


class LiveWatcher(Watcher):
    """Prints lines, and keeps the running steps with their elapsed time in view below them."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(total)
        self.running: dict[str, float] = {}
        self.lock = threading.RLock()
        self.console = Console(highlight=False)
        self.live = Live(console=self.console, auto_refresh=False, transient=True, get_renderable=self.status)

    def event(self, event: Event) -> None:
        """Something happened in the run: the steps in view change, and lines may be printed."""
        key = event.step_key
        with self.lock:
            if key is not None and isinstance(event.payload, (StepStartData, StepRestartedData)):
                self.running[key] = time.monotonic()
            elif key is not None and isinstance(event.payload, (StepSuccessData, StepFailureData, StepRetryData)):
                self.running.pop(key, None)
            if not isinstance(event.payload, StepStartData):
                super().event(event)

    def ended(self, run: Run) -> None:
        """The run came to its end; nothing of it runs any more."""
        with self.lock:
            self.running.clear()
            super().ended(run)

    def say(self, text: str) -> None:
        """Prints lines above the running steps."""
        from rich.text import Text

        with self.lock:
            self.console.print(Text.from_ansi(text), soft_wrap=True)

    def status(self) -> Text:
        """The lines that are in view below the others."""
        from rich.text import Text

        now = time.monotonic()
        frame = LIVE_FRAMES[int(now / SECONDS_PER_FRAME) % len(LIVE_FRAMES)]
        shown = [f"{frame} {key}  {duration(now - since)}" for key, since in list(self.running.items())[:8]]
        if len(self.running) > 8:
            shown.append(f"  and {count(len(self.running) - 8, 'more step')}")
        if self.total > 1:
            shown.append(f"  run {self.number} of {self.total}")
        return Text("\n".join(shown))


@contextmanager
def watching(total: int, *, silent: bool) -> Generator[Watcher]:
    """The watcher that fits what standard output is, for so many runs."""
    # Log lines are shown from the run's events; without a handler, logging would print warnings a second time.
    logging.getLogger("segue").addHandler(logging.NullHandler())
    if silent:
        yield SilentWatcher(total)
    elif is_terminal():
        watcher = LiveWatcher(total)
        with _refreshed(watcher):
            yield watcher
    else:
        yield Watcher(total)


def lines_of(event: Event) -> list[str]:
    """What there is to say of an event, as lines; most events have nothing to say."""
    payload, step = event.payload, event.step_key or ""
    match payload:
        case RunStartData():
            return [f"run {event.run_id}: started"]
        case StepStartData():
            return [f"{step}: started"]
        case StepRestartedData():
            return [f"{step}: attempt {payload.attempt} started"]
        case StepRetryData():
            cause = f" ({payload.error.message.strip()})" if payload.error else ""
            wait = f" in {duration(payload.seconds_to_wait)}" if payload.seconds_to_wait else ""
            return [f"{step}: attempt {payload.attempt} failed{cause}, retrying{wait}"]
        case StepSuccessData():
            return [f"{step}: {styled('succeeded')} in {duration(payload.duration_ms / 1000)}"]
        case StepSkippedData():
            return [f"{step}: skipped. {payload.reason}".rstrip()]
        case StepFailureData():
            error = error_document(payload.raised)
            assert error is not None  # a failure has an error
            return [f"{step}: {styled('failed')}", *(f"  {line}" for line in error.traceback.rstrip().splitlines())]
        case ResourceInitFailureData():
            names = ", ".join(payload.resource_keys)
            trace = payload.error.to_string().rstrip().splitlines()
            return [f"resources {names}: {styled('failed')}", *(f"  {line}" for line in trace)]
        case StepMaterializationData():
            return [f"{step}: materialized {_made(payload)}"]
        case AssetCheckEvaluationData():
            return [f"{step}: check {_found(payload)}"]
        case LogMessageData() if payload.level >= logging.INFO:
            level = logging.getLevelName(payload.level)
            trace = [] if payload.error is None else payload.error.to_string().rstrip().splitlines()
            return [f"{step + ': ' if step else ''}{level} {payload.message}", *(f"  {line}" for line in trace)]
        case _:
            return []


def _made(payload: StepMaterializationData) -> str:
    made = payload.materialization
    partition = f" [{made.partition}]" if made.partition is not None else ""
    facts = ", ".join(f"{name}={one_line(value)}" for name, value in made.metadata.items())
    return f"{made.asset_key.to_user_string()}{partition}{f' ({facts})' if facts else ''}"


def _found(payload: AssetCheckEvaluationData) -> str:
    found = payload.evaluation
    verdict = styled("passed") if found.passed else styled("warning" if found.severity.value == "WARN" else "failed")
    facts = ", ".join(f"{name}={one_line(value)}" for name, value in found.metadata.items())
    said = ". ".join(part for part in (found.description or "", facts) if part)
    return f"{found.asset_check_key.to_user_string()} {verdict}{f' ({said})' if said else ''}"


@contextmanager
def _refreshed(watcher: LiveWatcher) -> Generator[None]:
    """Redraws the running steps until the end, from a thread that is never in the middle of it when user code forks."""
    streams: tuple[TextIO, TextIO] = (sys.stdout, sys.stderr)
    over = threading.Event()

    def redraw() -> None:
        while not over.wait(SECONDS_PER_FRAME):
            with watcher.lock:
                watcher.live.refresh()

    def in_child() -> None:  # a forked child has no business with the display
        watcher.lock.release()
        if not over.is_set():
            sys.stdout, sys.stderr = streams

    def before_fork() -> None:
        watcher.lock.acquire()

    os.register_at_fork(before=before_fork, after_in_parent=watcher.lock.release, after_in_child=in_child)
    thread = threading.Thread(target=redraw, name="segue-progress", daemon=True)
    with watcher.live:
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
