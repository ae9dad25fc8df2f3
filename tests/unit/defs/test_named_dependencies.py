"""Dependencies by a name alone: which asset they mean."""

from __future__ import annotations

import segue as sg


def _parents(*assets: sg.AssetsDefinition | sg.AssetSpec, of: str) -> list[str]:
    graph = sg.Definitions(assets=list(assets)).resolve_asset_graph()
    return [key.to_user_string() for key in graph.get(sg.AssetKey(of)).parent_keys]


def _named(name: str, *deps: object, group: str = "g", prefix: list[str] | None = None) -> sg.AssetsDefinition:
    @sg.asset(name=name, deps=deps, group_name=group, key_prefix=prefix)
    def made() -> None: ...

    return made


def test_a_name_alone_means_the_only_asset_of_that_name_in_the_group() -> None:
    up = _named("up", prefix=["p"])

    @sg.asset(ins={"value": sg.AssetIn("up")}, group_name="g")
    def taking(value: object) -> None: ...

    assert _parents(up, _named("down", "up"), of="down") == ["p/up"]
    assert _parents(up, _named("down", sg.AssetDep(sg.AssetKey("up"))), of="down") == ["p/up"]
    assert _parents(up, taking, of="taking") == ["p/up"]
    assert _parents(sg.AssetSpec(["p", "up"], group_name="g"), _named("down", "up"), of="down") == ["p/up"]


def test_a_name_that_means_no_one_asset_is_taken_as_it_stands() -> None:
    up, other = _named("up", prefix=["p"]), _named("up", prefix=["q"])
    assert _parents(up, _named("down", "up", group="h"), of="down") == ["up"]
    assert _parents(up, other, _named("down", "up"), of="down") == ["up"]
    assert _parents(up, sg.AssetSpec("up", group_name="h"), _named("down", "up"), of="down") == ["up"]
    assert _parents(up, _named("down", sg.AssetKey(["x", "up"])), of="down") == ["x/up"]


def test_what_is_meant_is_made_before() -> None:
    order: list[str] = []

    @sg.asset(key_prefix="p")
    def up() -> None:
        order.append("up")

    @sg.asset(deps=["up"])
    def down() -> None:
        order.append("down")

    assert sg.materialize([down, up]).success
    assert order == ["up", "down"]
