"""Rate limits and circuit breakers of resources, as steps meet them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import segue as dg
from segue.errors import CircuitOpenError
from segue.host.inprocess import execute_request
from segue.model.event import EngineEventData, StepFailureData
from segue.model.gates import AnyLimit
from segue.model.run import Run
from segue.model.stores import EventFilter

SLOW = dg.RateLimit(10, per=1_000_000.0)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.Instance]:
    with dg.Instance.local_temp(str(tmp_path)) as instance:
        yield instance


def _run(instance: dg.Instance, limits: Sequence[AnyLimit], *functions: Callable[..., Any], **arguments: Any) -> Run:
    """A run of one asset for each function, all of which need the resource `api`."""
    assets = [
        dg.asset(name=f"asset_{at}", required_resource_keys={"api"}, **arguments)(each)
        for at, each in enumerate(functions)
    ]
    definitions = dg.Definitions(assets=assets, resources={"api": "the api"}, resource_limits={"api": limits})
    return execute_request(definitions, instance, dg.RunRequest())


def _tokens(instance: dg.Instance) -> int:
    """How many tokens of the slow limit are left."""
    states = instance.store.gate_states()
    (bucket,) = states.by_name["api"].buckets.values()
    return round(bucket.tokens_at(states.now))


def _breaker(instance: dg.Instance) -> tuple[str, int]:
    """Where the breaker stands, and how many failures it counted."""
    states = instance.store.gate_states()
    breaker = states.by_name["api"].breaker
    return breaker.state(states.now), len(breaker.failures)


def _errors(instance: dg.Instance, run: Run) -> list[str]:
    records = instance.store.events(EventFilter(run_id=run.run_id), None)
    payloads = [each.event.payload for each in records]
    errors = [each.error for each in payloads if isinstance(each, StepFailureData) and each.error is not None]
    return [(each.cause or each).cls_name for each in errors]


def _fails(context: dg.AssetExecutionContext) -> None:
    raise ConnectionRefusedError("nobody answers")


def _is_fine(context: dg.AssetExecutionContext) -> None: ...


def test_steps_start_no_faster_than_the_rate(instance: dg.Instance) -> None:
    started: list[float] = []

    def note(context: dg.AssetExecutionContext) -> None:
        started.append(time.monotonic())

    assert _run(instance, [dg.RateLimit(20, per=1.0, burst=1)], *[note] * 4).is_success
    assert started[-1] - started[0] >= 3 / 20 - 0.01


def test_each_attempt_takes_a_token_and_other_steps_none(instance: dg.Instance) -> None:
    attempts: list[int] = []

    def flaky(context: dg.AssetExecutionContext) -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise ValueError("again")

    assert _run(instance, [SLOW], flaky, retry_policy=dg.RetryPolicy(max_retries=2)).is_success
    assert _tokens(instance) == 7

    @dg.asset
    def other() -> None: ...

    definitions = dg.Definitions(assets=[other], resources={"api": 1}, resource_limits={"api": [SLOW]})
    assert execute_request(definitions, instance, dg.RunRequest()).is_success
    assert _tokens(instance) == 7


def test_an_op_of_a_job_takes_a_token(instance: dg.Instance) -> None:
    @dg.op(required_resource_keys={"api"})
    def call() -> None: ...

    @dg.job
    def calls() -> None:
        call()

    definitions = dg.Definitions(jobs=[calls], resources={"api": 1}, resource_limits={"api": [SLOW]})
    assert execute_request(definitions, instance, dg.RunRequest(job_name="calls")).is_success
    assert _tokens(instance) == 9


class Api(dg.ConfigurableResource):
    pass


class Client(dg.ConfigurableResource):
    api: Api


class Shelf(dg.IOManager):
    def handle_output(self, context: dg.OutputContext, obj: object) -> None: ...

    def load_input(self, context: dg.InputContext) -> object: ...


def test_what_a_resource_is_made_from_counts_and_so_do_io_managers(instance: dg.Instance) -> None:
    @dg.asset(io_manager_key="shelf")
    def kept(client: Client) -> int:
        return 1

    api = Api()
    resources = {"api": api, "client": Client(api=api), "shelf": Shelf()}
    definitions = dg.Definitions(
        assets=[kept], resources=resources, resource_limits={"api": [SLOW], "shelf": [SLOW], "client": [SLOW]}
    )
    assert execute_request(definitions, instance, dg.RunRequest()).is_success
    assert {name: round(each.tokens[0].available) for name, each in instance.resource_limits().items()} == {
        "api": 9,
        "client": 9,
        "shelf": 9,
    }


def test_user_code_takes_more(instance: dg.Instance) -> None:
    def calls(context: dg.AssetExecutionContext) -> None:
        context.take("api", 3)
        with context.limited("api", tokens=2):
            pass
        context.take("free", 100)
        with pytest.raises(dg.InvalidInvocationError, match="The resource 'apo' has no limits"):
            context.take("apo")
        with pytest.raises(dg.InvalidInvocationError, match="at least 1"):
            context.take("api", 0)

    calls_asset = dg.asset(name="calls", required_resource_keys={"api"})(calls)
    definitions = dg.Definitions(assets=[calls_asset], resources={"api": 1, "free": 1}, resource_limits={"api": [SLOW]})
    assert execute_request(definitions, instance, dg.RunRequest()).is_success
    assert _tokens(instance) == 4


def test_a_step_that_waits_long_says_for_what(instance: dg.Instance) -> None:
    assert _run(instance, [dg.RateLimit(1, per=1.2)], _is_fine, _is_fine).is_success
    (run,) = instance.get_runs()
    records = instance.store.events(EventFilter(run_id=run.run_id), None)
    said = [each.event.payload.message for each in records if isinstance(each.event.payload, EngineEventData)]
    assert len([each for each in said if each.startswith("Waits for the resource 'api'")]) == 1


def test_in_a_test_of_a_function_nothing_is_waited_for() -> None:
    context = dg.build_op_context()
    context.take("api", 1_000)
    with context.limited("api"):
        pass


def test_an_open_breaker_fails_steps_that_are_not_to_wait(instance: dg.Instance) -> None:
    breaker = dg.CircuitBreaker(failures=2, reset_after=1_000_000.0, when_open="fail")
    runs = [_run(instance, [breaker], _fails) for _ in range(2)]
    assert [_errors(instance, run) for run in runs] == [["ConnectionRefusedError"]] * 2
    called: list[str] = []

    def calls(context: dg.AssetExecutionContext) -> None:
        called.append("calls")

    def takes(context: dg.AssetExecutionContext) -> None:
        with pytest.raises(CircuitOpenError, match="will not be called") as caught:
            context.take("api")
        assert caught.value.resources == ("api",)
        assert caught.value.seconds > 0
        called.append("takes")

    assert _errors(instance, _run(instance, [breaker], calls)) == ["CircuitOpenError"]
    assert called == []
    taking = dg.asset(name="takes")(takes)
    definitions = dg.Definitions(assets=[taking], resources={"api": 1}, resource_limits={"api": [breaker]})
    assert execute_request(definitions, instance, dg.RunRequest()).is_success
    assert called == ["takes"]


def test_steps_wait_until_one_may_try_and_success_closes_the_breaker(instance: dg.Instance) -> None:
    attempts: list[float] = []

    def flaky(context: dg.AssetExecutionContext) -> None:
        attempts.append(time.monotonic())
        if len(attempts) == 1:
            raise TimeoutError("too slow")

    breaker = dg.CircuitBreaker(failures=1, reset_after=0.3)
    assert _run(instance, [breaker], flaky, retry_policy=dg.RetryPolicy(max_retries=1)).is_success
    assert attempts[1] - attempts[0] >= 0.25
    assert _breaker(instance) == ("closed", 0)


def test_an_instance_tells_how_resources_stand(instance: dg.Instance) -> None:
    limits = [dg.RateLimit(10, per=1_000_000.0), dg.CircuitBreaker(failures=2, reset_after=1_000_000.0)]
    assert instance.resource_limits() == {}
    assert not _run(instance, limits, _fails).is_success
    state = instance.resource_limits()["api"]
    assert (state.circuit, state.failures, state.seconds) == ("closed", 1, 0.0)
    ((tokens, capacity, per_second),) = state.tokens
    assert (round(tokens), capacity, per_second) == (9, 10, 0.00001)
    assert not _run(instance, limits, _fails).is_success
    state = instance.resource_limits()["api"]
    assert state.circuit == "open"
    assert 999_000 < state.seconds <= 1_000_000


def test_a_mistake_in_user_code_opens_nothing(instance: dg.Instance) -> None:
    def wrong(context: dg.AssetExecutionContext) -> None:
        raise KeyError("a typo")

    breaker = dg.CircuitBreaker(failures=1)
    assert not _run(instance, [breaker], wrong).is_success
    assert _run(instance, [breaker], _is_fine).is_success
    counting = dg.CircuitBreaker(failures=1, reset_after=1_000_000.0, failure_classes=("user_code",))
    assert not _run(instance, [counting], wrong).is_success
    assert _breaker(instance)[0] == "open"


def test_a_failure_in_a_block_counts_once_and_also_when_it_is_caught(instance: dg.Instance) -> None:
    breaker = dg.CircuitBreaker(failures=5)

    def raises(context: dg.AssetExecutionContext) -> None:
        try:
            with context.limited("api"):
                raise ConnectionResetError("gone")
        except ConnectionResetError as error:
            raise RuntimeError("in vain") from error

    def goes_on(context: dg.AssetExecutionContext) -> None:
        for _ in range(2):
            with pytest.raises(ConnectionResetError), context.limited("api"):
                raise ConnectionResetError("gone")

    assert not _run(instance, [breaker], raises).is_success
    assert _breaker(instance) == ("closed", 1)
    assert _run(instance, [breaker], goes_on).is_success
    assert _breaker(instance) == ("closed", 3)


def test_limits_stand_in_the_manifest_and_stay_when_definitions_are_merged() -> None:
    limits = [dg.RateLimit(2, per=0.5), dg.CircuitBreaker()]
    definitions = dg.Definitions.merge(
        dg.Definitions(resources={"api": 1}, resource_limits={"api": limits}), dg.Definitions(resources={"db": 1})
    )
    nodes = {each.key: each.limits for each in definitions.described.manifest.resources}
    assert nodes == {"api": tuple(limits), "db": ()}


def test_limits_of_a_resource_that_nobody_declares_are_refused() -> None:
    with pytest.raises(
        dg.InvalidDefinitionError, match="resource_limits contains 'apo', which is not a resource key; available: api"
    ):
        dg.Definitions.validate_loadable(dg.Definitions(resources={"api": 1}, resource_limits={"apo": [SLOW]}))
