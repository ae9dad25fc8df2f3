"""Metadata values as text."""

from __future__ import annotations

from segue.cli.output import count, moment
from segue.model.metadata_values import (
    AssetMetadataValue,
    JsonMetadataValue,
    MetadataValue,
    NullMetadataValue,
    StoredMetadataValue,
    TableColumnLineageMetadataValue,
    TableMetadataValue,
    TableSchemaMetadataValue,
    TimestampMetadataValue,
)

LONGEST_LINE = 80


def one_line(value: MetadataValue) -> str:
    """A value in one line, shortened where it is long."""
    if isinstance(value, StoredMetadataValue):  # all of it would be read for a line
        return f"{' '.join(value.preview.split())[: LONGEST_LINE // 2]}… ({value.size:,} bytes)"
    text = " ".join(as_text(value).split())
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1]}…"


def as_text(value: MetadataValue) -> str:
    """A value as text, all of it but for tables, of which it says how large they are, and for what is kept in a file."""
    match value:
        case StoredMetadataValue():
            return f"{value.preview}…\n({value.size:,} bytes, kept in {value.path})"
        case TableMetadataValue():
            return f"table, {count(len(value.records), 'row')}"
        case TableSchemaMetadataValue():
            return ", ".join(f"{column.name}: {column.type}" for column in value.schema.columns)
        case TableColumnLineageMetadataValue():
            return f"lineage of {count(len(value.column_lineage.deps_by_column), 'column')}"
        case TimestampMetadataValue():
            return moment(value.value)
        case AssetMetadataValue():
            return value.asset_key.to_user_string()
        case NullMetadataValue():
            return "null"
        case JsonMetadataValue():
            return _json(value.data)
        case _:
            return str(value.value)


def _json(data: object) -> str:
    from segue.model import codec

    try:
        return codec.encode(data).decode()
    except UnicodeEncodeError:  # told while it happens, before the store has written the text in another way
        return codec.encode(codec.storable(data, object)).decode()
