"""Steps that name a pool take its slots while they run, and wait for them across runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import segue as dg
from segue.host.inprocess import execute_request
from segue.model.claims import Claim, Claimant, ClaimFilter, ClaimRequest, pool_resource
from segue.model.concurrency import Concurrency
from segue.model.event import EngineEventData, Event
from segue.model.run import Run
from segue.model.stores import EventFilter

POOLS = ClaimFilter(prefix="pool:")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.Instance]:
    with dg.Instance.local_temp(str(tmp_path)) as instance:
        yield instance


def _held(instance: dg.Instance) -> list[tuple[str | None, str, int]]:
    return [(each.claimant.step_key, each.resource, each.weight) for each in instance.store.claim_records(POOLS)]


def _hold(instance: dg.Instance, pool: str, weight: int = 1, run_id: str = "other") -> None:
    """Has a step of another run take slots."""
    claimant = Claimant(run_id, "step", instance.store.worker())
    (answer,) = instance.store.claim([ClaimRequest(claimant, (Claim(pool_resource(pool), weight),))], 1.0)
    assert answer.is_granted


def _asset(name: str, **arguments: Any) -> dg.AssetsDefinition:
    @dg.asset(name=name, **arguments)
    def made() -> None: ...

    return made


def _start(instance: dg.Instance, definitions: dg.Definitions) -> tuple[threading.Thread, threading.Event, list[Run]]:
    """A run in a thread of its own; the event says that one of its steps waits."""
    is_waiting, ended = threading.Event(), list[Run]()

    def listen(event: Event) -> None:
        if isinstance(event.payload, EngineEventData) and event.payload.message.startswith("Waits for slots"):
            is_waiting.set()

    def run() -> None:
        ended.append(execute_request(definitions, instance, dg.RunRequest(), listen))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, is_waiting, ended


def _waits(instance: dg.Instance, run: Run) -> list[tuple[str | None, str]]:
    records = instance.store.events(EventFilter(run_id=run.run_id), None)
    said = [
        (each.event.step_key, each.event.payload.message)
        for each in records
        if isinstance(each.event.payload, EngineEventData)
    ]
    return [each for each in said if each[1].startswith("Waits")]


@pytest.mark.parametrize(
    ("arguments", "held"),
    [
        ({"pool": "db"}, [("made", "pool:db", 1)]),
        ({"pool": "db", "op_tags": {"segue/pool_weight": "3"}}, [("made", "pool:db", 3)]),
        ({"op_tags": {"dagster/concurrency_key": "old"}}, [("made", "pool:old", 1)]),
        ({}, []),
    ],
)
def test_a_step_holds_its_slots_while_it_runs(
    instance: dg.Instance, arguments: Mapping[str, Any], held: list[tuple[str, str, int]]
) -> None:
    seen: list[tuple[str | None, str, int]] = []

    @dg.asset(**arguments)
    def made() -> None:
        seen.extend(_held(instance))

    @dg.asset(deps=[made])
    def after() -> None:
        assert _held(instance) == []

    assert dg.materialize([made, after], instance=instance).success
    assert seen == held


def test_a_step_of_a_job_of_ops_holds_its_slots(instance: dg.Instance) -> None:
    seen: list[tuple[str | None, str, int]] = []

    @dg.op(pool="db")
    def work() -> None:
        seen.extend(_held(instance))

    @dg.job
    def ops() -> None:
        work.tag({"segue/pool_weight": "2"})()

    assert ops.execute_in_process(instance=instance).success
    assert seen == [("work", "pool:db", 2)]


def test_a_step_that_failed_holds_nothing_while_it_waits_for_its_next_attempt(instance: dg.Instance) -> None:
    seen: list[list[tuple[str | None, str, int]]] = []

    @dg.asset(pool="db", retry_policy=dg.RetryPolicy(max_retries=1))
    def flaky() -> None:
        seen.append(_held(instance))
        if len(seen) == 1:
            raise ValueError("once")

    instance.set_pool_limit("db", 1)
    assert dg.materialize([flaky], instance=instance).success
    assert seen == [[("flaky", "pool:db", 1)]] * 2
    assert _held(instance) == []


def test_a_step_waits_for_slots_says_why_once_and_starts_when_they_are_free(instance: dg.Instance) -> None:
    instance.set_pool_limit("db", 2)
    _hold(instance, "db", 2)
    thread, is_waiting, ended = _start(
        instance, dg.Definitions(assets=[_asset("a", pool="db"), _asset("b", pool="db")])
    )
    assert is_waiting.wait(30)
    assert instance.free_claims("other", "step") == 1
    thread.join(30)
    assert ended[0].is_success
    said = _waits(instance, ended[0])
    assert [step for step, _ in said] == ["a", "b"]
    assert "the pool 'db' (2 of 2 in use by step step of run other; 1 requested)" in said[0][1]
    assert "of the pool 'db', after the step 'a' of this run" in said[1][1]


def test_other_steps_go_on_while_one_waits(instance: dg.Instance) -> None:
    instance.set_pool_limit("db", 1)
    _hold(instance, "db")
    was_made = threading.Event()

    @dg.asset
    def free() -> None:
        was_made.set()

    thread, is_waiting, ended = _start(instance, dg.Definitions(assets=[_asset("a", pool="db"), free]))
    assert is_waiting.wait(30)
    assert was_made.wait(30)
    instance.set_pool_limit("db", 2)
    thread.join(30)
    assert ended[0].is_success


def test_the_priority_of_a_step_decides_who_goes_first(instance: dg.Instance) -> None:
    order: list[str] = []

    def step(name: str, priority: int | None) -> dg.AssetsDefinition:
        @dg.asset(name=name, pool="db", op_tags={} if priority is None else {"dagster/priority": str(priority)})
        def made() -> None:
            order.append(name)

        return made

    instance.set_pool_limit("db", 1)
    steps = [step("a", None), step("b", -1), step("c", 5), step("d", 2)]
    assert dg.materialize(steps, instance=instance).success
    assert order == ["c", "d", "a", "b"]


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"dagster/priority": "high"}, "dagster/priority must be a whole number, got 'high'"),
        ({"segue/pool_weight": "0"}, "must be at least 1"),
        ({"segue/pool_weight": "1.5"}, "whole number"),
    ],
)
def test_tags_that_are_no_numbers_are_refused_before_anything_is_recorded(
    instance: dg.Instance, tags: dict[str, str], said: str
) -> None:
    with pytest.raises(dg.InvalidDefinitionError, match=said):
        dg.materialize([_asset("a", pool="db", op_tags=tags)], instance=instance)
    assert instance.get_runs() == []


def test_a_priority_of_a_run_that_is_no_number_is_refused_before_anything_is_recorded(instance: dg.Instance) -> None:
    with pytest.raises(dg.InvalidInvocationError, match="dagster/priority must be a whole number, got 'high'"):
        dg.materialize([_asset("a")], instance=instance, tags={"dagster/priority": "high"})
    assert instance.get_runs() == []


def test_pools_without_a_limit_have_that_of_the_settings(instance: dg.Instance) -> None:
    instance.concurrency = Concurrency(default_pool_limit=1)
    _hold(instance, "db")
    thread, is_waiting, ended = _start(instance, dg.Definitions(assets=[_asset("a", pool="db")]))
    assert is_waiting.wait(30)
    instance.set_pool_limit("db", 2)
    thread.join(30)
    assert ended[0].is_success


def test_a_run_inside_a_step_works_under_the_slots_around_it(instance: dg.Instance) -> None:
    instance.set_pool_limit("db", 1)

    @dg.asset(pool="db")
    def outer() -> None:
        assert dg.materialize([_asset("inner", pool="db")], instance=instance).success

    assert dg.materialize([outer], instance=instance).success
    assert _held(instance) == []


def test_an_instance_tells_of_pools(instance: dg.Instance) -> None:
    instance.set_pool_limit("db", 2)
    instance.set_pool_limit("api", 0)
    _hold(instance, "db", 2)
    _hold(instance, "other", run_id="third")
    thread, is_waiting, ended = _start(instance, dg.Definitions(assets=[_asset("a", pool="db")]))
    assert is_waiting.wait(30)
    assert instance.pool_limits() == {"api": 0, "db": 2, "other": None}
    holder, waiter = instance.pool_claims("db")
    assert (holder.claimant.run_id, holder.weight, holder.is_granted) == ("other", 2, True)
    assert (waiter.claimant.step_key, waiter.is_granted) == ("a", False)
    assert len(instance.pool_claims()) == 3
    assert instance.free_claims("other") == 1
    thread.join(30)
    assert ended[0].is_success
    instance.set_pool_limit("db", None)
    assert instance.pool_limits() == {"api": 0, "other": None}


def test_the_slots_have_dagsters_names_too(instance: dg.Instance) -> None:
    slots = instance.event_log_storage
    assert slots.supports_global_concurrency_limits
    slots.set_concurrency_slots("db", 3)
    _hold(instance, "db", 2)
    assert slots.get_concurrency_keys() == {"db"}
    assert [tuple(each) for each in slots.get_pool_limits()] == [("db", 3, False)]
    info = slots.get_concurrency_info("db")
    assert (info.slot_count, info.limit, info.using_default_limit) == (3, 3, False)
    assert (info.active_slot_count, info.active_run_ids, info.pending_step_count) == (2, {"other"}, 0)
    assert (info.pending_run_ids, info.assigned_step_count, info.assigned_run_ids) == (set(), 0, set())
    assert slots.get_concurrency_infos(["db"]) == {"db": info}
    assert slots.get_concurrency_run_ids() == {"other"}
    slots.free_concurrency_slot_for_step("other", "step")
    _hold(instance, "db")
    slots.free_concurrency_slots_for_run("other")
    assert slots.get_concurrency_info("db").active_slot_count == 0
    slots.delete_concurrency_limit("db")
    assert slots.get_concurrency_keys() == set()
    assert slots.get_concurrency_info("db").using_default_limit
    assert not slots.initialize_concurrency_limit_to_default("db")
    instance.concurrency = Concurrency(default_pool_limit=4)
    assert instance.event_log_storage.initialize_concurrency_limit_to_default("db")
    assert instance.event_log_storage.get_concurrency_info("db").limit == 4


@pytest.mark.parametrize("limit", [-1, 1001])
def test_a_pool_has_neither_less_than_nothing_nor_more_than_it_may(instance: dg.Instance, limit: int) -> None:
    with pytest.raises(dg.InvalidInvocationError, match="1,000"):
        instance.set_pool_limit("db", limit)
    with pytest.raises(dg.InvalidInvocationError, match="1,000"):
        instance.event_log_storage.set_concurrency_slots("db", limit)
