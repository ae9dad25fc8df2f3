"""Small answers of definitions, resources, sets of partitions and pipes that stand nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg

LETTERS = sg.StaticPartitionsDefinition(["a", "b", "c", "d"])
DAYS = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11")


def test_specs_are_replaced_in_definitions_and_in_what_depends_on_them() -> None:
    @sg.asset
    def first() -> int:
        return 1

    @sg.asset(deps=[first])
    def second() -> int:
        return 2

    definitions = sg.Definitions([first, second, sg.AssetSpec("outside")])

    def owned(spec: sg.AssetSpec) -> sg.AssetSpec:
        return spec.replace_attributes(owners=["team:blue"])

    changed = definitions.map_resolved_asset_specs(func=owned, selection="first+")
    assert {spec.key.to_user_string(): list(spec.owners) for spec in changed.resolve_all_asset_specs()} == {
        "first": ["team:blue"],
        "second": ["team:blue"],
        "outside": [],
    }
    assert not any(spec.owners for spec in definitions.resolve_all_asset_specs())


def test_a_set_of_partitions_is_a_value_of_its_definition() -> None:
    some = LETTERS.subset_with_partition_keys(["b"])
    assert some.partitions_def == LETTERS
    assert type(some)[str] is type(some)
    assert some.to_serializable_subset() == some
    wider = some.with_partition_key_range(LETTERS, sg.PartitionKeyRange("c", "d"))
    assert list(wider.get_partition_keys()) == ["b", "c", "d"]
    assert type(some).create_empty_subset(LETTERS) == some.empty_subset() == LETTERS.empty_subset()
    with pytest.raises(sg.UnknownPartitionError):
        some.with_partition_key_range(LETTERS, sg.PartitionKeyRange("c", "z"))


def test_a_set_of_partitions_is_read_again_where_it_fits() -> None:
    some = LETTERS.subset_with_partition_keys(["b", "c"])
    text, kind = some.serialize(), type(some)
    assert kind.from_serialized(LETTERS, text) == some
    identifier = LETTERS.get_serializable_unique_identifier()
    assert kind.can_deserialize(LETTERS, text, identifier, "StaticPartitionsDefinition")
    assert not kind.can_deserialize(LETTERS, text, identifier, "DailyPartitionsDefinition")
    assert not kind.can_deserialize(LETTERS, text, "another", None)
    assert not kind.can_deserialize(LETTERS, "no set")
    assert not kind.can_deserialize(sg.StaticPartitionsDefinition(["x"]), text)


def test_mappings_are_described_and_join_dimensions() -> None:
    mappings: list[sg.PartitionMapping] = [
        sg.MultiPartitionMapping({}),
        sg.MultiToSingleDimensionPartitionMapping("day"),
        sg.TimeWindowPartitionMapping(start_offset=-1),
        sg.AllPartitionMapping(),
        sg.IdentityPartitionMapping(),
        sg.LastPartitionMapping(),
        sg.SpecificPartitionsPartitionMapping(["a"]),
        sg.StaticPartitionMapping({"a": "b"}),
    ]
    said = [mapping.description for mapping in mappings]
    assert len(set(said)) == len(mappings)
    assert all(len(each) > 10 for each in said)
    with pytest.raises(AttributeError, match="immutable"):
        del mappings[2].start_offset  # pyright: ignore[reportAttributeAccessIssue] reason: that it is refused is the point
    grid = sg.MultiPartitionsDefinition({"day": DAYS, "letter": LETTERS})
    to_day = sg.MultiToSingleDimensionPartitionMapping("day")
    (join,) = to_day.get_dimension_dependencies(DAYS, grid)
    assert isinstance(join.mapping, sg.IdentityPartitionMapping)
    before = sg.TimeWindowPartitionMapping(start_offset=-1)
    own = sg.MultiPartitionMapping({"day": sg.DimensionPartitionMapping("day", before)})
    assert [each.mapping for each in own.get_dimension_dependencies(grid, grid)] == [before]


def test_a_mapping_of_identity_drops_or_names_what_is_not_there() -> None:
    fewer = sg.StaticPartitionsDefinition(["a"])
    asked = LETTERS.subset_with_partition_keys(["a", "b"])
    found = sg.IdentityPartitionMapping().get_upstream_mapped_partitions_result_for_partitions(asked, LETTERS, fewer)
    assert set(found.partitions_subset.get_partition_keys()) == {"a"}
    assert set(found.required_but_nonexistent_partition_keys) == {"b"}


def test_a_context_of_a_resource_is_given_another_config() -> None:
    with sg.build_init_resource_context(config={"n": 1}, resources={"other": 5}) as context:
        changed = context.replace_config({"n": 2})
        assert (changed.resource_config, changed.resources.other) == ({"n": 2}, 5)
        assert context.resource_config == {"n": 1}


def test_a_resource_tells_whether_it_needs_config() -> None:
    @sg.resource(config_schema={"n": int})
    def counted(context: sg.InitResourceContext) -> int:
        return context.resource_config["n"]

    assert counted.needs_config
    assert not counted.configured({"n": 3}).needs_config
    assert not sg.ResourceDefinition.hardcoded_resource(1).needs_config


def test_a_source_asset_names_its_io_manager() -> None:
    assert sg.SourceAsset("a", io_manager_key="shelf").get_io_manager_key() == "shelf"
    assert sg.SourceAsset("a").get_io_manager_key() == "io_manager"


def test_injectors_hand_the_context_over_for_as_long_as_they_are_open(tmp_path: Any) -> None:
    file = tmp_path / "context.json"
    data: Any = {"run_id": "r1"}
    with sg.PipesFileContextInjector(str(file)).inject_context(data) as params:
        assert params == {"path": str(file)}
        assert "r1" in file.read_text()
    assert not file.exists()
    with sg.PipesEnvContextInjector().inject_context(data) as params:
        assert params == {"data": {"run_id": "r1"}}


@pytest.mark.parametrize("kind", [sg.PartitionedConfig, sg.PartitionsDefinition, sg.AutomationContext])
def test_generic_names_take_brackets(kind: Any) -> None:
    assert kind[str] is not None
