"""The storage that execution and the user's `Instance` see, as small protocols.

Only plain values cross them, so that an implementation may sit behind a network. Times are seconds since 1970, UTC.
Everything that one call writes is one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from segue.model.backfill import Backfill
from segue.model.checks import AssetCheckEvaluation
from segue.model.claim_stores import ClaimStore, GateStore
from segue.model.claims import ClaimRequest
from segue.model.event import Event, EventType
from segue.model.event_log import EventLogRecord
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.lease import Fence, Lease
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.run import PlannedRun, Run
from segue.model.run_records import RunOrder, RunRecord, RunsFilter


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events; None means any.

    Attributes:
        run_id, asset_key, types, partitions: what they are about.
        after, before: exclusive bounds on the storage id.
        after_timestamp, before_timestamp: exclusive bounds on the time, in seconds since 1970, UTC.
        storage_ids: only these.
        job_names: only of runs of these jobs.
        ascending: oldest first.
        settled: only up to where no event can appear any more. Whoever follows the log by storage id asks so, or misses
            what another process commits late.
    """

    run_id: str | None = None
    asset_key: AssetKey | None = None
    types: tuple[EventType, ...] | None = None
    partitions: tuple[str, ...] | None = None
    after: int | None = None
    before: int | None = None
    after_timestamp: float | None = None
    before_timestamp: float | None = None
    storage_ids: tuple[int, ...] | None = None
    job_names: tuple[str, ...] | None = None
    ascending: bool = True
    settled: bool = False


class AssetState(msgspec.Struct, frozen=True):
    """How an asset was made last."""

    key: AssetKey
    storage_id: int
    run_id: str | None
    timestamp: float
    materialization: AssetMaterialization


class ObservationState(msgspec.Struct, frozen=True):
    """The latest observation of an asset."""

    key: AssetKey
    storage_id: int
    run_id: str | None
    timestamp: float
    observation: AssetObservation


class PartitionState(msgspec.Struct, frozen=True):
    """How one partition of an asset was made last."""

    partition: str
    storage_id: int
    run_id: str | None
    timestamp: float
    data_version: str | None = None


class CheckState(msgspec.Struct, frozen=True):
    """The latest result of a check."""

    key: AssetCheckKey
    storage_id: int
    run_id: str | None
    timestamp: float
    evaluation: AssetCheckEvaluation


class RunStore(Protocol):
    """What executing runs needs.

    Attributes:
        lease_seconds: for how long a worker may be silent before it is given up, with its runs; None where the operating
            system says whether a worker lives.
    """

    @property
    def lease_seconds(self) -> float | None: ...

    def create_run(self, run: Run, plan: bytes, manifest: bytes, events: Sequence[Event]) -> None:
        """Records a run with its plan, the manifest it was planned from (both by content hash) and its first events.

        A run that something else planned has neither: both are empty then, and so are the hashes.

        Raises:
            InvariantViolationError: a run with this id exists.
            StorageUnavailableError: the store cannot be written.
        """
        ...

    def start_run(
        self,
        run_id: str,
        events: Sequence[Event] = (),
        request: ClaimRequest | None = None,
        planned: PlannedRun | None = None,
    ) -> int:
        """Makes this worker the one that executes a run, gives the run what it claims, and records events, in one
        transaction.

        Args:
            run_id: the run.
            events: what is to be recorded with it.
            request: what the run claims.
            planned: how a run was planned that was recorded without a plan, and that nobody has begun to execute before.

        Returns:
            The fencing token of the lease: greater than that of any lease given before.

        Raises:
            RunNotFoundError: run not found.
            LeaseLostError: a living worker has it already, this one included, or one has had it that is to be planned.
            InvariantViolationError: it has ended, or the hash of a plan or manifest is that of another content.
            ResourceBusyError: others hold what it claims, or came before it; nothing is written.
        """
        ...

    def append(self, events: Sequence[Event], fence: Fence | None = None) -> int:
        """Records events and, in the same transaction, the run, asset, partition and check state that follow from them.

        Args:
            events: what happened.
            fence: the lease under which it happened. Without one, nothing can be said of the steps of a run that a worker
                has leased and that has not ended, log lines excepted.

        Returns:
            The storage id that the last of them got.

        Raises:
            LeaseLostError: the lease is another's, or has run out, or its run has ended; nothing is written.
            InvariantViolationError: an event would take a run where it may not go (`status_after`); nothing is written.
            StorageUnavailableError: the store cannot be written; nothing is written.
        """
        ...

    def require_lease(self, fence: Fence) -> None:
        """Makes sure that a lease holds, before what it protects is changed outside of the store.

        Raises:
            LeaseLostError: it is another's, or has run out, or its run has ended.
        """
        ...

    def take_over(self, run_id: str, events: Sequence[Event] = ()) -> int:
        """Takes a run from a worker that is gone and records events (how it ended), in one transaction. From then on that
        worker, should it only have stood still, can write nothing; the run goes on naming it.

        Returns:
            The new fencing token.

        Raises:
            RunNotFoundError: run not found.
            LeaseLostError: its worker lives.
            InvariantViolationError: it has ended.
        """
        ...

    def give_up(self, run_id: str) -> None:
        """Says that this worker, which lives on, does not execute a run any more, whose end could not be recorded: for this
        process the run is from now on one whose worker is gone.
        """
        ...

    def get_run(self, run_id: str) -> Run | None:
        """The run, or None."""
        ...

    def get_plan(self, plan_hash: str) -> bytes | None:
        """The plan stored under this content hash, or None."""
        ...

    def worker(self) -> str:
        """The name of this process as a worker; from the first call until it exits, others see that it lives."""
        ...

    def unfinished_runs(self) -> Sequence[tuple[Run, bool]]:
        """The runs that a worker has taken and that have not ended, each with whether that worker lives.

        A run without any worker, whose start was reported from outside, is not among them: nobody here can tell.
        """
        ...

    def close(self) -> None:
        """Gives back what the store holds; a closed store opens again on use."""
        ...


class LeaseStore(Protocol):
    """Leases apart from those of whole runs: of single attempts of steps, for processes that execute nothing else of the
    run, and by name, for what only one process may do at a time.
    """

    def open_step(self, fence: Fence, step_key: str, attempt: int, events: Sequence[Event] = ()) -> Fence:
        """Leases an attempt of a step to the process that is about to execute it, and records events, in one transaction.

        Under the fence that this gives, `RunStore.append` takes events of that step, up to the batch with the success, the
        failure or the retry of the attempt; that batch is the last one. It falls with the lease of the run.

        Args:
            fence: the lease of the run.
            step_key, attempt: which attempt.
            events: of the run.

        Raises:
            LeaseLostError: the run is another's.
            InvariantViolationError: an attempt of this step is open.
        """
        ...

    def revoke_step(self, fence: Fence) -> bool:
        """Ends the lease of an attempt, whose process is gone or is not wanted any more: it can write nothing after.

        Returns:
            Whether it was open. Where not, the process recorded the end of its attempt first (or the run is another's).
        """
        ...

    def acquire_lease(self, name: str, seconds: float) -> int | None:
        """Takes a lease by name for this worker.

        Args:
            name: what is to be done by one worker at a time.
            seconds: for how long it holds without being renewed; where the operating system says whether a worker lives,
                it holds as long as this process lives.

        Returns:
            The fencing token, greater than any given before; None where a worker has it, this one included.
        """
        ...

    def renew_lease(self, name: str, token: int, seconds: float) -> bool:
        """Has it hold for so many seconds from now; gives back whether it was still there."""
        ...

    def release_lease(self, name: str, token: int) -> bool:
        """Gives it back; says whether it was still there."""
        ...

    def leases(self) -> Sequence[Lease]:
        """All leases by name, sorted by name."""
        ...

    def end_stalled_writers(self) -> None:
        """Ends what keeps others from writing since its process has stood still, in the middle of a write, for longer than a
        lease: stopped by a signal or a debugger. It is for a thread that does nothing else, as any other may be among those
        who wait.
        """
        ...

    def supervise(self) -> str | None:
        """Makes this worker one that starts processes for runs, which end with it at the latest.

        Returns:
            What such a process opens the store with, so that it counts as living while this worker does, and nothing has to
            be recorded of it; None where each process shows by itself whether it lives.
        """
        ...

    def wait_for_exit(self, seconds: float) -> None:
        """Returns when a worker that has a run or a lease may be gone, at the latest after so many seconds."""
        ...


class RunHistory(Protocol):
    """What can be asked of runs, and how they are marked and removed."""

    def list_runs(self, which: RunsFilter, limit: int | None, before: str | None) -> Sequence[Run]:
        """Runs, newest first; `before` is the run id to go on from.

        Raises:
            RunNotFoundError: there is no run `before`.
        """
        ...

    def run_records(
        self, which: RunsFilter, limit: int | None, behind: str | None, order: RunOrder, ascending: bool
    ) -> Sequence[RunRecord]:
        """Runs with their place in the store; `behind` is the run id to go on from.

        Raises:
            RunNotFoundError: there is no run `behind`.
        """
        ...

    def count_runs(self, which: RunsFilter) -> int:
        """How many runs there are."""
        ...

    def run_tag_keys(self) -> Sequence[str]:
        """The keys of the tags of all runs, sorted."""
        ...

    def run_tag_values(self, key: str, prefix: str, limit: int | None) -> Sequence[str]:
        """The values that runs have for a tag and that begin with a prefix, sorted."""
        ...

    def add_run_tags(self, run_id: str, tags: Mapping[str, str], timestamp: float) -> None:
        """Gives a run more tags; one that it has gets the new value.

        Raises:
            RunNotFoundError: run not found.
        """
        ...

    def delete_run(self, run_id: str) -> None:
        """Removes a run with its tags and its events; the state of assets stays. Nothing happens where there is none."""
        ...


class StateStore(Protocol):
    """What can be asked of the recorded state, and how it is removed."""

    def events(self, which: EventFilter, limit: int | None) -> Sequence[EventLogRecord]:
        """Events in order of the log."""
        ...

    def asset_states(self, keys: Sequence[AssetKey] | None) -> Mapping[AssetKey, AssetState]:
        """The latest materializations; None asks for all assets that have one."""
        ...

    def observation_states(self, keys: Sequence[AssetKey] | None) -> Mapping[AssetKey, ObservationState]:
        """The latest observations; None asks for all assets that have one."""
        ...

    def partition_states(self, key: AssetKey) -> Mapping[str, PartitionState]:
        """The materialized partitions of an asset."""
        ...

    def check_states(self, keys: Sequence[AssetCheckKey] | None) -> Mapping[AssetCheckKey, CheckState]:
        """The latest results of checks; None asks for all."""
        ...

    def condition_cursors(self, location: str, sensor: str) -> Mapping[str, str]:
        """What a sensor over automation conditions remembers of its targets, by their key as text: JSON."""
        ...

    def active_backfills(self) -> Sequence[Backfill]:
        """The backfills that will ask for more runs: those that have not ended and are not being canceled, oldest first."""
        ...

    def wipe(self, key: AssetKey, partitions: Sequence[str] | None, timestamp: float) -> None:
        """Removes the recorded state of an asset (or of some partitions) and records that; its past events stay."""
        ...


class DynamicPartitionStore(Protocol):
    """The keys of dynamic partitions, by the name of their definition."""

    def dynamic_partitions(self, name: str) -> Sequence[str]:
        """The keys, in the order in which they were added; none for a name that nothing was added under."""
        ...

    def has_dynamic_partition(self, name: str, partition: str) -> bool:
        """Whether a key was added."""
        ...

    def change_dynamic_partitions(self, name: str, add: Sequence[str], delete: Sequence[str], timestamp: float) -> None:
        """Adds keys, those that are there keeping their place, and then removes keys, those that are not there passed over."""
        ...


class Store(RunStore, LeaseStore, RunHistory, StateStore, DynamicPartitionStore, ClaimStore, GateStore, Protocol):
    """All of it, as one database gives it."""
