"""Keys of partitions, ranges of them, and windows of time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from segue.errors import InvalidDefinitionError, UnknownPartitionError, WrongDeclarationError

ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # where keys are turned to positions: the moment does not matter there
RANGE_SEPARATOR = "..."  # written between the two ends of a range of keys


class PartitionKeyRange(NamedTuple):
    """The partitions from one key to another in the order of their definition, both included.

    With several dimensions: those that lie between the two in each dimension.
    """

    start: str
    end: str


class TimeWindow(NamedTuple):
    """A stretch of time: `start` included, `end` not. Both are aware datetimes."""

    start: datetime
    end: datetime


class TimestampWithTimezone(NamedTuple):
    """A moment in seconds since 1970-01-01 UTC, and the name of the time zone in which it is shown."""

    timestamp: float
    timezone: str


def check_partition_key(key: str) -> None:
    """Raises InvalidDefinitionError if a text cannot be a partition key: empty, no string, or holding '...'."""
    if not isinstance(key, str) or not key:  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(f"A partition key must be a non-empty string, got {key!r}.")
    if RANGE_SEPARATOR in key:
        raise InvalidDefinitionError(
            f"The partition key {key!r} contains '{RANGE_SEPARATOR}', which separates the two ends of a range of keys: "
            "choose another key."
        )


def require_distinct(keys: Iterable[str], what: str) -> None:
    """Raises InvalidDefinitionError if one of the keys comes twice, naming those that do."""
    seen: set[str] = set()
    twice = sorted({key for key in keys if key in seen or seen.add(key)})
    if twice:
        raise InvalidDefinitionError(f"{what} must be unique; duplicates: {twice}.")


def unknown_key(definition: object, key: str, hint: str = "") -> UnknownPartitionError:
    """The error for a key that a definition does not have.

    Args:
        definition, key: the two.
        hint: which keys it has that may have been meant, as a sentence with a space before it.
    """
    return UnknownPartitionError(f"Partition key {key!r} not found in {definition!r}.{hint}")
