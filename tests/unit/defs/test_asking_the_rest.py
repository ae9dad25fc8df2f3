"""Small answers of definitions, resources, sets of partitions and pipes that stand nowhere else."""

from __future__ import annotations

import pdb
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
    assert join == (sg.IdentityPartitionMapping(), None, "day")
    assert to_day.get_dimension_dependencies(grid, DAYS)[0].upstream_dimension_name == "day"
    before = sg.TimeWindowPartitionMapping(start_offset=-1)
    own = sg.MultiPartitionMapping({"day": sg.DimensionPartitionMapping("day", before)})
    assert own.get_dimension_dependencies(grid, grid) == [(before, "day", "day")]


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


def test_what_inputs_and_outputs_say_is_shown() -> None:
    assert "Int" in repr(sg.In(int))
    assert "String" in repr(sg.Out(str))
    assert "NO_TYPE" in repr(sg.AssetIn().dagster_type)
    assert "NO_DEFAULT" in repr(sg.In(int).default_value)
    assert "NO_VALUE" in repr(sg.MaterializeResult().value)
    assert len({sg.SourceAsset("a"), sg.SourceAsset("a"), sg.SourceAsset("b")}) == 2


def test_the_key_of_a_job_among_assets_and_checks_is_written_and_read() -> None:
    key = sg.AssetJobKey("nightly")
    assert sg.AssetJobKey.from_user_string(key.to_user_string()) == key
    assert sg.AssetJobKey.from_graphql_input({"jobName": "nightly"}) == key
    for wrong in ("nightly", "job:", "asset:nightly"):
        with pytest.raises(sg.InvalidInvocationError, match=wrong):
            sg.AssetJobKey.from_user_string(wrong)


def test_a_sequence_is_shown_page_by_page() -> None:
    letters, found, cursor = list("abcde"), list[str](), None
    while True:
        page = sg.PaginatedResults.create_from_sequence(letters, limit=2, ascending=False, cursor=cursor)
        found.extend(page.results)
        cursor = page.cursor
        if not page.has_more:
            break
    assert found == list("edcba")
    with pytest.raises(sg.InvalidInvocationError, match="'d'"):
        sg.PaginatedResults.create_from_sequence(letters, limit=2, ascending=True, cursor="d")


def test_filters_of_records_go_on_from_a_cursor() -> None:
    assert sg.EventRecordsFilter.get_cursor_params() == (None, None)
    key = sg.AssetKey("a")
    with sg.Instance.ephemeral() as instance:
        for number in range(3):
            instance.report_runless_asset_event(sg.AssetMaterialization(key, metadata={"n": number}))
        cursor = instance.fetch_materializations(key, limit=1, ascending=True).cursor
        asked = sg.AssetRecordsFilter(asset_key=key).to_event_records_filter(
            sg.EventType.ASSET_MATERIALIZATION, cursor, ascending=True
        )
        with pytest.warns(DeprecationWarning, match="superseded"):
            found = instance.get_event_records(asked, ascending=True)
    assert [each.asset_materialization.metadata["n"].value for each in found if each.asset_materialization] == [1, 2]
    changes = sg.RunStatusChangeRecordsFilter(event_type=sg.EventType.RUN_SUCCESS, job_names=["nightly"])
    whole = changes.to_event_records_filter_without_job_names(cursor, ascending=True)
    assert (whole.event_type, whole.after_cursor) == (sg.EventType.RUN_SUCCESS, asked.after_cursor)


def test_a_form_of_types_takes_its_types_in_a_call_too() -> None:
    for form, given in ((sg.List, (int,)), (sg.Dict, (str, int)), (sg.Optional, (int,)), (sg.Tuple, (int, str))):
        assert form(*given).display_name == form[given].display_name


def test_fields_know_whether_they_may_be_left_out() -> None:
    assert sg.Field(int, is_required=False).is_optional
    assert sg.Field(int, default_value=3).is_optional
    assert not sg.Field(int).is_optional


def test_the_superseded_name_of_the_metadata_of_a_run_gives_the_same() -> None:
    assert sg.MetadataValue.dagster_run("r1") == sg.MetadataValue.run("r1")


def test_the_debugger_of_a_context_is_that_of_python() -> None:
    assert isinstance(sg.build_op_context().pdb, pdb.Pdb)


def test_a_resource_that_stands_for_another_must_say_for_what() -> None:
    class Silent(sg.ConfigurableResource[Any], sg.IAttachDifferentObjectToOpContext):
        """Says nothing."""

    wanted = pytest.raises(NotImplementedError, match="Silent must implement get_object_to_set_on_execution_context")
    with wanted, sg.build_op_context(resources={"silent": Silent()}) as context:
        _ = context.resources.silent


def test_a_run_that_has_not_begun_is_canceled_at_once() -> None:
    @sg.op
    def work() -> None: ...

    @sg.job
    def waiting() -> None:
        work()

    with sg.Instance.ephemeral() as instance:
        done = waiting.execute_in_process(instance=instance)
        with pytest.raises(sg.InvalidInvocationError, match="ended"):
            instance.cancel_run(done.run_id)
        with pytest.raises(sg.RunNotFoundError):
            instance.cancel_run("no such run")
