"""Definitions that bring their resources along."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg


@sg.resource(config_schema=str)
def host(context: sg.InitResourceContext) -> str:
    return context.resource_config


@sg.resource(required_resource_keys={"host"})
def client(context: sg.InitResourceContext) -> str:
    return f"client of {context.resources.host}"


class Page(sg.ConfigurableResource):
    size: int = 1


class Fixed(sg.IOManager):
    def __init__(self, value: int = 0) -> None:
        self.value = value

    def handle_output(self, context: sg.OutputContext, obj: Any) -> None:
        self.value = obj

    def load_input(self, context: sg.InputContext) -> Any:
        return self.value


@sg.asset(required_resource_keys={"client"})
def asks(context: sg.AssetExecutionContext, page: Page) -> str:
    return f"{context.resources.client}, {page.size}"


@sg.asset(io_manager_key="lake")
def stored() -> int:
    return 5


@sg.asset
def plain() -> int:
    return 1


RESOURCES: dict[str, Any] = {"client": client, "host": host, "page": Page(), "unused": 3}
CONFIG = {"host": {"config": "here"}, "page": {"config": {"size": 7}}}


def test_what_is_needed_comes_along_with_its_config() -> None:
    [asked] = sg.with_resources([asks], RESOURCES, CONFIG)
    assert sorted(asked.resource_defs) == ["client", "host", "page"]
    assert sg.materialize([asked]).asset_value("asks") == "client of here, 7"
    [later] = sg.with_resources([asks], RESOURCES)
    run_config = {"resources": {"host": {"config": "there"}}}
    assert sg.materialize([later], run_config=run_config).asset_value("asks") == "client of there, 1"


def test_io_managers_come_along_too() -> None:
    lake = Fixed()
    [made, other] = sg.with_resources([stored, plain], {"lake": lake})
    sg.materialize([made, other])
    assert lake.value == 5
    assert list(other.resource_defs) == []


def test_assets_made_elsewhere_bring_what_loads_them() -> None:
    source = sg.SourceAsset("outside", io_manager_key="lake")

    @sg.asset
    def doubled(outside: int) -> int:
        return outside * 2

    [loaded, made] = sg.with_resources([source, doubled], {"lake": Fixed(4)})
    assert sg.materialize([loaded, made]).asset_value("doubled") == 8


def needing(key: str) -> sg.ResourceDefinition:
    return sg.ResourceDefinition(lambda _context: 1, required_resource_keys={key})


@sg.asset(resource_defs={"own": needing("base")})
def owner() -> None: ...


BAD: list[tuple[str, Any, dict[str, Any], dict[str, Any], type[Exception], str]] = [
    ("missing", asks, {"page": Page()}, {}, sg.InvalidDefinitionError, "requires the resource 'client'"),
    ("missing IO manager", stored, {}, {}, sg.InvalidDefinitionError, "requires the resource 'lake'"),
    ("missing further on", asks, {"client": client, "page": Page()}, {}, sg.InvalidDefinitionError, "'host'"),
    ("missing for its own", owner, {}, {}, sg.InvalidDefinitionError, "The resource 'own', which belongs to"),
    (
        "circle",
        asks,
        {"client": needing("page"), "page": needing("client")},
        {},
        sg.InvariantViolationError,
        "depends on itself",
    ),
    ("twice", owner, {"own": 3, "base": 1}, {}, sg.InvalidInvocationError, "already has the resource 'own'"),
    ("config of another form", asks, RESOURCES, {"host": "x"}, sg.InvalidInvocationError, "must be {'config': ...}"),
    (
        "config that does not fit",
        asks,
        RESOURCES,
        {"host": {"config": 5}},
        sg.InvalidConfigError,
        "Invalid config for the resource 'host'",
    ),
    (
        "config for an object",
        asks,
        RESOURCES,
        {"unused": {"config": 5}},
        sg.InvalidInvocationError,
        "which does not accept config",
    ),
    ("no definition", 5, {}, {}, sg.InvalidInvocationError, "must be asset definitions, got 5"),
]


@pytest.mark.parametrize(
    ("definition", "resources", "config", "error", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_what_cannot_be_is_refused(
    definition: Any, resources: dict[str, Any], config: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        sg.with_resources([definition], resources, config)


def test_an_io_manager_in_memory_takes_the_place_of_one_that_comes_along() -> None:
    @sg.asset(io_manager_def=Fixed())
    def kept() -> int:
        return 3

    assert sg.materialize_to_memory([kept]).asset_value("kept") == 3

    for manager in (Fixed(), sg.mem_io_manager):
        with pytest.raises(sg.InvariantViolationError, match=r"resources\['io_manager'\] is an IO manager"):
            sg.materialize_to_memory([plain], resources={"io_manager": manager})


def test_a_resource_given_to_a_run_does_not_silently_replace_that_of_an_asset() -> None:
    @sg.asset(resource_defs={"unit": sg.ResourceDefinition.hardcoded_resource(7)}, required_resource_keys={"unit"})
    def priced(context: sg.AssetExecutionContext) -> int:
        return context.resources.unit

    for run in (sg.materialize, sg.materialize_to_memory):
        with pytest.raises(sg.InvalidDefinitionError, match="resource 'unit' in its resource_defs"):
            run([priced], resources={"unit": 8})
    assert sg.materialize_to_memory([priced]).asset_value("priced") == 7
