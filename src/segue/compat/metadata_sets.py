"""Metadata of tables and of code as objects whose fields are entries: `{**TableMetadataSet(row_count=3)}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar, cast

import msgspec

from segue.model.metadata_values import CodeReferencesMetadataValue, MetadataValue
from segue.model.table import TableColumnLineage, TableSchema

Set = TypeVar("Set", bound="MetadataSet")
_PREFIX = "dagster/"


class MetadataSet(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of metadata; a field that is None is left out."""

    earlier_names: ClassVar[Mapping[str, str]] = {}
    """Other names under which fields may be found."""

    def keys(self) -> Sequence[str]:
        """The keys of the entries that there are."""
        return [f"{_PREFIX}{field}" for field in self.__struct_fields__ if getattr(self, field) is not None]

    def __getitem__(self, key: str) -> object:
        if key not in self.keys():
            raise KeyError(key)
        return getattr(self, key.removeprefix(_PREFIX))

    @classmethod
    def extract(cls: type[Set], values: Mapping[str, object]) -> Set:
        """The entries of metadata that are fields here; others are passed over."""
        fields: dict[str, object] = {}
        for name in (*cls.earlier_names, *cls.__struct_fields__):
            if f"{_PREFIX}{name}" in values:
                value = values[f"{_PREFIX}{name}"]
                fields[cls.earlier_names.get(name, name)] = _plain(value)
        return cls(**fields)


def _plain(value: object) -> object:
    """What a metadata value holds, where the field wants that."""
    if isinstance(value, MetadataValue) and not isinstance(value, CodeReferencesMetadataValue):
        return cast("object", value.value)
    return value


class TableMetadataSet(MetadataSet, frozen=True, kw_only=True):
    """What is known of a table.

    Attributes:
        column_schema, column_lineage: its columns, and of which they are made.
        row_count, partition_row_count: the rows in it, and in the partition.
        table_name: its full name.
        storage_kind: which sort of database it is in.
    """

    earlier_names: ClassVar[Mapping[str, str]] = {"relation_identifier": "table_name"}

    column_schema: TableSchema | None = None
    column_lineage: TableColumnLineage | None = None
    row_count: int | None = None
    partition_row_count: int | None = None
    table_name: str | None = None
    storage_kind: str | None = None


class CodeReferencesMetadataSet(MetadataSet, frozen=True, kw_only=True):
    """Where the code of an asset is."""

    code_references: CodeReferencesMetadataValue | None = None
