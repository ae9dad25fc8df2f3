"""`segue migrate dagster`: import Dagster's records."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from segue.cli.options import home_option, json_option, place_of, settings_in_force
from segue.cli.output import count, print_heading, print_json, print_pairs
from segue.defs.instance import Instance
from segue.deployment import control_of, store_of, targets_of
from segue.migrate.move import Moved, move
from segue.migrate.settings import NewSettings, new_settings
from segue.migrate.source import open_home, open_postgres
from segue.migrate.toml import toml_text
from segue.settings import SETTINGS_FILE, Settings


class MigrationDocument(msgspec.Struct, frozen=True):
    """What `segue migrate dagster --json` prints.

    Attributes:
        applied: whether anything was written; False for a dry run.
        source, home: where from, where to.
        moved: how much.
        settings: the text of the new settings file; None where the project has settings already.
        left: what has no counterpart, one line each.
        failed: what should be here and is not, one line each; then the exit code is 1.
    """

    applied: bool
    source: str
    home: str
    moved: Moved
    settings: str | None
    left: tuple[str, ...]
    failed: tuple[str, ...]


@click.group()
def migrate() -> None:
    """Import the records of another orchestrator."""


@migrate.command()
@click.option("--from", "dagster_home", metavar="FOLDER", help="Dagster's home folder; default: DAGSTER_HOME.")
@click.option("--postgres", "url", metavar="URL", help="Read the records from Postgres instead of the home's SQLite.")
@click.option("--apply", is_flag=True, help="Write the changes. Without it, this is a dry run.")
@home_option
@json_option
def dagster(dagster_home: str | None, url: str | None, apply: bool, home: str | None, as_json: bool) -> None:
    """Import from Dagster.

    Imports runs, latest materializations, check results, partitions, the status of schedules and sensors, pool limits and
    settings. Nothing is changed in Dagster's home. Existing records are kept, so you can run the command again later to
    import only what is new. The events of single steps are not imported. Stored values are not copied: the setting
    `storage` points to their folder. Anything that could not be imported is listed at the end; then the exit code is 1.
    """
    folder = dagster_home or os.environ.get("DAGSTER_HOME")
    if folder is None and url is None:
        raise click.UsageError(
            "The location of Dagster's records was not provided: pass --from FOLDER or --postgres URL."
        )
    settings = settings_in_force(None, home)
    proposed = new_settings(settings.project, None if folder is None else Path(folder).absolute())
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_postgres(url) if url else open_home(Path(folder or "").absolute()))
        instance = stack.enter_context(_target(settings, apply))
        moved = move(
            source,
            instance,
            control_of(instance.store),
            locations=[each.name for each in targets_of(settings)] or proposed.locations,
            now=time.time(),
            apply=apply,
            progress=_progress(as_json),
        )
    is_new = settings.source is None
    if apply and is_new:
        (settings.project / SETTINGS_FILE).write_text(proposed.text, encoding="utf-8")
    left = (*proposed.left, *moved.left)
    failed = (*moved.failed, *_values_out_of_reach(settings, proposed.storage))
    written = proposed.text if is_new else None
    document = MigrationDocument(apply, source.name, place_of(settings), moved, written, left, failed)
    if as_json:
        print_json(document)
    else:
        _print(document, proposed, settings)
    if failed:
        sys.exit(1)


def _values_out_of_reach(settings: Settings, storage: Path | None) -> Iterator[str]:
    """What to do where the project has settings already, which name another folder of values."""
    if settings.source is not None and storage is not None and settings.storage_directory != storage:
        yield (
            f"stored values: they are in {storage}, but {settings.source} has them in {settings.storage_directory}. Write "
            f"{toml_text({'storage': str(storage)}).strip()} there, or copy the folder."
        )


def _target(settings: Settings, apply: bool) -> Instance:
    """The instance in the home folder; for a dry run where there is none yet, one that leaves no trace."""
    if not apply and settings.database is None and not settings.home.exists():
        return Instance.ephemeral()
    return Instance(store_of(settings), settings.storage_directory)


def _progress(silent: bool) -> Callable[[str, int], object]:
    """Says on a terminal how far it is; every thousandth is enough."""
    shown = not silent and sys.stderr.isatty()

    def progress(what: str, number: int) -> None:
        if shown and number % 1000 == 0:
            click.echo(f"  {number:,} {what} ...", err=True)

    return progress


def _print(document: MigrationDocument, proposed: NewSettings, settings: Settings) -> None:
    moved = document.moved
    print_heading(f"{'Moved' if document.applied else 'Would move'} from {document.source} to {document.home}")
    print_pairs(
        {
            "runs": f"{moved.runs:,}"
            + (f", of which {moved.unfinished_runs} were unfinished" if moved.unfinished_runs else ""),
            "materializations": f"{moved.materializations:,} (the last of each asset and partition)",
            "observations": f"{moved.observations:,}",
            "check results": f"{moved.evaluations:,}",
            "dynamic partitions": f"{moved.dynamic_partitions:,}",
            "schedules, sensors": f"{moved.instigators:,}"
            + (f", of which {moved.running} start as soon as a control plane runs" if moved.running else ""),
            "run keys of sensors": f"{moved.run_keys:,}",
            "pool limits": f"{moved.pools:,}",
            "already here": count(moved.known_runs, "run"),
        }
    )
    if document.settings is not None:
        click.echo(f"\n{settings.project / SETTINGS_FILE}{'' if document.applied else ' would be'}:")
        click.echo("".join(f"  {line}\n" for line in proposed.text.splitlines()), nl=False)
    if document.left:
        click.echo("\nNot migrated:")
        for line in document.left:
            click.echo(f"  {line}")
    if document.failed:
        click.echo("\nFailed to import:")
        for line in document.failed:
            click.echo(f"  {line}")
    if moved.running:
        click.echo(
            "\nStop Dagster's daemon before you start `segue dev` or `segue serve`; otherwise both would start the same runs."
        )
    if not document.applied:
        click.echo("\nNothing was written. Add --apply to do it.")
