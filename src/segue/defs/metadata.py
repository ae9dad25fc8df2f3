"""Metadata of definitions as data."""

from __future__ import annotations

from collections.abc import Mapping

from segue.errors import InvalidDefinitionError
from segue.model.metadata import AnyMetadataValue, TextMetadataValue, metadata_value


def described_metadata(values: Mapping[str, object]) -> dict[str, AnyMetadataValue]:
    """Metadata of definitions, which may be of any type: what has no metadata value is shown by its repr."""
    found: dict[str, AnyMetadataValue] = {}
    for key, value in values.items():
        try:
            found[key] = metadata_value(key, value)
        except InvalidDefinitionError:
            found[key] = TextMetadataValue(repr(value))
    return found
