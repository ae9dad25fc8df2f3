"""What declared assets and checks say of themselves where nothing was said: groups, inputs, dependencies."""

from __future__ import annotations

import pytest

import segue as sg

K = sg.AssetKey


def test_what_is_declared_without_a_group_is_in_the_default_one() -> None:
    @sg.asset
    def alone() -> None: ...

    @sg.multi_asset(specs=[sg.AssetSpec("one"), sg.AssetSpec("two", group_name="g")])
    def several() -> None: ...

    assert alone.get_asset_spec().group_name == "default"
    assert {spec.key.to_user_string(): spec.group_name for spec in several.specs} == {"one": "default", "two": "g"}
    assert sg.AssetsDefinition(specs=[sg.AssetSpec("elsewhere")]).specs[0].group_name == "default"
    assert sg.SourceAsset("stored").to_spec().group_name == "default"
    assert sg.AssetSpec("plain").group_name is None
    seen: list[str | None] = []
    grouped = alone.map_asset_specs(lambda spec: (seen.append(spec.group_name), spec)[1])
    assert seen == ["default"]
    assert grouped.with_attributes(group_names_by_key={K("alone"): "g"}).group_names_by_key == {K("alone"): "g"}


def test_inputs_of_assets_are_compared_by_what_they_say() -> None:
    assert sg.AssetIn("a", metadata={"m": 1}) == sg.AssetIn(K("a"), metadata={"m": 1})
    assert sg.AssetIn("a") != sg.AssetIn("b")
    assert sg.AssetIn("a") != "a"


def test_a_check_names_what_it_only_waits_for_as_assets_do() -> None:
    @sg.asset_check(asset=["shop", "orders"], additional_deps=["rates", "rates", sg.AssetKey(["shop", "taxes"])])
    def is_full() -> bool:
        return True

    assert is_full.keys_by_input_name == {
        "shop_orders": K(["shop", "orders"]),
        "rates": K("rates"),
        "shop_taxes": K(["shop", "taxes"]),
    }
    assert [dep.asset_key for dep in is_full.check_specs[0].additional_deps] == [K("rates"), K(["shop", "taxes"])]


def test_errors_of_values_are_those_of_python_too() -> None:
    @sg.asset
    def stock() -> None: ...

    with pytest.raises(KeyError) as unknown:
        stock.get_asset_spec(sg.AssetKey("sales"))
    assert str(unknown.value) == "AssetsDefinition(stock) has no asset 'sales'."
    with pytest.raises(ValueError, match="additional_deps"):
        sg.AssetCheckSpec("few", asset="stock", additional_deps=["stock"])
