"""Backfills: what has ended is taken in, and what can start is put in the queue, in one write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from segue.daemon.cancels import Cancels
from segue.daemon.ended_runs import EndedRuns
from segue.daemon.listed import listed
from segue.daemon.loop import Turn
from segue.daemon.pinned import PinnedGraphs
from segue.daemon.questions import Questions
from segue.decide.backfills.advance import BackfillRun, advance, next_at
from segue.decide.backfills.job import EndedJobRun, JobRun, advance_job
from segue.decide.backfills.pinned import changes_of, gone_assets, keys_of, require_answerable, stopped, warning_of
from segue.decide.requests import wanted_run
from segue.errors import InvalidSubsetError, LocationUnavailableError, SegueError, StorageError
from segue.location.base import CodeLocation, Locations
from segue.model.backfill import Backfill, BackfillStatus
from segue.model.control_stores import ControlStore
from segue.model.graph import AssetGraph
from segue.model.partitions.base import PartitionsDefinition
from segue.model.questions import UnansweredError, with_answers
from segue.model.run import FINISHED_STATUSES, FailureReason, Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import Store
from segue.model.tags import BACKFILL_ATTEMPT_TAG, BACKFILL_TAG, PARENT_RUN_ID_TAG, ROOT_RUN_ID_TAG
from segue.model.tick_record import WantedRun
from segue.model.tick_task import RequestedRun
from segue.storage.ids import new_id

OPEN = (BackfillStatus.REQUESTED, BackfillStatus.PAUSED, BackfillStatus.CANCELING)
UNFINISHED = tuple(status for status in RunStatus if status not in FINISHED_STATUSES)
AT_ONCE = 1_000


class _Code(msgspec.Struct, frozen=True):
    """The definitions that a round of a backfill goes by.

    Attributes:
        location: whose code executes its runs.
        manifest_hash: the definitions that are loaded.
        now: these definitions.
        then: those that the backfill began with, by which it is planned.
    """

    location: CodeLocation
    manifest_hash: str | None
    now: AssetGraph
    then: AssetGraph

    @property
    def is_other(self) -> bool:
        """Whether the definitions have changed."""
        return self.then is not self.now


class Backfills:
    """The loop over backfills.

    Args:
        store: runs and events.
        control: the backfills.
        locations: the code locations, for their definitions.

    Attributes:
        cancels: ends the runs of backfills that are canceled.
        questions: asks code locations what only they know.
        queued: called when there are new runs in the queue; whoever runs the loop sets it.
    """

    def __init__(self, store: Store, control: ControlStore, locations: Locations) -> None:
        self._store = store
        self._control = control
        self._locations = locations
        self._pinned = PinnedGraphs(control)
        self.cancels = Cancels(store)
        self.questions = Questions()
        self.queued: Callable[[], object] = lambda: None

    def round(self, turn: Turn) -> float | None:
        """Takes every open backfill one round further."""
        again = False
        due: list[float] = []
        backfills = self._control.backfills(OPEN, AT_ONCE)
        self._pinned.keep_only(backfills)
        for backfill in backfills:
            again |= self._advance(backfill, turn)
            following = next_at(backfill)
            if following is not None and following > turn.now:
                due.append(following)
        return turn.now if again else min(due, default=None)

    def _advance(self, backfill: Backfill, turn: Turn) -> bool:
        """One round of one backfill; whether it can go on at once."""
        code = self._code_of(backfill)
        now = datetime.fromtimestamp(turn.now, UTC)
        # Counted before the log is read: a run that ends in between is counted and read, never neither.
        open_runs = RunsFilter(statuses=UNFINISHED, tags={BACKFILL_TAG: backfill.backfill_id})
        unfinished = self._store.count_runs(open_runs)
        if backfill.status is BackfillStatus.CANCELING:
            self.cancels.cancel(run.run_id for run in self._store.list_runs(open_runs, None, None))
        if code is None:
            return self._written(_without_code(backfill, self._locations, unfinished), backfill, [], turn) is False
        found = EndedRuns(self._store).read(backfill)
        if found.is_behind:
            unfinished = max(unfinished, 1)  # one has ended that is not read yet
        try:
            after, runs = self._decide(backfill, code, found.runs, unfinished, now)
        except UnansweredError as error:
            self.questions.ask(code.location, error.question, turn.now)
            runs, after = [], backfill  # it goes on when the answer is there
        except StorageError:
            raise
        except SegueError as error:
            self.questions.forget_errors(code.location)
            runs, after = [], _without_plan(backfill, error, code, unfinished)
        else:
            after = msgspec.structs.replace(after, cursor=found.cursor)
        is_written = self._written(_with_code(after, backfill, code), backfill, runs, turn)
        return is_written is False or (is_written is True and (len(runs) == AT_ONCE or found.is_full))

    def _written(self, after: Backfill, before: Backfill, runs: Sequence[WantedRun], turn: Turn) -> bool | None:
        """Whether a round was written; None where nothing has changed."""
        if after.status.has_ended:
            after = msgspec.structs.replace(after, ended_at=turn.now)
        if after == before:
            return None
        after = msgspec.structs.replace(after, updated_at=turn.now)
        is_written = self._control.update_backfill(after, before, runs, turn.lease)
        if runs and is_written:
            self.queued()
        return is_written

    def _code_of(self, backfill: Backfill) -> _Code | None:
        """The definitions that a backfill goes by; None while its location has none."""
        location = self._locations.get(backfill.location)
        graph = None if location is None else location.graph
        if location is None or graph is None:
            return None
        loaded, pinned = location.state.manifest_hash, backfill.manifest_hash
        then = None if pinned in (None, loaded) else self._pinned.get(pinned)
        return _Code(location, loaded, graph, graph if then is None else then)

    def _decide(
        self, backfill: Backfill, code: _Code, ended: Sequence[Run], unfinished: int, now: datetime
    ) -> tuple[Backfill, list[WantedRun]]:
        """How a backfill stands after this round, and the runs it asks for."""
        if code.is_other:
            require_answerable(backfill, code.then, code.now)
        keys = keys_of(backfill, code.then)
        graph = with_answers(code.then, keys, self.questions.answers(code.location), now)
        if backfill.job_name is not None:
            definition = job_partitions(graph, backfill.job_name, self._store, now)
            is_gone = backfill.job_name not in code.now.jobs
            results = [_ended_job_run(run) for run in ended]
            step = advance_job(backfill, definition, results, unfinished, now, AT_ONCE, is_gone=is_gone)
            return step.backfill, [self._wanted_of_job(backfill, run, code, now) for run in step.runs]
        graph = listed(graph, keys, self._store, now)
        reader = EndedRuns(self._store)
        results = [reader.result(run, graph, now) for run in ended]
        gone = gone_assets(backfill, code.now)
        round_ = advance(backfill, graph, results, unfinished, now, AT_ONCE, gone)
        return round_.backfill, [self._wanted(backfill, run, code, now) for run in round_.runs]

    def _wanted(self, backfill: Backfill, run: BackfillRun, code: _Code, now: datetime) -> WantedRun:
        start, end = (None, None) if run.bounds is None else run.bounds
        request = RequestedRun(
            asset_selection=run.assets,
            partition_start=start,
            partition_end=end,
            tags=backfill.tags,
            run_config=backfill.run_config,
        )
        return self._recorded(backfill, request, run.attempt, run.parent_run_id, code, now)

    def _wanted_of_job(self, backfill: Backfill, run: JobRun, code: _Code, now: datetime) -> WantedRun:
        request = RequestedRun(
            job_name=backfill.job_name,
            partition_start=run.bounds[0],
            partition_end=run.bounds[1],
            tags=backfill.tags,
            run_config=backfill.run_config,
        )
        return self._recorded(backfill, request, run.attempt, run.parent_run_id, code, now)

    def _recorded(
        self,
        backfill: Backfill,
        request: RequestedRun,
        attempt: int,
        parent_run_id: str | None,
        code: _Code,
        now: datetime,
    ) -> WantedRun:
        """The run that a request is to become; with the run that it tries again."""
        own = {BACKFILL_TAG: backfill.backfill_id}
        root = parent_run_id
        if parent_run_id is not None:
            parent = self._store.get_run(parent_run_id)
            root = parent_run_id if parent is None else parent.root_run_id or parent.run_id
            own |= {
                BACKFILL_ATTEMPT_TAG: str(attempt),
                PARENT_RUN_ID_TAG: parent_run_id,
                ROOT_RUN_ID_TAG: root,
            }
        wanted = wanted_run(
            request,
            code.now,
            run_id=new_id(),
            now=now.timestamp(),
            location=code.location.name,
            manifest_hash=code.manifest_hash,
            tags=own,
        )
        run = msgspec.structs.replace(wanted.run, parent_run_id=parent_run_id, root_run_id=root)
        return msgspec.structs.replace(wanted, run=run)


def job_partitions(graph: AssetGraph, job_name: str, store: Store, now: datetime) -> PartitionsDefinition:
    """How a job is partitioned, with its partitions as they are now.

    Raises:
        InvalidSubsetError: there is no such job, it has no partitions, or its assets have different ones.
    """
    job = graph.jobs.get(job_name)
    if job is None:
        known = ", ".join(sorted(graph.jobs)) or "none"
        raise InvalidSubsetError(f"There is no job {job_name!r} in these definitions; available: {known}.")
    found = [job.partitions] if job.partitions is not None else []
    if not found:
        graph = listed(graph, job.assets, store, now)
        several = [graph.nodes[key].partitions for key in job.assets]
        found = [each for each in several if each is not None]
    if not found or any(each != found[0] for each in found):
        why = "has assets with different partitions definitions" if found else "has no partitions"
        raise InvalidSubsetError(f"The job {job_name!r} {why}. Start a backfill of its assets instead.")
    return found[0]


def _ended_job_run(run: Run) -> EndedJobRun:
    attempt = int(run.tags.get(BACKFILL_ATTEMPT_TAG, "1"))
    bounds = (run.partition_start or "", run.partition_end or "")
    is_stopped = run.status is RunStatus.CANCELED or run.failure_reason is FailureReason.REFUSED
    return EndedJobRun(run.run_id, bounds, not run.is_success, attempt, is_stopped)


def _without_code(backfill: Backfill, locations: Locations, unfinished: int) -> Backfill:
    """A backfill whose code location has no definitions, whose state says why; it waits, unless it is being canceled."""
    why = f"There is no code location {backfill.location!r}. This backfill continues when the location is back."
    if backfill.status is BackfillStatus.CANCELING:
        return msgspec.structs.replace(stopped(backfill, why, unfinished), error=None)
    return backfill if backfill.location in locations else msgspec.structs.replace(backfill, error=why)


def _without_plan(backfill: Backfill, error: SegueError, code: _Code, unfinished: int) -> Backfill:
    """A backfill whose next runs could not be decided.

    Where user code raised that the backfill began with, it waits: that code may do better the next time. Nothing else
    becomes better, since the plan keeps to stored definitions.
    """
    if isinstance(error, LocationUnavailableError) and not code.is_other:
        return msgspec.structs.replace(backfill, error=str(error))
    return stopped(backfill, str(error), unfinished)


def _with_code(after: Backfill, before: Backfill, code: _Code) -> Backfill:
    """A backfill with the definitions that it is pinned to, and what people should know of those that are loaded."""
    name = code.location.name
    if code.is_other:
        changes = changes_of(before, code.then, code.now)
        return msgspec.structs.replace(after, changes=changes, warning=warning_of(name, changes))
    if before.manifest_hash in (None, code.manifest_hash):
        return msgspec.structs.replace(after, manifest_hash=code.manifest_hash, changes=())
    lost = f"The definitions with which this backfill of {name!r} began are no longer stored. It uses the current ones."
    return msgspec.structs.replace(after, manifest_hash=code.manifest_hash, warning=lost)
