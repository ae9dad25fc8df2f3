"""Everything that is recorded, as lines of JSON: what one kind of database wrote another can read.

    {"segue_dump": 1, "revision": "0006"}
    {"numbers": {"events": 120, "runs": 3}}
    {"table": "runs", "columns": ["number", "run_id", ...], "bytes": ["body"]}
    [1, "1f0e...", ...]
    ...
    {"rows": 123}

Bytes are written in base64. Not written is what holds for living processes only: leases, workers and claims.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol, TypeVar

import msgspec

from segue.errors import StorageError, StorageVersionError
from segue.storage.columns import Row
from segue.storage.revision import REVISION

FORMAT = 1
ROWS_AT_ONCE = 1000
LEFT_OUT = frozenset(
    "alembic_version workers leases step_leases fencing_tokens claims claim_requests sqlite_sequence".split()
)
"""The tables that are not written."""

TOKENS = "fencing_tokens"
"""Under this name the last fencing token stands among the numbers."""

Progress = Callable[[str, int], object]
"""Called with the name of a table and how many of its rows are done."""


class Table(NamedTuple):
    """A table: its columns, and which of them hold bytes."""

    name: str
    columns: tuple[str, ...]
    bytes: frozenset[str]


class Readable(Protocol):
    """A database in one consistent view."""

    def tables(self) -> Sequence[Table]:
        """The tables that are written, `runs` first."""
        ...

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows of a table, in the order of their numbers where they have some."""
        ...

    def numbers(self) -> Mapping[str, int]:
        """The last number that was given to a row of each table, and the last fencing token."""
        ...


class Writable(Readable, Protocol):
    """A database inside a transaction."""

    def insert(self, table: Table, rows: Iterator[Row]) -> None:
        """Writes rows with these columns, which may be fewer than the table has."""
        ...

    def set_numbers(self, numbers: Mapping[str, int]) -> None:
        """Has numbers go on behind these."""
        ...


class _Head(msgspec.Struct):
    segue_dump: int
    revision: str


class _Numbers(msgspec.Struct):
    numbers: dict[str, int]


class _TableHead(msgspec.Struct):
    table: str
    columns: list[str]
    bytes: list[str]


class _End(msgspec.Struct):
    rows: int


def dump(source: Readable, file: BinaryIO, progress: Progress) -> dict[str, int]:
    """Writes all that is recorded.

    Returns:
        How many rows of each table.
    """
    encode = msgspec.json.Encoder().encode

    def line(value: object) -> None:
        file.write(encode(value) + b"\n")

    counts: dict[str, int] = {}
    line(_Head(FORMAT, REVISION))
    line(_Numbers(dict(source.numbers())))
    for table in source.tables():
        line(_TableHead(table.name, list(table.columns), sorted(table.bytes)))
        counts[table.name] = 0
        for row in source.rows(table):
            line(row)
            counts[table.name] += 1
            progress(table.name, counts[table.name])
    line(_End(sum(counts.values())))
    return counts


def restore(target: Writable, file: Iterable[bytes], name: str, progress: Progress) -> dict[str, int]:
    """Reads what `dump` wrote into an empty database, inside a transaction that the caller holds.

    Args:
        target: the database.
        file: the lines.
        name: of the file, for messages.
        progress: called now and then.

    Returns:
        How many rows of each table.

    Raises:
        StorageError: the database is not empty, or the file is no whole dump.
        StorageVersionError: the dump is of another version.
    """
    _require_empty(target)
    lines = iter(file)
    head = _decoded(next(lines, b""), _Head, name)
    if head.segue_dump != FORMAT or head.revision != REVISION:
        raise StorageVersionError(
            f"{name} was written at schema version {head.revision}, this Segue reads {REVISION}. Restore it with the "
            "Segue that wrote it, then run segue db upgrade with this one."
        )
    numbers = _decoded(next(lines, b""), _Numbers, name)
    known = {table.name: table for table in target.tables()}
    counts: dict[str, int] = {}
    line = next(lines, b"")
    while line.startswith(b'{"table"'):
        found = _decoded(line, _TableHead, name)
        if found.table not in known or not set(found.columns) <= set(known[found.table].columns):
            raise StorageError(
                f"{name} contains a table {found.table!r} that this version of Segue does not know. Nothing was "
                "restored."
            )
        rows = _Rows(lines, found, name, progress)
        target.insert(Table(found.table, tuple(found.columns), frozenset(found.bytes)), iter(rows))
        counts[found.table] = rows.count
        line = rows.behind
    if _decoded(line, _End, name).rows != sum(counts.values()):
        raise StorageError(f"{name} does not contain all rows that were written. Nothing was restored; dump again.")
    target.set_numbers(numbers.numbers)
    return counts


class _Rows:
    """The rows of one table, up to the next line that is none."""

    def __init__(self, lines: Iterator[bytes], head: _TableHead, name: str, progress: Progress) -> None:
        self._lines = lines
        self._head = head
        self._name = name
        self._progress = progress
        self.count = 0
        self.behind = b""

    def __iter__(self) -> Iterator[Row]:
        places = [index for index, column in enumerate(self._head.columns) if column in self._head.bytes]
        for line in self._lines:
            if not line.startswith(b"["):
                self.behind = line
                return
            row = _decoded(line, list[str | float | int | None], self._name)
            if len(row) != len(self._head.columns):
                raise _broken(self._name)
            values: list[object] = list(row)
            for place in places:
                if row[place] is not None:
                    values[place] = base64.b64decode(str(row[place]))
            self.count += 1
            self._progress(self._head.table, self.count)
            yield tuple(values)


def in_batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows in lists of a size that a statement takes."""
    while batch := list(itertools.islice(rows, ROWS_AT_ONCE)):
        yield batch


def _require_empty(target: Writable) -> None:
    for table in target.tables():
        if next(target.rows(table), None) is not None:
            raise StorageError(
                f"The database already contains records (in the table {table.name!r}), but a dump can only be "
                "restored into an empty one. Nothing was restored. Use another home folder or database."
            )


Value = TypeVar("Value")


def _decoded(line: bytes, kind: type[Value], name: str) -> Value:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(name) from error


def _broken(name: str) -> StorageError:
    return StorageError(f"{name} is not a complete dump made by segue db dump. Nothing was restored.")
