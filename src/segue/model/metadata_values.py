"""The kinds of metadata: one class each, made by the static methods of `MetadataValue`.

Each class is its own wire form, told apart by the tag `type`. A constructor that takes more than its attribute holds is
written out for type checkers only (`__init__`); `__post_init__` converts. One file, because they are one tagged union.
"""
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportAssignmentType=false
# reason: the compatible API gives fields the names of the static constructors they inherit (`text`, `url`, `value`)

from __future__ import annotations

import builtins
import math
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec
from msgspec.structs import force_setattr

from segue.errors import WrongArgumentError
from segue.model.arguments import require_sequence, require_type, wrong_argument
from segue.model.code_reference import CodeReference, LocalFileCodeReference, UrlCodeReference
from segue.model.json_data import plain_json, restore_non_finite
from segue.model.keys import AssetKey
from segue.model.stored_content import ContentReference
from segue.model.table import TableColumnLineage, TableRecord, TableSchema, infer_column_type, inferred_schema


class MetadataValue:
    """A typed fact. Made by the static methods below, one per type; `value` is the plain value inside."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def value(self) -> Any: ...

    @staticmethod
    def text(text: str) -> TextMetadataValue:
        """Plain text."""
        return TextMetadataValue(text)

    @staticmethod
    def url(url: str) -> UrlMetadataValue:
        """A link."""
        return UrlMetadataValue(url)

    @staticmethod
    def path(path: str | os.PathLike[str]) -> PathMetadataValue:
        """A path in a file system."""
        return PathMetadataValue(path)

    @staticmethod
    def notebook(path: str | os.PathLike[str]) -> NotebookMetadataValue:
        """The path of a Jupyter notebook."""
        return NotebookMetadataValue(path)

    @staticmethod
    def json(data: Sequence[Any] | Mapping[str, Any] | None) -> JsonMetadataValue:
        """Any JSON data; `InvalidDefinitionError` names the place of what JSON cannot hold."""
        return JsonMetadataValue(data)

    @staticmethod
    def md(data: str) -> MarkdownMetadataValue:
        """Markdown text."""
        return MarkdownMetadataValue(data)

    @staticmethod
    def python_artifact(python_artifact: Callable[..., Any]) -> PythonArtifactMetadataValue:
        """A class or function, named by its module and name."""
        return _python_artifact(python_artifact)

    @staticmethod
    def float(value: builtins.float | None) -> FloatMetadataValue:
        """A number; an int is converted."""
        return FloatMetadataValue(value)

    @staticmethod
    def int(value: builtins.int | None) -> IntMetadataValue:
        """A whole number."""
        return IntMetadataValue(value)

    @staticmethod
    def bool(value: builtins.bool | None) -> BoolMetadataValue:
        """True or false."""
        return BoolMetadataValue(value)

    @staticmethod
    def timestamp(value: builtins.float | datetime) -> TimestampMetadataValue:
        """A moment: seconds since 1970 in UTC, or a datetime with a time zone."""
        return _timestamp(value)

    @staticmethod
    def dagster_run(run_id: str) -> RunMetadataValue:
        """A run; superseded by `run`."""
        return RunMetadataValue(run_id)

    @staticmethod
    def run(run_id: str) -> RunMetadataValue:
        """A run of this deployment, by its id."""
        return RunMetadataValue(run_id)

    @staticmethod
    def asset(asset_key: AssetKey) -> AssetMetadataValue:
        """An asset, by its key."""
        return AssetMetadataValue(asset_key)

    @staticmethod
    def job(job_name: str, location_name: str, *, repository_name: str | None = None) -> JobMetadataValue:
        """A job of a code location."""
        return JobMetadataValue(job_name, location_name, repository_name)

    @staticmethod
    def table(records: Sequence[TableRecord], schema: TableSchema | None = None) -> TableMetadataValue:
        """Rows; without a schema, column types are inferred from the first row (so there must be one)."""
        return TableMetadataValue(records, schema)

    @staticmethod
    def table_schema(schema: TableSchema) -> TableSchemaMetadataValue:
        """The columns of a table."""
        return TableSchemaMetadataValue(schema)

    @staticmethod
    def column_lineage(lineage: TableColumnLineage) -> TableColumnLineageMetadataValue:
        """The upstream columns on which the columns of a table depend."""
        return TableColumnLineageMetadataValue(lineage)

    @staticmethod
    def null() -> NullMetadataValue:
        """Nothing, on purpose."""
        return NullMetadataValue()

    @staticmethod
    def pool(pool: str) -> PoolMetadataValue:
        """A concurrency pool, by its name."""
        return PoolMetadataValue(pool)


class _Value(msgspec.Struct, MetadataValue, frozen=True, tag_field="type"):
    """What the classes below share: frozen fields, equality, hash, repr, copy, pickle, and the tag on the wire."""


class TextMetadataValue(_Value, frozen=True, tag="text"):
    """Plain text."""

    text: str | None = ""

    def __post_init__(self) -> None:
        _keep_text(self, "text", self.text)

    @property
    def value(self) -> str:
        return cast("str", self.text)


class UrlMetadataValue(_Value, frozen=True, tag="url"):
    """A link."""

    url: str | None = ""

    def __post_init__(self) -> None:
        _keep_text(self, "url", self.url)

    @property
    def value(self) -> str:
        return cast("str", self.url)


class _FilePath(_Value, frozen=True):
    path: str

    def __post_init__(self) -> None:
        path = cast("str | os.PathLike[str] | None", self.path)
        if type(path) is not str:
            plain = "" if path is None else os.fspath(path) if isinstance(path, os.PathLike) else path
            force_setattr(self, "path", plain)
            _keep_text(self, "path", self.path)

    @property
    def fspath(self) -> str:
        """The path."""
        return self.path

    value = fspath


class PathMetadataValue(_FilePath, frozen=True, tag="path"):
    """A path in a file system."""

    if TYPE_CHECKING:

        def __init__(self, path: str | os.PathLike[str] | None) -> None: ...


class NotebookMetadataValue(_FilePath, frozen=True, tag="notebook"):
    """The path of a Jupyter notebook."""

    if TYPE_CHECKING:

        def __init__(self, path: str | os.PathLike[str] | None) -> None: ...


class JsonMetadataValue(_Value, frozen=True, tag="json", repr_omit_defaults=True):
    """JSON data. `data` is a plain copy of what was passed; `non_finite` is for the wire only, see `json_data`."""

    data: Any
    non_finite: dict[str, str] | msgspec.UnsetType = msgspec.UNSET

    if TYPE_CHECKING:

        def __init__(self, data: Sequence[Any] | Mapping[str, Any] | None) -> None: ...

    def __post_init__(self) -> None:
        data, non_finite = plain_json(self.data, "JSON metadata value")
        if self.non_finite is not msgspec.UNSET:
            data, non_finite = restore_non_finite(data, self.non_finite), self.non_finite
        force_setattr(self, "data", data)
        force_setattr(self, "non_finite", non_finite or msgspec.UNSET)

    @property
    def value(self) -> Any:
        return self.data


class MarkdownMetadataValue(_Value, frozen=True, tag="md"):
    """Markdown text."""

    md_str: str | None = ""

    def __post_init__(self) -> None:
        _keep_text(self, "md_str", self.md_str)

    @property
    def value(self) -> str:
        return cast("str", self.md_str)


class PythonArtifactMetadataValue(_Value, frozen=True, tag="python_artifact"):
    """A class or function, by module and name."""

    module: str
    name: str

    def __post_init__(self) -> None:
        _keep_text(self, "module", self.module)
        _keep_text(self, "name", self.name)

    @property
    def value(self) -> PythonArtifactMetadataValue:
        return self


class FloatMetadataValue(_Value, frozen=True, tag="float", repr_omit_defaults=True):
    """A number. `non_finite` is for the wire only: the name of a NaN or infinity, which JSON writes as null."""

    value: float | None
    non_finite: str | msgspec.UnsetType = msgspec.UNSET

    if TYPE_CHECKING:

        def __init__(self, value: float | None) -> None: ...

    def __post_init__(self) -> None:
        value = cast("object", self.value if self.non_finite is msgspec.UNSET else float(self.non_finite))
        if type(value) is float and math.isfinite(value):
            return
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise wrong_argument(self, "value", value, "a float")
            value = float(value)
            force_setattr(self, "value", value)
            force_setattr(self, "non_finite", msgspec.UNSET if math.isfinite(value) else str(value))


class IntMetadataValue(_Value, frozen=True, tag="int"):
    """A whole number of any size."""

    value: int | None

    def __post_init__(self) -> None:
        if self.value is not None and type(self.value) is not int:
            if not isinstance(self.value, int):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
                raise wrong_argument(self, "value", self.value, "an int")
            force_setattr(self, "value", int(self.value))


class BoolMetadataValue(_Value, frozen=True, tag="bool"):
    """True or false."""

    value: bool | None

    def __post_init__(self) -> None:
        if self.value is not None and not isinstance(self.value, bool):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise wrong_argument(self, "value", self.value, "a bool")


class TimestampMetadataValue(_Value, frozen=True, tag="timestamp"):
    """A moment, in seconds since 1970 in UTC."""

    value: float

    def __post_init__(self) -> None:
        value = cast("object", self.value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise wrong_argument(self, "value", value, "a finite number of seconds since 1970 in UTC")
        force_setattr(self, "value", float(value))


class RunMetadataValue(_Value, frozen=True, tag="run"):
    """A run, by its id."""

    run_id: str

    def __post_init__(self) -> None:
        _keep_text(self, "run_id", self.run_id)

    @property
    def value(self) -> str:
        return self.run_id


class AssetMetadataValue(_Value, frozen=True, tag="asset"):
    """An asset, by its key."""

    asset_key: AssetKey

    def __post_init__(self) -> None:
        require_type(self, "asset_key", self.asset_key, AssetKey)

    @property
    def value(self) -> AssetKey:
        return self.asset_key


class JobMetadataValue(_Value, frozen=True, tag="job"):
    """A job, by its name and its code location."""

    job_name: str
    location_name: str
    repository_name: str | None = None

    def __post_init__(self) -> None:
        for name in ("job_name", "location_name"):
            require_type(self, name, getattr(self, name), str)
        _keep_text(self, "repository_name", self.repository_name)

    @property
    def value(self) -> JobMetadataValue:
        return self


class TableMetadataValue(_Value, frozen=True, tag="table"):
    """Rows of a table, with its columns."""

    records: Sequence[TableRecord]
    schema: TableSchema

    if TYPE_CHECKING:

        def __init__(self, records: Sequence[TableRecord], schema: TableSchema | None) -> None: ...

    def __post_init__(self) -> None:
        force_setattr(self, "records", require_sequence(self, "records", self.records, TableRecord))
        if self.schema is None:  # pyright: ignore[reportUnnecessaryComparison] reason: None is accepted, see __init__
            force_setattr(self, "schema", inferred_schema(self.records))
        require_type(self, "schema", self.schema, TableSchema)

    @property
    def value(self) -> TableMetadataValue:
        return self

    @staticmethod
    def infer_column_type(value: object) -> str:
        """The name of the column type that fits a cell: bool, int, float, and string for all else."""
        return infer_column_type(value)


class TableSchemaMetadataValue(_Value, frozen=True, tag="table_schema"):
    """The columns of a table."""

    schema: TableSchema

    def __post_init__(self) -> None:
        require_type(self, "schema", self.schema, TableSchema)

    @property
    def value(self) -> TableSchema:
        return self.schema


class TableColumnLineageMetadataValue(_Value, frozen=True, tag="column_lineage"):
    """The upstream columns on which the columns of a table depend."""

    column_lineage: TableColumnLineage

    def __post_init__(self) -> None:
        require_type(self, "column_lineage", self.column_lineage, TableColumnLineage)

    @property
    def value(self) -> TableColumnLineage:
        return self.column_lineage

    lineage = value


class PoolMetadataValue(_Value, frozen=True, tag="pool"):
    """A concurrency pool, by its name."""

    pool: str

    def __post_init__(self) -> None:
        _keep_text(self, "pool", self.pool)

    @property
    def value(self) -> str:
        return self.pool

    name = value


class NullMetadataValue(_Value, frozen=True, tag="null"):
    """Nothing, on purpose."""

    @property
    def value(self) -> None:
        return None


class CodeReferencesMetadataValue(_Value, frozen=True, tag="code_references", kw_only=True):
    """The places in the code where something is declared."""

    code_references: list[CodeReference]

    def __post_init__(self) -> None:
        require_sequence(self, "code_references", self.code_references, (LocalFileCodeReference, UrlCodeReference))

    @property
    def value(self) -> CodeReferencesMetadataValue:
        return self


class StoredMetadataValue(ContentReference, MetadataValue, frozen=True, tag="stored"):
    """A reference to a value that was too large for the event log. `load()` returns the value, `value` its contents."""

    @property
    def value(self) -> Any:
        return self.load().value


# What to decode stored metadata as: the classes above, told apart by their tag.
AnyMetadataValue: TypeAlias = (
    TextMetadataValue
    | UrlMetadataValue
    | PathMetadataValue
    | NotebookMetadataValue
    | JsonMetadataValue
    | MarkdownMetadataValue
    | PythonArtifactMetadataValue
    | FloatMetadataValue
    | IntMetadataValue
    | BoolMetadataValue
    | TimestampMetadataValue
    | RunMetadataValue
    | AssetMetadataValue
    | JobMetadataValue
    | TableMetadataValue
    | TableSchemaMetadataValue
    | TableColumnLineageMetadataValue
    | PoolMetadataValue
    | NullMetadataValue
    | CodeReferencesMetadataValue
    | StoredMetadataValue
)


def _timestamp(value: object) -> TimestampMetadataValue:
    if not isinstance(value, datetime):
        return TimestampMetadataValue(cast("float", value))
    if value.tzinfo is None:
        raise WrongArgumentError(
            f"MetadataValue.timestamp: {value!r} is ambiguous without a time zone. Add one: value.replace(tzinfo=timezone.utc)."
        )
    return TimestampMetadataValue(value.timestamp())


def _python_artifact(artifact: object) -> PythonArtifactMetadataValue:
    module, name = getattr(artifact, "__module__", None), getattr(artifact, "__name__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        raise WrongArgumentError(f"MetadataValue.python_artifact expected a class or function, got {artifact!r}.")
    return PythonArtifactMetadataValue(module, name)


def _keep_text(owner: MetadataValue, field: str, value: object) -> None:
    """Check a text field; a subclass of str (an enum member, a numpy string) is made a plain string for the wire."""
    if value is not None and type(value) is not str:
        if not isinstance(value, str):
            raise wrong_argument(owner, field, value, "a string")
        force_setattr(cast("msgspec.Struct", owner), field, str.__str__(value))
