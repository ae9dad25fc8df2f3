"""A loop of the control plane: rounds under a lease, woken by what happens and by what is due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from segue.errors import LeaseLostError, SegueError
from segue.model.control_stores import DeploymentStore, LoopLease
from segue.model.location import LoopState
from segue.model.stores import Store

LEASE_SECONDS = 4.0
_RENEW_SECONDS = 1.0
_STAND_BY_SECONDS = 0.5  # with the lease: how long nobody decides at most, which is to stay below five seconds
_TRY_AGAIN_SECONDS = 1.0
_TELL_SECONDS = 1.0
_BETWEEN_ROUNDS = 0.02  # at least, however often it is woken: what comes meanwhile is one round's work


class Turn(msgspec.Struct, frozen=True):
    """One round of a loop.

    Attributes:
        now: seconds since 1970, UTC.
        lease: under which it writes.
        up_since: since when this process has held the lease.
    """

    now: float
    lease: LoopLease
    up_since: float


Action = Callable[[Turn], float | None]
"""What a loop does in a round; gives back when the next is due at the latest, in seconds since 1970, or None."""


class Loop:
    """Goes round in a thread of its own, as long as it holds the lease `loop/NAME`; otherwise it waits for it.

    An action that raises is told of in the loop's state, and tried again; the loop itself ends only when it is stopped.

    Args:
        name: of the loop.
        store: where its lease is.
        control: where its state is.
        action: what it does.
        longest_pause: how long it rests at most between two rounds, in seconds.
    """

    def __init__(
        self, name: str, store: Store, control: DeploymentStore, action: Action, longest_pause: float = 1.0
    ) -> None:
        self.name = name
        self._store = store
        self._control = control
        self._action = action
        self._longest_pause = longest_pause
        self._woken = threading.Event()
        self._is_stopped = False
        self._lease: LoopLease | None = None
        self._up_since = 0.0
        self._renewed_at = 0.0
        self._told_at = -_TELL_SECONDS
        self._told_error: str | None = None
        self._last_error: str | None = None
        self._failed_at: float | None = None
        self._worst_lag = 0.0
        self._thread = threading.Thread(target=self._run, name=f"segue-{name}", daemon=True)

    def start(self) -> None:
        """Begins to go round."""
        self._thread.start()

    def wake(self) -> None:
        """Has the next round begin at once."""
        self._woken.set()

    def stop(self) -> None:
        """Ends after the round that is going on, and gives the lease back."""
        self._is_stopped = True
        self._woken.set()

    def join(self, timeout: float | None = None) -> None:
        """Waits for the end."""
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        due: float | None = None
        while not self._is_stopped:
            self._woken.clear()
            began = time.monotonic()
            due = self._round(due)
            pause = self._longest_pause if due is None else min(max(due - time.time(), 0.0), self._longest_pause)
            if self._woken.wait(pause) and not self._is_stopped:
                time.sleep(max(began + _BETWEEN_ROUNDS - time.monotonic(), 0.0))
        lease, self._lease = self._lease, None
        if lease is not None:
            with suppress(SegueError):  # the store is away: the lease ends by itself
                self._store.release_lease(lease.name, lease.token)

    def _round(self, due: float | None) -> float | None:
        """One round, if the lease can be had; gives back when the next is due."""
        now = time.time()
        error: str | None = None
        try:
            lease = self._held()
            if lease is None:
                return now + _STAND_BY_SECONDS
            following = self._action(Turn(now, lease, self._up_since))
        except LeaseLostError:
            self._lease = None
            return now
        except SegueError as raised:
            error, following = str(raised), now + _TRY_AGAIN_SECONDS
        except Exception as raised:  # noqa: BLE001 reason: a bug in one round must not end the loop; it is told in its state
            error, following = f"{type(raised).__name__}: {raised}", now + _TRY_AGAIN_SECONDS
        self._tell(now, 0.0 if due is None else max(now - due, 0.0), error)
        return following

    def _held(self) -> LoopLease | None:
        """The lease: renewed, or acquired anew."""
        name, clock = f"loop/{self.name}", time.monotonic()
        lease = self._lease
        if lease is not None:
            if clock - self._renewed_at < _RENEW_SECONDS:
                return lease
            if self._store.renew_lease(lease.name, lease.token, LEASE_SECONDS):
                self._renewed_at = clock
                return lease
        token = self._store.acquire_lease(name, LEASE_SECONDS)
        self._lease = None if token is None else LoopLease(name, token)
        self._renewed_at, self._up_since = clock, time.time()
        return self._lease

    def _tell(self, now: float, lag: float, error: str | None) -> None:
        """Writes how the loop does: once a second, and at once when that is news."""
        clock = time.monotonic()
        if error is not None:
            self._last_error, self._failed_at = error, now
        self._worst_lag = max(self._worst_lag, lag)
        if error == self._told_error and clock - self._told_at < _TELL_SECONDS:
            return
        lag, self._worst_lag, self._told_at, self._told_error = self._worst_lag, 0.0, clock, error
        try:
            self._control.put_loop(
                LoopState(
                    name=self.name,
                    holder=self._store.worker(),  # which is drawn from the store where this process has no name yet
                    heartbeat_at=now,
                    lag=lag,
                    error=error,
                    last_error=self._last_error,
                    failed_at=self._failed_at,
                )
            )
        except SegueError:
            # The store is away: the next round finds that out as well, and nobody could read this state.
            self._renewed_at = 0.0
