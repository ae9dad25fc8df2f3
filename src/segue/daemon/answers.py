"""What schedules and sensors were asked and have answered, between the threads that answer and the loop that writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec

from segue.errors import SegueError, StorageError
from segue.model.control_stores import InstigatorStore, LoopLease
from segue.model.event import ErrorInfo
from segue.model.tick_record import CommittedTick, TickCommit, TickStatus


class Answers:
    """Answers that wait to be written.

    Args:
        wake: called, in any thread, when one has come.
    """

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._commits: list[TickCommit] = []

    def add(self, commit: TickCommit) -> None:
        """Keeps what an answer comes to."""
        with self._lock:
            self._commits.append(commit)
        self._wake()

    def take(self) -> list[TickCommit]:
        """Those that have come since."""
        with self._lock:
            commits, self._commits = self._commits, []
        return commits


def write_ticks(
    control: InstigatorStore, commits: Sequence[TickCommit], lease: LoopLease | None
) -> Sequence[CommittedTick]:
    """Writes ticks; where one cannot be, it is a failed one, and the others are written all the same.

    Raises:
        StorageError: the store cannot be written, or the lease is lost.
    """
    if not commits:
        return []
    try:
        return control.commit_ticks(commits, lease)
    except StorageError:
        raise
    except SegueError:
        return [_write_one(control, commit, lease) for commit in commits]


def _write_one(control: InstigatorStore, commit: TickCommit, lease: LoopLease | None) -> CommittedTick:
    try:
        (done,) = control.commit_ticks([commit], lease)
    except StorageError:
        raise
    except SegueError as error:
        failed = msgspec.structs.replace(
            commit.tick,
            status=TickStatus.FAILURE,
            error=ErrorInfo(str(error), type(error).__name__),
            skip_reason=None,
            payloads=(),
        )
        (done,) = control.commit_ticks([TickCommit(tick=failed)], lease)
    return done
