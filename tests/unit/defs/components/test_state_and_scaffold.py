"""Components with state of their own, scripts as components, and scaffolding."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import segue as dg
from segue.defs.components.scaffold import get_scaffolder
from segue.defs.components.state_backed import DefsStateConfig, DefsStateConfigArgs, DefsStateManagementType
from segue.errors import InvalidInvocationError, NotSupportedError
from segue.testing.components import DefsFolderSandbox, create_defs_folder_sandbox


@pytest.fixture
def sandbox() -> Iterator[DefsFolderSandbox]:
    with create_defs_folder_sandbox() as made:
        yield made


class Catalog(dg.StateBackedComponent, dg.Resolvable, dg.Model):
    """Its assets are listed in a file that it fetches."""

    defs_state: DefsStateConfigArgs = DefsStateConfigArgs.local_filesystem()
    source: str
    fetched: list[str] = []

    @property
    def defs_state_config(self) -> DefsStateConfig:
        return DefsStateConfig.from_args(self.defs_state, default_key="catalog")

    async def write_state_to_path(self, state_path: Path) -> None:
        self.fetched.append(self.source)
        state_path.write_text(Path(self.source).read_text())

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        names = [] if state_path is None else json.loads(state_path.read_text())
        return dg.Definitions(assets=[dg.AssetSpec(name) for name in names])


def names(defs: dg.Definitions) -> list[str]:
    return [spec.key.to_user_string() for spec in defs.resolve_all_asset_specs()]


async def refresh(component: dg.StateBackedComponent, root: Path) -> str:
    return await component.refresh_state(root)


def test_state_is_fetched_once_and_then_when_it_is_refreshed(sandbox: DefsFolderSandbox, tmp_path: Path) -> None:
    import asyncio

    source = tmp_path / "catalog.json"
    source.write_text('["a"]')
    folder = sandbox.scaffold_component(
        Catalog, defs_yaml_contents={"type": f"{__name__}.Catalog", "attributes": {"source": str(source)}}
    )
    with sandbox.load_component_and_build_defs(folder) as (component, defs):
        assert names(defs) == ["a"]
        assert isinstance(component, Catalog)
        first = (sandbox.project_root / ".local_defs_state/catalog/state").read_text()
    source.write_text('["a", "b"]')
    with sandbox.build_all_defs() as defs:
        assert names(defs) == ["a"]
    version = asyncio.run(refresh(component, sandbox.project_root))
    assert version != asyncio.run(refresh(component, sandbox.project_root))
    with sandbox.build_all_defs() as defs:
        assert names(defs) == ["a", "b"]
    assert first == '["a"]'


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"management_type": "LOCAL_FILESYSTEM", "key": "mine", "refresh_if_dev": False}, []),
        ({"management_type": "LEGACY_CODE_SERVER_SNAPSHOTS"}, ["a"]),
    ],
)
def test_a_file_says_where_state_is_kept(tmp_path: Path, said: dict[str, Any], found: list[str]) -> None:
    source = tmp_path / "catalog.json"
    source.write_text('["a"]')
    component = Catalog.from_attributes_dict(attributes={"source": str(source), "defs_state": said})
    assert component.defs_state_config.key == said.get("key", "catalog")
    assert component.defs_state_config.management_type is DefsStateManagementType(said["management_type"])
    assert names(dg.build_defs_for_component(component)) == found


def test_state_beside_the_runs_is_not_built() -> None:
    component = Catalog(source="x", defs_state=DefsStateConfigArgs.versioned_state_storage())
    with pytest.raises(NotSupportedError, match="management_type: LOCAL_FILESYSTEM"):
        dg.build_defs_for_component(component)


SCRIPT = """
import sys
from dagster_pipes import open_dagster_pipes
with open_dagster_pipes() as pipes:
    pipes.report_asset_materialization(metadata={"called with": " ".join(sys.argv[1:])})
"""


def test_a_script_makes_assets(sandbox: DefsFolderSandbox) -> None:
    folder = sandbox.scaffold_component(
        dg.PythonScriptComponent,
        defs_yaml_contents={
            "type": "dagster.PythonScriptComponent",
            "attributes": {
                "execution": {"path": "load-orders.py", "args": "--day 'a b'"},
                "assets": [{"key": "orders"}],
            },
        },
    )
    (folder / "load-orders.py").write_text(SCRIPT)
    with sandbox.load_component_and_build_defs(folder) as (component, defs):
        assert isinstance(component, dg.PythonScriptComponent)
        made = defs.get_assets_def("orders")
        assert made.op.name == "load_orders"
        (event,) = dg.materialize([made]).get_asset_materialization_events()
        assert event.materialization.metadata["called with"] == dg.TextMetadataValue("--day a b")


def test_a_script_is_run_by_uv(sandbox: DefsFolderSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = sandbox.project_root / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\ntest "$1" = run && shift && exec "{sys.executable}" "$@"\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(uv.parent), prepend=":")
    folder = sandbox.scaffold_component(
        dg.UvRunComponent,
        defs_yaml_contents={
            "type": "dagster.UvRunComponent",
            "attributes": {
                "execution": {"name": "by_uv", "path": "a.py", "args": ["x"]},
                "assets": [{"key": "orders"}],
            },
        },
    )
    (folder / "a.py").write_text(SCRIPT)
    with sandbox.load_component_and_build_defs(folder) as (_, defs):
        (event,) = dg.materialize([defs.get_assets_def("orders")]).get_asset_materialization_events()
    assert event.materialization.metadata["called with"] == dg.TextMetadataValue("x")


class TablesScaffolder(dg.Scaffolder[Any]):
    """Writes a file with the table that is asked for."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        dg.scaffold_component(request, {"table": request.params["table"]})


@dg.scaffold_with(TablesScaffolder)
class Table(dg.Component, dg.Resolvable, dg.Model):
    table: str

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(assets=[dg.AssetSpec(self.table)])


@pytest.mark.parametrize("form", ["yaml", "python"])
def test_what_is_scaffolded_loads(sandbox: DefsFolderSandbox, form: Any) -> None:
    def request(table: str, **more: Any) -> dg.ScaffoldRequest[Any]:
        target = sandbox.defs_folder_path / "tables"
        return dg.ScaffoldRequest(f"{__name__}.Table", target, form, sandbox.project_root, {"table": table}, **more)

    scaffolder = get_scaffolder(Table)()
    scaffolder.scaffold(request("orders"))
    with pytest.raises(InvalidInvocationError, match="is there already"):
        scaffolder.scaffold(request("customers"))
    if form == "yaml":
        scaffolder.scaffold(request("customers", append=True))
    with sandbox.build_all_defs() as defs:
        assert names(defs) == (["orders", "customers"] if form == "yaml" else ["orders"])


def test_a_class_without_a_scaffolder_gets_a_plain_file(tmp_path: Path) -> None:
    scaffolder = get_scaffolder(dg.DefsFolderComponent)
    params = scaffolder.get_scaffold_params()()
    scaffolder().scaffold(dg.ScaffoldRequest("dagster.DefsFolderComponent", tmp_path / "new", "yaml", None, params))
    assert (tmp_path / "new/defs.yaml").read_text() == "type: dagster.DefsFolderComponent\nattributes: {}\n"


def test_components_of_a_project_and_their_definitions(sandbox: DefsFolderSandbox) -> None:
    said = {"type": f"{__name__}.Table", "attributes": {"table": "orders"}}
    folder = sandbox.scaffold_component(Table, "one", said)
    text = (folder / "defs.yaml").read_text()
    (folder / "defs.yaml").write_text(f"{text}---\n{text.replace('orders', 'customers')}")
    told = pytest.warns(DeprecationWarning, match="(?s)is superseded: (ask ComponentTree|call load_from_defs_folder)")
    with sandbox.build_component_tree(), told as warned:
        root = sandbox.project_root
        found = dg.get_all_components_defs_within_project(project_root=root, component_path="one")
        assert [(each.table, names(defs)) for each, defs in found] == [
            ("orders", ["orders"]),
            ("customers", ["customers"]),
        ]
        second, defs = dg.get_component_defs_within_project(project_root=root, component_path="one", instance_key=1)
        assert (second.table, names(defs)) == ("customers", ["customers"])
        assert sorted(names(dg.build_component_defs(sandbox.defs_folder_path))) == ["customers", "orders"]
    assert [str(each.message).partition(" ")[0] for each in warned] == [
        "get_all_components_defs_within_project",
        "get_component_defs_within_project",
        "build_component_defs",
    ]
