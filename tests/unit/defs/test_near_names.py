"""An input that names no asset: the error names the assets that may have been meant, and no others."""

from __future__ import annotations

import pytest

import segue as dg


def made(*parts: str) -> dg.AssetsDefinition:
    @dg.asset(key=parts)
    def some() -> None: ...

    return some


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        (["sales", "order"], [["sales", "orders"]]),
        (["sale", "orders"], [["sales", "orders"]]),
        (["sales/orders"], [["sales", "orders"]]),
        (["sales", "daily", "orders"], [["sales", "orders"]]),
        (["orders"], [["sales", "orders"]]),
        (["customr"], [["customer"], ["customers"]]),
        (["sale", "order"], []),
        (["weather"], []),
    ],
)
def test_what_is_near_is_named(named: list[str], meant: list[list[str]]) -> None:
    known = [made("sales", "orders"), made("customer"), made("customers"), made("raw", "events")]

    @dg.asset(group_name="reports", ins={"rows": dg.AssetIn(key=named)})
    def report(rows: object) -> None: ...

    with pytest.raises(dg.InvalidDefinitionError) as caught:
        dg.Definitions.validate_loadable(dg.Definitions(assets=[*known, report]))

    hint = str(caught.value).partition("Did you mean ")[2].partition("?")[0]
    assert hint == " or ".join(repr(key if len(key) > 1 else key[0]) for key in meant)
