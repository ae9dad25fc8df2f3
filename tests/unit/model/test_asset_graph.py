"""Questions that users ask an asset graph."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import segue as sg

K = sg.AssetKey
DAYS = sg.DailyPartitionsDefinition("2024-01-01")


@sg.observable_source_asset
def feed() -> sg.DataVersion:
    return sg.DataVersion("1")


@sg.asset(deps=["rates", feed], group_name="a")
def prices() -> None: ...


BEFORE = sg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)


@sg.asset(deps=[prices], partitions_def=DAYS)
def daily() -> None: ...


@sg.asset(
    deps=[
        prices,
        sg.AssetDep("daily", partition_mapping=sg.LastPartitionMapping()),
        sg.AssetDep("sums", partition_mapping=BEFORE),
    ],
    partitions_def=DAYS,
)
def sums() -> None: ...


@sg.asset_check(asset=prices)
def positive() -> bool:
    return True


graph = sg.Definitions([feed, prices, daily, sums], asset_checks=[positive], jobs=[sg.define_asset_job("j", "sums")])
G = graph.resolve_asset_graph()

ROWS: list[tuple[str, Callable[[], object], object]] = [
    ("all", lambda: G.get_all_asset_keys(), {K("feed"), K("rates"), K("prices"), K("daily"), K("sums")}),
    ("checks", lambda: G.asset_check_keys, {positive.check_key}),
    ("materializable", lambda: G.materializable_asset_keys, {K("prices"), K("daily"), K("sums")}),
    ("observable", lambda: G.observable_asset_keys, {K("feed")}),
    ("external", lambda: G.external_asset_keys, {K("feed"), K("rates")}),
    ("executable", lambda: G.executable_asset_keys, {K("feed"), K("prices"), K("daily"), K("sums")}),
    ("unexecutable", lambda: G.unexecutable_asset_keys, {K("rates")}),
    ("unpartitioned", lambda: G.unpartitioned_asset_keys, {K("feed"), K("rates"), K("prices")}),
    ("roots to make", lambda: G.root_materializable_asset_keys, {K("prices")}),
    ("roots to run", lambda: G.root_executable_asset_keys, {K("feed")}),
    ("ancestors", lambda: G.get_ancestor_asset_keys(K("daily")), {K("prices"), K("feed"), K("rates")}),
    ("ancestors of itself", lambda: K("sums") in G.get_ancestor_asset_keys(K("sums")), False),
    ("roots of one", lambda: G.get_materializable_roots(K("sums")), {K("prices")}),
    ("levels", lambda: [len(level) for level in G.toposorted_asset_keys_by_level], [2, 1, 1, 1]),
    ("order", lambda: list(G.toposorted_asset_keys)[2:], [K("prices"), K("daily"), K("sums")]),
    ("groups", lambda: G.all_group_names, {"a", "default"}),
    ("group", lambda: G.asset_keys_for_group("a"), {K("prices")}),
    ("partitions", lambda: G.all_partitions_defs, [DAYS]),
    ("partitioned so", lambda: G.asset_keys_for_partitions_def(DAYS), {K("daily"), K("sums")}),
    ("job", lambda: G.asset_keys_for_job("j"), {K("sums")}),
    ("checks of", lambda: G.get_check_keys_for_assets([K("prices"), K("daily")]), {positive.check_key}),
    ("mapping", lambda: G.get_partition_mapping(K("sums"), K("daily")), sg.LastPartitionMapping()),
    ("has", lambda: (G.has(K("daily")), G.has(K("no")), G.has(positive.check_key)), (True, False, True)),
    ("node", lambda: G.get(K("sums")).has_self_dependency, True),
    ("parents of a node", lambda: G.get(K("daily")).parent_keys, {K("prices")}),
    ("node of a check", lambda: G.get(positive.check_key).name, "positive"),
    (
        "partitions of a node",
        lambda: (G.get(K("daily")).partitions_def, G.get(K("feed")).is_partitioned),
        (DAYS, False),
    ),
    (
        "mappings of a node",
        lambda: G.get(K("sums")).partition_mappings,
        {K("daily"): sg.LastPartitionMapping(), K("sums"): BEFORE},
    ),
    ("nodes", lambda: len(G.asset_nodes), 5),
    ("children of nodes", lambda: {node.key: node.child_keys for node in G.asset_nodes}[K("daily")], {K("sums")}),
    ("what is below a node", lambda: G.get(K("prices")).child_entity_keys, {K("daily"), K("sums"), positive.check_key}),
    ("checks of a node", lambda: G.get(K("prices")).check_keys, {positive.check_key}),
    ("what stands above a node", lambda: G.get(K("daily")).parent_entity_keys, {K("prices")}),
    ("what stands above a check", lambda: G.get(positive.check_key).parent_entity_keys, {K("prices")}),
    ("partitions of a check", lambda: G.get(positive.check_key).partitions_def, None),
]


@pytest.mark.parametrize(("ask", "answer"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_a_graph_answers(ask: Callable[[], object], answer: object) -> None:
    assert ask() == answer


def test_a_node_says_what_is_made_with_it() -> None:
    count = sg.AssetCheckSpec("count", asset="left")

    @sg.multi_asset(specs=[sg.AssetSpec("left"), sg.AssetSpec("right")], check_specs=[count])
    def both() -> None: ...

    @sg.multi_asset(specs=[sg.AssetSpec("up"), sg.AssetSpec("down")], can_subset=True)
    def either() -> None: ...

    graph = sg.Definitions([both, either]).resolve_asset_graph()
    left, up = graph.get(K("left")), graph.get(K("up"))
    assert left.execution_set_asset_keys == {K("left"), K("right")}
    assert left.execution_set_entity_keys == {K("left"), K("right"), count.key}
    assert up.execution_set_entity_keys == {K("up")}


def test_what_is_not_there() -> None:
    with pytest.raises(sg.InvalidSubsetError, match="'no'"):
        G.get(K("no"))
    with pytest.raises(sg.InvalidSubsetError, match="'prices:no'"):
        G.get(sg.AssetCheckKey(K("prices"), "no"))
