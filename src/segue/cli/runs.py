"""`segue runs`: list, retry, cancel, approve and reject runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import click

from segue.cli.approvals import approve, reject
from segue.cli.documents import MaterializeDocument, RunDocument, run_document, status_of
from segue.cli.execution import execute_watched, finish
from segue.cli.find import every_run, find_run
from segue.cli.history import failure_class_of, read_run
from segue.cli.home import instance_of, open_store
from segue.cli.locations import settings_at
from segue.cli.options import CodeOptions, code_options, home_option, json_option, load, settings_in_force, step_code
from segue.cli.output import duration, moment, print_json, print_table, stdout_for_json
from segue.cli.progress import watching
from segue.cli.run_config import read_tags
from segue.cli.run_logs import logs
from segue.errors import InvalidInvocationError
from segue.model.event import Event
from segue.model.failure_class import FailureClass
from segue.model.partitions.key_range import RANGE_SEPARATOR
from segue.model.run import Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.stores import Store

STATUSES = [*(status.value.lower() for status in RunStatus), "interrupted"]


@click.group(invoke_without_command=True)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Maximum number of entries.")
@click.option(
    "--status", "statuses", type=click.Choice(STATUSES), multiple=True, help="Only with this status; may be repeated."
)
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="Only with this tag; may be repeated.")
@click.option("-j", "--job", metavar="NAME", help="Only of this job.")
@click.option(
    "--failure-class",
    "classes",
    type=click.Choice([each.value for each in FailureClass]),
    multiple=True,
    help="Only failed runs with this failure class; may be repeated.",
)
@home_option
@json_option
@click.pass_context
def runs(
    context: click.Context,
    limit: int,
    statuses: tuple[str, ...],
    tags: tuple[str, ...],
    job: str | None,
    classes: tuple[str, ...],
    home: str | None,
    as_json: bool,
) -> None:
    """List runs, newest first; or retry, cancel, approve or reject one.

    A run whose process ended before the run did is 'interrupted'.

    With --json: {"runs": [...]}.
    """
    if context.invoked_subcommand is not None:
        return
    with open_store(settings_in_force(home=home)) as store:
        listed = _listed(store, _Wanted(statuses, classes, read_tags(tags), job))
        found = list(islice(listed, limit))
    if as_json:
        print_json({"runs": found})
        return
    columns = ("RUN", "STATUS", "JOB OR ASSETS", "PARTITION", "CREATED", "DURATION", "FAILURE")
    print_table(columns, [_row(run) for run in found], empty="No runs.")


@runs.command()
@click.argument("run", metavar="RUN")
@click.option("--from-failure", is_flag=True, help="Run the steps that did not succeed; this is the default.")
@click.option("--all", "everything", is_flag=True, help="Run everything again.")
@click.option("--select", metavar="SELECTION", help="Run these assets of it again, or, for a job of ops, these ops.")
@click.option(
    "--step",
    "steps",
    metavar="KEY",
    multiple=True,
    help="Run this step again ('a', 'a+', '*a', 'a[key]'); may be repeated.",
)
@code_options
@home_option
@json_option
def retry(
    run: str,
    from_failure: bool,
    everything: bool,
    select: str | None,
    steps: tuple[str, ...],
    code: CodeOptions,
    home: str | None,
    as_json: bool,
) -> None:
    """Run the remaining steps of RUN, a failed, canceled or interrupted run (its id, or the beginning of it).

    Steps that succeeded are not run again, unless an option says so; with such an option RUN may be a successful run. The
    retry is a new run.
    """
    if sum([from_failure, everything, select is not None, bool(steps)]) > 1:
        raise click.UsageError("Pass only one of --from-failure, --all, --select and --step.")
    settings = settings_in_force(code, home)
    with stdout_for_json(as_json), open_store(settings) as store:
        earlier = find_run(store, run)
        is_chosen = everything or select is not None or bool(steps)
        _require_retryable(earlier, may_have_succeeded=is_chosen)
        settings = settings_at(settings, earlier.location)
        definitions, _ = load(settings)

        def execute(on_event: Callable[[Event], None]) -> Run:
            from segue.host.recorded_plan import retry_run
            from segue.host.rerun import RunAgain

            again = RunAgain(steps, select) if is_chosen else None
            instance = instance_of(settings, store)
            return retry_run(definitions, instance, earlier.run_id, on_event, again, step_code(settings))

        with watching(1, silent=as_json) as watcher:
            details = read_run(store, execute_watched(store, execute, watcher))
    finish(MaterializeDocument(details.run.status == "success", (details,)), as_json=as_json)


@runs.command()
@click.argument("run", metavar="RUN")
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the process may take to stop; then it is killed.",
)
@home_option
@json_option
@click.pass_context
def cancel(context: click.Context, run: str, grace: float, home: str | None, as_json: bool) -> None:
    """Cancel RUN (its id, or the beginning of it) and wait until it has ended.

    Its process is told to stop: its steps are interrupted, and resources are torn down. A run that has not started
    is canceled at once.

    With --json: the run as `segue runs` lists it. The exit code is 1 if the run ended otherwise in the meantime.
    """
    from segue.cancel import cancel_run

    with open_store(settings_in_force(home=home)) as store:
        ended = cancel_run(store, find_run(store, run).run_id, grace)
        document = run_document(ended, failure_class_of(store, ended))
    if as_json:
        print_json(document)
    elif ended.status is RunStatus.CANCELED:
        click.echo(f"Run {ended.run_id} is canceled.")
    else:
        click.echo(f"Run {ended.run_id} ended before it could be canceled: {document.status}.")
    context.exit(0 if ended.status is RunStatus.CANCELED else 1)


runs.add_command(logs)
runs.add_command(approve)
runs.add_command(reject)


class _Wanted(NamedTuple):
    """Which runs to list."""

    statuses: tuple[str, ...]
    classes: tuple[str, ...]
    tags: dict[str, str]
    job: str | None


def _listed(store: Store, wanted: _Wanted) -> Iterator[RunDocument]:
    """The runs, newest first, read as far as they are asked for."""
    failed = (RunStatus.FAILURE,) if wanted.classes else ()
    statuses = {
        RunStatus.FAILURE if status == "interrupted" else RunStatus(status.upper()) for status in wanted.statuses
    }
    which = RunsFilter(job_name=wanted.job, statuses=tuple(statuses) or failed or None, tags=wanted.tags)
    for run in every_run(store, which):
        if wanted.statuses and status_of(run) not in wanted.statuses:
            continue
        found = failure_class_of(store, run)
        if not wanted.classes or (found is not None and found.value in wanted.classes):
            yield run_document(run, found)


def _require_retryable(run: Run, *, may_have_succeeded: bool) -> None:
    if run.is_success and not may_have_succeeded:
        raise InvalidInvocationError(
            f"Run {run.run_id} succeeded: nothing is left to run. Run it again with --all, --select or --step, or "
            "start a new run with 'segue materialize'."
        )
    if not run.is_finished:
        raise InvalidInvocationError(f"Run {run.run_id} has not ended ({status_of(run)}). Retry it when it has.")


def _row(run: RunDocument) -> tuple[str, ...]:
    what = ", ".join(run.assets[:3]) if run.job.startswith("__") else run.job
    if run.job.startswith("__") and len(run.assets) > 3:
        what += f" and {len(run.assets) - 3} more"
    partition = run.partition or ""
    if run.partition_end not in (None, run.partition):
        partition += f"{RANGE_SEPARATOR}{run.partition_end}"
    return (
        run.run_id,
        run.status,
        what,
        partition,
        moment(run.created_at),
        duration(run.duration),
        run.failure_class or "",
    )
