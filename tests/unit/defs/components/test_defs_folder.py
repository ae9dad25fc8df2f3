"""A folder of Python files is definitions: no file but those that users write."""

import itertools
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import segue as dg
from segue.errors import ComponentTreeError, LoadError

_NUMBERS = itertools.count()
_ASKS = """
    import segue as dg

    @dg.definitions
    def neighbour(context: dg.ComponentLoadContext):
        return context.build_defs({!r})
    """


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A name that no other test imports, found below `tmp_path / "src"`."""
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    name = f"folder_project_{next(_NUMBERS)}"
    yield name
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


def write_project(root: Path, package: str, files: Mapping[str, str]) -> Path:
    """A project whose folder of definitions holds the given files."""
    (root / "pyproject.toml").write_text(f'[tool.dg.project]\nroot_module = "{package}"\n')
    for name, text in {"../__init__.py": "", "__init__.py": "", **files}.items():
        path = root / "src" / package / "defs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return root


def keys(defs: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in defs.resolve_all_asset_keys()}


def test_everything_in_the_folder_belongs_to_the_definitions(tmp_path: Path, package: str) -> None:
    root = write_project(
        tmp_path,
        package,
        {
            "assets.py": """
                import segue as dg

                @dg.asset
                def orders(warehouse: dg.ResourceParam[str]) -> str:
                    return warehouse

                nightly = dg.define_asset_job("nightly", selection=[orders])
                _ = dg.ScheduleDefinition(job=nightly, cron_schedule="0 3 * * *")

                @dg.asset_check(asset=orders)
                def named(orders: str) -> bool:
                    return orders == "big"
                """,
            "deep/er/more.py": """
                import segue as dg

                @dg.sensor(job_name="nightly")
                def watcher(context):
                    return dg.SkipReason("nothing")

                inventory = dg.AssetSpec("inventory")
                """,
            "resources.py": """
                import segue as dg

                @dg.definitions
                def warehouse() -> dg.Definitions:
                    return dg.Definitions(resources={"warehouse": "big"})
                """,
            "notes.txt": "not read",
            ".hidden/broken.py": "raise RuntimeError",
        },
    )
    defs = dg.load_from_defs_folder(path_within_project=root / "src" / package)
    assert keys(defs) == {"orders", "inventory"}
    assert defs.get_schedule_def("nightly_schedule").cron_schedule == "0 3 * * *"
    assert defs.get_sensor_def("watcher").name == "watcher"
    result = dg.materialize([defs.get_assets_def("orders"), *defs.asset_checks], resources=defs.resources)
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]
    with pytest.warns(DeprecationWarning, match="write path_within_project"):
        assert keys(dg.load_from_defs_folder(project_root=root)) == {"orders", "inventory"}


def test_a_function_of_definitions_sees_its_place_and_its_neighbours(tmp_path: Path, package: str) -> None:
    root = write_project(
        tmp_path,
        package,
        {
            "raw.py": """
                import segue as dg
                raw = dg.AssetSpec("raw")
                """,
            "all.py": """
                import segue as dg

                @dg.definitions
                def everything(context: dg.ComponentLoadContext) -> dg.Definitions:
                    assert context.path.name == "all.py"
                    assert context.defs_relative_module_name(context.path).endswith(".defs.all")
                    return dg.Definitions(assets=[dg.AssetSpec("all", deps=list(context.build_defs("raw.py").assets))])
                """,
        },
    )
    defs = dg.load_from_defs_folder(path_within_project=root)
    assert [spec.deps[0].asset_key for spec in defs.resolve_all_asset_specs() if spec.deps] == [dg.AssetKey("raw")]


def test_components_are_made_in_python_and_found_by_class_and_path(tmp_path: Path, package: str) -> None:
    root = write_project(
        tmp_path,
        package,
        {
            "tables/component.py": """
                import segue as dg

                class Tables(dg.Component):
                    def __init__(self, name):
                        self.name = name

                    def build_defs(self, context):
                        return dg.Definitions(assets=[dg.AssetSpec(self.name)])

                @dg.component_instance
                def first(context: dg.ComponentLoadContext) -> Tables:
                    return Tables("one")

                @dg.component_instance
                def second(context) -> Tables:
                    return Tables("two")
                """
        },
    )
    tree = dg.ComponentTree.for_project(root)
    assert not tree.is_fully_loaded()
    assert keys(tree.build_defs()) == {"one", "two"}
    assert tree.is_fully_loaded()
    assert tree.has_built_all_defs()
    assert [each.name for each in tree.get_all_components(dg.Component) if hasattr(each, "name")] == ["one", "two"]
    folder = tree.load_root_component()
    assert isinstance(folder, dg.DefsFolderComponent)
    assert [path.instance_key for path, _ in folder.iterate_path_component_pairs() if path.instance_key] == [
        "first",
        "second",
    ]
    with pytest.raises(ComponentTreeError, match="has 2 components"):
        tree.load_component("tables/component.py")
    with pytest.raises(ComponentTreeError, match=r"There is no component at .*nowhere"):
        tree.load_component("nowhere")
    assert tree.to_string_representation().splitlines() == [
        "├── __init__.py",
        "└── tables",
        "    └── component.py",
    ]


@pytest.mark.parametrize(("terminate", "found"), [(True, {"a"}), (False, {"a", "b"})])
def test_a_definitions_file_can_stand_for_its_folder(
    tmp_path: Path, package: str, terminate: bool, found: set[str]
) -> None:
    root = write_project(
        tmp_path,
        package,
        {
            "part/definitions.py": "import segue as dg\ndefs = dg.Definitions(assets=[dg.AssetSpec('a')])",
            "part/other.py": "import segue as dg\nb = dg.AssetSpec('b')",
        },
    )
    module = __import__(f"{package}.defs", fromlist=["defs"])
    with pytest.warns(DeprecationWarning, match="call load_from_defs_folder"):
        assert keys(dg.load_defs(module, root, terminate_autoloading_on_keyword_files=terminate)) == found


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"bad.py": "1 / 0"}, r"(?s)bad\.py could not be loaded: ZeroDivisionError.*└── bad\.py \(error\)"),
        (
            {"two.py": "import segue as dg\na = dg.Definitions()\nb = dg.Definitions(assets=[])"},
            r"two\.py has several Definitions",
        ),
        (
            {"a.py": _ASKS.format("b.py"), "b.py": _ASKS.format("a.py")},
            r"in a cycle: a\.py -> b\.py -> a\.py",
        ),
    ],
)
def test_what_cannot_be_loaded_is_shown_in_the_folder(
    tmp_path: Path, package: str, files: dict[str, str], said: str
) -> None:
    root = write_project(tmp_path, package, files)
    with pytest.raises(ComponentTreeError, match=said):
        dg.load_from_defs_folder(path_within_project=root)


def test_a_project_must_be_there_and_importable(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="is not in a project"):
        dg.load_from_defs_folder(path_within_project=tmp_path)
    root = write_project(tmp_path, "never_on_the_path", {})
    with pytest.raises(LoadError, match=r"not installed: run `pip install -e \.`.*PYTHONPATH"):
        dg.load_from_defs_folder(path_within_project=root)
    write_project(tmp_path, "imports_too_much", {"__init__.py": "import there_is_no_such_module"})
    sys.path.insert(0, str(tmp_path / "src"))
    try:
        with pytest.raises(ModuleNotFoundError) as caught:
            dg.load_from_defs_folder(path_within_project=tmp_path)
    finally:
        sys.path.remove(str(tmp_path / "src"))
    assert caught.value.name == "there_is_no_such_module"
