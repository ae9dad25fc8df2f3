"""Tables as metadata: columns and their constraints, single records, and where a column comes from.

Each class is its own wire form. Where a constructor takes more than the attribute holds (`None` for "no constraints", a
string for an asset key), `__init__` is written out for type checkers only, and `__post_init__` converts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec.structs import force_setattr

from segue.errors import InvalidInvocationError, WrongArgumentError
from segue.model.arguments import require_sequence, require_type
from segue.model.keys import AssetKey, CoercibleToAssetKey

TableCell: TypeAlias = str | int | float | bool | None


class TableColumnConstraints(msgspec.Struct, frozen=True):
    """What holds for the values of one column.

    Attributes:
        nullable: whether a value may be missing.
        unique: whether no value occurs twice.
        other: further rules in words.
    """

    nullable: bool = True
    unique: bool = False
    other: Sequence[str] = []

    if TYPE_CHECKING:

        def __init__(self, nullable: bool = True, unique: bool = False, other: Sequence[str] | None = None) -> None: ...

    def __post_init__(self) -> None:
        require_type(self, "nullable", self.nullable, bool)
        require_type(self, "unique", self.unique, bool)
        force_setattr(self, "other", require_sequence(self, "other", self.other or (), str))


class TableConstraints(msgspec.Struct, frozen=True):
    """What holds for a table as a whole, in words."""

    other: Sequence[str]

    def __post_init__(self) -> None:
        force_setattr(self, "other", require_sequence(self, "other", self.other, str))


class TableColumn(msgspec.Struct, frozen=True):
    """One column of a table.

    Attributes:
        name: the name of the column.
        type: the name of its type, in the words of the system that holds the table.
        description: its meaning, in Markdown.
        constraints: what holds for its values.
        tags: labels, for instance to mark personal data.
    """

    name: str
    type: str = "string"
    description: str | None = None
    constraints: TableColumnConstraints = TableColumnConstraints()
    tags: Mapping[str, str] = {}

    if TYPE_CHECKING:

        def __init__(
            self,
            name: str,
            type: str = "string",
            description: str | None = None,
            constraints: TableColumnConstraints | None = None,
            tags: Mapping[str, str] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        require_type(self, "name", self.name, str)
        require_type(self, "type", self.type, str)
        if self.description is not None:
            require_type(self, "description", self.description, str)
        force_setattr(self, "constraints", self.constraints or TableColumnConstraints())
        require_type(self, "constraints", self.constraints, TableColumnConstraints)
        tags = dict(self.tags or {})
        for key, value in tags.items():
            require_type(self, "tags", key, str)
            require_type(self, f"tags[{key!r}]", value, str)
        force_setattr(self, "tags", tags)


class TableSchema(msgspec.Struct, frozen=True):
    """The columns of a table, in order, and what holds for the table as a whole."""

    columns: Sequence[TableColumn]
    constraints: TableConstraints = TableConstraints([])

    if TYPE_CHECKING:

        def __init__(self, columns: Sequence[TableColumn], constraints: TableConstraints | None = None) -> None: ...

    def __post_init__(self) -> None:
        force_setattr(self, "columns", require_sequence(self, "columns", self.columns, TableColumn))
        force_setattr(self, "constraints", self.constraints or TableConstraints([]))
        require_type(self, "constraints", self.constraints, TableConstraints)

    @staticmethod
    def from_name_type_dict(name_type_dict: Mapping[str, str]) -> TableSchema:
        """The schema whose columns have these names and types."""
        return TableSchema([TableColumn(name, kind) for name, kind in name_type_dict.items()])


class TableRecord(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """One row: a string, number, boolean or None for each column name.

    `non_finite` is for the wire only: the columns whose NaN or infinity JSON writes as null.
    """

    data: Mapping[str, TableCell]
    non_finite: dict[str, str] | msgspec.UnsetType = msgspec.UNSET

    if TYPE_CHECKING:

        def __init__(self, data: Mapping[str, TableCell]) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongArgumentError(f"TableRecord expected a mapping of column names to values, got {self.data!r}.")
        data = {_column_name(name): _cell(name, value) for name, value in self.data.items()}
        if self.non_finite is not msgspec.UNSET:
            data.update({name: float(number) for name, number in self.non_finite.items()})
        force_setattr(self, "data", data)
        special = {
            name: str(cell) for name, cell in data.items() if isinstance(cell, float) and not math.isfinite(cell)
        }
        force_setattr(self, "non_finite", special or msgspec.UNSET)


class TableColumnDep(msgspec.Struct, frozen=True):
    """A column of an upstream asset on which a column depends."""

    asset_key: AssetKey
    column_name: str

    if TYPE_CHECKING:

        def __init__(self, asset_key: CoercibleToAssetKey, column_name: str) -> None: ...

    def __post_init__(self) -> None:
        force_setattr(self, "asset_key", AssetKey.from_coercible(self.asset_key))
        require_type(self, "column_name", self.column_name, str)


class TableColumnLineage(msgspec.Struct, frozen=True):
    """For each column of a table, the upstream columns on which it depends."""

    deps_by_column: Mapping[str, Sequence[TableColumnDep]]

    def __post_init__(self) -> None:
        deps = {
            column: require_sequence(self, f"deps_by_column[{column!r}]", deps, TableColumnDep)
            for column, deps in self.deps_by_column.items()
        }
        force_setattr(self, "deps_by_column", deps)


def infer_column_type(value: object) -> str:
    """The name of the column type that fits a cell: bool, int, float, and string for all else."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "string"


def inferred_schema(records: Sequence[TableRecord]) -> TableSchema:
    """The schema that the first record suggests.

    Raises:
        InvalidInvocationError: no record, or records with different columns.
    """
    if not records:
        raise InvalidInvocationError(
            "A table without records must have a schema: there are no records to infer it from."
        )
    first = records[0].data
    for index, record in enumerate(records):
        if record.data.keys() != first.keys():
            raise InvalidInvocationError(
                f"Record {index} of the table has the columns {sorted(record.data)}, but the first record has "
                f"{sorted(first)}. Use the same columns in all records, or pass a schema."
            )
    return TableSchema([TableColumn(name, infer_column_type(cell)) for name, cell in first.items()])


def _column_name(name: object) -> str:
    if isinstance(name, str):
        return str.__str__(name)
    raise WrongArgumentError(f"TableRecord: column names must be strings, got {name!r}.")


def _cell(name: str, value: object) -> TableCell:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    raise WrongArgumentError(
        f"TableRecord: column {name!r} contains {value!r} of type {type(value).__qualname__}; expected a string, an int, "
        "a float, a bool or None. Convert it first, for instance with str()."
    )
