"""A fact with its label: the superseded form of an entry of a dict of metadata."""

from __future__ import annotations

from typing import NamedTuple

from segue.defs.superseded import renamed, warn_superseded
from segue.errors import InvalidDefinitionError
from segue.model.metadata import AnyMetadataValue, normalize_metadata


class _Fields(NamedTuple):
    label: str
    description: str | None
    entry_data: AnyMetadataValue


class MetadataEntry(_Fields):
    """A fact with its label. Superseded: write `{label: value}`.

    Args:
        label: its name.
        description: for people.
        value: the fact: a `MetadataValue`, or what one is made of.
        entry_data: superseded by `value`.

    Raises:
        InvalidDefinitionError: neither `value` nor `entry_data`, or both.
    """

    __slots__ = ()

    def __new__(
        cls, label: str, description: str | None = None, entry_data: object = None, value: object = None
    ) -> MetadataEntry:
        warn_superseded("MetadataEntry", "write a dict of metadata")
        given = renamed("MetadataEntry", "value", value, "entry_data", entry_data)
        if given is None:
            raise InvalidDefinitionError(f"MetadataEntry {label!r} has no value.")
        return super().__new__(cls, label, description, normalize_metadata({label: given})[label])

    @property
    def value(self) -> AnyMetadataValue:
        """The fact."""
        return self.entry_data
