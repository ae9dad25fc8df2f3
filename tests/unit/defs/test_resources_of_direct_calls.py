"""Resources that are passed to ops, assets and checks when they are called without a run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import segue as sg


class Shop(sg.ConfigurableResource[Any]):
    name: str
    opened: list[str] = []
    _door: Any = None

    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        self._door = f"{self.name} is open"
        self.opened.append("open")

    def teardown_after_execution(self, context: sg.InitResourceContext) -> None:
        self.opened.append("closed")

    def ask(self) -> str:
        self.opened.append("asked")
        return self._door


class Street(sg.ConfigurableResource[Any]):
    shop: Shop


class Count(sg.ConfigurableResource[Any]):
    def create_resource(self, context: sg.InitResourceContext) -> int:
        return 42


def test_a_resource_that_is_passed_is_set_up_for_the_call() -> None:
    @sg.asset
    def sales(shop: Shop) -> str:
        return shop.ask()

    @sg.op
    def several(context: sg.OpExecutionContext, shop: Shop):  # type: ignore[no-untyped-def]
        yield sg.Output(shop.ask())
        yield sg.AssetMaterialization("x")

    @sg.asset
    async def waited(street: Street) -> str:
        return street.shop.ask()

    @sg.asset
    def broken(shop: Shop) -> None:
        raise ZeroDivisionError

    @sg.asset
    def counted(count: sg.ResourceParam[int]) -> int:
        return count + 1

    notes: list[str] = []
    shop = Shop.model_construct(name="bakery", opened=notes)
    assert sales(shop) == sales(shop=shop) == "bakery is open"
    assert [each.value for each in several(sg.build_op_context(), shop) if isinstance(each, sg.Output)] == [
        "bakery is open"
    ]
    assert asyncio.run(waited(Street(shop=shop))) == "bakery is open"
    assert notes == ["open", "asked", "closed"] * 4
    with pytest.raises(ZeroDivisionError):
        broken(shop)
    assert notes[-2:] == ["open", "closed"]
    assert counted(Count()) == 43


def test_a_stand_in_for_a_resource_is_left_as_it_is() -> None:
    @sg.asset
    def sales(shop: Shop) -> str:
        return shop.ask()

    class Quiet:
        def ask(self) -> str:
            return "shut"

    assert sales(Quiet()) == "shut"


def test_a_call_that_is_refused_leaves_no_resource_open() -> None:
    @sg.asset
    def sales(shop: Shop, total: int) -> None: ...

    notes: list[str] = []
    with pytest.raises(sg.InvalidInvocationError):
        sales(shop=Shop.model_construct(name="bakery", opened=notes))
    assert notes == ["open", "closed"]
