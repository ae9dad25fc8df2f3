"""Components described in YAML: templates, post processing, and errors that show the line."""

from __future__ import annotations

import itertools
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

import segue as dg
from segue.errors import ComponentTreeError, LoadError, ResolutionError

_NUMBERS = itertools.count()
_TABLES = """
    import segue as dg

    class Tables(dg.Component, dg.Resolvable, dg.Model):
        schema_name: str
        tables: list[str]
        rows: int = 0
        spec: dg.ResolvedAssetSpec | None = None

        @staticmethod
        @dg.template_var
        def today() -> str:
            return "2026-01-01"

        @classmethod
        def get_additional_scope(cls):
            return {"shout": str.upper}

        def build_defs(self, context):
            made = [dg.AssetSpec([self.schema_name, name], metadata={"rows": self.rows}) for name in self.tables]
            return dg.Definitions(assets=[*made, *([self.spec] if self.spec else [])])
    """


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A name that no other test imports, found below `tmp_path`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"yaml_project_{next(_NUMBERS)}"
    yield name
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


def load(root: Path, package: str, files: Mapping[str, str]) -> dg.Definitions:
    """The definitions of a project whose folder of definitions holds the given files."""
    (root / "pyproject.toml").write_text(f'[tool.dg.project]\nroot_module = "{package}"\n')
    for name, text in {"../__init__.py": "", "../tables.py": _TABLES, "__init__.py": "", **files}.items():
        path = root / package / "defs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n").replace("PACKAGE", package))
    return dg.load_from_defs_folder(path_within_project=root)


def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_templates_are_worked_out_and_attributes_become_what_they_are_declared_as(
    tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROWS", "12")
    found = specs(
        load(
            tmp_path,
            package,
            {
                "raw/vars.py": """
                    import segue as dg

                    @dg.template_var
                    def prefix(context):
                        return lambda name: f"{context.path.name}_{name}"
                    """,
                "raw/defs.yaml": """
                    type: PACKAGE.tables.Tables
                    template_vars_module: .vars
                    requirements: {env: [ROWS]}
                    attributes:
                      schema_name: "{{ env('SCHEMA_OF_NOBODY', 'raw') }}"
                      tables: "{{ [prefix('a'), shout('b'), today] }}"
                      rows: "{{ env.ROWS }}"
                      spec:
                        key: daily
                        automation_condition: "{{ dg.AutomationCondition.eager() }}"
                        freshness_policy: "{{ dg.FreshnessPolicy.time_window(datetime.timedelta(hours=3)) }}"
                        metadata: {root: "{{ context.project_root }}", text: "{% if true %}yes{% endif %}"}
                    ---
                    type: PACKAGE.tables.Tables
                    attributes: {schema_name: second, tables: [c]}
                    """,
            },
        )
    )
    assert set(found) == {"raw/raw_a", "raw/B", "raw/2026-01-01", "daily", "second/c"}
    assert found["raw/B"].metadata["rows"] == 12
    assert found["daily"].automation_condition == dg.AutomationCondition.eager()
    assert found["daily"].metadata["root"] == str(tmp_path)
    assert found["daily"].metadata["text"] == "yes"
    place = found["second/c"].metadata["dagster/code_references"]
    assert isinstance(place, dg.CodeReferencesMetadataValue)
    assert place.code_references[0].source.endswith("raw/defs.yaml:14")


def test_post_processing_gives_attributes_to_selected_assets_of_a_whole_folder(tmp_path: Path, package: str) -> None:
    found = specs(
        load(
            tmp_path,
            package,
            {
                "sales/defs.yaml": """
                    type: dagster.DefsFolderComponent
                    post_processing:
                      assets:
                        - attributes: {group_name: sales, tags: {from: folder}}
                        - target: "key:orders"
                          attributes: {tags: {key: "{{ asset.key.path[0] }}"}, owners: ["team:sales"]}
                        - target: "tag:kept"
                          operation: replace
                          attributes: {tags: {only: "1"}}
                    """,
                "sales/assets.py": """
                    import segue as dg
                    orders = dg.AssetSpec("orders", owners=["team:first"])
                    other = dg.AssetSpec("other", tags={"kept": ""})
                    """,
                "untouched.py": "import segue as dg\nalone = dg.AssetSpec('alone')",
            },
        )
    )
    assert found["orders"].tags == {"from": "folder", "key": "orders"}
    assert found["orders"].owners == ["team:first", "team:sales"]
    assert found["other"].tags == {"only": "1"}
    assert found["other"].group_name == "sales"
    assert found["alone"].group_name == "default"


def test_components_use_each_other(tmp_path: Path, package: str) -> None:
    found = specs(
        load(
            tmp_path,
            package,
            {
                "a/defs.yaml": "type: PACKAGE.tables.Tables\nattributes: {schema_name: a, tables: [x]}",
                "b/defs.yaml": """
                    type: .sums.Sum
                    attributes: {of: "{{ context.load_component('a') }}", inputs: "{{ context.build_defs('a').assets }}"}
                    """,
                "b/sums.py": """
                    import segue as dg

                    class Sum(dg.Component, dg.Resolvable):
                        def __init__(self, of: dg.Injected[dg.Component], inputs: dg.Injected[list]):
                            self.of, self.inputs = of, inputs

                        def build_defs(self, context):
                            assert context.load_component("a") is self.of
                            return dg.Definitions(assets=[dg.AssetSpec(f"sum_{self.of.schema_name}", deps=self.inputs)])
                    """,
            },
        )
    )
    assert found["sum_a"].deps == [dg.AssetDep(dg.AssetKey(["a", "x"]))]


@pytest.mark.parametrize(
    ("text", "cause", "said"),
    [
        (
            "type: PACKAGE.tables.Tables\nattributes:\n  schema_name: 3\n  tablez: [a]\n  rows: many\n",
            ValidationError,
            [
                r"attributes\.schema_name\n.*defs\.yaml:3:16: .*valid string",
                r"attributes\.tables\n.*defs\.yaml:2:1: Field required",
                r"attributes\.tablez\n.*defs\.yaml:4:3: Extra inputs.*Did you mean 'tables'",
                r"  4 \|   tablez: \[a\]\n    \|   \^",
            ],
        ),
        (
            "type: PACKAGE.tables.Tables\nattributes:\n  schema_name: '{{ fake.x }}'\n  tables: []\n",
            ResolutionError,
            [r"defs\.yaml:3:16 - attributes\.schema_name: 'fake' not found in scope", "available scope is: env, dg"],
        ),
        (
            "type: PACKAGE.tables.Tables\nattributes:\n  schema_name: a\n  tables: []\n  rows: '{{ \"x\" }}'\n",
            ResolutionError,
            [r"defs\.yaml:5:9 - attributes\.rows: .*valid integer"],
        ),
        (
            "type: PACKAGE.tables.Tables\nattributes:\n  schema_name: a\n  tables: []\n  spec: {key: a, group_nam: b}\n",
            ValidationError,
            [r"attributes\.spec\.group_nam\n.*defs\.yaml:5:29: Extra inputs.*Did you mean 'group_name'"],
        ),
        (
            "type: PACKAGE.tables.Table\n",
            ResolutionError,
            [r"defs\.yaml:1:7 - type: .*has no component 'Table'.*Tables"],
        ),
        ("type: PACKAGE.nowhere.Table\n", ResolutionError, [r"module 'yaml_project_\d+\.nowhere' of"]),
        ("type: Table\n", ResolutionError, ["full name of a component class"]),
        (
            "type: 3\nattributez: 1\n",
            ValidationError,
            [r"defs\.yaml:1:7", r"defs\.yaml:2:13?.*Did you mean 'attributes'"],
        ),
        ("", ResolutionError, [r"defs\.yaml is empty"]),
        ("type: 'a\n", Exception, [r"defs\.yaml", "line 2", "unexpected end of stream"]),
        (
            "type: PACKAGE.tables.Tables\nattributes: {schema_name: a, tables: []}\npost_processing: {assets: [{target: '*'}]}\n",
            ValidationError,
            [r"post_processing\.assets\.0\.attributes\n.*defs\.yaml:3:28: Field required"],
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_shown_with_its_place(
    tmp_path: Path, package: str, text: str, cause: type[Exception], said: list[str]
) -> None:
    with pytest.raises(ComponentTreeError) as caught:
        load(tmp_path, package, {"bad/defs.yaml": text})
    assert isinstance(caught.value.__cause__, cause)
    for each in said:
        assert_matches(each, str(caught.value))
    assert "└── bad (error)" in str(caught.value)


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"{pattern}\nis not in\n{text}"


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("{{ n }}", 4),
        ("{{ text }}", "4"),
        ("a{{ n }}", "a4"),
        ("{{ double(text) }}", "44"),
        ("{{ none }}", None),
        ("{{ items }}", [1]),
        ("{# not said #}plain", "plain"),
        ("plain {", "plain {"),
    ],
)
def test_a_template_of_one_expression_gives_its_value(template: str, made: object) -> None:
    context = dg.ResolutionContext.default().with_scope(n=4, text="4", items=[1], double=lambda text: text * 2)
    assert context.resolve_value(template, as_type=str) == made


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ env('NOBODY_SETS_THIS') }}", "NOBODY_SETS_THIS is not set"),
        ("{{ env['HOME'] }}", r"use env\.HOME or env"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ oops", "is not a template"),
    ],
)
def test_templates_that_cannot_be_worked_out_say_why(template: str, said: str) -> None:
    with pytest.raises(ResolutionError, match=said):
        dg.ResolutionContext.default().resolve_value(template)


def test_the_missing_extra_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Thing(dg.Resolvable, dg.Model):
        name: str

    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(LoadError, match=r"^This needs the package pyyaml.*pip install 'segue\[components\]'\.$"):
        Thing.resolve_from_yaml("name: x")
