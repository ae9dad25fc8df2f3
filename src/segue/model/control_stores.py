"""The storage that the control plane sees besides runs and events, as small protocols.

Only plain values cross them. Times are seconds since 1970, UTC. Everything that one call writes is one transaction.
Whatever a loop writes it writes under its lease: with a `LoopLease` that another process has taken over meanwhile, a
write raises `LeaseLostError` and nothing is written.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from segue.model.backfill import Backfill, BackfillStatus
from segue.model.condition_record import ConditionEntry
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState, InstigatorStatus
from segue.model.location import LocationState, LoopState
from segue.model.payload import Payload
from segue.model.run import Run
from segue.model.tick_record import CommittedTick, TickCommit, TickEntry, TickStatus, WantedRun


class Durability(enum.Enum):
    """What survives a loss of power.

    FULL: what nobody could say again, such as ticks and payloads: the disk is waited for.
    NORMAL: what the system had written by then. The death of any process loses nothing.
    """

    FULL = "full"
    NORMAL = "normal"


class LoopLease(msgspec.Struct, frozen=True):
    """The lease of a loop: its name and the fencing token."""

    name: str
    token: int


class InstigatorStore(Protocol):
    """Schedules and sensors, and their ticks."""

    def instigator_states(self, location: str | None = None) -> Mapping[InstigatorId, InstigatorState]:
        """What is recorded, of one location or of all."""
        ...

    def instigator_state(self, which: InstigatorId) -> InstigatorState:
        """What is recorded of one; of one that is not on record, that it is as declared."""
        ...

    def switches(self, kind: InstigatorKind) -> str:
        """A text that is another one as soon as anyone has switched any of a kind on or off, or it was first seen running."""
        ...

    def set_instigator(self, which: InstigatorId, status: InstigatorStatus, timestamp: float) -> InstigatorState:
        """Switches a schedule or sensor; gives back how it stands then. One that is switched on goes on from `timestamp`."""
        ...

    def start_instigators(self, which: Sequence[InstigatorId], timestamp: float) -> None:
        """Writes that these were first seen running at a time; nothing changes for those that were before."""
        ...

    def set_cursor(self, which: InstigatorId, cursor: str | None) -> None:
        """Sets from where a sensor goes on."""
        ...

    def add_run_keys(self, which: InstigatorId, runs: Mapping[str, str]) -> int:
        """Has a sensor know what it asked for elsewhere: ids of runs by run key. Keys that it knows stay as they are; gives
        back how many were new.
        """
        ...

    def commit_ticks(self, commits: Sequence[TickCommit], lease: LoopLease | None = None) -> Sequence[CommittedTick]:
        """Records ticks with all they ask for, in order: one transaction for all of them.

        Raises:
            LeaseLostError: the lease is held by another process; nothing is written.
        """
        ...

    def ticks(
        self, which: InstigatorId, limit: int, before: int | None = None, statuses: Sequence[TickStatus] | None = None
    ) -> Sequence[TickEntry]:
        """Ticks, newest first; `before` is the number to go on from."""
        ...

    def delete_ticks(self, ended_before: float, statuses: Sequence[TickStatus], limit: int) -> int:
        """Removes at most `limit` old ticks; gives back how many. Run keys stay."""
        ...


class PayloadStore(Protocol):
    """What was sent to sensors and waits for the tick that takes it."""

    def send_payload(self, which: InstigatorId, text: str, timestamp: float) -> Payload:
        """Keeps a payload (`segue.model.payload.payload_text`) until a tick of a sensor has taken it; durable once this returns.

        Raises:
            InvalidInvocationError: as many wait for this sensor as may.
        """
        ...

    def payloads(self, which: InstigatorId, limit: int) -> Sequence[Payload]:
        """What waits for a sensor, the oldest first."""
        ...

    def sensors_with_payloads(self) -> Sequence[InstigatorId]:
        """The sensors for which anything waits."""
        ...

    def discard_payloads(self, which: InstigatorId, numbers: Sequence[int] | None = None) -> int:
        """Removes what waits for a sensor, all of it or that with these numbers; gives back how many that was."""
        ...


class QueueStore(Protocol):
    """Runs that wait to be launched."""

    def queued_runs(self, limit: int, after: tuple[int, int] | None = None) -> Sequence[tuple[int, int, Run]]:
        """Queued runs, the highest priority first, then in the order in which they came: (priority, number, run).

        Args:
            limit: how many at most.
            after: priority and number to go on from.
        """
        ...

    def enqueue(self, wanted: WantedRun) -> None:
        """Records a run that waits to be launched.

        Raises:
            InvariantViolationError: a run with this id exists.
            InvalidInvocationError: its priority (tag `dagster/priority`) is not a whole number.
        """
        ...

    def dequeue(self, run_ids: Sequence[str], timestamp: float, lease: LoopLease | None = None) -> Sequence[str]:
        """Takes runs out of the queue to be launched: those that are still queued become STARTING, and are given back.

        Raises:
            LeaseLostError: the lease is held by another process; nothing is written.
        """
        ...


class BackfillStore(Protocol):
    """Backfills."""

    def create_backfill(self, backfill: Backfill) -> None:
        """Records a new backfill.

        Raises:
            InvariantViolationError: one with this id exists.
        """
        ...

    def get_backfill(self, backfill_id: str) -> Backfill | None:
        """The backfill, or None."""
        ...

    def backfills(
        self, statuses: Sequence[BackfillStatus] | None, limit: int, before: str | None = None
    ) -> Sequence[Backfill]:
        """Backfills, newest first; `before` is the id to go on from."""
        ...

    def update_backfill(
        self, backfill: Backfill, was: Backfill, runs: Sequence[WantedRun] = (), lease: LoopLease | None = None
    ) -> bool:
        """Writes how a backfill stands, together with the runs it asks for; False (and nothing written) when what is
        recorded is not `was` any more, because someone paused or canceled it meanwhile.

        Raises:
            LeaseLostError: the lease is held by another process; nothing is written.
        """
        ...


class AutomationStore(Protocol):
    """What automation conditions said."""

    def condition_evaluations(self, key: str, limit: int, before: int | None = None) -> Sequence[ConditionEntry]:
        """Evaluations of the condition of a target, newest first, those only that said something else than the one before;
        `before` is the number to go on from.
        """
        ...


class DeploymentStore(Protocol):
    """Code locations and loops."""

    def location_states(self) -> Sequence[LocationState]:
        """The code locations, by name."""
        ...

    def put_location(self, state: LocationState, manifest: bytes | None = None) -> None:
        """Writes how a code location stands, with the manifest behind its hash when that is new."""
        ...

    def get_manifest(self, manifest_hash: str) -> bytes | None:
        """The definitions stored under a content hash, or None."""
        ...

    def remove_location(self, name: str) -> None:
        """Forgets a code location; its schedules and sensors stay on record."""
        ...

    def put_loop(self, state: LoopState) -> None:
        """Writes how a loop does."""
        ...

    def loop_states(self) -> Sequence[LoopState]:
        """The loops, by name."""
        ...


class ControlStore(
    InstigatorStore, PayloadStore, QueueStore, BackfillStore, AutomationStore, DeploymentStore, Protocol
):
    """All of it, as one database gives it."""
