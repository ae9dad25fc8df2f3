"""`DbIOManager` over a real database: which rows of which table a value is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import segue as sg
from segue.execute.io_managers.database import (
    DbClient,
    DbIOManager,
    DbTypeHandler,
    TablePartitionDimension,
    TableSlice,
)


class SqliteClient(DbClient[sqlite3.Connection]):
    """One file for all schemas: the schema is a part of the table's name there."""

    @staticmethod
    @contextmanager
    def connect(context: sg.OutputContext | sg.InputContext, table_slice: TableSlice) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(str(table_slice.database))
        with connection:
            yield connection
        connection.close()

    @staticmethod
    def ensure_schema_exists(context: Any, table_slice: TableSlice, connection: sqlite3.Connection) -> None:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name_of(table_slice)} (day TEXT, shop TEXT, amount INTEGER)")

    @staticmethod
    def delete_table_slice(context: Any, table_slice: TableSlice, connection: sqlite3.Connection) -> None:
        connection.execute(f"DELETE FROM {name_of(table_slice)}{where(table_slice)}")

    @staticmethod
    def get_select_statement(table_slice: TableSlice) -> str:
        return f"SELECT {', '.join(table_slice.columns or ['*'])} FROM {name_of(table_slice)}{where(table_slice)}"


def name_of(table_slice: TableSlice) -> str:
    return f"{table_slice.schema}_{table_slice.table}"


def where(table_slice: TableSlice) -> str:
    conditions = [condition(each) for each in table_slice.partition_dimensions or ()]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def condition(dimension: TablePartitionDimension) -> str:
    if isinstance(dimension.partitions, sg.TimeWindow):
        start, end = (f"'{each.date()}'" for each in dimension.partitions)
        return f"{dimension.partition_expr} >= {start} AND {dimension.partition_expr} < {end}"
    return f"{dimension.partition_expr} IN ({', '.join(repr(each) for each in dimension.partitions)})"


class Rows(list[tuple[Any, ...]]):
    """What the assets here give."""


class RowsHandler(DbTypeHandler[Rows]):
    def handle_output(
        self, context: sg.OutputContext, table_slice: TableSlice, obj: Rows, connection: sqlite3.Connection
    ) -> Mapping[str, object]:
        connection.executemany(f"INSERT INTO {name_of(table_slice)} VALUES (?, ?, ?)", obj)
        return {"rows": len(obj)}

    def load_input(self, context: sg.InputContext, table_slice: TableSlice, connection: sqlite3.Connection) -> Rows:
        return Rows(connection.execute(SqliteClient.get_select_statement(table_slice)).fetchall())

    @property
    def supported_types(self) -> Sequence[type[Any]]:
        return [Rows]


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "shop.db")


def resources(database: str, **options: Any) -> dict[str, DbIOManager]:
    manager = DbIOManager(type_handlers=[RowsHandler()], db_client=SqliteClient(), database=database, **options)
    return {"io_manager": manager}


def table(database: str, name: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(database)
    rows = connection.execute(f"SELECT * FROM {name} ORDER BY day, shop").fetchall()
    connection.close()
    return rows


def test_a_value_is_a_table_and_is_written_in_place_of_the_one_before(database: str) -> None:
    @sg.asset(key_prefix="sales")
    def orders() -> Rows:
        return Rows([("2026-01-01", "a", 1), ("2026-01-01", "b", 2)])

    @sg.asset(ins={"orders": sg.AssetIn(key_prefix="sales", metadata={"columns": ["amount"]})})
    def total(orders: Rows) -> Rows:
        return Rows([("all", "", sum(amount for (amount,) in orders))])

    sg.materialize([orders, total], resources=resources(database))
    result = sg.materialize([orders, total], resources=resources(database))
    assert table(database, "sales_orders") == [("2026-01-01", "a", 1), ("2026-01-01", "b", 2)]
    assert table(database, "public_total") == [("all", "", 3)]
    (made,) = result.asset_materializations_for_node("sales__orders")
    assert {key: value.value for key, value in made.metadata.items()} == {
        "rows": 2,
        "Query": "SELECT * FROM sales_orders",
        "dagster/table_name": f"{database}.sales.orders",
    }


@pytest.mark.parametrize(
    ("prefix", "metadata", "schema", "name"),
    [
        ([], {}, None, "public_orders"),
        (["deep", "sales"], {}, None, "sales_orders"),
        (["sales"], {}, "mine", "mine_orders"),
        (["sales"], {"schema": "own"}, "mine", "own_orders"),
    ],
)
def test_the_schema_is_the_nearest_that_is_named(
    database: str, prefix: list[str], metadata: dict[str, str], schema: str | None, name: str
) -> None:
    @sg.asset(key_prefix=prefix, metadata=metadata)
    def orders() -> Rows:
        return Rows([("d", "a", 1)])

    assert sg.materialize([orders], resources=resources(database, schema=schema)).success
    assert table(database, name) == [("d", "a", 1)]


def test_a_partition_is_the_rows_of_its_window(database: str) -> None:
    days = sg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-05")

    @sg.asset(partitions_def=days, metadata={"partition_expr": "day"})
    def orders(context: sg.AssetExecutionContext) -> Rows:
        return Rows([(key, context.run.tags.get("try", "0"), 1) for key in context.partition_keys])

    @sg.asset(partitions_def=days, metadata={"partition_expr": "day"})
    def counted(context: sg.AssetExecutionContext, orders: Rows) -> Rows:
        return Rows([(context.partition_key, "n", len(orders))])

    given = resources(database)
    with sg.Instance.ephemeral() as instance:
        sg.materialize([orders], partition_key="2026-01-02", resources=given, instance=instance)
        sg.materialize([orders, counted], partition_key="2026-01-03", resources=given, instance=instance)
        sg.materialize([orders], partition_key="2026-01-02", tags={"try": "1"}, resources=given, instance=instance)
    assert table(database, "public_orders") == [("2026-01-02", "1", 1), ("2026-01-03", "0", 1)]
    assert table(database, "public_counted") == [("2026-01-03", "n", 1)]


def test_a_partition_of_several_dimensions_is_the_rows_that_belong_to_each(database: str) -> None:
    both = sg.MultiPartitionsDefinition(
        {
            "day": sg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-03"),
            "shop": sg.StaticPartitionsDefinition(["a", "b"]),
        }
    )

    @sg.asset(partitions_def=both, metadata={"partition_expr": {"day": "day", "shop": "shop"}})
    def orders(context: sg.AssetExecutionContext) -> Rows:
        assert isinstance(context.partition_key, sg.MultiPartitionKey)
        keys = context.partition_key.keys_by_dimension
        return Rows([(keys["day"], keys["shop"], int(context.run.tags["amount"]))])

    for amount, key in enumerate(["2026-01-01|a", "2026-01-01|b", "2026-01-02|a", "2026-01-01|b"]):
        sg.materialize([orders], partition_key=key, tags={"amount": str(amount)}, resources=resources(database))
    assert table(database, "public_orders") == [("2026-01-01", "a", 0), ("2026-01-01", "b", 3), ("2026-01-02", "a", 2)]


def test_outputs_of_ops_are_tables_too(database: str) -> None:
    @sg.op(out={"made": sg.Out(Rows, metadata={"table": "handed", "schema": "over"})})
    def make() -> Rows:
        return Rows([("d", "a", 4)])

    @sg.op(out=sg.Out(Rows))
    def take(made: Rows) -> Rows:
        return made

    @sg.job(resource_defs=resources(database))
    def move() -> None:
        take(make())

    assert move.execute_in_process().success
    assert table(database, "over_handed") == table(database, "public_result") == [("d", "a", 4)]


@sg.asset(partitions_def=sg.StaticPartitionsDefinition(["x"]))
def without_column() -> Rows:
    return Rows()


@sg.asset(
    partitions_def=sg.MultiPartitionsDefinition(
        {"a": sg.StaticPartitionsDefinition(["x"]), "b": sg.StaticPartitionsDefinition(["y"])}
    ),
    metadata={"partition_expr": {"a": "day"}},
)
def without_dimension() -> Rows:
    return Rows()


@sg.asset
def of_another_type() -> dict[str, int]:
    return {}


@sg.asset
def of_nothing() -> Any:
    return None


@pytest.mark.parametrize(
    ("asset", "key", "message"),
    [
        (without_column, "x", "its metadata has no 'partition_expr'"),
        (without_dimension, "x|y", "the partition dimension 'b'"),
        (
            of_another_type,
            None,
            "DbIOManager has no handler for dict, the type of the asset 'of_another_type'. It handles Rows",
        ),
        (of_nothing, None, "Annotate the function with `-> None`"),
    ],
)
def test_what_cannot_be_stored_is_named(
    database: str, asset: sg.AssetsDefinition, key: str | None, message: str
) -> None:
    result = sg.materialize([asset], partition_key=key, resources=resources(database), raise_on_error=False)
    (failed,) = result.get_step_failure_events()
    assert message in failed.step_failure_data.error_display_string


def test_two_handlers_for_one_type_are_refused() -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="both RowsHandler and RowsHandler handle the type Rows"):
        DbIOManager(type_handlers=[RowsHandler(), RowsHandler()], db_client=SqliteClient(), database="x")


def test_an_input_without_annotation_is_of_the_type_that_is_the_default(database: str) -> None:
    class TextHandler(RowsHandler):
        @property
        def supported_types(self) -> Sequence[type[Any]]:
            return [Rows, str]

    @sg.asset
    def orders() -> Rows:
        return Rows([("d", "a", 4)])

    @sg.asset
    def seen(orders) -> None:
        assert orders == [("d", "a", 4)]

    def run(default: type[Any] | None) -> sg.ExecuteInProcessResult:
        manager = DbIOManager(
            type_handlers=[TextHandler()], db_client=SqliteClient(), database=database, default_load_type=default
        )
        return sg.materialize([orders, seen], resources={"io_manager": manager}, raise_on_error=False)

    assert run(Rows).success
    (failed,) = run(None).get_step_failure_events()
    assert "Annotate the parameter with Rows or str" in failed.step_failure_data.error_display_string
