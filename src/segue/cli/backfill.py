"""`segue backfill`: start, show and control backfills."""

from __future__ import annotations

import time
from collections.abc import Callable

import click
import msgspec

from segue.cli.backfill_rules import apart_of, hours_of, rules_of
from segue.cli.backfill_targets import Wanted, answered, job_part, targets_of
from segue.cli.control import Plane, confirm, location_of, location_with, open_plane
from segue.cli.options import home_option, json_option, location_option, settings_in_force
from segue.cli.output import count, duration, moment, print_json, print_pairs, print_table, stdout_for_json
from segue.cli.run_config import read_run_config, read_tags
from segue.errors import BackfillNotFoundError, InvalidInvocationError
from segue.model.backfill import Backfill, BackfillChange, BackfillStatus, BackfillTarget
from segue.model.condition.facts import shown_part
from segue.model.partitions.subset import PartitionSubset
from segue.model.questions import Answers
from segue.storage.ids import new_id


class TargetDocument(msgspec.Struct, frozen=True):
    """A part of an asset: ranges of partitions, first and last; null for an asset without partitions."""

    asset: str
    partitions: tuple[tuple[str, str], ...] | None


class BackfillDocument(msgspec.Struct, frozen=True):
    """A backfill. Times are seconds since 1970."""

    backfill_id: str
    status: str
    location: str
    title: str | None
    job: str | None
    created_at: float
    ended_at: float | None
    runs: int
    failed_runs: int
    max_concurrent: int | None
    off_peak: str | None
    stagger: float | None
    retries: int
    targets: tuple[TargetDocument, ...]
    done: tuple[TargetDocument, ...]
    failed: tuple[TargetDocument, ...]
    manifest_hash: str | None
    changes: tuple[BackfillChange, ...]
    warning: str | None
    error: str | None


@click.group("backfill")
def backfill() -> None:
    """Start, show and control backfills."""


@backfill.command()
@click.option("-j", "--job", metavar="NAME", help="The job whose partitions to run.")
@click.option(
    "-s",
    "--select",
    metavar="SELECTION",
    help=("The assets to materialize, such as 'orders', '+report', 'group:shop'."),
)
@click.option("-p", "--partition", "partitions", metavar="KEY", multiple=True, help="A partition; may be repeated.")
@click.option("--partition-range", metavar="FIRST...LAST", help="A range of partitions, both ends included.")
@click.option("--all", "everything", is_flag=True, help="All partitions.")
@click.option("--all-failed", is_flag=True, help="The partitions whose last run failed.")
@click.option("--all-missing", is_flag=True, help="The partitions that were never materialized.")
@click.option(
    "--max-concurrent", type=click.IntRange(1), metavar="N", help="How many of its runs may be in progress at once."
)
@click.option(
    "--off-peak", metavar="FROM-TO[@ZONE]", help=("The hours in which runs may start, such as 22-6@Europe/Berlin.")
)
@click.option("--stagger", metavar="TIME", help="The time between two runs, such as 30s, 10m or 1h.")
@click.option(
    "--single-run/--run-each", default=None, help=("One run for all partitions of an asset, or one run for each.")
)
@click.option(
    "--retries", type=click.IntRange(0), default=0, show_default=True, help="How often to retry a failed run."
)
@click.option("-c", "--config", metavar="CONFIG", help="Run config: JSON in braces, or a .json, .toml or .yaml file.")
@click.option("-t", "--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag for its runs; may be repeated.")
@click.option("--title", metavar="TEXT", help="A title for people.")
@location_option
@home_option
@json_option
def create(
    job: str | None,
    select: str | None,
    partitions: tuple[str, ...],
    partition_range: str | None,
    everything: bool,
    all_failed: bool,
    all_missing: bool,
    max_concurrent: int | None,
    off_peak: str | None,
    stagger: str | None,
    single_run: bool | None,
    retries: int,
    config: str | None,
    tags: tuple[str, ...],
    title: str | None,
    location: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Start a backfill, which the control plane ('segue dev' or 'segue serve') executes.

    Selected assets downstream of these partitions take part through their partition mappings.
    """
    wanted = Wanted(job, select, partitions, partition_range, everything, all_failed, all_missing)
    wanted.require_clear()
    hours, apart = None if off_peak is None else hours_of(off_peak), None if stagger is None else apart_of(stagger)
    settings = settings_in_force(home=home)
    with stdout_for_json(as_json), open_plane(settings) as plane:
        found = location_with(plane, location, job, select)
        now = time.time()

        def part_of(answers: Answers) -> PartitionSubset | None:
            return None if job is None else job_part(plane, found, wanted, now, answers)

        def targets(answers: Answers) -> tuple[BackfillTarget, ...]:
            return () if job is not None else targets_of(plane, found, wanted, now, answers)

        made = Backfill(
            backfill_id=new_id(),
            location=found.name,
            created_at=now,
            updated_at=now,
            job_name=job,
            job_partitions=answered(settings, plane, found, now, part_of),
            targets=answered(settings, plane, found, now, targets),
            title=title,
            tags=read_tags(tags),
            run_config=dict(read_run_config(config) or {}),
            manifest_hash=found.manifest_hash,
            max_concurrent=max_concurrent,
            off_peak=hours,
            stagger=apart,
            single_run=single_run,
            retries=retries,
            cursor=plane.store.append(()),
        )
        plane.control.create_backfill(made)
    if as_json:
        print_json(_document(made))
    else:
        click.echo(f"Requested backfill {made.backfill_id} of {_what(made)}.")


@backfill.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of entries.")
@click.option("--open", "only_open", is_flag=True, help="Only those that have not ended.")
@home_option
@json_option
def list_backfills(limit: int, only_open: bool, home: str | None, as_json: bool) -> None:
    """List backfills, newest first.

    With --json: {"backfills": [...]}.
    """
    statuses = [status for status in BackfillStatus if not status.has_ended] if only_open else None
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = plane.control.backfills(statuses, limit)
    if as_json:
        print_json({"backfills": [_document(each) for each in found]})
        return
    rows = [
        (
            each.backfill_id,
            each.status.value.lower(),
            each.title or _what(each),
            f"{each.runs:,}" + (f" ({each.failed_runs:,} failed)" if each.failed_runs else ""),
            moment(each.created_at),
            each.error or each.warning or "",
        )
        for each in found
    ]
    print_table(("BACKFILL", "STATUS", "OF", "RUNS", "CREATED", "NOTE"), rows, empty="No backfills.")


@backfill.command()
@click.argument("name", metavar="BACKFILL")
@home_option
@json_option
def show(name: str, home: str | None, as_json: bool) -> None:
    """Show BACKFILL (its id, or the beginning of it): its target and its progress."""
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = _find(plane, name)
    if as_json:
        print_json(_document(found))
        return
    ended = found.ended_at
    print_pairs(
        {
            "backfill": found.backfill_id,
            "title": found.title or "",
            "status": found.status.value.lower(),
            "created": moment(found.created_at),
            "took": "" if ended is None else duration(ended - found.created_at),
            "runs": f"{found.runs:,}, {found.failed_runs:,} of them failed",
            "rules": "; ".join(rules_of(found)),
            "warning": found.warning or "",
            "error": found.error or "",
        }
    )
    done, failed = ({each.key: each for each in part} for part in (found.done, found.failed))
    rows = [
        (each.key.to_user_string(), _shown(each), _shown(done.get(each.key)), _shown(failed.get(each.key)))
        for each in found.targets
    ]
    print_table(("ASSET", "WANTED", "MADE", "FAILED"), rows, empty=f"job {found.job_name}")
    if found.changes:
        click.echo()
        changed = [(each.name, ", ".join(each.what)) for each in found.changes]
        print_table(("CHANGED SINCE IT BEGAN", "WHAT"), changed, empty="")


def _steering(name: str, text: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command that changes the status of a backfill."""

    def decorate(function: Callable[..., None]) -> click.Command:
        return backfill.command(name, help=text)(
            click.argument("name", metavar="BACKFILL")(home_option(json_option(function)))
        )

    return decorate


@_steering("pause", "Start no more runs of BACKFILL until it is resumed; runs that have started continue.")
def pause(name: str, home: str | None, as_json: bool) -> None:
    _change(name, home, (BackfillStatus.REQUESTED,), BackfillStatus.PAUSED, "is paused", as_json=as_json)


@_steering("resume", "Resume the paused BACKFILL.")
def resume(name: str, home: str | None, as_json: bool) -> None:
    _change(name, home, (BackfillStatus.PAUSED,), BackfillStatus.REQUESTED, "is resumed", as_json=as_json)


@backfill.command()
@click.argument("name", metavar="BACKFILL")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def cancel(name: str, yes: bool, home: str | None, as_json: bool) -> None:
    """Cancel BACKFILL and its runs that are queued or in progress."""
    confirm(f"Canceling the runs of backfill {name} that are waiting or running.", yes=yes)
    allowed = (BackfillStatus.REQUESTED, BackfillStatus.PAUSED)
    _change(name, home, allowed, BackfillStatus.CANCELING, "is being canceled", as_json=as_json)


@backfill.command()
@click.argument("name", metavar="BACKFILL")
@home_option
@json_option
def retry(name: str, home: str | None, as_json: bool) -> None:
    """Start a new backfill of everything that failed in BACKFILL, which must have ended."""
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        earlier = _find(plane, name)
        if not earlier.status.has_ended:
            raise InvalidInvocationError(
                f"Backfill {earlier.backfill_id} is still running: cancel it, or wait until it has ended."
            )
        if not earlier.failed and not earlier.failed_job_partitions:
            raise InvalidInvocationError(
                f"Backfill {earlier.backfill_id} has no failed runs: there is nothing to retry."
            )
        found = location_of(plane, earlier.location)
        now = time.time()
        made = Backfill(
            backfill_id=new_id(),
            location=earlier.location,
            created_at=now,
            updated_at=now,
            job_name=earlier.job_name,
            job_partitions=earlier.failed_job_partitions,
            targets=earlier.failed,
            title=earlier.title,
            description=f"What failed in {earlier.backfill_id}.",
            tags=earlier.tags,
            run_config=earlier.run_config,
            manifest_hash=found.manifest_hash,
            max_concurrent=earlier.max_concurrent,
            off_peak=earlier.off_peak,
            stagger=earlier.stagger,
            single_run=earlier.single_run,
            retries=earlier.retries,
            cursor=plane.store.append(()),
        )
        plane.control.create_backfill(made)
    if as_json:
        print_json(_document(made))
    else:
        click.echo(f"Requested backfill {made.backfill_id} of {_what(made)}.")


def _change(
    name: str,
    home: str | None,
    allowed: tuple[BackfillStatus, ...],
    status: BackfillStatus,
    said: str,
    *,
    as_json: bool,
) -> None:
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        while True:
            before = _find(plane, name)
            if before.status not in allowed:
                raise InvalidInvocationError(
                    f"Backfill {before.backfill_id} is {before.status.value.lower()}, so this is not possible."
                )
            after = msgspec.structs.replace(before, status=status, updated_at=time.time())
            if plane.control.update_backfill(after, before):  # else it has gone on meanwhile
                break
    if as_json:
        print_json(_document(after))
    else:
        click.echo(f"Backfill {after.backfill_id} {said}.")


def _find(plane: Plane, text: str) -> Backfill:
    """The backfill with an id, or the only one whose id begins so.

    Raises:
        BackfillNotFoundError: none, or several.
    """
    exact = plane.control.get_backfill(text)
    if exact is not None:
        return exact
    found = [each for each in plane.control.backfills(None, 10_000) if each.backfill_id.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise BackfillNotFoundError(f"{len(found)} backfills match {text!r}. Give more of the id.")
    raise BackfillNotFoundError(f"There is no backfill {text!r}. 'segue backfill list' lists all backfills.")


def _what(made: Backfill) -> str:
    return f"job {made.job_name}" if made.job_name is not None else count(len(made.targets), "asset")


def _shown(target: BackfillTarget | None) -> str:
    if target is None:
        return ""
    return "all" if target.partitions is None else shown_part(target.partitions)


def _document(made: Backfill) -> BackfillDocument:
    def parts(targets: tuple[BackfillTarget, ...]) -> tuple[TargetDocument, ...]:
        return tuple(
            TargetDocument(each.key.to_user_string(), None if each.partitions is None else each.partitions.ranges)
            for each in targets
        )

    hours = made.off_peak
    return BackfillDocument(
        backfill_id=made.backfill_id,
        status=made.status.value,
        location=made.location,
        title=made.title,
        job=made.job_name,
        created_at=made.created_at,
        ended_at=made.ended_at,
        runs=made.runs,
        failed_runs=made.failed_runs,
        max_concurrent=made.max_concurrent,
        off_peak=None if hours is None else f"{hours.start}-{hours.end}@{hours.timezone}",
        stagger=made.stagger,
        retries=made.retries,
        targets=parts(made.targets),
        done=parts(made.done),
        failed=parts(made.failed),
        manifest_hash=made.manifest_hash,
        changes=made.changes,
        warning=made.warning,
        error=made.error,
    )
