"""What the two sides of a pipe say to each other, and how it is written.

The other side is a process that some other program starts, with `dagster-pipes` or any library that speaks its protocol. It
finds two sets of parameters in its environment (or its arguments): where to read the context, and where to write messages.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from segue.errors import PipesExecutionError
from segue.model.keys import AssetKey
from segue.model.metadata import AnyMetadataValue, MetadataValue, metadata_value
from segue.model.table import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)

PipesParams: TypeAlias = Mapping[str, Any]
PipesContextData: TypeAlias = Mapping[str, Any]
PipesMessage: TypeAlias = Mapping[str, Any]
PipesExtras: TypeAlias = Mapping[str, Any]
PipesOpenedData: TypeAlias = Mapping[str, Any]

CONTEXT_VARIABLE = "DAGSTER_PIPES_CONTEXT"
MESSAGES_VARIABLE = "DAGSTER_PIPES_MESSAGES"
CONTEXT_ARGUMENT = "--dagster-pipes-context"
MESSAGES_ARGUMENT = "--dagster-pipes-messages"
VERSION_KEY = "__dagster_pipes_version"
COMPOSITE_WRITERS_KEY = "composite_writers"  # the parameters of each of several writers
_VERSIONS = ("0.1",)


def encode_param(value: object) -> str:
    """A parameter as the other side reads it: JSON, packed, in letters that fit an environment variable."""
    return base64.b64encode(zlib.compress(json.dumps(value).encode())).decode()


def decode_message(line: str) -> PipesMessage | None:
    """The message on a line; None where the line is none."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return None
    return cast("PipesMessage", found) if isinstance(found, dict) and VERSION_KEY in found else None


def require_version(message: PipesMessage) -> None:
    """Refuses a message in a version of the protocol that is not known here.

    Raises:
        PipesExecutionError: it is in another.
    """
    version = message.get(VERSION_KEY)
    if version not in _VERSIONS:
        raise PipesExecutionError(
            f"The external process uses version {version!r} of the pipes protocol; supported: {', '.join(_VERSIONS)}."
        )


def metadata_of(said: Mapping[str, Any] | None) -> dict[str, AnyMetadataValue]:
    """Metadata out of a message: each value bare, or `{"raw_value": ..., "type": ...}`.

    Raises:
        PipesExecutionError: a type that is not known.
    """
    return {name: _metadata_value(name, value) for name, value in (said or {}).items()}


def _metadata_value(name: str, said: Any) -> AnyMetadataValue:
    if not isinstance(said, dict) or set(cast("dict[str, Any]", said)) != {"raw_value", "type"}:
        return metadata_value(name, cast("object", said))
    raw, kind = cast("tuple[Any, str]", (said["raw_value"], said["type"]))
    if kind == "__infer__":
        return metadata_value(name, raw)
    if kind == "table":
        records = [TableRecord(each) for each in raw["records"]]
        schema = raw.get("schema")
        return MetadataValue.table(records, schema=None if schema is None else _table_schema(schema))
    if kind == "table_schema":
        return MetadataValue.table_schema(_table_schema(raw))
    if kind == "table_column_lineage":
        return MetadataValue.column_lineage(_lineage(raw))
    if kind == "asset":
        return MetadataValue.asset(AssetKey.from_user_string(raw))
    if kind == "null":
        return MetadataValue.null()
    make = _PLAIN_KINDS.get(kind)
    if make is None:
        raise PipesExecutionError(f"The metadata {name!r} of the external process has an unknown type {kind!r}.")
    return make(raw)


_PLAIN_KINDS: Mapping[str, Callable[[Any], AnyMetadataValue]] = {
    "bool": MetadataValue.bool,
    "dagster_run": MetadataValue.run,
    "float": MetadataValue.float,
    "int": MetadataValue.int,
    "json": MetadataValue.json,
    "md": MetadataValue.md,
    "notebook": MetadataValue.notebook,
    "path": MetadataValue.path,
    "text": MetadataValue.text,
    "timestamp": MetadataValue.timestamp,
    "url": MetadataValue.url,
}


def _table_schema(said: Mapping[str, Any] | Sequence[Any]) -> TableSchema:
    parts: Mapping[str, Any] = said if isinstance(said, Mapping) else {"columns": said}
    columns = cast("Iterable[Any]", parts.get("columns", parts.get("fields", ())))
    constraints = parts.get("constraints")
    return TableSchema(
        columns=[_column(each) for each in columns],
        constraints=None if constraints is None else TableConstraints(other=constraints["other"]),
    )


def _column(said: str | Mapping[str, Any]) -> TableColumn:
    if isinstance(said, str):
        return TableColumn(name=said)
    constraints = said.get("constraints")
    given = {name: value for name, value in said.items() if name != "constraints"}
    return TableColumn(**given, constraints=None if constraints is None else TableColumnConstraints(**constraints))


def _lineage(said: Mapping[str, Any]) -> TableColumnLineage:
    return TableColumnLineage(
        deps_by_column={
            column: [
                TableColumnDep(asset_key=AssetKey.from_user_string(dep["asset_key"]), column_name=dep["column_name"])
                for dep in deps
            ]
            for column, deps in said["deps_by_column"].items()
        }
    )
