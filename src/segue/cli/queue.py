"""`segue queue`: the runs that wait, and the reason for each."""

from __future__ import annotations

import click
import msgspec

from segue.approval import awaiting_steps
from segue.cli.control import open_plane
from segue.cli.history import read_run
from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import moment, print_json, print_table, stdout_for_json
from segue.daemon.queue import queue_view
from segue.model.concurrency import run_priority
from segue.model.event_type import EventType
from segue.model.run import Run, RunStatus
from segue.model.run_events import EngineEventData
from segue.model.run_records import RunsFilter
from segue.model.stores import EventFilter, Store
from segue.model.tags import BACKFILL_TAG

_PROGRESS = (
    EventType.ENGINE_EVENT,
    EventType.STEP_START,
    EventType.STEP_RESTARTED,
    EventType.STEP_SUCCESS,
    EventType.STEP_FAILURE,
    EventType.STEP_SKIPPED,
    EventType.STEP_UP_FOR_RETRY,
)


class QueuedDocument(msgspec.Struct, frozen=True):
    """A run that waits; `blocked_by` is null for one that starts next."""

    run_id: str
    job: str
    assets: tuple[str, ...]
    partition: str | None
    location: str | None
    priority: int
    backfill: str | None
    since: float
    blocked_by: str | None


@click.command("queue")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Maximum number of entries.")
@home_option
@json_option
def queue(limit: int, home: str | None, as_json: bool) -> None:
    """List the runs that wait, in order, and the reason for each.

    Runs that have started and wait come first: for approval, for another run that materializes the same, for slots of a
    pool.

    With --json: {"runs": [...]}.
    """
    settings = settings_in_force(home=home)
    with stdout_for_json(as_json), open_plane(settings) as plane:
        states = {state.name: state for state in plane.control.location_states()}
        view = queue_view(plane.store, plane.control, states, settings.queue)
        suspended = plane.store.list_runs(RunsFilter(statuses=(RunStatus.SUSPENDED,)), limit, None)
        found = [_document(run, _awaits(plane.store, run)) for run in suspended]
        for run in plane.store.list_runs(RunsFilter(statuses=(RunStatus.STARTED,)), limit, None):
            why = _stands(plane.store, run)
            if why is not None:
                found.append(_document(run, why))
    found += [_document(run, view.decision.blocked.get(run.run_id)) for run in view.runs[: max(limit - len(found), 0)]]
    if as_json:
        print_json({"runs": found})
        return
    rows = [
        (
            each.run_id,
            each.job if not each.job.startswith("__") else ", ".join(each.assets),
            each.partition or "",
            str(each.priority),
            moment(each.since),
            each.blocked_by or "starts next",
        )
        for each in found
    ]
    print_table(
        ("RUN", "JOB OR ASSETS", "PARTITION", "PRIORITY", "SINCE", "WAITS BECAUSE"), rows, empty="No runs wait."
    )


def _awaits(store: Store, run: Run) -> str:
    asked = "; ".join(f"{each.step_key}: {each.question}" for each in awaiting_steps(store, run.run_id))
    return f"waiting for approval ({asked}): 'segue runs approve {run.run_id}', or reject"


def _stands(store: Store, run: Run) -> str | None:
    """What a run waits for that has begun, and of which nothing goes on; None where something does."""
    newest = store.events(EventFilter(run_id=run.run_id, types=_PROGRESS, ascending=False), 1)
    payload = newest[0].event.payload if newest else None
    if not isinstance(payload, EngineEventData) or not payload.is_waiting:
        return None
    if any(step.status == "running" for step in read_run(store, run).steps):
        return None
    return f"started. {payload.message}"


def _document(run: Run, blocked: str | None) -> QueuedDocument:
    first, last = run.partition_start, run.partition_end
    return QueuedDocument(
        run_id=run.run_id,
        job=run.job_name,
        assets=tuple(sorted(key.to_user_string() for key in run.asset_selection)),
        partition=first if first == last else f"{first}...{last}",
        location=run.location,
        priority=run_priority(run.tags),
        backfill=run.tags.get(BACKFILL_TAG),
        since=run.created_at,
        blocked_by=blocked,
    )
