"""The components that come along, in projects of their own."""

from collections.abc import Iterator
from typing import Any

import pytest

import segue as dg
from segue.defs.components.function_component import FunctionSpec
from segue.errors import InvalidDefinitionError
from segue.testing.components import DefsFolderSandbox, copy_code_to_file, create_defs_folder_sandbox


@pytest.fixture
def sandbox() -> Iterator[DefsFolderSandbox]:
    with create_defs_folder_sandbox() as made:
        yield made


class Tally(dg.Config):
    start: int


def count(context: dg.AssetExecutionContext, config: Tally, shelf: dg.ResourceParam[list[int]]) -> Any:
    return dg.MaterializeResult(metadata={"sum": config.start + sum(shelf), "key": context.asset_key.to_user_string()})


def test_a_function_makes_assets_with_config_and_resources() -> None:
    component = dg.FunctionComponent.from_attributes_dict(
        attributes={"execution": f"{__name__}.count", "assets": [{"key": "shop/total", "kinds": ["python"]}]}
    )
    assert component.resource_keys == {"shelf"}
    assert component.config_cls is Tally
    made = dg.build_defs_for_component(component).get_assets_def("shop/total")
    assert made.op.name == "count"
    result = dg.materialize(
        [made], resources={"shelf": [1, 2]}, run_config={"ops": {"count": {"config": {"start": 4}}}}
    )
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["sum"].value == 7


def test_a_function_beside_the_file_with_a_name_and_checks(sandbox: DefsFolderSandbox) -> None:
    def code() -> None:
        import segue as dg

        def make(context):
            yield dg.MaterializeResult(asset_key="a", metadata={"made": True})
            yield dg.AssetCheckResult(passed=True, asset_key="a", check_name="full")

    folder = sandbox.scaffold_component(
        dg.FunctionComponent,
        "parts",
        {
            "type": "dagster.FunctionComponent",
            "attributes": {
                "execution": {"name": "by_hand", "fn": ".parts.steps.make", "tags": {"size": "s"}},
                "assets": [{"key": "a"}],
                "checks": [{"name": "full", "asset": "a"}],
            },
        },
    )
    copy_code_to_file(code, folder / "steps.py")
    with sandbox.load_component_and_build_defs(folder) as (component, defs):
        assert isinstance(component, dg.FunctionComponent)
        assert isinstance(component.execution, FunctionSpec)
        made = defs.get_assets_def("a")
        assert (made.op.name, made.op.tags) == ("by_hand", {"size": "s"})
        result = dg.materialize([made])
        assert [each.passed for each in result.get_asset_check_evaluations()] == [True]


def test_checks_alone_are_a_step() -> None:
    def look(context: Any) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False)

    component = dg.FunctionComponent(execution=look, checks=[dg.AssetCheckSpec("empty", asset="a")])
    defs = dg.build_defs_for_component(component)
    assert not defs.assets
    (check,) = defs.asset_checks
    assert check.op.name == "look"
    result = dg.materialize([check], selection=dg.AssetSelection.all_asset_checks())
    assert [each.passed for each in result.get_asset_check_evaluations()] == [False]
    with pytest.raises(InvalidDefinitionError, match="at least one asset or check"):
        dg.build_defs_for_component(dg.FunctionComponent(execution=look))


class Database:
    """Keeps what it is told to execute."""

    def __init__(self) -> None:
        self.executed: list[str] = []

    def connect_and_execute(self, sql: str) -> None:
        self.executed.append(sql)


def test_templated_sql_is_executed_on_a_connection(sandbox: DefsFolderSandbox) -> None:
    folder = sandbox.scaffold_component(
        dg.TemplatedSqlComponent,
        "orders",
        {
            "type": "dagster.TemplatedSqlComponent",
            "template_vars_module": ".connection",
            "attributes": {
                "sql_template": {"path": "orders.sql"},
                "sql_template_vars": {"schema": "raw"},
                "connection": "{{ database }}",
                "assets": [{"key": "orders"}],
            },
        },
    )
    (folder / "orders.sql").write_text("create table {{ schema }}.orders as select '{{ context.partition_key }}'")
    (folder / "connection.py").write_text(
        f"import segue as dg\nfrom {__name__} import Database\n\n@dg.template_var\ndef database():\n    return Database()\n"
    )
    with sandbox.load_component_and_build_defs(folder) as (component, defs):
        assert isinstance(component, dg.TemplatedSqlComponent)
        made = defs.get_assets_def("orders")
        assert made.op.name == "sql_orders"
        assert made.map_asset_specs(lambda spec: spec).key == dg.AssetKey("orders")
        days = dg.StaticPartitionsDefinition(["monday"])
        daily = made.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=days))
        assert dg.materialize([daily], partition_key="monday").success
        assert component.connection.executed == ["create table raw.orders as select 'monday'"]


def test_sql_of_ones_own() -> None:
    class Drop(dg.SqlComponent):
        def get_sql_content(self, context: Any, component_load_context: dg.ComponentLoadContext) -> str:
            return f"drop {context.asset_key.to_user_string()}"

        def get_unique_name(self) -> str:
            return "drop"

    database = Database()
    made = dg.build_defs_for_component(Drop(connection=database, assets=[dg.AssetSpec("old")])).get_assets_def("old")
    assert dg.materialize([made]).success
    assert (made.op.name, database.executed) == ("drop", ["drop old"])


def test_definitions_of_a_file_get_post_processed(sandbox: DefsFolderSandbox) -> None:
    folder = sandbox.scaffold_component(
        dg.DefinitionsComponent,
        "sales",
        {
            "type": "dagster.DefinitionsComponent",
            "attributes": {"path": "some_assets.py"},
            "post_processing": {"assets": [{"attributes": {"group_name": "sales"}}]},
        },
    )
    (folder / "some_assets.py").write_text("import segue as dg\nfirst = dg.AssetSpec('first')\n")
    with sandbox.build_all_defs() as defs:
        assert [spec.group_name for spec in defs.resolve_all_asset_specs()] == ["sales"]
