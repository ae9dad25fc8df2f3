"""An IO manager that keeps each value as a table of a database, or as the rows of its partitions in one.

A `DbClient` knows what is peculiar to a database (how to connect, how to remove rows), a `DbTypeHandler` what is peculiar to a
kind of value (how to write and read it). Which rows of which table a value is follows from the asset alone: a `TableSlice`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from segue.defs.io import IOManager
from segue.defs.io_contexts import InputContext, OutputContext
from segue.errors import InvalidDefinitionError, InvalidInvocationError, InvariantViolationError
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.key_range import PartitionKeyRange, TimeWindow
from segue.model.partitions.multi import MultiPartitionKey, MultiPartitionsDefinition
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

Value = TypeVar("Value")
Connection = TypeVar("Connection")
Context: TypeAlias = OutputContext | InputContext

DEFAULT_SCHEMA = "public"
TABLE_NAME = "dagster/table_name"


class TablePartitionDimension(NamedTuple):
    """Which rows belong to partitions.

    Attributes:
        partition_expr: the column, or an expression over columns, that says to which partition a row belongs.
        partitions: its values: a window of time (the end excluded), or partition keys.
    """

    partition_expr: str
    partitions: TimeWindow | Sequence[str]


class TableSlice(NamedTuple):
    """Rows and columns of a table.

    Attributes:
        table, schema, database: the table; `database` is None where there is but one.
        columns: those that are read; None for all.
        partition_dimensions: which rows; empty or None for all. A row must belong to each of them.
    """

    table: str
    schema: str
    database: str | None = None
    columns: Sequence[str] | None = None
    partition_dimensions: Sequence[TablePartitionDimension] | None = None


class DbTypeHandler(ABC, Generic[Value]):
    """Writes and reads values of one kind, such as data frames of a library."""

    @abstractmethod
    def handle_output(
        self, context: OutputContext, table_slice: TableSlice, obj: Value, connection: Any
    ) -> Mapping[str, object] | None:
        """Adds the rows of a value to the table, which holds none of its partitions then. May give metadata."""

    @abstractmethod
    def load_input(self, context: InputContext, table_slice: TableSlice, connection: Any) -> Value:
        """Reads rows as a value."""

    @property
    @abstractmethod
    def supported_types(self) -> Sequence[type[Any]]:
        """The types of the values; subclasses of them included."""


class DbClient(ABC, Generic[Connection]):
    """Speaks to one kind of database. No method needs an instance."""

    @staticmethod
    @abstractmethod
    def connect(context: Context, table_slice: TableSlice) -> AbstractContextManager[Connection]:
        """A connection for one value; what was written is committed where it is left well."""

    @staticmethod
    @abstractmethod
    def ensure_schema_exists(context: OutputContext, table_slice: TableSlice, connection: Connection) -> None:
        """Makes the schema, where it is not there."""

    @staticmethod
    @abstractmethod
    def delete_table_slice(context: OutputContext, table_slice: TableSlice, connection: Connection) -> None:
        """Removes the rows that are about to be written; does nothing where there is no table yet."""

    @staticmethod
    @abstractmethod
    def get_select_statement(table_slice: TableSlice) -> str:
        """SQL that reads the rows."""

    @staticmethod
    def get_table_name(table_slice: TableSlice) -> str:
        """The full name of the table, for people and the catalog."""
        return ".".join(part for part in (table_slice.database, table_slice.schema, table_slice.table) if part)


class DbIOManager(IOManager):
    """Keeps each value as a table, or as the rows of its partitions in one.

    The table of an asset is called by the last part of its key. Its schema is, in this order, the entry `schema` of its metadata,
    `schema` here, the part of its key before the last, or `public`. An asset with partitions says in the entry `partition_expr` of
    its metadata which column (for several dimensions: a mapping by dimension) holds its partitions. The table of an output of an op
    is the entry `table` of its metadata, else the name of the output. An input reads the columns that the entry `columns` of its
    metadata names, else all.

    Args:
        type_handlers: who writes and reads which types.
        db_client: speaks to the database.
        database: its name.
        schema: the schema of tables that name no other.
        io_manager_name: for messages; the name of the class when None.
        default_load_type: the type of inputs without annotation. When None, the only type that there is a handler for, if it is
            the only one.

    Raises:
        InvalidDefinitionError: two handlers for one type.
    """

    def __init__(
        self,
        *,
        type_handlers: Sequence[DbTypeHandler[Any]],
        db_client: DbClient[Any],
        database: str,
        schema: str | None = None,
        io_manager_name: str | None = None,
        default_load_type: type[Any] | None = None,
    ) -> None:
        self._name = io_manager_name or type(self).__name__
        self._handlers: dict[type[Any], DbTypeHandler[Any]] = {}
        for handler in type_handlers:
            for kind in handler.supported_types:
                if kind in self._handlers:
                    raise InvalidDefinitionError(
                        f"{self._name}: both {type(self._handlers[kind]).__name__} and {type(handler).__name__} handle the type "
                        f"{kind.__name__}; keep one."
                    )
                self._handlers[kind] = handler
        self._client = db_client
        self._database = database
        self._schema = schema
        self._default_load_type = default_load_type or (
            next(iter(self._handlers)) if len(self._handlers) == 1 else None
        )

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Writes a value in place of the rows that are there.

        Raises:
            InvariantViolationError: the value is None.
            InvalidInvocationError: no handler for its type, or nothing says which column holds the partitions.
        """
        if obj is None:
            raise InvariantViolationError(
                f"{self._name} got None for {_what(context)}. Annotate the function with `-> None` if it returns "
                "nothing."
            )
        handler = self._handler(type(obj), context)
        rows = self._slice(context, context)
        with self._client.connect(context, rows) as connection:
            self._client.ensure_schema_exists(context, rows, connection)
            self._client.delete_table_slice(context, rows, connection)
            metadata = handler.handle_output(context, rows, obj, connection) or {}
        own = {"Query": self._client.get_select_statement(rows), TABLE_NAME: self._client.get_table_name(rows)}
        context.add_output_metadata({**own, **metadata})

    def load_input(self, context: InputContext) -> Any:
        """Reads a value as the type that the input is annotated with.

        Raises:
            InvalidInvocationError: no handler for its type, or nothing says which column holds the partitions.
        """
        made = context.upstream_output
        if made is None:
            raise InvalidInvocationError(
                f"{self._name} can only load values of outputs, but {_what(context)} has no upstream output."
            )
        wanted = context.dagster_type.typing_type
        kind = self._default_load_type if wanted is Any and self._default_load_type is not None else wanted
        handler = self._handler(kind, context)
        rows = self._slice(context, made)
        with self._client.connect(context, rows) as connection:
            return handler.load_input(context, rows, connection)

    def _handler(self, kind: Any, context: Context) -> DbTypeHandler[Any]:
        found = next(
            (
                handler
                for each, handler in self._handlers.items()
                if kind is not Any and isinstance(kind, type) and issubclass(kind, each)
            ),
            None,
        )
        if found is not None:
            return found
        known = " or ".join(each.__name__ for each in self._handlers)
        if kind is Any:
            raise InvalidInvocationError(
                f"{self._name} does not know which type to load for {_what(context)}. Annotate the parameter "
                f"with {known}."
            )
        raise InvalidInvocationError(
            f"{self._name} has no handler for {getattr(kind, '__name__', kind)}, the type of {_what(context)}. It "
            f"handles {known}: use one of these types, or add a DbTypeHandler."
        )

    def _slice(self, context: Context, made: OutputContext) -> TableSlice:
        """The rows of a value; where the table is follows from the output, which rows of it from who asks."""
        declared = made.definition_metadata or {}
        given: Any = (context.definition_metadata or {}).get("columns")
        if not context.has_asset_key:
            return TableSlice(
                table=str(declared.get("table") or made.name),
                schema=str(declared.get("schema") or self._schema or DEFAULT_SCHEMA),
                database=self._database,
                columns=given,
                partition_dimensions=[],
            )
        path = context.asset_key.path
        prefix = path[-2] if len(path) > 1 else DEFAULT_SCHEMA
        return TableSlice(
            table=path[-1],
            schema=str(declared.get("schema") or self._schema or prefix),
            database=self._database,
            columns=given,
            partition_dimensions=_dimensions(context, declared.get("partition_expr"))
            if context.has_asset_partitions
            else [],
        )


def _dimensions(context: Context, expression: object) -> list[TablePartitionDimension]:
    """Which rows the partitions of a context are."""
    definition = context.asset_partitions_def
    if expression is None:
        raise InvalidInvocationError(
            f"{_what(context)} is partitioned, but its metadata has no 'partition_expr', which names the partition "
            'column. Add metadata={"partition_expr": "the_column"}.'
        )
    if not isinstance(definition, MultiPartitionsDefinition):
        if isinstance(definition, TimeWindowPartitionsDefinition):
            partitions: TimeWindow | Sequence[str] = (
                context.asset_partitions_time_window if context.asset_partition_keys else ()
            )
        else:
            partitions = context.asset_partition_keys
        return [TablePartitionDimension(str(expression), partitions)]
    by_dimension = cast("Mapping[str, str]", expression if isinstance(expression, Mapping) else {})
    missing = [each.name for each in definition.partitions_defs if each.name not in by_dimension]
    if missing:
        raise InvalidInvocationError(
            f"{_what(context)} has the partition dimension {missing[0]!r}, but 'partition_expr' in its metadata has "
            "no column for it. Use a mapping of dimensions to columns."
        )
    span = context.asset_partition_key_range
    first, last = (cast("MultiPartitionKey", each).keys_by_dimension for each in (span.start, span.end))
    return [
        TablePartitionDimension(
            by_dimension[each.name], _partitions(each.partitions_def, first[each.name], last[each.name])
        )
        for each in definition.partitions_defs
    ]


def _partitions(definition: PartitionsDefinition[Any], first: str, last: str) -> TimeWindow | Sequence[str]:
    if isinstance(definition, TimeWindowPartitionsDefinition):
        start, end = (definition.time_window_for_partition_key(key) for key in (first, last))
        return TimeWindow(start.start, end.end)
    return definition.get_partition_keys_in_range(PartitionKeyRange(first, last))


def _what(context: Context) -> str:
    if context.has_asset_key:
        return f"the asset {context.asset_key.to_user_string()!r}"
    return f"{'the input' if isinstance(context, InputContext) else 'the output'} {context.name!r}"
