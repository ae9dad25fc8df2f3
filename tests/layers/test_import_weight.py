"""`import segue` costs next to nothing, and each name only what it needs."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

import segue
import segue.late as late
from checkout import SOURCE, python_files
from imported import heavy, modules_loaded_by

# Never loaded by touching a public name: they belong to the control plane, the command line or an extra.
NEVER = """sqlalchemy alembic litestar uvicorn click rich prometheus_client opentelemetry watchfiles authlib argon2
    yaml jinja2 numpy pandas polars pyarrow duckdb matplotlib unittest pytest"""
# Loaded by the names below that need them, and by nothing else.
PYDANTIC = "pydantic pydantic_core email"
LATE = f"{NEVER} {PYDANTIC} sqlite3 asyncio multiprocessing concurrent ssl http"
NEEDS_PYDANTIC = frozenset(
    """Config ConfigurableIOManager ConfigurableIOManagerFactory ConfigurableLegacyIOManagerAdapter ConfigurableResource
    ConfigurableResourceFactory PermissiveConfig""".split()
)
NEEDS_PYDANTIC |= frozenset(  # what a file says of a component is checked by pydantic
    """AssetAttributesModel Component ComponentLoadContext ComponentTree ComponentTypeSpec DefinitionsComponent
    DefsFolderComponent FunctionComponent Injected Model PythonScriptComponent Resolvable ResolutionContext
    ResolvedAssetCheckSpec ResolvedAssetKey ResolvedAssetSpec Resolver ScaffoldRequest Scaffolder SqlComponent
    StateBackedComponent TemplatedSqlComponent UvRunComponent build_component_defs build_defs_for_component component_defs
    component_instance get_all_components_defs_within_project get_component_defs_within_project load_defs
    load_from_defs_folder scaffold_component scaffold_with""".split()
)
DECLARES_ASSETS = frozenset(
    """Definitions asset asset_check multi_asset define_asset_job materialize AssetExecutionContext AssetKey AssetSelection
    DailyPartitionsDefinition StaticPartitionsDefinition MaterializeResult MetadataValue RetryPolicy IOManager""".split()
)
RUNS_CODE = frozenset(
    {"execute_job", "load_asset_value", "materialize", "materialize_to_memory", "observe"}
)  # opens a store


def test_bare_import_loads_one_module() -> None:
    assert modules_loaded_by("import segue") == {"segue"}


def test_asking_what_there_is_loads_nothing_more() -> None:
    loaded = modules_loaded_by("import segue; dir(segue); segue.__all__; hasattr(segue, '__path__')")
    assert loaded == {"segue"}


def test_no_public_name_loads_what_belongs_elsewhere() -> None:
    loaded = modules_loaded_by("from segue import *")
    assert heavy(loaded, NEVER) == set()


def loaded_by_names(names: Iterable[str]) -> set[str]:
    return modules_loaded_by(f"import segue\nfor name in {sorted(names)!r}: getattr(segue, name)")


def test_names_that_declare_load_nothing_heavy() -> None:
    loaded = loaded_by_names(set(segue.__all__) - NEEDS_PYDANTIC - RUNS_CODE)
    assert heavy(loaded, LATE) == set()
    own = {module for module in loaded if module.partition(".")[0] == "segue"}
    assert len(loaded - own) <= 130, f"{len(loaded - own)} modules: what brings so many? {sorted(loaded - own)}"


def test_declaring_assets_loads_no_graph_of_them() -> None:
    loaded = loaded_by_names(DECLARES_ASSETS)
    assert "segue.defs.definitions" in loaded
    assert loaded & {*late.__all__, "segue.model.graph", "segue.model.manifest", "segue.model.codec"} == set()


def test_running_needs_no_pydantic() -> None:
    loaded = loaded_by_names(set(segue.__all__) & RUNS_CODE)
    assert heavy(loaded, LATE) <= {"sqlite3"}


@pytest.mark.parametrize("floor", ["model", "plan", "decide"])
def test_the_pure_floors_load_nothing_heavy(floor: str) -> None:
    modules = [
        ".".join(("segue", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        for path in python_files(SOURCE / floor)
    ]
    assert modules
    assert heavy(modules_loaded_by("import " + ", ".join(modules)), LATE) == set()


def test_the_command_line_loads_only_click_until_a_command_runs() -> None:
    loaded = modules_loaded_by("import segue.cli.main")
    assert heavy(loaded, LATE.replace("click", "")) == set()


def test_the_measuring_itself_sees_what_is_loaded() -> None:
    assert heavy(modules_loaded_by("import pydantic"), LATE) >= {"pydantic", "pydantic_core"}
