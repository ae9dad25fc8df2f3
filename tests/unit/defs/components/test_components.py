"""Components by themselves: made from attributes or by hand, without a folder."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

import segue as dg
from segue.errors import InvalidDefinitionError


class Tables(dg.Component, dg.Resolvable, dg.Model):
    """The tables of a schema."""

    schema_name: str
    tables: list[str]
    specs: list[dg.ResolvedAssetSpec] = []
    checks: list[dg.ResolvedAssetCheckSpec] = []
    after: dg.ResolvedAssetKey | None = None

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        return dg.ComponentTypeSpec(tags=["sql"], produces=["assets"])

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        deps = [] if self.after is None else [self.after]
        own = [dg.AssetSpec([self.schema_name, table], deps=deps) for table in self.tables]
        return dg.Definitions(assets=[*own, *self.specs])


class Plain(dg.Component):
    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        return dg.Definitions(assets=[dg.AssetSpec("plain", metadata={"root": str(context.project_root)})])


def test_attributes_make_a_component() -> None:
    made = Tables.from_attributes_dict(
        attributes={
            "schema_name": "raw",
            "tables": ["a"],
            "after": "up/stream",
            "specs": [
                {
                    "key": "b/c",
                    "deps": ["d", "e/f"],
                    "tags": {"tier": 1, "open": True},
                    "kinds": ["python"],
                    "owners": ["team:sales"],
                    "skippable": True,
                    "code_version": "2",
                    "partitions_def": {"type": "daily", "start_date": "2026-01-01", "hour_offset": 2},
                }
            ],
            "checks": [{"name": "full", "asset": "b/c", "blocking": True, "additional_deps": ["d"]}],
        }
    )
    specs = dg.build_defs_for_component(made).resolve_all_asset_specs()
    assert [spec.key.to_user_string() for spec in specs[2:]] == ["up/stream", "d", "e/f"], "nobody declares them"
    assert specs[:2] == [
        dg.AssetSpec(["raw", "a"], deps=["up/stream"], group_name="default"),
        dg.AssetSpec(
            ["b", "c"],
            group_name="default",
            deps=["d", "e/f"],
            tags={"tier": "1", "open": "True"},
            kinds={"python"},
            owners=["team:sales"],
            skippable=True,
            code_version="2",
            partitions_def=dg.DailyPartitionsDefinition("2026-01-01", hour_offset=2),
        ),
    ]
    assert made.checks == [dg.AssetCheckSpec("full", asset="b/c", blocking=True, additional_deps=["d"])]


@pytest.mark.parametrize(
    ("said", "partitions"),
    [
        ({"type": "hourly", "start_date": "2026-01-01-00:00"}, dg.HourlyPartitionsDefinition("2026-01-01-00:00")),
        (
            {"type": "weekly", "start_date": "2026-01-01", "day_offset": 1},
            dg.WeeklyPartitionsDefinition("2026-01-01", day_offset=1),
        ),
        ({"type": "monthly", "start_date": "2026-01-01"}, dg.MonthlyPartitionsDefinition("2026-01-01")),
        ({"type": "static", "partition_keys": ["x", "y"]}, dg.StaticPartitionsDefinition(["x", "y"])),
        (
            {"type": "time_window", "start_date": "2026/01/01", "fmt": "%Y/%m/%d", "cron_schedule": "0 6 * * *"},
            dg.TimeWindowPartitionsDefinition(start="2026/01/01", fmt="%Y/%m/%d", cron_schedule="0 6 * * *"),
        ),
    ],
)
def test_partitions_are_described_by_their_kind(said: Mapping[str, Any], partitions: dg.PartitionsDefinition) -> None:
    spec = {"key": "a", "partitions_def": said}
    made = Tables.from_attributes_dict(attributes={"schema_name": "raw", "tables": [], "specs": [spec]})
    assert made.specs[0].partitions_def == partitions


def test_attributes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValidationError, match="tablez"):
        Tables.from_attributes_dict(attributes={"schema_name": "raw", "tables": [], "tablez": []})
    with pytest.raises(ValidationError, match="anything"):
        Plain.from_attributes_dict(attributes={"anything": 1})
    assert isinstance(Plain.from_attributes_dict(attributes={}), Plain)


def test_a_component_says_what_it_is() -> None:
    assert Tables.get_description() == "The tables of a schema."
    assert Tables.get_spec() == dg.ComponentTypeSpec(tags=["sql"], produces=["assets"])
    assert Tables.get_additional_scope() == {}
    model = Tables.get_model_cls()
    assert model is not None
    assert set(model.model_fields) == {"schema_name", "tables", "specs", "checks", "after"}
    assert set(dg.AssetAttributesModel(key_prefix=["a"]).model_dump(exclude_unset=True)) == {"key_prefix"}


def test_a_component_is_used_with_resources() -> None:
    defs = dg.component_defs(component=Plain(), resources={"warehouse": "big"})
    assert defs.resources == {"warehouse": "big"}
    assert [spec.key for spec in defs.resolve_all_asset_specs()] == [dg.AssetKey("plain")]
    context = dg.ComponentTree.for_test().load_context.with_rendering_scope({"a": 1})
    assert context.resolution_context.scope["a"] == 1
    assert dg.ComponentLoadContext.from_resolution_context(context.resolution_context) is context


def test_template_variables_are_static_methods() -> None:
    class Wrong(Plain):
        @dg.template_var
        def schema_name(self) -> str:
            return "raw"

    with pytest.raises(InvalidDefinitionError, match="@staticmethod"):
        Wrong.from_attributes_dict(attributes={})


def test_the_names_stand_in_a_module_of_their_own_too() -> None:
    assert dg.components.load_defs is dg.load_defs
    for name in dg.components.__all__:
        assert getattr(dg.components, name) is getattr(dg, name)
    import segue.compat.dagster as dagster
    from segue.compat.dagster.components import Component, definitions

    assert (Component, definitions) == (dg.Component, dg.definitions)
    assert dagster.components.load_from_defs_folder is dg.load_from_defs_folder
