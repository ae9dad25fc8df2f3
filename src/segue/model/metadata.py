"""Facts about an asset, a materialization or a check, typed so that they can be stored, compared and shown.

Users write `MetadataValue.md("...")` and the like, or hand over raw values, which `normalize_metadata` converts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, cast

from segue.errors import InvalidDefinitionError, WrongArgumentError
from segue.model.code_reference import CodeReference, LocalFileCodeReference, UrlCodeReference
from segue.model.keys import AssetKey, error_of_word
from segue.model.metadata_advice import advice
from segue.model.metadata_values import (
    AnyMetadataValue,
    AssetMetadataValue,
    BoolMetadataValue,
    CodeReferencesMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JobMetadataValue,
    JsonMetadataValue,
    MarkdownMetadataValue,
    MetadataValue,
    NotebookMetadataValue,
    NullMetadataValue,
    PathMetadataValue,
    PoolMetadataValue,
    PythonArtifactMetadataValue,
    RunMetadataValue,
    StoredMetadataValue,
    TableColumnLineageMetadataValue,
    TableMetadataValue,
    TableSchemaMetadataValue,
    TextMetadataValue,
    TimestampMetadataValue,
    UrlMetadataValue,
)
from segue.model.table import TableColumnLineage, TableSchema

__all__ = [
    "AnyMetadataValue",
    "AssetMetadataValue",
    "BoolMetadataValue",
    "CodeReference",
    "CodeReferencesMetadataValue",
    "FloatMetadataValue",
    "IntMetadataValue",
    "JobMetadataValue",
    "JsonMetadataValue",
    "LocalFileCodeReference",
    "MarkdownMetadataValue",
    "MetadataValue",
    "NotebookMetadataValue",
    "NullMetadataValue",
    "PathMetadataValue",
    "PoolMetadataValue",
    "PythonArtifactMetadataValue",
    "RunMetadataValue",
    "StoredMetadataValue",
    "TableColumnLineageMetadataValue",
    "TableMetadataValue",
    "TableSchemaMetadataValue",
    "TextMetadataValue",
    "TimestampMetadataValue",
    "UrlCodeReference",
    "UrlMetadataValue",
    "metadata_value",
    "normalize_metadata",
]

# In the order in which a value of a subclass is tried.
_FROM_RAW: dict[type, Callable[[Any], AnyMetadataValue]] = {
    str: TextMetadataValue,
    bool: BoolMetadataValue,
    int: IntMetadataValue,
    float: FloatMetadataValue,
    type(None): lambda _: NullMetadataValue(),
    AssetKey: AssetMetadataValue,
    TableSchema: TableSchemaMetadataValue,
    TableColumnLineage: TableColumnLineageMetadataValue,
    os.PathLike: PathMetadataValue,
}


def normalize_metadata(raw: Mapping[str, object] | None) -> dict[str, AnyMetadataValue]:
    """Metadata as users write it, as typed values, in the same order.

    Strings become text, numbers and booleans their own kinds, None null, paths paths, dicts and lists JSON, asset keys,
    table schemas and column lineages what they are. A `MetadataValue` stays.

    Raises:
        InvalidDefinitionError: a key that is not a string or is empty, or a value of another type; the message names the key
            and the constructor to use.
        WrongArgumentError: `raw` is not a mapping.
    """
    if raw is not None and not isinstance(raw, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongArgumentError(
            f"metadata must be a mapping of names to values, got {raw!r}: write {{'name': {raw!r}}}."
        )
    return {_metadata_key(key): metadata_value(key, value) for key, value in (raw or {}).items()}


def metadata_value(key: str, raw: object) -> AnyMetadataValue:
    """One raw value as a typed one; `key` is for the error.

    Raises:
        InvalidDefinitionError: no rule for its type, or JSON data that is none.
    """
    make = _FROM_RAW.get(type(raw))
    if make is not None:
        return make(raw)
    if isinstance(raw, MetadataValue):
        return cast("AnyMetadataValue", raw)
    if isinstance(raw, (dict, list)):
        return _json(key, cast("dict[str, object] | list[object]", raw))
    make = next((make for kind, make in _FROM_RAW.items() if isinstance(raw, kind)), None)
    if make is None:
        raise InvalidDefinitionError(
            f"Metadata {key!r} has a value of type {type(raw).__module__}.{type(raw).__qualname__}, which is not a "
            f"metadata value: pass {advice(raw)}."
        )
    return make(raw)


def _json(key: str, raw: dict[str, object] | list[object]) -> JsonMetadataValue:
    try:
        return JsonMetadataValue(raw)
    except InvalidDefinitionError as error:
        raise InvalidDefinitionError(f"Metadata {key!r}: {error}") from None


def _metadata_key(key: object) -> str:
    if not isinstance(key, str) or not key:
        raise error_of_word(key)(f"Metadata keys must be non-empty strings, got {key!r}.")
    return str.__str__(key)
