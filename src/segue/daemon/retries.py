"""Run-level retries: runs that failed are put in the queue again, each once."""

from __future__ import annotations

from collections.abc import Callable

from segue.daemon.loop import Turn
from segue.decide.run_retries import is_retried, retry_of
from segue.location.base import Locations
from segue.model.control_stores import ControlStore
from segue.model.event import EventType
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.queueing import RunRetries
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.model.tick_record import Tick, TickCommit, TickStatus, WantedRun
from segue.storage.ids import new_id

RETRIES = InstigatorId("", InstigatorKind.LOOP, "run_retries")
AT_ONCE = 200


class Retries:
    """The loop over runs that failed.

    How far it has read the log stands in its state, which is written with the runs that it asks for; a run key lets each run
    have one retry.

    Args:
        store: runs and events.
        control: where its state is.
        locations: the code locations, for their definitions.
        settings: what is set for all runs.

    Attributes:
        queued: called when there are new runs in the queue; whoever runs the loop sets it.
    """

    def __init__(self, store: Store, control: ControlStore, locations: Locations, settings: RunRetries) -> None:
        self._store = store
        self._control = control
        self._locations = locations
        self._settings = settings
        self._cursor: int | None = None
        self._token: int | None = None
        self.queued: Callable[[], object] = lambda: None

    def round(self, turn: Turn) -> float | None:
        """Reads on in the log."""
        cursor = self._cursor
        if cursor is None or self._token != turn.lease.token:
            cursor = self._begin(turn)
        which = EventFilter(types=(EventType.RUN_FAILURE,), after=cursor, settled=True)
        page = self._store.events(which, AT_ONCE)
        if not page:
            return None
        ids = tuple(dict.fromkeys(record.run_id for record in page))
        failed = self._store.list_runs(RunsFilter(run_ids=ids), None, None)
        again = [
            retry_of(
                run,
                self._settings,
                run_id=new_id(),
                now=turn.now,
                manifest_hash=self._manifest(run.location, run.manifest_hash),
            )
            for run in reversed(failed)
            if is_retried(run, self._settings)
        ]
        # Written also where there is nothing to run again: failures that were passed over stay so, whatever is set later.
        self._cursor = page[-1].storage_id
        self._write(turn, self._cursor, again)
        if again:
            self.queued()
        return turn.now if len(page) == AT_ONCE else None

    def _begin(self, turn: Turn) -> int:
        """From where to read on; from now on where nobody ever did."""
        self._cursor = None
        state = self._control.instigator_state(RETRIES)
        if state.cursor is None:
            self._write(turn, self._store.append(()), [])
            state = self._control.instigator_state(RETRIES)
        self._token, self._cursor = turn.lease.token, int(state.cursor or 0)
        return self._cursor

    def _write(self, turn: Turn, cursor: int, again: list[WantedRun]) -> None:
        tick = Tick(
            instigator=RETRIES,
            status=TickStatus.SUCCESS if again else TickStatus.SKIPPED,
            started_at=turn.now,
            ended_at=turn.now,
            cursor=str(cursor),
        )
        try:
            self._control.commit_ticks([TickCommit(tick=tick, runs=tuple(again))], turn.lease)
        except BaseException:
            self._cursor = None
            raise

    def _manifest(self, location: str | None, otherwise: str | None) -> str | None:
        found = self._locations.get(location or "")
        return otherwise if found is None else found.state.manifest_hash or otherwise
