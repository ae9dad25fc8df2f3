"""What can be said of a database as a whole, in every kind of database."""

from __future__ import annotations

import msgspec


class Health(msgspec.Struct, frozen=True):
    """How a database stands.

    Attributes:
        kind: `sqlite` or `postgres`.
        revision: of its schema; None where there is none yet.
        bytes: how much room it takes, indexes included.
        counts: how many rows of what.
        notes: what is worth knowing.
        problems: what is wrong, each with its cure.
        durability: what the database says of how it waits for the disk, by the names of its settings.
    """

    kind: str
    revision: str | None
    bytes: int
    counts: dict[str, int]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    durability: dict[str, str] = {}


COUNTED = ("runs", "events", "assets", "asset_partitions", "asset_checks")
"""The tables whose rows are counted."""
