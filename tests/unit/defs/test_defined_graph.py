"""The graph that definitions give to who asks in Python: what each asset is made from, with, and of what."""

from __future__ import annotations

import pytest

import segue as sg


@sg.asset(check_specs=[sg.AssetCheckSpec("counted", asset="orders")])
def orders() -> None: ...


@sg.multi_asset(
    specs=[sg.AssetSpec("north"), sg.AssetSpec("south")], check_specs=[sg.AssetCheckSpec("both", asset="north")]
)
def shops() -> None: ...


@sg.multi_asset(specs=[sg.AssetSpec("day", skippable=True), sg.AssetSpec("night", skippable=True)], can_subset=True)
def shifts() -> None: ...


@sg.asset(deps=["orders", "north", "feed"])
def report() -> None: ...


@sg.asset(deps=["report"])
def mail() -> None: ...


@sg.asset_check(asset="report")
def fresh() -> sg.AssetCheckResult:
    return sg.AssetCheckResult(passed=True)


GRAPH = sg.Definitions(
    assets=[orders, shops, shifts, report, mail, sg.AssetSpec("feed")], asset_checks=[fresh]
).resolve_asset_graph()


def key(name: str) -> sg.AssetKey:
    return sg.AssetKey(name)


def check(asset: str, name: str) -> sg.AssetCheckKey:
    return sg.AssetCheckKey(key(asset), name)


@pytest.mark.parametrize(
    ("one", "together"),
    [
        (key("north"), {key("north"), key("south"), check("north", "both")}),
        (check("north", "both"), {key("north"), key("south"), check("north", "both")}),
        (key("orders"), {key("orders"), check("orders", "counted")}),
        (key("day"), {key("day")}),
        (key("feed"), {key("feed")}),
        (check("report", "fresh"), {check("report", "fresh")}),
    ],
)
def test_what_is_made_all_at_once_stands_together(
    one: sg.AssetKey | sg.AssetCheckKey, together: set[sg.AssetKey | sg.AssetCheckKey]
) -> None:
    assert GRAPH.get_execution_set_asset_and_check_keys(one) == together


def test_the_graph_is_walked_both_ways() -> None:
    assert [node.key for node in GRAPH.get_children(GRAPH.get(key("report")))] == [key("mail")]
    assert {node.key for node in GRAPH.get_parents(GRAPH.get(key("report")))} == {
        key("orders"),
        key("north"),
        key("feed"),
    }
    above = list(GRAPH.upstream_key_iterator(key("mail")))
    assert above[0] == key("report")
    assert sorted(above[1:]) == sorted([key("orders"), key("north"), key("feed")])
    assert GRAPH.asset_dep_graph["upstream"][key("mail")] == {key("report")}
    assert GRAPH.asset_dep_graph["downstream"][key("orders")] == {key("report")}


def test_checks_are_found_by_key() -> None:
    assert GRAPH.get_check_spec(check("orders", "counted")).name == "counted"
    assert GRAPH.get_check_spec(check("report", "fresh")).asset_key == key("report")
    assert fresh in GRAPH.assets_defs
    assert {node.key for node in GRAPH.asset_check_nodes} == GRAPH.asset_check_keys
    with pytest.raises(sg.InvalidSubsetError, match="orders:late"):
        GRAPH.get_check_spec(check("orders", "late"))


def test_what_a_run_can_do_with_an_asset() -> None:
    @sg.observable_source_asset
    def seen() -> sg.DataVersion:
        return sg.DataVersion("1")

    graph = sg.Definitions(assets=[seen, orders, sg.AssetSpec("feed")]).resolve_asset_graph()
    found = {name: graph.get(key(name)).execution_type.name for name in ("seen", "orders", "feed")}
    assert found == {"seen": "OBSERVATION", "orders": "MATERIALIZATION", "feed": "UNEXECUTABLE"}
