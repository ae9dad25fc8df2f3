"""What commands print: tables, pairs, one JSON document. With colour on a terminal, aligned plain text elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import datetime

import click
import msgspec

from segue.model import codec

_UNITS = ("B", "kB", "MB", "GB", "TB")
STYLES = {
    "success": "green",
    "succeeded": "green",
    "passed": "green",
    "failure": "red",
    "failed": "red",
    "interrupted": "magenta",
    "canceled": "yellow",
    "warning": "yellow",
    "started": "cyan",
    "running": "cyan",
}


def is_terminal() -> bool:
    """Whether standard output is looked at by a person."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Prints rows below their column names, or the line `empty` where there are none."""
    if not rows:
        click.echo(empty)
    elif is_terminal():
        _print_rich_table(columns, rows)
    else:
        click.echo("\n".join(plain_table(columns, rows)))


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, columns aligned and two blanks apart; a cell with several lines shows its first."""
    cells = [[cell.partition("\n")[0] for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def print_pairs(pairs: Mapping[str, str]) -> None:
    """Prints names and values, aligned; a pair without value is left out."""
    shown = {name: value for name, value in pairs.items() if value}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        first, *rest = value.split("\n")
        click.echo(f"{click.style(name.ljust(width), dim=True)}  {first}")
        for line in rest:
            click.echo(f"{' ' * width}  {line}")


def print_heading(text: str) -> None:
    """Prints the name of a section."""
    click.echo()
    click.secho(text, bold=True)


def styled(status: str) -> str:
    """A status in its colour, for a line of text (the colour goes where the output is no terminal)."""
    return click.style(status, fg=STYLES.get(status))


def print_json(document: object) -> None:
    """Prints one JSON document, indented where a person looks at it."""
    data = codec.encode(document)
    click.echo((msgspec.json.format(data, indent=2) if is_terminal() else data).decode())


@contextmanager
def stdout_for_json(as_json: bool) -> Generator[None]:
    """While user code may print: sends standard output to standard error, so that only the document goes to the former.

    This holds for the descriptor too, so that subprocesses and libraries outside Python keep to it.
    """
    if not as_json:
        yield
        return
    sys.stdout.flush()
    try:
        kept = os.dup(sys.stdout.fileno())
    except (OSError, ValueError):  # standard output is no file, as in a test: nothing but Python can write to it
        kept = None
    try:
        if kept is not None:
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if kept is not None:
            os.dup2(kept, sys.stdout.fileno())
            os.close(kept)


def moment(timestamp: float | None) -> str:
    """Seconds since 1970 as local date and time; empty for None."""
    return "" if timestamp is None else datetime.fromtimestamp(timestamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float | None) -> str:
    """A length of time for people: `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 7 min`; empty for None."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(number: int | None) -> str:
    """A number of bytes for people: `512 B`, `3.4 MB`; empty for None."""
    if number is None:
        return ""
    power = 0
    while number >= 999.95 * 1000**power and power < len(_UNITS) - 1:
        power += 1
    return f"{number} B" if power == 0 else f"{number / 1000**power:,.1f} {_UNITS[power]}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 asset`, `2 assets`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _print_rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[Text(cell, style=STYLES.get(cell, "")) for cell in row])
    Console().print(table)
