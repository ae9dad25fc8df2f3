"""Libraries for Dagster load and work: they enter themselves in a registry, make records, translate assets, keep state."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_for_dagster import run

import segue
from segue.compat.lookup import private_name
from segue.defs.components.state_backed import DefsStateManagementType
from segue.errors import InvalidDefinitionError

pytestmark = pytest.mark.usefixtures("import_hook")


def test_a_library_enters_itself() -> None:
    code = """
from dagster_shared.libraries import DagsterLibraryRegistry
DagsterLibraryRegistry.register("dagster-weather", "0.3", is_dagster_package=False)
"""
    run(code)
    versions = run("from dagster._core.libraries import DagsterLibraryRegistry as R; versions = R.get()")["versions"]
    assert isinstance(versions, dict)
    assert versions["dagster-weather"] == "0.3"
    assert str(versions["dagster"]).startswith("1.")


def test_a_record_is_frozen_compared_by_value_and_copied_with_changes() -> None:
    code = """
from dagster_shared.record import as_dict, copy, record

@record
class Place:
    name: str
    height: int = 0

@record(checked=False, kw_only=False)
class Point:
    x: int
    y: int

place = Place(name="hut")
higher = copy(place, height=3)
fields = as_dict(higher)
same = Place(name="hut") == place
point = Point(1, 2)
"""
    found = run(code)
    assert (found["fields"], found["same"]) == ({"name": "hut", "height": 3}, True)
    with pytest.raises(AttributeError):
        setattr(found["place"], "name", "barn")  # noqa: B010 reason: the class is known to the code alone


def test_the_state_of_a_component_is_found_in_the_project(tmp_path: Path) -> None:
    code = """
from dagster._core.storage.defs_state.base import DefsStateStorage
from dagster.components.utils.project_paths import get_local_state_path
from dagster_shared.serdes.objects.models.defs_state_info import LOCAL_STATE_VERSION, DefsStateManagementType

storage = DefsStateStorage.get()
"""
    found = run(code)
    assert (found["storage"], found["DefsStateManagementType"]) == (None, DefsStateManagementType)
    path = private_name("dagster.components.utils.project_paths", "get_local_state_path")
    assert tmp_path in path("tables", tmp_path).parents


class Tables(segue.Component):
    def build_defs(self, context: segue.ComponentLoadContext) -> segue.Definitions:
        return segue.Definitions(assets=[self.get_asset_spec("orders")])

    def get_asset_spec(self, table: str) -> segue.AssetSpec:
        return TablesTranslator(self).get_asset_spec(table)


class TableTranslator:
    def get_asset_spec(self, table: str) -> segue.AssetSpec:
        return segue.AssetSpec(table, group_name="warehouse")


_module = "dagster.components.utils.translation"
_create = private_name(_module, "create_component_translator_cls")


class TablesTranslator(_create(Tables, TableTranslator), private_name(_module, "ComponentTranslator")):  # type: ignore[misc]
    pass


class OwnTables(Tables):
    def get_asset_spec(self, table: str) -> segue.AssetSpec:
        return segue.AssetSpec(f"own_{table}")


def test_a_translator_asks_the_component_where_it_has_a_say() -> None:
    assert Tables().get_asset_spec("orders").group_name == "warehouse"
    translator = TablesTranslator(OwnTables())
    assert isinstance(translator.component, OwnTables)
    assert translator.get_asset_spec("orders").key == segue.AssetKey("own_orders")


def test_a_component_without_specs_has_no_translator() -> None:
    with pytest.raises(InvalidDefinitionError, match="Component has no method get_asset_spec"):
        _create(segue.Component, TableTranslator)
