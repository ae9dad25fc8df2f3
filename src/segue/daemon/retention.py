"""Retention: what is too old is removed, a little in each round, so that nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from segue.daemon.loop import Turn
from segue.model.control_stores import ControlStore
from segue.model.retention import KeptArtifacts, RetentionStore
from segue.model.retention import Retention as Policy
from segue.output_copies import CopiesOfRuns
from segue.retention import Removed, prune

EVERY_SECONDS = 3_600.0
ROUND_SECONDS = 0.5
_TRY_AGAIN_SECONDS = 60.0


class Retention:
    """The loop that prunes: once in an hour all that became too old, in rounds that are short against the lease.

    Args:
        store: what is pruned.
        control: where backfills stand.
        policy: for how long what is kept.
        output_folder: where the output of steps is kept; None where that is no folder of this machine.
        artifacts: what is kept beside the log; None where it stays for ever.
        output_copies: where the output of steps is copied; None for nowhere.
    """

    def __init__(
        self,
        store: RetentionStore,
        control: ControlStore,
        policy: Policy,
        output_folder: Path | None = None,
        artifacts: KeptArtifacts | None = None,
        output_copies: CopiesOfRuns | None = None,
    ) -> None:
        self._store = store
        self._control = control
        self._policy = policy
        self._output_folder = output_folder
        self._artifacts = artifacts
        self._output_copies = output_copies
        self._under_way: Iterator[Removed] | None = None
        self._due = 0.0
        self.removed = Removed()

    def round(self, turn: Turn) -> float | None:
        """Removes for half a second and rests as long; says when to go on. `removed` is what it has removed so far."""
        if self._under_way is None:
            if turn.now < self._due:
                return self._due
            self._under_way = prune(
                self._store,
                self._control,
                self._policy,
                turn.now,
                output_folder=self._output_folder,
                artifacts=self._artifacts,
                output_copies=self._output_copies,
            )
        started = time.monotonic()
        try:
            for removed in self._under_way:
                self.removed = self.removed.plus(removed)
                if time.monotonic() - started > ROUND_SECONDS:
                    return turn.now + 2 * ROUND_SECONDS
                time.sleep(removed.seconds)  # half of the time is for others
        except BaseException:
            self._under_way, self._due = None, turn.now + _TRY_AGAIN_SECONDS
            raise
        self._under_way, self._due = None, turn.now + EVERY_SECONDS
        return self._due
