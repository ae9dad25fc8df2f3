"""Backfills: what has ended is taken in, and what can start is put in the queue, in one write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from segue.daemon.cancels import Cancels
from segue.daemon.ended_runs import EndedRuns
from segue.daemon.listed import listed
from segue.daemon.loop import Turn
from segue.daemon.questions import Questions
from segue.decide.backfills.advance import BackfillRun, advance, next_at
from segue.decide.backfills.job import EndedJobRun, JobRun, advance_job
from segue.decide.requests import wanted_run
from segue.errors import InvalidSubsetError, SegueError
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
        self.cancels = Cancels(store)
        self.questions = Questions()
        self.queued: Callable[[], object] = lambda: None

    def round(self, turn: Turn) -> float | None:
        """Takes every open backfill one round further."""
        again = False
        due: list[float] = []
        for backfill in self._control.backfills(OPEN, AT_ONCE):
            again |= self._advance(backfill, turn)
            following = next_at(backfill)
            if following is not None and following > turn.now:
                due.append(following)
        return turn.now if again else min(due, default=None)

    def _advance(self, backfill: Backfill, turn: Turn) -> bool:
        """One round of one backfill; whether it can go on at once."""
        location = self._locations.get(backfill.location)
        graph = None if location is None else location.graph
        if location is None or graph is None:
            return False  # it waits for its code location, whose state says why
        now = datetime.fromtimestamp(turn.now, UTC)
        # Counted before the log is read: a run that ends in between is counted and read, never neither.
        open_runs = RunsFilter(statuses=UNFINISHED, tags={BACKFILL_TAG: backfill.backfill_id})
        unfinished = self._store.count_runs(open_runs)
        if backfill.status is BackfillStatus.CANCELING:
            self.cancels.cancel(run.run_id for run in self._store.list_runs(open_runs, None, None))
        found = EndedRuns(self._store).read(backfill)
        if found.is_behind:
            unfinished = max(unfinished, 1)  # one has ended that is not read yet
        try:
            after, runs = self._decide(backfill, location, graph, found.runs, unfinished, now)
        except UnansweredError as error:
            self.questions.ask(location, error.question, turn.now)
            return False  # it goes on when the answer is there
        except SegueError as error:
            self.questions.forget_errors(location)
            # Its definitions cannot answer for it (any more). It waits for other ones, and says so.
            runs, after = [], msgspec.structs.replace(backfill, error=str(error))
        else:
            after = msgspec.structs.replace(after, cursor=found.cursor)
        after = msgspec.structs.replace(after, warning=_warning(backfill, location))
        if after.status.has_ended:
            after = msgspec.structs.replace(after, ended_at=turn.now)
        if after == backfill:
            return False
        after = msgspec.structs.replace(after, updated_at=turn.now)
        is_written = self._control.update_backfill(after, backfill, runs, turn.lease)
        if runs and is_written:
            self.queued()
        return not is_written or len(runs) == AT_ONCE or found.is_full

    def _decide(
        self,
        backfill: Backfill,
        location: CodeLocation,
        graph: AssetGraph,
        ended: Sequence[Run],
        unfinished: int,
        now: datetime,
    ) -> tuple[Backfill, list[WantedRun]]:
        """How a backfill stands after this round, and the runs it asks for."""
        if backfill.job_name is not None:
            job = graph.jobs.get(backfill.job_name)
            graph = with_answers(graph, () if job is None else job.assets, self.questions.answers(location), now)
            definition = job_partitions(graph, backfill.job_name, self._store, now)
            step = advance_job(backfill, definition, [_ended_job_run(run) for run in ended], unfinished, now, AT_ONCE)
            jobs = [self._wanted_of_job(backfill, run, location, graph, now) for run in step.runs]
            return _without_error(step.backfill, backfill), jobs
        keys = [target.key for target in backfill.targets]
        graph = with_answers(graph, keys, self.questions.answers(location), now)
        graph = listed(graph, keys, self._store, now)
        reader = EndedRuns(self._store)
        results = [reader.result(run, graph, now) for run in ended]
        round_ = advance(backfill, graph, results, unfinished, now, AT_ONCE)
        runs = [self._wanted(backfill, run, location, graph, now) for run in round_.runs]
        return _without_error(round_.backfill, backfill), runs

    def _wanted(
        self, backfill: Backfill, run: BackfillRun, location: CodeLocation, graph: AssetGraph, now: datetime
    ) -> WantedRun:
        start, end = (None, None) if run.bounds is None else run.bounds
        request = RequestedRun(
            asset_selection=run.assets,
            partition_start=start,
            partition_end=end,
            tags=backfill.tags,
            run_config=backfill.run_config,
        )
        return self._recorded(backfill, request, run.attempt, run.parent_run_id, location, graph, now)

    def _wanted_of_job(
        self, backfill: Backfill, run: JobRun, location: CodeLocation, graph: AssetGraph, now: datetime
    ) -> WantedRun:
        request = RequestedRun(
            job_name=backfill.job_name,
            partition_start=run.bounds[0],
            partition_end=run.bounds[1],
            tags=backfill.tags,
            run_config=backfill.run_config,
        )
        return self._recorded(backfill, request, run.attempt, run.parent_run_id, location, graph, now)

    def _recorded(
        self,
        backfill: Backfill,
        request: RequestedRun,
        attempt: int,
        parent_run_id: str | None,
        location: CodeLocation,
        graph: AssetGraph,
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
            graph,
            run_id=new_id(),
            now=now.timestamp(),
            location=location.name,
            manifest_hash=location.state.manifest_hash,
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
        raise InvalidSubsetError(f"There is no job {job_name!r} in these definitions; there are: {known}.")
    found = [job.partitions] if job.partitions is not None else []
    if not found:
        graph = listed(graph, job.assets, store, now)
        several = [graph.nodes[key].partitions for key in job.assets]
        found = [each for each in several if each is not None]
    if not found or any(each != found[0] for each in found):
        why = "makes assets that are not all cut into the same partitions" if found else "has no partitions"
        raise InvalidSubsetError(f"The job {job_name!r} {why}: start a backfill over its assets instead.")
    return found[0]


def _ended_job_run(run: Run) -> EndedJobRun:
    attempt = int(run.tags.get(BACKFILL_ATTEMPT_TAG, "1"))
    bounds = (run.partition_start or "", run.partition_end or "")
    is_stopped = run.status is RunStatus.CANCELED or run.failure_reason is FailureReason.REFUSED
    return EndedJobRun(run.run_id, bounds, not run.is_success, attempt, is_stopped)


def _without_error(after: Backfill, before: Backfill) -> Backfill:
    """A backfill that goes on, without what stood in its way before."""
    return msgspec.structs.replace(after, error=None) if after.error == before.error else after


def _warning(backfill: Backfill, location: CodeLocation) -> str | None:
    """What people should know of a backfill: that it goes on with other code than it began with."""
    if backfill.manifest_hash in (None, location.state.manifest_hash):
        return backfill.warning
    return f"The definitions of {location.name!r} have changed since this backfill began."
