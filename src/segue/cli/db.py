"""`segue db`: upgrade, check, dump and restore the database."""

from __future__ import annotations

import contextlib
import gzip
import os
import sys
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, cast

import click
import msgspec

from segue.cli.options import home_option, json_option, place_of, settings_in_force
from segue.cli.output import count, print_heading, print_json, print_pairs
from segue.cli.prune import prune_command
from segue.errors import LoadError, StorageError, StorageVersionError
from segue.settings import Settings
from segue.storage import dump as dumps
from segue.storage.administration import administration_of
from segue.storage.health import Health
from segue.storage.revision import REVISION, require_known

_ROWS_BETWEEN_LINES = 20_000


class UpgradeDocument(msgspec.Struct, frozen=True):
    """What `segue db upgrade --json` prints; `before` is null where there was no database."""

    database: str
    before: str | None
    after: str


class CheckDocument(msgspec.Struct, frozen=True):
    """What `segue db check --json` prints.

    Attributes:
        database: which.
        is_reachable: whether it could be read.
        newest_revision: the one that this Segue needs.
        health: what was found; null where it could not be read.
        problems: what is wrong, each with its cure; then the exit code is 1.
    """

    database: str
    is_reachable: bool
    newest_revision: str
    health: Health | None
    problems: tuple[str, ...]


class DumpDocument(msgspec.Struct, frozen=True):
    """What `segue db dump --json` and `segue db restore --json` print; `rows` says how many of each table."""

    database: str
    file: str
    rows: dict[str, int]


@click.group()
def db() -> None:
    """Maintain the database: upgrade, check, dump, restore, prune."""


db.add_command(prune_command)


@db.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation, even if the database is in use.")
@home_option
@json_option
def upgrade(yes: bool, home: str | None, as_json: bool) -> None:
    """Bring the schema of the database to the version that this Segue needs.

    Everything happens in one transaction: it succeeds or changes nothing. Stop what uses the database first; an older
    Segue cannot read it afterwards.
    """
    settings = settings_in_force(None, home)
    database = place_of(settings)
    administration = administration_of(settings.home, settings.database)
    before = administration.revision()
    if before is not None and before != REVISION:
        _require_older(before, database)
        if not as_json:
            click.echo(f"{database}: from {before} to {REVISION}", err=True)
        _ask(administration.others(), yes=yes)
    if before != REVISION:
        _migrate(settings)
    if as_json:
        print_json(UpgradeDocument(database, before, REVISION))
    elif before == REVISION:
        click.echo(f"{database} is up to date (revision {REVISION}).")
    else:
        click.echo(f"{database}: {'made' if before is None else 'upgraded'}, now at revision {REVISION}.")


@db.command()
@home_option
@json_option
def check(home: str | None, as_json: bool) -> None:
    """Check the database: whether it can be reached, schema, row counts, size; on SQLite, also every page.

    The exit code is 1 if anything is wrong.
    """
    settings = settings_in_force(None, home)
    health, problems = _examine(settings)
    document = CheckDocument(place_of(settings), health is not None, REVISION, health, problems)
    if as_json:
        print_json(document)
    else:
        _print_check(document)
    if problems:
        sys.exit(1)


@db.command("dump")
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@json_option
def dump_command(file: Path, home: str | None, as_json: bool) -> None:
    """Write all records to FILE, as JSON lines; compressed if its name ends with .gz.

    It is a consistent snapshot; others may continue to write. Stored values of assets are not included.
    """
    settings = settings_in_force(None, home)
    if file.exists():
        raise click.UsageError(f"{file} already exists. Choose another file, or remove it.")
    administration = administration_of(settings.home, settings.database)
    with administration.reading() as source, _written(file) as lines:
        rows = dumps.dump(source, lines, _progress(as_json))
    _print_rows(DumpDocument(place_of(settings), str(file), rows), "Dumped", as_json)


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@json_option
def restore(file: Path, home: str | None, as_json: bool) -> None:
    """Load FILE, written by 'segue db dump', into the database, which must be empty and may be of a different kind.

    Use it to move records from SQLite to Postgres, or back. Either everything is restored, or nothing.
    """
    settings = settings_in_force(None, home)
    administration = administration_of(settings.home, settings.database)
    with _read(file) as lines, administration.writing() as target:
        rows = dumps.restore(target, lines, str(file), _progress(as_json))
    _print_rows(DumpDocument(place_of(settings), str(file), rows), "Restored", as_json)


def _require_older(before: str, database: str) -> None:
    if not before.isdigit() or int(before) > int(REVISION):
        require_known(before, database)


def _ask(others: int, *, yes: bool) -> None:
    if others == 0 or yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Other processes are using this database. Stop them first, or add --yes.")
    click.confirm("Other processes are using this database. Upgrade anyway?", abort=True, err=True)


def _migrate(settings: Settings) -> None:
    try:
        if settings.database is None:
            from segue.storage import migrate

            migrate.upgrade(settings.home)
        else:
            from segue.storage.postgres import migrate as postgres_migrate

            postgres_migrate.upgrade(settings.database)
    except ModuleNotFoundError as error:
        if error.name not in ("alembic", "sqlalchemy"):
            raise
        raise LoadError(
            f"Upgrading requires the package {error.name}, which is not installed: pip install 'segue[server]'."
        ) from error


def _examine(settings: Settings) -> tuple[Health | None, tuple[str, ...]]:
    try:
        health = administration_of(settings.home, settings.database).health()
    except StorageError as error:
        return None, (str(error),)
    problems = list(health.problems)
    if health.revision is not None:
        try:
            require_known(health.revision, place_of(settings))
        except StorageVersionError as error:
            problems.append(str(error))
    return health, tuple(problems)


def _print_check(document: CheckDocument) -> None:
    print_heading(document.database)
    health = document.health
    if health is not None:
        print_pairs(
            {
                "kind": health.kind,
                "revision": (
                    f"{health.revision or 'none yet'} (this version of Segue requires {document.newest_revision})"
                ),
                "size": f"{health.bytes / 1e6:,.1f} MB",
                **{name.replace("_", " "): f"{number:,}" for name, number in health.counts.items()},
            }
        )
        for note in health.notes:
            click.echo(note)
    for problem in document.problems:
        click.echo(f"Wrong: {problem}")
    if not document.problems:
        click.echo("Nothing is wrong.")


def _print_rows(document: DumpDocument, done: str, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    arrow = "to" if done == "Dumped" else "from"
    total = count(sum(document.rows.values()), "row")
    click.echo(f"{done} {total} of {document.database} {arrow} {document.file}.")


def _progress(silent: bool) -> dumps.Progress:
    """Says on a terminal how far it is."""
    shown = not silent and sys.stderr.isatty()

    def progress(table: str, number: int) -> None:
        if shown and number % _ROWS_BETWEEN_LINES == 0:
            click.echo(f"  {number:,} {table.replace('_', ' ')} ...", err=True)

    return progress


@contextlib.contextmanager
def _written(file: Path) -> Generator[BinaryIO]:
    """A file that gets its name when it is complete."""
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with _opened(unfinished, "wb", is_compressed=file.suffix == ".gz") as lines:
            yield lines
        os.replace(unfinished, file)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _read(file: Path) -> Generator[BinaryIO]:
    try:
        with _opened(file, "rb", is_compressed=file.suffix == ".gz") as lines:
            yield lines
    except (OSError, EOFError) as error:
        raise StorageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _opened(file: Path, mode: str, *, is_compressed: bool) -> AbstractContextManager[BinaryIO]:
    if is_compressed:
        return cast("AbstractContextManager[BinaryIO]", gzip.open(file, mode, compresslevel=6))
    return cast("AbstractContextManager[BinaryIO]", file.open(mode))
