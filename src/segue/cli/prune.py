"""`segue db prune`: delete old records."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import count, duration, is_terminal, print_json
from segue.decide.retention import all_older_than
from segue.deployment import artifacts_of, control_of, output_copies_of, store_of
from segue.errors import InvalidConfigError
from segue.model.retention import Retention, seconds_of
from segue.retention import Removed, prune
from segue.storage.for_control import retention_of

_STAYS = "Runs and the latest state of assets, partitions and checks are kept."
_BETWEEN_LINES = 0.2  # seconds


class PruneDocument(msgspec.Struct, frozen=True):
    """What `segue db prune --json` prints: what was removed, or would be with `--dry-run`.

    `events` are rows of the event log, `months` the parts of it that went whole, `output` the runs whose captured output went
    (`output_copies`: from the URL to which it is copied),
    `content` plans and manifests, `artifacts` files with metadata, that nothing refers to.
    """

    dry_run: bool
    events: int
    months: int
    ticks: int
    evaluations: int
    output: int
    content: int
    artifacts: int
    output_copies: int


@click.command("prune")
@click.option(
    "--older-than",
    metavar="TIME",
    help="Delete everything older than this, whatever the settings say: 30d, 12h, or a number of days.",
)
@click.option("--dry-run", is_flag=True, help="Only show how much would be deleted.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def prune_command(older_than: str | None, dry_run: bool, yes: bool, home: str | None, as_json: bool) -> None:
    """Delete old records: events, ticks, captured output, and the plans of old runs.

    [retention] in the settings says how long records are kept; the control plane also deletes old ones by itself. Runs
    that have not ended keep their events, and the latest state of everything is kept. Others may continue to write.
    """
    settings = settings_in_force(home=home)
    policy = settings.retention if older_than is None else _all_older_than(older_than)
    store = store_of(settings)
    try:
        folder = Path(settings.steps.logs_of(settings.home))
        retention, control, now = retention_of(store), control_of(store), time.time()

        def removals(*, is_trial: bool) -> Iterator[Removed]:
            return prune(
                retention,
                control,
                policy,
                now,
                output_folder=folder,
                output_copies=output_copies_of(settings),
                artifacts=artifacts_of(settings),
                is_asked=True,
                is_trial=is_trial,
            )

        if not dry_run and not yes:
            _ask(_total(removals(is_trial=True), "counting", as_json=as_json))
        what = "counting" if dry_run else "removed"
        removed = _total(removals(is_trial=dry_run), what, as_json=as_json)
    finally:
        store.close()
    if as_json:
        print_json(
            PruneDocument(
                dry_run,
                removed.events,
                removed.parts,
                removed.ticks,
                removed.evaluations,
                removed.output,
                removed.content,
                removed.artifacts,
                removed.output_copies,
            )
        )
    elif dry_run:
        click.echo(f"This would remove {_in_words(removed)}. {_STAYS}")
    else:
        click.echo(f"Removed {_in_words(removed)}. {_STAYS}")


def _all_older_than(text: str) -> Retention:
    try:
        seconds = seconds_of(text, "--older-than")
    except InvalidConfigError as error:
        raise click.UsageError(str(error)) from error
    if seconds is None:
        raise click.UsageError("--older-than must be a positive length of time: 30d, 12h, or a number of days.")
    return all_older_than(seconds)


def _ask(removed: Removed) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"Removing {_in_words(removed)} requires confirmation, but there is no terminal. Add --yes."
        )
    click.echo(f"This removes {_in_words(removed)}. {_STAYS}", err=True)
    click.confirm("Remove it?", abort=True, err=True)


def _total(removals: Iterator[Removed], what: str, *, as_json: bool) -> Removed:
    """Goes through all removals, resting as long as each took, and shows on a terminal how far it has come."""
    total, told_at, started = Removed(), 0.0, time.monotonic()
    shows = is_terminal() and not as_json
    for removed in removals:
        total = total.plus(removed)
        time.sleep(removed.seconds)
        if shows and time.monotonic() - told_at > _BETWEEN_LINES:
            told_at = time.monotonic()
            click.echo(f"\r\x1b[K{what}: {_in_words(total)} ({duration(told_at - started)})", nl=False, err=True)
    if shows:
        click.echo("\r\x1b[K", nl=False, err=True)
    return total


def _in_words(removed: Removed) -> str:
    parts = [count(removed.events, "event")]
    if removed.ticks:
        parts.append(count(removed.ticks, "tick"))
    if removed.evaluations:
        parts.append(count(removed.evaluations, "evaluation"))
    if removed.output:
        parts.append(f"the output of {count(removed.output, 'run')}")
    if removed.output_copies:
        parts.append(f"copies of the output of {count(removed.output_copies, 'run')}")
    if removed.artifacts:
        parts.append(count(removed.artifacts, "file of metadata", "files of metadata"))
    if removed.content:
        parts.append(count(removed.content, "plan or manifest", "plans and manifests"))
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
