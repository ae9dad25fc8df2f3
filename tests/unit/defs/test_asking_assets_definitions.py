"""What assets definitions, checks and source assets answer about what they hold."""

from __future__ import annotations

import pytest

import segue as sg

DAYS = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11")
OTHER_DAYS = sg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11", hour_offset=6)
SHIFTED = sg.TimeWindowPartitionMapping(start_offset=-1)
X, Y, UP, SIDE, NOWHERE = map(sg.AssetKey, ("x_asset", "y", "up_asset", "side", "nowhere"))


@sg.success_hook
def told(context: sg.HookContext) -> None:
    context.log.info("done")


@sg.multi_asset(
    outs={
        "x": sg.AssetOut(key=X, description="the x", tags={"team": "blue"}, code_version="3"),
        "y": sg.AssetOut(is_required=False),
    },
    ins={"up": sg.AssetIn(UP, partition_mapping=SHIFTED), "side": sg.AssetIn()},
    check_specs=[sg.AssetCheckSpec("full", asset=X)],
    partitions_def=DAYS,
)
def several(up: object, side: object) -> None:
    """Made in no test."""


@sg.asset_check(asset=X, partitions_def=DAYS)
def checked() -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=True)


@sg.asset(description="alone")
def single() -> int:
    return 1


def test_assets_and_checks_are_found_by_output_and_outputs_by_them() -> None:
    full = sg.AssetCheckKey(X, "full")
    by_name = several.entity_keys_by_output_name
    assert {by_name["x"], by_name["y"]} == {X, Y}
    assert full in by_name.values()
    assert {name: key for key, name in several.output_names_by_entity_key.items()} == dict(by_name)
    assert [spec.name for spec in several.check_specs_by_output_name.values()] == ["full"]
    assert several.has_output_for_asset_key(X)
    assert not several.has_output_for_asset_key(NOWHERE)
    assert (several.has_check_keys, single.has_check_keys, checked.has_check_keys) == (True, False, True)


def test_what_specs_say_is_found_by_key() -> None:
    assert several.descriptions_by_key == {X: "the x", Y: "Made in no test."}
    assert dict(several.tags_by_key[X]) == {"team": "blue"}
    assert not several.tags_by_key[Y]
    assert several.code_versions_by_key == {X: "3", Y: None}
    assert single.descriptions_by_key == {sg.AssetKey("single"): "alone"}
    assert checked.partitions_def == DAYS


def test_the_mapping_of_a_dependency_is_the_declared_one_or_the_default() -> None:
    assert several.get_partition_mapping(UP) == SHIFTED
    assert several.get_partition_mapping_for_dep(UP) == SHIFTED
    assert several.get_partition_mapping(SIDE) is None
    assert several.get_partition_mapping(NOWHERE) is None
    assert several.infer_partition_mapping(X, UP, DAYS) == SHIFTED
    assert several.infer_partition_mapping(X, SIDE, OTHER_DAYS) == sg.TimeWindowPartitionMapping()
    assert several.infer_partition_mapping(X, SIDE, None) == sg.AllPartitionMapping()
    with pytest.raises(sg.InvalidDefinitionError, match="nowhere"):
        several.infer_partition_mapping(NOWHERE, UP, DAYS)


@pytest.mark.parametrize("made", [several, single, checked])
def test_a_copy_with_hooks_has_them_and_the_original_has_not(made: sg.AssetsDefinition) -> None:
    copied = made.with_hooks({told})
    assert copied.hook_defs == {told}
    assert type(copied) is type(made)
    assert not made.hook_defs
    assert copied.with_hooks(frozenset()).hook_defs == {told}
    for wrong in ({3}, {single}):
        with pytest.raises(sg.InvalidDefinitionError, match="hook"):
            made.with_hooks(wrong)


def test_a_hook_added_to_an_asset_is_called() -> None:
    called: list[str] = []

    @sg.success_hook
    def note(context: sg.HookContext) -> None:
        called.append(context.step_key)

    assert sg.materialize([single.with_hooks({note})]).success
    assert called == ["single"]


# -- source assets


@sg.observable_source_asset(description="seen")
def seen() -> sg.DataVersion:
    return sg.DataVersion("1")


def stored() -> sg.SourceAsset:
    return sg.SourceAsset(
        "stored",
        metadata={"rows": 1},
        io_manager_key="shelf",
        resource_defs={"shelf": sg.mem_io_manager},
        group_name="g",
        description="d",
    )


def test_a_source_asset_tells_what_can_be_done_with_it() -> None:
    assert stored().metadata == {"rows": sg.MetadataValue.int(1)}
    assert (stored().is_executable, stored().is_materializable, stored().is_observable) == (False, False, False)
    assert (seen.is_executable, seen.is_materializable, seen.is_observable) == (True, False, True)
    assert (stored().execution_type.name, seen.execution_type.name) == ("UNEXECUTABLE", "OBSERVATION")
    assert seen.op.name == "seen"
    with pytest.raises(sg.InvariantViolationError, match="stored"):
        _ = stored().op
    assert repr(stored()) == "SourceAsset(AssetKey(['stored']))"


def test_a_source_asset_is_called_for_its_version_if_it_has_a_function() -> None:
    assert seen() == sg.DataVersion("1")
    with pytest.raises(sg.InvariantViolationError, match="stored"):
        stored()()


def test_a_source_asset_with_other_attributes_keeps_the_rest() -> None:
    moved = stored().with_attributes(key=sg.AssetKey(["far", "stored"]), group_name="g")
    assert (moved.key, moved.description, moved.group_name) == (sg.AssetKey(["far", "stored"]), "d", "g")
    assert moved != stored()
    assert seen.with_attributes(group_name="h").group_name == "h"
    with pytest.raises(sg.InvalidDefinitionError, match="already in the group 'g'"):
        stored().with_attributes(group_name="h")
    assert seen.with_attributes(group_name="h")() == sg.DataVersion("1")


def test_a_source_asset_takes_the_resources_along_that_it_needs() -> None:
    lent = sg.SourceAsset("lent", io_manager_key="shelf").with_resources(
        {"shelf": sg.mem_io_manager, "unrelated": sg.ResourceDefinition.hardcoded_resource(1)}
    )
    assert set(lent.resource_defs) == {"shelf"}
    assert set(lent.required_resource_keys) == {"shelf"}
    with pytest.raises(sg.InvalidInvocationError, match="already has a resource 'shelf'"):
        stored().with_resources({"shelf": sg.fs_io_manager})
