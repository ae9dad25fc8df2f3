"""Dagster's JSON of materializations, observations, evaluations and metadata, as values of Segue. Nothing is dropped:
metadata of a kind that is not known stays as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.model.checks import AssetCheckEvaluation, AssetCheckSeverity
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation
from segue.model.metadata import AnyMetadataValue
from segue.model.metadata_values import (
    AssetMetadataValue,
    BoolMetadataValue,
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
    TextMetadataValue,
    TimestampMetadataValue,
    UrlMetadataValue,
)
from segue.model.table import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)

Json = Mapping[str, Any]
DATA_VERSION_TAG = "dagster/data_version"

_SAME_FIELDS: Mapping[str, type[AnyMetadataValue]] = {
    "BoolMetadataEntryData": BoolMetadataValue,
    "DagsterJobMetadataValue": JobMetadataValue,
    "DagsterPipelineRunMetadataEntryData": RunMetadataValue,
    "FloatMetadataEntryData": FloatMetadataValue,
    "IntMetadataEntryData": IntMetadataValue,
    "JsonMetadataEntryData": JsonMetadataValue,
    "MarkdownMetadataEntryData": MarkdownMetadataValue,
    "NotebookMetadataEntryData": NotebookMetadataValue,
    "NullMetadataEntryData": NullMetadataValue,
    "PathMetadataEntryData": PathMetadataValue,
    "PoolMetadataValue": PoolMetadataValue,
    "PythonArtifactMetadataEntryData": PythonArtifactMetadataValue,
    "TextMetadataEntryData": TextMetadataValue,
    "TimestampMetadataValue": TimestampMetadataValue,
    "UrlMetadataEntryData": UrlMetadataValue,
}


def materialization(data: Json) -> AssetMaterialization:
    """A materialization."""
    return AssetMaterialization.recorded(**_fact(data))


def observation(data: Json) -> AssetObservation:
    """An observation."""
    return AssetObservation.recorded(**_fact(data))


def _fact(data: Json) -> dict[str, Any]:
    tags: Mapping[str, str] = data.get("tags") or {}
    return {
        "asset_key": _asset_key(data["asset_key"]),
        "description": data.get("description"),
        "metadata": metadata(data),
        "partition": data.get("partition"),
        "tags": tags,
        "data_version": tags.get(DATA_VERSION_TAG),
    }


def evaluation(data: Json) -> AssetCheckEvaluation:
    """The result of a check."""
    return AssetCheckEvaluation(
        asset_key=_asset_key(data["asset_key"]),
        check_name=data["check_name"],
        passed=bool(data["success"] if "success" in data else data["passed"]),
        metadata=metadata(data),
        severity=AssetCheckSeverity[_member(data.get("severity"), "ERROR")],
        description=data.get("description"),
        blocking=bool(data.get("blocking")),
        partition=data.get("partition"),
    )


def metadata(data: Json) -> dict[str, AnyMetadataValue]:
    """Metadata, in either of the forms in which Dagster writes it: a list of labelled entries, or an object by name."""
    entries: Sequence[Json] = data.get("metadata_entries") or ()
    if entries:
        return {entry["label"]: _metadata_value(entry["entry_data"]) for entry in entries}
    named: Mapping[str, Json] = data.get("metadata") or {}
    return {name: _metadata_value(value) for name, value in named.items()}


def _metadata_value(data: Json) -> AnyMetadataValue:
    kind = data.get("__class__", "")
    fields = {name: value for name, value in data.items() if name != "__class__"}
    if kind in _SAME_FIELDS:
        return _SAME_FIELDS[kind](**fields)
    if kind == "DagsterAssetMetadataEntryData":
        return AssetMetadataValue(_asset_key(fields["asset_key"]))
    if kind == "TableMetadataEntryData":
        records = [TableRecord(record["data"]) for record in fields["records"]]
        return MetadataValue.table(records, _schema(fields["schema"]))
    if kind == "TableSchemaMetadataEntryData":
        return MetadataValue.table_schema(_schema(fields["schema"]))
    if kind == "TableColumnLineageMetadataValue":
        deps = fields["column_lineage"]["deps_by_column"]
        lineage = {column: [_column_dep(each) for each in sources] for column, sources in deps.items()}
        return MetadataValue.column_lineage(TableColumnLineage(lineage))
    return JsonMetadataValue(dict(data))


def _schema(data: Json) -> TableSchema:
    constraints: Json = data.get("constraints") or {}
    columns = [_column(each) for each in data["columns"]]
    return TableSchema(columns=columns, constraints=TableConstraints(other=list(constraints.get("other") or ())))


def _column(data: Json) -> TableColumn:
    constraints: Json = data.get("constraints") or {}
    return TableColumn(
        name=data["name"],
        type=data.get("type") or "string",
        description=data.get("description"),
        constraints=TableColumnConstraints(
            nullable=constraints.get("nullable", True),
            unique=constraints.get("unique", False),
            other=list(constraints.get("other") or ()),
        ),
    )


def _column_dep(data: Json) -> TableColumnDep:
    return TableColumnDep(asset_key=_asset_key(data["asset_key"]), column_name=data["column_name"])


def _asset_key(data: Json) -> AssetKey:
    return AssetKey(data["path"])


def _member(data: Json | None, default: str) -> str:
    """The name of an enum's member as Dagster writes it: `{"__enum__": "Class.NAME"}`."""
    return default if data is None else data["__enum__"].partition(".")[2]
