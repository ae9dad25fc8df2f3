"""Metadata of definitions as data."""

from __future__ import annotations

import re
from collections.abc import Mapping

from segue.errors import InvalidDefinitionError
from segue.model.metadata import AnyMetadataValue, TextMetadataValue, metadata_value

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def described_metadata(values: Mapping[str, object]) -> dict[str, AnyMetadataValue]:
    """Metadata of definitions, which may be of any type: what has no metadata value is shown by its repr, without addresses,
    which differ from process to process.
    """
    found: dict[str, AnyMetadataValue] = {}
    for key, value in values.items():
        try:
            found[key] = metadata_value(key, value)
        except InvalidDefinitionError:
            found[key] = TextMetadataValue(_ADDRESS.sub("", repr(value)))
    return found
