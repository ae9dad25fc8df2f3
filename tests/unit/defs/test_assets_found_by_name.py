"""Which asset an input or a dependency means whose key is a name alone, and the key of no asset."""

from __future__ import annotations

import segue as sg


@sg.asset(key_prefix="near", group_name="another")
def prices() -> int:
    return 1


@sg.asset(key=["far", "prices"])
def far_prices() -> int:
    return 2


def test_an_input_means_the_asset_below_the_same_prefix_before_one_of_the_same_group() -> None:
    @sg.asset(key_prefix="near")
    def total(prices: int) -> int:
        return prices

    defs = sg.Definitions([prices, far_prices, total])
    assert defs.resolve_asset_graph().nodes[total.key].parent_keys == {sg.AssetKey(["near", "prices"])}
    result = sg.materialize([prices, far_prices, total])
    assert result.asset_value(total.key) == 1


def test_a_dependency_means_the_only_asset_of_its_name_in_the_group_and_else_an_external_one() -> None:
    @sg.asset(deps=["prices", "elsewhere"])
    def total() -> None: ...

    graph = sg.Definitions([prices, far_prices, total]).resolve_asset_graph()
    assert graph.nodes[total.key].parent_keys == {far_prices.key, sg.AssetKey("elsewhere")}
    assert graph.external_asset_keys == {sg.AssetKey("elsewhere")}
