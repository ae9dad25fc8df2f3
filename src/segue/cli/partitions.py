"""Partitions as people type and read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click

from segue.cli.output import count
from segue.decide.asked_partitions import require_partition
from segue.errors import UnknownPartitionError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import RANGE_SEPARATOR, PartitionKeyRange


def parse_range(text: str) -> PartitionKeyRange:
    """The range written `first...last`.

    Raises:
        click.UsageError: written otherwise.
    """
    start, separator, end = text.partition(RANGE_SEPARATOR)
    if not separator or not start or not end:
        raise click.UsageError(
            f"--partition-range {text!r} is not valid: use FIRST{RANGE_SEPARATOR}LAST, both included."
        )
    return PartitionKeyRange(start, end)


def keys_of_range(definition: PartitionsDefinition, wanted: PartitionKeyRange) -> Sequence[str]:
    """The partition keys of a range, both ends included.

    Raises:
        UnknownPartitionError: an end that does not exist, or a last that comes before the first.
    """
    for key in wanted:
        require_partition(definition, key, datetime.now(UTC))
    keys = definition.get_partition_keys_in_range(wanted)
    if not keys:
        raise UnknownPartitionError(
            f"The range {RANGE_SEPARATOR.join(wanted)} is empty: {wanted.start!r} comes after {wanted.end!r}. Put "
            "the earlier one first."
        )
    return keys


def describe_partitions(definition: PartitionsDefinition) -> str:
    """What the partitions are, in a few words."""
    number = definition.get_num_partitions()
    if number == 0:
        return "none yet"
    return f"{number:,}: {definition.get_first_partition_key()}{RANGE_SEPARATOR}{definition.get_last_partition_key()}"


def stretches(definition: PartitionsDefinition, keys: Iterable[str]) -> list[tuple[str, str]]:
    """Keys that follow each other in the definition, put together as (first, last); unknown keys are left out."""
    now = datetime.now(UTC)
    definition = definition.listed(now, None)
    positions = sorted({definition.index_of(key, now) for key in keys if definition.contains(key, now)})
    found: list[list[int]] = []
    for position in positions:
        if found and found[-1][1] == position - 1:
            found[-1][1] = position
        else:
            found.append([position, position])
    return [(definition.key_at(first, now), definition.key_at(last, now)) for first, last in found]


def gaps(definition: PartitionsDefinition, filled: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What lies between stretches: the rest of the definition, as stretches."""
    now = datetime.now(UTC)
    definition = definition.listed(now, None)
    found: list[tuple[str, str]] = []
    start = 0
    for first, last in filled:
        position = definition.index_of(first, now)
        if position > start:
            found.append((definition.key_at(start, now), definition.key_at(position - 1, now)))
        start = definition.index_of(last, now) + 1
    end = definition.count(now)
    if start < end:
        found.append((definition.key_at(start, now), definition.key_at(end - 1, now)))
    return found


def write_stretches(found: Sequence[tuple[str, str]], most: int = 10) -> str:
    """Stretches as text: `a...c, f`; those beyond `most` are counted."""
    texts = [first if first == last else f"{first}{RANGE_SEPARATOR}{last}" for first, last in found[:most]]
    if len(found) > most:
        texts.append(f"and {count(len(found) - most, 'more stretch', 'more stretches')}")
    return ", ".join(texts)
