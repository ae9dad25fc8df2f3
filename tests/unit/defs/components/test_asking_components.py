"""What loading contexts, trees, folders and built-in components answer."""

from __future__ import annotations

import importlib
import itertools
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import segue as sg
from segue.defs.components.paths import ComponentPath
from segue.defs.components.state_backed import DefsStateConfigArgs
from segue.errors import ComponentTreeError, ResolutionError

_NUMBERS = itertools.count()
KINDS = """
    from pathlib import Path
    from typing import Annotated

    import segue as sg

    def beside(context, value):
        return context.resolve_source_relative_path(value)

    class Greeter(sg.Component, sg.Model, sg.Resolvable):
        name: str
        sql: Annotated[Path | None, sg.Resolver(beside, model_field_type=str)] = None

        def build_defs(self, context):
            return sg.Definitions([sg.AssetSpec(self.name)])
    """


class Settings(sg.Config):
    rows: int = 2


class Project:
    """A package with a component type and two folders, each with a file of it."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name
        self.defs = root / name / "defs"
        for folder in ("one", "two"):
            (self.defs / folder).mkdir(parents=True)
            text = f"type: {name}.kinds.Greeter\nattributes:\n  name: from_{folder}\n  sql: rows.sql\n"
            (self.defs / folder / "defs.yaml").write_text(text)
        for path in (self.defs.parent / "__init__.py", self.defs / "__init__.py"):
            path.write_text("")
        (self.defs.parent / "kinds.py").write_text(textwrap.dedent(KINDS))

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.name}.{name}")

    def tree(self) -> sg.ComponentTree:
        return sg.ComponentTree.from_module(self.module("defs"), self.root)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Project(tmp_path, f"asked_project_{next(_NUMBERS)}")
    for module in [each for each in sys.modules if each.startswith("asked_project_")]:
        del sys.modules[module]


def test_a_tree_is_made_of_the_module_of_its_folder(project: Project) -> None:
    made = project.tree().build_defs()
    assert {spec.key.to_user_string() for spec in made.resolve_all_asset_specs()} == {"from_one", "from_two"}


def test_a_context_leads_to_other_places_and_names_types(project: Project) -> None:
    context = project.tree().load_context
    there = context.for_path(project.defs / "one")
    assert there.path == project.defs / "one"
    assert there.normalize_component_type_str(".Greeter") == f"{project.name}.defs.one.Greeter"
    assert context.normalize_component_type_str("other.Greeter") == "other.Greeter"


def test_a_tree_finds_what_stands_where_before_it_is_loaded(project: Project) -> None:
    tree = project.tree()
    assert (tree.defs_module_name, tree.defs_module_path) == (f"{project.name}.defs", project.defs)
    assert tree.decl_load_context.path == tree.load_context.path == project.defs
    assert type(tree.find_decl_at_path("one")) is type(tree.find_decl_at_path(project.defs / "two"))
    assert tree.find_root_decl().path == project.defs
    with pytest.raises(ComponentTreeError, match="three"):
        tree.find_decl_at_path("three")
    made = tree.build_defs_at_path("one").resolve_all_asset_specs()
    assert [spec.key.to_user_string() for spec in made] == ["from_one"]


def test_modules_are_found_from_a_place_in_the_folder(project: Project) -> None:
    (project.defs / "one" / "more.py").write_text("NUMBER = 7")
    context = project.tree().load_context
    there = context.for_component_loc(ComponentPath.from_path(project.defs / "one"))
    assert there.path == project.defs / "one"
    assert there.absolute_module_name(".more") == f"{project.name}.defs.one.more"
    assert there.absolute_module_name("json") == "json"
    assert context.load_defs_relative_python_module(project.defs / "one" / "more.py").NUMBER == 7


def test_a_folder_gives_the_component_in_it_and_what_stands_around_that(project: Project) -> None:
    context, greeter = project.tree().load_context, project.module("kinds").Greeter
    found = context.load_component("one")
    assert isinstance(found, greeter)
    assert found.sql == project.defs / "one" / "rows.sql", "as seen from its file"
    assert sg.ResolutionContext.default().resolve_source_relative_path("rows.sql") == Path("rows.sql")
    around = context.load_structural_component_at_path("one")
    assert not isinstance(around, greeter)
    again = context.load_structural_component_at_loc(ComponentPath.from_path(project.defs / "one"))
    assert type(again) is type(around)
    folder = context.load_structural_component_at_path(project.defs)
    assert isinstance(folder, sg.DefsFolderComponent)
    inside = [each.name for each in folder.iterate_components() if isinstance(each, greeter)]
    assert inside == ["from_one", "from_two"]
    assert sg.DefsFolderComponent.get(context).path == project.defs


def test_a_component_is_made_of_its_file_or_of_its_model(project: Project) -> None:
    greeter = project.module("kinds").Greeter
    tree = project.tree()
    read = greeter.from_yaml_path(project.defs / "one" / "defs.yaml", context=tree.load_context)
    assert read.name == "from_one"
    model = greeter.model()
    assert set(model.model_fields) == {"name", "sql"}
    made = greeter.resolve_from_model(sg.ResolutionContext.default(), model(name="by hand"))
    assert (type(made), made.name) == (greeter, "by hand")
    assert isinstance(greeter.get_spec(), sg.ComponentTypeSpec)


class Inner(sg.Model, sg.Resolvable):
    rows: int = 1


class Needy(sg.Component, sg.Model, sg.Resolvable):
    spec: sg.ResolvedAssetSpec | None = None
    inner: Inner | None = None

    def build_defs(self, context: sg.ComponentLoadContext) -> sg.Definitions:
        return sg.Definitions()


@pytest.mark.parametrize(
    "attributes",
    [{"spec": {"key": "a", "automation_condition": "eager"}}, {"spec": "only text"}, {"inner": "only text"}],
)
def test_what_a_template_has_to_give_is_not_taken_from_text(attributes: dict[str, Any]) -> None:
    with pytest.raises(ResolutionError, match="template that gives"):
        Needy.from_attributes_dict(attributes=attributes)


def test_a_resolver_knows_the_one_around_it() -> None:
    inner = sg.Resolver.default(description="the inner")
    outer = sg.Resolver(lambda _context, value: value)
    assert inner.with_outer_resolver(outer) is not inner


def test_a_function_component_is_called_with_what_its_function_takes() -> None:
    def work(
        context: sg.AssetExecutionContext, api: sg.ResourceParam[str], config: Settings
    ) -> sg.MaterializeResult[Any]:
        del context
        return sg.MaterializeResult(asset_key="made", metadata={"api": api, "rows": config.rows})

    component = sg.FunctionComponent(execution=work, assets=[sg.AssetSpec("made")])
    definitions = sg.Definitions.merge(sg.build_defs_for_component(component), sg.Definitions(resources={"api": "v1"}))
    (made,) = definitions.resolve_asset_graph().assets_defs
    done = sg.materialize([made], resources={"api": "v1"}, run_config={"ops": {made.op.name: {"config": {"rows": 5}}}})
    (event,) = done.get_asset_materialization_events()
    assert {name: each.value for name, each in event.materialization.metadata.items()} == {"api": "v1", "rows": 5}
    loading = sg.ComponentTree.for_test().load_context
    context = sg.build_asset_context(resources={"api": "v2"}, asset_config={"rows": 6})
    (by_hand,) = component.invoke_execute_fn(context, loading)
    assert by_hand.metadata == {"api": "v2", "rows": 6}
    with pytest.raises(sg.InvalidInvocationError, match=r"work\(\) requires config"):
        component.get_config_param_dict(sg.build_asset_context(resources={"api": "v2"}))


def test_state_is_kept_in_the_project_or_fetched_with_each_load() -> None:
    kinds = {
        DefsStateConfigArgs.local_filesystem().management_type.name,
        DefsStateConfigArgs.legacy_code_server_snapshots().management_type.name,
    }
    assert kinds == {"LOCAL_FILESYSTEM", "LEGACY_CODE_SERVER_SNAPSHOTS"}
