"""`segue queue`: the runs that wait, what holds each of them back, and letting one go on that waits for a person."""

from __future__ import annotations

import time

import click
import msgspec

from segue.cli.control import open_plane
from segue.cli.find import find_run
from segue.cli.home import open_store
from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import moment, print_json, print_table, stdout_for_json
from segue.daemon.queue import GIVEN, REQUIRED, queue_view
from segue.errors import InvalidInvocationError
from segue.model.concurrency import run_priority
from segue.model.run import Run
from segue.model.tags import APPROVAL_TAG, BACKFILL_TAG


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


@click.group("queue", invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="List at most so many.")
@home_option
@json_option
@click.pass_context
def queue(context: click.Context, limit: int, home: str | None, as_json: bool) -> None:
    """List the runs that wait, in order, and what holds each of them back.

    With --json: {"runs": [...]}.
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_in_force(home=home)
    with stdout_for_json(as_json), open_plane(settings) as plane:
        states = {state.name: state for state in plane.control.location_states()}
        view = queue_view(plane.store, plane.control, states, settings.queue)
    found = [_document(run, view.decision.blocked.get(run.run_id)) for run in view.runs[:limit]]
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


@queue.command()
@click.argument("run", metavar="RUN")
@home_option
@json_option
def approve(run: str, home: str | None, as_json: bool) -> None:
    """Let RUN (its id, or the beginning of it) start, which waits for a person."""
    with open_store(settings_in_force(home=home)) as store:
        found = find_run(store, run)
        if found.tags.get(APPROVAL_TAG) != REQUIRED or found.is_finished:
            raise InvalidInvocationError(
                f"Run {found.run_id} waits for nobody: it is {found.status.value}. 'segue queue' lists those that do."
            )
        store.add_run_tags(found.run_id, {APPROVAL_TAG: GIVEN}, time.time())
    if as_json:
        print_json({"run_id": found.run_id, "approved": True})
    else:
        click.echo(f"Run {found.run_id} may start.")


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
