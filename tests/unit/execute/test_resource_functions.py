"""Resources as functions: what they are told, in which order they are set up, what is refused."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

import segue as sg

TRACE: list[str] = []


@pytest.fixture(autouse=True)
def _empty_trace() -> None:
    TRACE.clear()


@sg.resource
def clock() -> str:
    """Tells the time."""
    return "noon"


@sg.resource(config_schema={"host": str, "port": sg.Field(int, default_value=80)}, required_resource_keys={"clock"})
def server(context: sg.InitResourceContext) -> str:
    return f"{context.resource_config['host']}:{context.resource_config['port']} at {context.resources.clock}"


@sg.resource(required_resource_keys={"server"})
def session(context: sg.InitResourceContext) -> Generator[str]:
    TRACE.append("open")
    yield f"session on {context.resources.server}"
    TRACE.append("closed")


@sg.op
def visit(context: sg.OpExecutionContext, session: sg.ResourceParam[str], clock: sg.ResourceParam[str]) -> str:
    TRACE.append("visit")
    shown = context.resources._asdict()
    assert {key: shown[key] for key in ("session", "clock")} == {"session": session, "clock": clock}
    return session


RESOURCES = {"session": session, "server": server, "clock": clock}
CONFIG = {"resources": {"server": {"config": {"host": "local"}}}}


def test_each_is_made_from_those_it_requires_and_torn_down() -> None:
    @sg.job(resource_defs=RESOURCES)
    def visits() -> None:
        visit()

    result = visits.execute_in_process(run_config=CONFIG)
    assert result.output_for_node("visit") == "session on local:80 at noon"
    assert TRACE == ["open", "visit", "closed"]
    with pytest.raises(sg.InvalidConfigError, match=r"'server': {'config': {'host'"):
        visits.execute_in_process()
    with pytest.raises(sg.InvalidConfigError, match="hosts"):
        visits.execute_in_process(run_config={"resources": {"server": {"config": {"hosts": "local"}}}})


def test_they_are_set_up_in_layers_sorted_by_key() -> None:
    order: list[str] = []

    def noted(key: str, *needs: str) -> sg.ResourceDefinition:
        return sg.ResourceDefinition(lambda _context: order.append(key), required_resource_keys=set(needs))

    with sg.build_resources({"a": noted("a", "z"), "m": noted("m"), "b": noted("b", "a"), "z": noted("z")}):
        assert order == ["m", "z", "a", "b"]


def test_outside_of_a_run() -> None:
    with sg.build_resources({**RESOURCES, "plain": 5}, resource_config=CONFIG["resources"]) as opened:
        assert (opened.session, opened.plain) == ("session on local:80 at noon", 5)
        assert TRACE == ["open"]
        assert len(opened) == 4
        with pytest.raises(sg.UnknownResourceError, match=r"'sesion' is not available here.*Did you mean 'session'"):
            _ = opened.sesion
    assert TRACE == ["open", "closed"]


def test_async_functions_are_awaited() -> None:
    @sg.resource
    async def fetched() -> str:
        return "fetched"

    @sg.resource
    async def held() -> AsyncIterator[str]:
        yield "held"
        TRACE.append("released")

    with sg.build_resources({"fetched": fetched, "held": held}) as opened:
        assert (opened.fetched, opened.held) == ("fetched", "held")
        assert TRACE == []
    assert TRACE == ["released"]


def test_called_as_functions_in_tests() -> None:
    assert clock() == "noon"
    context = sg.build_init_resource_context(config={"host": "x", "port": 1}, resources={"clock": clock})
    assert server(context) == server(context=context) == "x:1 at noon"
    made = session(sg.build_init_resource_context(resources={"server": "s"}))
    with made as opened:
        assert opened == "session on s"


@sg.resource(config_schema=str)
def text(context: sg.InitResourceContext) -> str:
    return context.resource_config


CALLS: list[tuple[str, Any, type[Exception], str]] = [
    ("no context", lambda: server(), sg.InvalidInvocationError, "was called without a context"),
    ("none does not fits", lambda: server(None), sg.InvalidInvocationError, "requires the resources clock"),
    ("none for config", lambda: text(None), sg.InvalidInvocationError, "requires config, but its context is None"),
    ("another name", lambda: server(ctx=None), sg.InvalidInvocationError, "takes one argument, 'context'"),
    ("superfluous", lambda: clock(None), sg.InvalidInvocationError, "takes no context"),
    (
        "missing resource",
        lambda: server(sg.build_init_resource_context({"host": "x"})),
        sg.InvalidDefinitionError,
        "requires the resource 'clock', which",
    ),
    ("bad config", lambda: text(sg.build_init_resource_context({"a": 1})), sg.InvalidConfigError, "is invalid"),
    (
        "two arguments",
        lambda: sg.resource(lambda a, b: (a, b)),
        sg.InvalidDefinitionError,
        "only one is allowed: the context",
    ),
    ("no function", lambda: sg.ResourceDefinition(5), sg.InvalidDefinitionError, "must be a function"),  # pyright: ignore[reportArgumentType] reason: wrong on purpose
    (
        "keys",
        lambda: sg.resource(required_resource_keys="ab")(lambda: None),
        sg.InvalidDefinitionError,
        "must be a list",
    ),  # pyright: ignore[reportArgumentType] reason: wrong on purpose
]


@pytest.mark.parametrize(("call", "error", "words"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_what_is_refused_when_called(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_a_context_with_open_resources_needs_a_with_block() -> None:
    @sg.resource
    @contextlib.contextmanager
    def held(context: sg.InitResourceContext) -> Generator[str]:
        TRACE.append("+")
        yield "held"
        TRACE.append("-")

    context = sg.build_init_resource_context(resources={"held": held})
    with pytest.raises(sg.InvariantViolationError, match="needs teardown: use the context"):
        _ = context.resources
    del context
    assert TRACE == ["+", "-"]
    with sg.build_init_resource_context(resources={"held": held}) as context:
        assert context.resources.held == "held"
    assert TRACE == ["+", "-", "+", "-"]


def test_ready_made_kinds() -> None:
    values = sg.make_values_resource(host=str, port=int)
    with sg.build_resources(
        {
            "fixed": sg.ResourceDefinition.hardcoded_resource(3),
            "none": sg.ResourceDefinition.none_resource(),
            "text": sg.ResourceDefinition.string_resource(),
            "mock": sg.ResourceDefinition.mock_resource(),
            "values": values,
        },
        resource_config={"text": {"config": "hi"}, "values": {"config": {"host": "h", "port": 1}}},
    ) as opened:
        assert (opened.fixed, opened.none, opened.text) == (3, None, "hi")
        assert opened.mock.anything(1).at.all is not None
        assert opened.values == {"host": "h", "port": 1}


def test_what_a_definition_says_of_itself() -> None:
    assert clock.description == "Tells the time."
    assert server.required_resource_keys == {"clock"}
    assert server.config_schema.as_field().is_required
    assert sg.ResourceDefinition(lambda: 1, version="2").version == "2"
    assert clock.resource_fn() == "noon"


def loads(**resources: object) -> None:
    @sg.asset(required_resource_keys=set(resources))
    def uses() -> None: ...

    sg.Definitions.validate_loadable(sg.Definitions([uses], resources=resources))


class Client(sg.ConfigurableResource):
    url: str


class Holder(sg.ConfigurableResource):
    client: Client


class Plugged(sg.ConfigurableResource):
    tool: sg.ResourceDependency[str]


def needing(key: str) -> sg.ResourceDefinition:
    return sg.ResourceDefinition(lambda _context: 1, required_resource_keys={key})


BAD: list[tuple[str, dict[str, object], list[str]]] = [
    ("missing", {"a": needing("b")}, ["The resource 'a' requires the resource 'b', which was not provided"]),
    ("near", {"a": needing("cloc"), "clock": clock}, ["Did you mean 'clock'?"]),
    ("circle", {"a": needing("b"), "b": needing("a")}, ["'a' depends on itself: a -> b -> a"]),
    ("itself", {"a": needing("a")}, ["a -> a"]),
    ("class", {"a": Client}, ["is the class Client: use an instance"]),
    (
        "partial inside",
        {"a": Holder(client=Client.configure_at_launch())},
        ["The field 'client' of the resource 'a'", "under its own resource key"],
    ),
    ("function inside that needs config", {"a": Plugged(tool=text)}, ["under its own resource key"]),
    (
        "function inside that needs another",
        {"a": Plugged(tool=needing("b"))},
        ["The resource in field 'tool' of 'a' requires the resource 'b'"],
    ),
]


@pytest.mark.parametrize(("resources", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_is_reported_when_definitions_load(resources: dict[str, object], words: list[str]) -> None:
    with pytest.raises(sg.InvalidDefinitionError) as caught:
        loads(**resources)
    for word in words:
        assert word in str(caught.value)


def test_a_circle_is_refused_outside_of_definitions_too() -> None:
    with (
        pytest.raises(sg.InvariantViolationError, match="depends on itself"),
        sg.build_resources({"a": needing("b"), "b": needing("a")}),
    ):
        raise AssertionError
    with (
        pytest.raises(sg.UnknownResourceError, match="resource 'b' is not defined"),
        sg.build_resources({"a": needing("b")}),
    ):
        raise AssertionError


def test_one_function_under_two_keys_makes_two_resources_each_with_its_config() -> None:
    @sg.resource(config_schema=str)
    def named(context: sg.InitResourceContext) -> list[str]:
        return [context.resource_config]

    seen: list[object] = []

    @sg.op(required_resource_keys={"one", "other"})
    def look(context: sg.OpExecutionContext) -> None:
        seen.extend([context.resources.one, context.resources.other])

    @sg.job(resource_defs={"one": named, "other": named})
    def looking() -> None:
        look()

    looking.execute_in_process(run_config={"resources": {"one": {"config": "a"}, "other": {"config": "b"}}})
    assert seen == [["a"], ["b"]]


def test_what_an_asset_brings_along_is_for_it_alone() -> None:
    foo = sg.ResourceDefinition.hardcoded_resource("foo")

    @sg.asset(required_resource_keys={"foo"})
    def taking() -> None: ...

    @sg.asset(resource_defs={"foo": foo})
    def bringing() -> None: ...

    @sg.resource(required_resource_keys={"foo"})
    def made_from_it() -> int:
        return 1

    @sg.asset(resource_defs={"other": made_from_it})
    def another() -> None: ...

    for assets, words in (
        ([taking, bringing], "AssetsDefinition.taking. requires"),
        ([another, bringing], "'other' requires"),
    ):
        with pytest.raises(sg.InvalidDefinitionError, match=rf"{words} the resource 'foo'.*for itself only"):
            sg.Definitions(assets).get_implicit_global_asset_job_def()
        assert sg.materialize(assets, resources={"foo": foo}).success
