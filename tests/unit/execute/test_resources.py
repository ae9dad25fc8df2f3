"""Resources: set up before the first step, handed in, torn down after the last, whatever happens between."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import pytest

import segue as sg
from segue.model.event import EngineEventData, ResourceInitFailureData, RunFailureData
from segue.model.run import FailureReason

TRACE: list[str] = []


@pytest.fixture(autouse=True)
def _empty_trace() -> None:
    TRACE.clear()


class Plain(sg.ConfigurableResource):
    name: str
    raises_in_setup: bool = False
    raises_in_teardown: bool = False

    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        TRACE.append(f"+{self.name}")
        if self.raises_in_setup:
            raise RuntimeError(f"{self.name} is closed")

    def teardown_after_execution(self, context: sg.InitResourceContext) -> None:
        TRACE.append(f"-{self.name}")
        if self.raises_in_teardown:
            raise RuntimeError(f"{self.name} is stuck")


class Nested(sg.ConfigurableResource):
    first: Plain
    second: Plain
    name: str = "nested"

    @contextlib.contextmanager
    def yield_for_execution(self, context: sg.InitResourceContext) -> Generator[Any]:
        assert context.resources.first is self.first
        TRACE.append(f"+{self.name}({self.first.name},{self.second.name})")
        yield self
        TRACE.append(f"-{self.name}")


class Made(sg.ConfigurableResource):
    """Gives user code something else than itself."""

    url: str

    def create_resource(self, context: sg.InitResourceContext) -> dict[str, Any]:
        assert context.run is not None
        return {"url": self.url, "run_id": context.run_id, "instance": context.instance}


@sg.asset
def uses(a: Plain, b: Plain) -> str:
    TRACE.append("step")
    return a.name + b.name


@sg.asset(deps=[uses])
def fails(c: Plain) -> None:
    TRACE.append("fails")
    raise ValueError("the step's own")


def test_they_are_torn_down_in_reverse_order_when_steps_failed_too() -> None:
    resources = {name: Plain(name=name) for name in "cba"}
    result = sg.materialize([uses, fails], resources=resources, raise_on_error=False)
    assert TRACE == ["+a", "+b", "+c", "step", "fails", "-c", "-b", "-a"]
    assert result.get_failed_step_keys() == {"fails"}


def test_only_what_the_steps_need_is_set_up() -> None:
    resources = {name: Plain(name=name) for name in "abcd"}
    sg.materialize([uses, fails], resources=resources, selection=[uses])
    assert TRACE == ["+a", "+b", "step", "-b", "-a"]


def test_a_failing_setup_tears_down_what_was_open() -> None:
    resources = {"a": Plain(name="a"), "b": Plain(name="b", raises_in_setup=True)}
    with sg.Instance.ephemeral() as instance:
        with pytest.raises(sg.ResourceFunctionError, match="'b' could not be set up") as caught:
            sg.materialize([uses], resources=resources, instance=instance)
        assert isinstance(caught.value.__cause__, RuntimeError)
        run = instance.get_runs()[0]
        assert run.failure_reason is FailureReason.RESOURCE_FAILURE
        payloads = [stored.event.payload for stored in instance.all_logs(run.run_id)]
    assert TRACE == ["+a", "+b", "-a"]
    [failure] = [each for each in payloads if isinstance(each, ResourceInitFailureData)]
    assert failure.error.message == "RuntimeError: b is closed"
    assert "raise RuntimeError" in failure.error.stack[-1]


def test_a_failing_teardown_fails_the_run_and_spares_no_other() -> None:
    resources = {"a": Plain(name="a", raises_in_teardown=True), "b": Plain(name="b", raises_in_teardown=True)}
    with pytest.raises(sg.ResourceFunctionError, match=r"torn down.*a is stuck"):
        sg.materialize([uses], resources=resources)
    assert TRACE == ["+a", "+b", "step", "-b", "-a"]
    result = sg.materialize([uses], resources=resources, raise_on_error=False)
    assert result.run.failure_reason is FailureReason.RESOURCE_FAILURE
    assert result.is_node_success("uses")


def test_a_failed_step_says_more_than_a_failing_teardown() -> None:
    resources = {"a": Plain(name="a"), "b": Plain(name="b"), "c": Plain(name="c", raises_in_teardown=True)}
    with pytest.raises(ValueError, match="the step's own"):
        sg.materialize([uses, fails], resources=resources)
    result = sg.materialize([uses, fails], resources=resources, raise_on_error=False)
    end = result.all_events[-1].payload
    assert isinstance(end, RunFailureData)
    assert (end.reason, end.failed_steps) == (FailureReason.STEP_FAILURE, ("fails",))
    said = [event.payload.message for event in result.all_events if isinstance(event.payload, EngineEventData)]
    assert any("c is stuck" in message for message in said)


def test_a_setup_and_a_teardown_may_both_fail() -> None:
    resources = {"a": Plain(name="a", raises_in_teardown=True), "b": Plain(name="b", raises_in_setup=True)}
    result = sg.materialize([uses], resources=resources, raise_on_error=False)
    assert TRACE == ["+a", "+b", "-a"]
    ends = [event.payload for event in result.all_events if isinstance(event.payload, RunFailureData)]
    assert len(ends) == 1
    assert ends[0].error is not None
    assert ends[0].error.message == "RuntimeError: b is closed"


@sg.asset
def interrupted(a: Plain) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("stuck", [False, True])
def test_an_interrupted_run_tears_down_and_is_canceled(stuck: bool) -> None:
    resources = {"a": Plain(name="a", raises_in_teardown=stuck)}
    with sg.Instance.ephemeral() as instance:
        with pytest.raises(KeyboardInterrupt):
            sg.materialize([interrupted], resources=resources, instance=instance)
        assert instance.get_runs()[0].status is sg.RunStatus.CANCELED
    assert TRACE == ["+a", "-a"]


class Leaves(sg.ConfigurableResource):
    where: str

    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        if self.where == "setup":
            raise SystemExit(3)

    def teardown_after_execution(self, context: sg.InitResourceContext) -> None:
        if self.where == "teardown":
            raise SystemExit(3)
        if self.where == "interrupt":
            raise KeyboardInterrupt


@sg.asset
def with_leaves(leaves: Leaves) -> None: ...


@pytest.mark.parametrize("where", ["setup", "teardown"])
def test_leaving_python_is_a_failed_resource(where: str) -> None:
    result = sg.materialize([with_leaves], resources={"leaves": Leaves(where=where)}, raise_on_error=False)
    assert result.run.failure_reason is FailureReason.RESOURCE_FAILURE


def test_an_interrupt_while_tearing_down_is_recorded() -> None:
    with sg.Instance.ephemeral() as instance:
        with pytest.raises(KeyboardInterrupt):
            sg.materialize([with_leaves], resources={"leaves": Leaves(where="interrupt")}, instance=instance)
        assert instance.get_runs()[0].status is sg.RunStatus.CANCELED


@sg.asset
def uses_nested(nested: Nested, first: Plain) -> tuple[str, str]:
    TRACE.append("step")
    return nested.first.name, first.name


def test_nested_resources_are_set_up_first_and_shared() -> None:
    first = Plain(name="one")
    resources = {"nested": Nested(first=first, second=Plain(name="two")), "first": first}
    result = sg.materialize([uses_nested], resources=resources)
    assert result.asset_value("uses_nested") == ("one", "one")
    assert TRACE == ["+one", "+two", "+nested(one,two)", "step", "-nested", "-two", "-one"]


@sg.asset
def takes_made(context: sg.AssetExecutionContext, made: sg.ResourceParam[dict[str, Any]]) -> Any:
    assert context.resources.made is made
    assert made["instance"] is context.instance
    assert made["run_id"] == context.run_id
    return made["url"]


def test_variables_are_read_when_the_run_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    resources = {"made": Made(url=sg.EnvVar("SEGUE_TEST_URL"))}
    for url in ("http://one", "http://two"):
        monkeypatch.setenv("SEGUE_TEST_URL", url)
        assert sg.materialize([takes_made], resources=resources).asset_value("takes_made") == url


def test_config_of_a_run_changes_fields_for_that_run_only() -> None:
    resources = {"made": Made(url="http://declared")}
    config = {"resources": {"made": {"config": {"url": "http://run"}}}}
    assert sg.materialize([takes_made], config, resources=resources).asset_value("takes_made") == "http://run"
    assert sg.materialize([takes_made], resources=resources).asset_value("takes_made") == "http://declared"
    with pytest.raises(sg.InvalidConfigError, match="resources:made:config:url"):
        sg.materialize([takes_made], {"resources": {"made": {"config": {"url": [1]}}}}, resources=resources)


def test_a_function_sees_only_the_resources_it_asked_for() -> None:
    @sg.asset(required_resource_keys={"plain"})
    def asks(context: sg.AssetExecutionContext) -> str:
        with pytest.raises(
            sg.UnknownResourceError, match="resource 'other' is not available here; available: io_manager, plain"
        ):
            _ = context.resources.other
        assert not hasattr(context.resources, "other")
        return context.resources.plain

    result = sg.materialize([asks], resources={"plain": "any object", "other": 1})
    assert result.asset_value("asks") == "any object"


def test_a_function_sees_the_io_managers_of_its_inputs_and_outputs() -> None:
    seen: dict[str, list[bool]] = {}

    def look(context: sg.OpExecutionContext) -> None:
        seen[context.op.name] = [hasattr(context.resources, key) for key in ("kept", "loads")]

    @sg.op(out=sg.Out(io_manager_key="kept"))
    def first(context: sg.OpExecutionContext) -> int:
        look(context)
        return 1

    @sg.op(ins={"value": sg.In(input_manager_key="loads")})
    def second(context: sg.OpExecutionContext, value: int) -> None:
        look(context)

    @sg.op
    def third(context: sg.OpExecutionContext) -> None:
        look(context)

    @sg.job(resource_defs={"kept": sg.mem_io_manager, "loads": sg.mem_io_manager})
    def looking() -> None:
        second(first())
        third()

    looking.execute_in_process(raise_on_error=False)
    assert (seen["first"], seen["third"]) == ([True, False], [False, False])


def test_a_resource_may_log_to_the_run() -> None:
    class Talks(sg.ConfigurableResource):
        def setup_for_execution(self, context: sg.InitResourceContext) -> None:
            context.log.info("opening")

    @sg.asset(required_resource_keys={"talks"})
    def a() -> None: ...

    result = sg.materialize([a], resources={"talks": Talks()})
    lines = [event for event in result.all_logs if event.event_type is sg.EventType.LOG_MESSAGE]
    assert [(line.step_key, line.payload.message) for line in lines] == [(None, "opening")]  # type: ignore[union-attr]
