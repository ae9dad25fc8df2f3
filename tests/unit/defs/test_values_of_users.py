"""Nouns that users make: equal where they say the same, told apart else, kept by pickle, shown with what they say."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import segue as sg
import segue.compat.dagster as old


def result(value: int) -> sg.MaterializeResult[Any]:
    return sg.MaterializeResult(
        asset_key="a",
        metadata={"rows": value},
        check_results=[sg.AssetCheckResult(passed=True, check_name="c")],
        data_version=sg.DataVersion("7"),
        tags={"k": "v"},
    )


VALUES: dict[str, Callable[[int], Any]] = {
    "AssetIn": lambda n: sg.AssetIn(key=["x", str(n)], metadata={"a": 1}),
    "In": lambda n: sg.In(int, default_value=n, description="d"),
    "In without default": lambda n: sg.In(int, description=str(n)),
    "Out": lambda n: sg.Out(int, description=str(n)),
    "GraphIn": lambda n: sg.GraphIn(description=str(n)),
    "GraphOut": lambda n: sg.GraphOut(description=str(n)),
    "Output": lambda n: sg.Output(n, "o", metadata={"a": 1}, data_version=sg.DataVersion("7")),
    "DynamicOutput": lambda n: sg.DynamicOutput(n, mapping_key="k", metadata={"a": 1}),
    "MaterializeResult": result,
    "ObserveResult": lambda n: sg.ObserveResult(asset_key="a", metadata={"rows": n}, tags={"k": "v"}),
    "AssetCheckResult": lambda n: sg.AssetCheckResult(passed=True, asset_key="a", check_name="c", metadata={"n": n}),
    "AssetCheckSpec": lambda n: sg.AssetCheckSpec("c", asset="a", description=str(n)),
    "AssetSpec": lambda n: sg.AssetSpec("a", description=str(n), deps=["b"], metadata={"z": 1}),
    "AssetDep": lambda n: sg.AssetDep(f"a{n}", partition_mapping=sg.LastPartitionMapping()),
    "AssetMaterialization": lambda n: sg.AssetMaterialization("a", metadata={"n": n}, partition="p", tags={"k": "v"}),
    "AssetObservation": lambda n: sg.AssetObservation("a", metadata={"n": n}, description="d"),
    "DataVersion": lambda n: sg.DataVersion(str(n)),
    "DataVersionsByPartition": lambda n: sg.DataVersionsByPartition({"p": str(n)}),
    "RunRequest": lambda n: sg.RunRequest(run_key=str(n), tags={"k": "v"}, partition_key="p"),
    "SensorResult": lambda n: sg.SensorResult(run_requests=[sg.RunRequest(run_key=str(n))], cursor="c"),
    "RunConfig": lambda n: sg.RunConfig(ops={"x": {"config": {"n": n}}}),
    "TypeCheck": lambda n: sg.TypeCheck(success=True, description=str(n)),
    "MultiDependencyDefinition": lambda n: sg.MultiDependencyDefinition([sg.DependencyDefinition("a", f"r{n}")]),
    "FilesystemIOManager": lambda n: sg.FilesystemIOManager(base_dir=f"/data/{n}"),
    "LocalFileHandle": lambda n: sg.LocalFileHandle(f"/data/{n}"),
    "AssetCheckKey": lambda n: sg.AssetCheckKey(sg.AssetKey("a"), str(n)),
    "PartitionsSubset": lambda n: sg.StaticPartitionsDefinition(["1", "2"]).subset_with_partition_keys([str(n)]),
    "LegacyFreshnessPolicy": lambda n: old.LegacyFreshnessPolicy(maximum_lag_minutes=n),
    "Partition": lambda n: sg.Partition(n, f"p{n}"),
}
NOT_HASHABLE = {
    "AssetIn",
    "In",
    "In without default",
    "Out",
    "Output",
    "DynamicOutput",
    "MaterializeResult",
    "ObserveResult",
}
NOT_HASHABLE |= {"DataVersionsByPartition", "RunConfig", "RunRequest", "SensorResult"}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_equals_one_that_says_the_same(name: str) -> None:
    make = VALUES[name]
    assert make(1) == make(1)
    assert make(1) != make(2)
    assert make(1) != name
    if name in NOT_HASHABLE:
        with pytest.raises(TypeError, match="unhashable"):
            hash(make(1))
    else:
        assert len({make(1), make(1), make(2)}) == 2


@pytest.mark.parametrize("name", VALUES)
def test_a_value_survives_pickle_and_copy(name: str) -> None:
    value = VALUES[name](1)
    for again in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert again == value
        assert type(again) is type(value)


SHOWN = {
    "AssetIn": "x/1",
    "GraphIn": "'1'",
    "GraphOut": "'1'",
    "Output": "value=1, output_name='o'",
    "DynamicOutput": "mapping_key='k'",
    "MaterializeResult": "'rows'",
    "ObserveResult": "'rows'",
    "AssetCheckResult": "passed=True",
    "AssetCheckSpec": "'c'",
    "AssetSpec": "'b'",
    "AssetDep": "LastPartitionMapping",
    "AssetMaterialization": "partition='p'",
    "AssetObservation": "description='d'",
    "DataVersion": "'1'",
    "DataVersionsByPartition": "'p'",
    "RunRequest": "run_key='1'",
    "SensorResult": "cursor='c'",
    "TypeCheck": "True",
    "LocalFileHandle": "/data/1",
    "PartitionsSubset": "(1)",
    "LegacyFreshnessPolicy": "1",
    "Partition": "name='p1'",
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_value_shows_what_it_says(name: str) -> None:
    shown = repr(VALUES[name](1)).replace("AssetKey(['x', '1'])", "x/1")
    assert shown.startswith(name)
    assert SHOWN[name] in shown
    assert " at 0x" not in shown


FROZEN = (
    "AssetCheckResult",
    "AssetCheckSpec",
    "AssetSpec",
    "AssetDep",
    "AssetMaterialization",
    "AssetObservation",
    "DataVersion",
    "DataVersionsByPartition",
    "RunRequest",
    "SensorResult",
    "PartitionsSubset",
)


@pytest.mark.parametrize("name", FROZEN)
def test_a_value_cannot_be_changed(name: str) -> None:
    value = VALUES[name](1)
    for attribute in ("metadata", "tags", "value", "something_new"):
        with pytest.raises(AttributeError):
            setattr(value, attribute, {})
    assert value == VALUES[name](1)


def test_keys_cannot_be_changed_and_are_ordered_by_their_parts() -> None:
    key = sg.AssetKey(["a", "b"])
    with pytest.raises(AttributeError):
        key.path = ["c"]  # pyright: ignore[reportAttributeAccessIssue] reason: that it is refused is the point
    with pytest.raises(AttributeError):
        del key.path
    assert sg.AssetKey("a") <= key <= key
    assert not sg.AssetKey("b") <= key


@pytest.mark.parametrize("name", ["Output", "AssetCheckResult", "AssetMaterialization", "AssetObservation"])
def test_with_metadata_gives_another_with_that_metadata_alone(name: str) -> None:
    value = VALUES[name](1)
    changed = value.with_metadata({"new": 2})
    assert dict(changed.metadata) == {"new": sg.MetadataValue.int(2)}
    assert changed.with_metadata(value.metadata) == value
    assert "new" not in value.metadata


def test_a_result_that_carries_no_value_carries_none_after_pickle_either() -> None:
    """Else the copy would be taken for a result with a value, and given to the IO manager."""
    stored: list[object] = []

    class Spy(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: object) -> None:
            stored.append(obj)

        def load_input(self, context: sg.InputContext) -> object:
            return stored[-1]

    @sg.asset
    def copied() -> sg.MaterializeResult[Any]:
        return pickle.loads(pickle.dumps(sg.MaterializeResult(metadata={"rows": 3})))

    @sg.asset
    def valued() -> sg.MaterializeResult[Any]:
        return pickle.loads(pickle.dumps(sg.MaterializeResult(value=5)))

    assert sg.materialize([copied, valued], resources={"io_manager": Spy()}).success
    assert stored == [5]


def test_an_input_without_default_has_none_after_pickle_either() -> None:
    again = pickle.loads(pickle.dumps(sg.In(int)))
    assert not again.has_default_value
    assert pickle.loads(pickle.dumps(sg.In(int, default_value=None))).has_default_value
    assert pickle.loads(pickle.dumps(sg.In())).dagster_type is sg.In().dagster_type


def test_check_results_are_found_by_name() -> None:
    assert result(1).check_result_named("c").passed
    with pytest.raises(sg.InvariantViolationError, match="'d'"):
        result(1).check_result_named("d")


def test_the_label_of_a_materialization_is_the_parts_of_its_key() -> None:
    assert sg.AssetMaterialization(["shop", "orders"]).label == "shop orders"
    assert sg.AssetObservation("orders", partition="p").label == "orders"


def test_a_check_key_moves_with_its_asset() -> None:
    key = sg.AssetCheckKey(sg.AssetKey("a"), "c")
    assert key.replace_asset_key(sg.AssetKey("b")) == sg.AssetCheckKey(sg.AssetKey("b"), "c")
    assert key.with_asset_key_prefix(["x", "y"]).asset_key == sg.AssetKey(["x", "y", "a"])
    assert sg.AssetCheckKey.from_graphql_input({"assetKey": {"path": ["a"]}, "name": "c"}) == key


def test_a_run_request_knows_what_it_is_about() -> None:
    asked = sg.RunRequest(
        partition_key="p",
        asset_selection=[sg.AssetKey("a")],
        asset_check_keys=[sg.AssetCheckKey(sg.AssetKey("a"), "c")],
    )
    assert list(asked.entity_keys) == [sg.AssetKey("a"), sg.AssetCheckKey(sg.AssetKey("a"), "c")]
    assert not asked.has_resolved_partition()
    assert asked.with_replaced_attrs(tags={"dagster/partition": "p"}).has_resolved_partition()
    assert sg.RunRequest().has_resolved_partition(), "it asks for no partition"
    assert sg.RunRequest().partition_key_range is None
    span = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "c"}
    assert sg.RunRequest(tags=span).partition_key_range == sg.PartitionKeyRange("a", "c")


def test_a_spec_lists_the_partition_mappings_of_its_dependencies() -> None:
    spec = sg.AssetSpec("a", deps=[sg.AssetDep("b", partition_mapping=sg.LastPartitionMapping()), "c"])
    assert spec.partition_mappings == {sg.AssetKey("b"): sg.LastPartitionMapping()}


def test_an_output_of_a_multi_asset_says_of_its_asset_what_it_was_told() -> None:
    told = sg.AssetOut(
        key=["a", "b"],
        description="d",
        group_name="g",
        code_version="1",
        owners=["team:x"],
        kinds={"k"},
        tags={"t": "u"},
    )
    assert (told.description, told.group_name, told.code_version) == ("d", "g", "1")
    assert list(told.owners or ()) == ["team:x"]
    assert told.kinds == {"k"}
    untold = sg.AssetOut()
    assert (untold.description, untold.group_name, untold.code_version) == (None, None, None)
    assert not untold.kinds

    @sg.multi_asset(outs={"x": told, "y": untold})
    def both() -> tuple[int, int]:
        return 1, 2

    spec = both.get_asset_spec(sg.AssetKey(["a", "b"]))
    assert (spec.description, spec.group_name, spec.code_version, spec.kinds) == ("d", "g", "1", {"k"})
