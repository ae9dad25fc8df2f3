"""Assets as inputs of the ops of a job or graph: their stored values are loaded by their own IO managers."""

from __future__ import annotations

from typing import Any

import pytest

import segue as dg


class Shelf(dg.IOManager):
    """Gives one value, and notes which assets were asked for."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.asked: list[tuple[str, Any]] = []

    def handle_output(self, context: dg.OutputContext, obj: object) -> None: ...

    def load_input(self, context: dg.InputContext) -> int:
        assert context.upstream_output is not None
        self.asked.append((context.asset_key.to_user_string(), context.upstream_output.definition_metadata.get("unit")))
        return self.value


@dg.op
def add(left: int, right: int) -> int:
    return left + right


@dg.op
def one() -> int:
    return 1


@dg.asset(metadata={"unit": "pieces"}, io_manager_key="shelf", required_resource_keys={"warehouse"})
def stock() -> int:
    return 0


@pytest.mark.parametrize(
    "taken",
    [
        dg.SourceAsset("stock", metadata={"unit": "pieces"}, io_manager_key="shelf"),
        dg.AssetSpec("stock", metadata={"unit": "pieces"}).with_io_manager_key("shelf"),
        stock,
    ],
    ids=["SourceAsset", "AssetSpec", "asset"],
)
def test_a_graph_takes_the_stored_value_of_an_asset(taken: Any) -> None:
    @dg.graph
    def inner(right: int) -> Any:
        return add(taken, right)

    @dg.graph
    def outer() -> None:
        inner(one())
        add.alias("doubled")(taken, taken)

    shelf = Shelf(41)
    result = outer.execute_in_process(resources={"shelf": shelf})

    assert result.output_for_node("inner.add") == 42
    assert result.output_for_node("doubled") == 82
    assert set(shelf.asked) == {("stock", "pieces")}


def test_a_source_asset_brings_its_io_manager_along_to_a_job_that_nobody_lists_it_for() -> None:
    shelf = Shelf(41)
    outside = dg.SourceAsset(["far", "stock"], io_manager_def=dg.IOManagerDefinition.hardcoded_io_manager(shelf))

    @dg.job
    def count() -> None:
        add(outside, one())

    defs = dg.Definitions(jobs=[count])

    assert dg.AssetKey(["far", "stock"]) in defs.asset_graph.nodes
    assert defs.get_job_def("count").execute_in_process().output_for_node("add") == 42
    assert [key for key, _ in shelf.asked] == ["far/stock"]


def test_an_asset_that_is_listed_and_taken_is_declared_once() -> None:
    @dg.job
    def count() -> None:
        add(stock, one())

    defs = dg.Definitions(assets=[stock], jobs=[count], resources={"shelf": Shelf(1), "warehouse": "north"})

    assert defs.asset_graph.nodes[stock.key].is_materializable


class PartitionedShelf(dg.IOManager):
    """Notes which partitions were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def handle_output(self, context: dg.OutputContext, obj: object) -> None: ...

    def load_input(self, context: dg.InputContext) -> int:
        self.asked = [*context.asset_partition_keys]
        return 1


@dg.op
def look(value: int) -> None: ...


@pytest.mark.parametrize(
    "partitions",
    [dg.StaticPartitionsDefinition(["north", "south"]), dg.DynamicPartitionsDefinition(name="regions")],
    ids=["static", "dynamic"],
)
def test_an_op_takes_all_partitions_of_an_asset(partitions: dg.PartitionsDefinition) -> None:
    shelf = PartitionedShelf()
    parts = dg.SourceAsset("parts", partitions_def=partitions)

    @dg.job(resource_defs={"io_manager": shelf})
    def count() -> None:
        look(parts)

    with dg.Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("regions", ["north", "south"])
        assert count.execute_in_process(instance=instance).success
    assert shelf.asked == ["north", "south"]
