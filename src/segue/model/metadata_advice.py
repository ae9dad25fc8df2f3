"""What to write instead of a value that is not a metadata value."""

from __future__ import annotations

from datetime import date, datetime


def advice(value: object) -> str:
    """The expression that turns a value of this type into metadata, as a user would write it."""
    if hasattr(value, "__name__") and hasattr(value, "__module__"):
        return "MetadataValue.python_artifact(value)"
    if isinstance(value, (tuple, set, frozenset)):
        return "MetadataValue.json(list(value))"
    if isinstance(value, datetime):
        return "MetadataValue.timestamp(value), with a time zone"
    if isinstance(value, date):
        return "MetadataValue.text(value.isoformat())"
    if isinstance(value, (bytes, bytearray)):
        return "MetadataValue.text(value.decode())"
    if hasattr(value, "to_markdown"):
        return "MetadataValue.md(value.to_markdown())"
    if hasattr(value, "tolist") and hasattr(value, "__len__"):
        return "MetadataValue.json(value.tolist())"
    if hasattr(value, "__index__"):
        return "MetadataValue.int(int(value))"
    if hasattr(value, "__float__"):
        return "MetadataValue.float(float(value))"
    return "MetadataValue.text(str(value)), or another MetadataValue that fits it"
