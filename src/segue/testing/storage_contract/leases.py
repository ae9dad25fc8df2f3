"""Rules about leases: who holds none writes nothing."""

from __future__ import annotations

import pytest

from segue.errors import InvariantViolationError, LeaseLostError, RunNotFoundError
from segue.model.error_info import ErrorInfo
from segue.model.event import AnyPayload, Event, StepFailureData, StepRetryData, StepStartData, StepSuccessData
from segue.model.lease import Fence, Lease
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.stores import EventFilter, Store
from segue.testing.storage_contract.builders import (
    MANIFEST,
    PLAN,
    add_events,
    add_run,
    events_of,
    failed,
    logged,
    made,
    started,
    step_events,
    succeeded,
)

ERROR = ErrorInfo("it failed", "ValueError")


def each_lease_has_a_greater_token(store: Store) -> None:
    tokens: list[int] = []
    for number in range(5):
        add_run(store, f"r{number}")
        tokens.append(store.start_run(f"r{number}"))
    assert tokens == sorted(set(tokens))
    assert tokens[0] > 0


def a_leased_run_names_its_worker(store: Store) -> None:
    add_run(store, "r1")
    store.start_run("r1")
    run = store.get_run("r1")
    assert run is not None
    assert (run.status, run.worker) == (RunStatus.NOT_STARTED, store.worker())
    assert [(run.run_id, alive) for run, alive in store.unfinished_runs()] == [("r1", True)]


def a_run_is_leased_with_its_first_events_or_not_at_all(store: Store) -> None:
    add_run(store, "r1")
    with pytest.raises(InvariantViolationError):
        store.start_run("r1", events_of("r1", [logged("begins"), started(), started()]))
    assert store.unfinished_runs() == []
    assert _types(store, "r1") == []
    fence = Fence("r1", store.start_run("r1", events_of("r1", [logged("begins"), started(store.worker())])))
    run = store.get_run("r1")
    assert run is not None
    assert (run.status, run.worker) == (RunStatus.STARTED, store.worker())
    store.append(events_of("r1", [succeeded()]), fence)
    assert _types(store, "r1") == ["LOG_MESSAGE", "RUN_START", "RUN_SUCCESS"]


def a_run_that_somebody_alive_executes_is_not_leased_again(store: Store) -> None:
    fence = _leased(store, "r1")
    for take in (store.start_run, store.take_over):
        with pytest.raises(LeaseLostError, match=store.worker()) as caught:
            take("r1", events_of("r1", [failed()]))
        assert (caught.value.name, caught.value.holder) == ("r1", store.worker())
    store.append(step_events("r1", "s", "a"), fence)
    run = store.get_run("r1")
    assert run is not None
    assert run.status is RunStatus.STARTED


def a_run_recorded_by_its_worker_is_missed_when_that_worker_goes_before_it_began(store: Store) -> None:
    mine = Run(run_id="mine", job_name="daily", worker=store.worker(), created_at=1.0)
    lost = Run(run_id="lost", job_name="daily", worker="999999-gone", created_at=2.0)
    for run in (mine, lost):
        store.create_run(run, PLAN, MANIFEST, [])
    add_run(store, "waiting")
    assert {run.run_id: lives for run, lives in store.unfinished_runs()} == {"mine": True, "lost": False}
    with pytest.raises(LeaseLostError):
        store.take_over("mine")
    store.append([], Fence("mine", store.start_run("mine")))
    store.take_over("lost", events_of("lost", [failed(FailureReason.INTERRUPTED)]))
    run = store.get_run("lost")
    assert run is not None
    assert (run.status, run.worker) == (RunStatus.FAILURE, "999999-gone")


def a_run_that_has_ended_or_is_not_there_is_not_leased(store: Store) -> None:
    add_run(store, "over", started("w1"), succeeded())
    for take in (store.start_run, store.take_over):
        with pytest.raises(InvariantViolationError, match="over"):
            take("over")
        with pytest.raises(RunNotFoundError):
            take("nobody")
    run = store.get_run("over")
    assert run is not None
    assert run.worker == "w1"


def another_token_writes_nothing(store: Store) -> None:
    fence = _leased(store, "r1")
    before = (store.get_run("r1"), _types(store, "r1"))
    for token in (fence.token - 1, fence.token + 1):
        other = Fence("r1", token)
        batches: list[list[Event]] = [
            step_events("r1", "s", "a"),
            events_of("r1", [succeeded()]),
            events_of("r1", [logged("here")]),
            events_of(None, [made("a")]),
            [],
        ]
        for events in batches:
            with pytest.raises(LeaseLostError, match="r1"):
                store.append(events, other)
        with pytest.raises(LeaseLostError):
            store.require_lease(other)
    assert (store.get_run("r1"), _types(store, "r1")) == before
    assert store.asset_states(None) == {}
    store.require_lease(fence)
    store.append(step_events("r1", "s", "a"), fence)
    assert len(store.asset_states(None)) == 1


def a_run_that_ended_takes_nothing_under_its_fence(store: Store) -> None:
    for run_id, end in (("good", succeeded()), ("bad", failed(FailureReason.INTERRUPTED))):
        fence = _leased(store, run_id)
        add_events(store, run_id, end, start=3.0)  # from outside, as somebody who gives the run up does
        before = store.get_run(run_id)
        for events in (
            step_events(run_id, "s", "a"),
            events_of(run_id, [succeeded()]),
            events_of(run_id, [logged("")]),
        ):
            with pytest.raises(LeaseLostError, match="ended"):
                store.append(events, fence)
        with pytest.raises(LeaseLostError, match="ended"):
            store.require_lease(fence)
        assert store.get_run(run_id) == before
    assert store.unfinished_runs() == []
    assert store.asset_states(None) == {}


def the_steps_of_a_leased_run_are_its_workers_to_tell(store: Store) -> None:
    fence = _leased(store, "r1")
    foreign: list[AnyPayload] = [StepStartData(), made("a")]
    for payload in foreign:
        with pytest.raises(LeaseLostError, match="r1"):
            store.append([Event(3.0, logged("before"), None, "r1"), Event(3.0, payload, "s", "r1")])
    assert _types(store, "r1") == ["RUN_START"]
    store.append([Event(3.0, logged("from a thread"), "s", "r1"), Event(3.0, logged("of the run"), None, "r1")])
    store.append(events_of("r1", [succeeded()]), fence)
    store.append([Event(3.0, StepStartData(), "s", "r1")])  # a report on what is over
    assert len(_types(store, "r1")) == 5


def a_run_is_taken_from_a_worker_that_is_gone(store: Store) -> None:
    add_run(store, "r1", started("nobody"))
    assert [(run.run_id, alive) for run, alive in store.unfinished_runs()] == [("r1", False)]
    token = store.take_over("r1")
    run = store.get_run("r1")
    assert run is not None
    assert (run.status, run.worker) == (RunStatus.STARTED, "nobody")
    with pytest.raises(LeaseLostError):
        store.append(step_events("r1", "s", "a"), Fence("r1", token - 1))
    store.append(events_of("r1", [failed(FailureReason.INTERRUPTED)], 3.0), Fence("r1", token))
    run = store.get_run("r1")
    assert run is not None
    assert (run.status, run.failure_reason, run.worker) == (RunStatus.FAILURE, FailureReason.INTERRUPTED, "nobody")


def taking_a_run_over_and_ending_it_is_one_transaction(store: Store) -> None:
    add_run(store, "r1", started("nobody"))
    store.take_over("r1", events_of("r1", [failed(FailureReason.INTERRUPTED)], 3.0))
    assert store.unfinished_runs() == []
    with pytest.raises(InvariantViolationError, match="ended"):
        store.take_over("r1", events_of("r1", [failed()], 4.0))
    assert _types(store, "r1") == ["RUN_START", "RUN_FAILURE"]


def a_run_that_was_given_up_is_taken_over(store: Store) -> None:
    fence = _leased(store, "r1")
    other = _leased(store, "r2")
    store.give_up("r1")
    assert {run.run_id: alive for run, alive in store.unfinished_runs()} == {"r1": False, "r2": True}
    again = Fence("r1", store.start_run("r1"))
    assert {run.run_id: alive for run, alive in store.unfinished_runs()} == {"r1": True, "r2": True}
    with pytest.raises(LeaseLostError, match="r1"):
        store.append(step_events("r1", "s", "a"), fence)
    store.append(step_events("r1", "s", "a"), again)
    store.give_up("r1")
    store.take_over("r1", events_of("r1", [failed(FailureReason.INTERRUPTED)], 3.0))
    assert [run.run_id for run, _ in store.unfinished_runs()] == ["r2"]
    store.require_lease(other)


def a_step_is_told_by_who_leased_its_attempt(store: Store) -> None:
    run = _leased(store, "r1")
    step = store.open_step(run, "s", 1, events_of("r1", [logged("opens")], 3.0))
    assert step == Fence("r1", step.token, "s", 1)
    assert step.token > run.token
    store.require_lease(step)
    others = [
        Fence("r1", run.token, "s", 1),
        Fence("r1", step.token),
        Fence("r1", step.token, "s", 2),
        Fence("r1", step.token, "other", 1),
    ]
    for other in others:
        with pytest.raises(LeaseLostError, match="r1"):
            store.append([Event(4.0, made("a"), other.step_key, "r1")], other)
        with pytest.raises(LeaseLostError, match="r1"):
            store.require_lease(other)
    store.append([Event(4.0, StepStartData(), "s", "r1"), Event(4.0, made("a"), "s", "r1")], step)
    store.append([Event(4.0, StepStartData(), "other", "r1")], run)
    assert len(store.asset_states(None)) == 1


def an_attempt_ends_once(store: Store) -> None:
    run = _leased(store, "r1")
    ends: list[AnyPayload] = [StepSuccessData(1.0), StepFailureData(ERROR, 2), StepRetryData(3, 0.0, ERROR)]
    for attempt, end in enumerate(ends, start=1):
        step = store.open_step(run, "s", attempt)
        store.append([Event(4.0, end, "s", "r1")], step)
        before = _types(store, "r1")
        for events in ([Event(5.0, end, "s", "r1")], [Event(5.0, logged("late"), "s", "r1")]):
            with pytest.raises(LeaseLostError, match="s"):
                store.append(events, step)
        assert not store.revoke_step(step)
        assert _types(store, "r1") == before


def a_revoked_attempt_tells_nothing(store: Store) -> None:
    run = _leased(store, "r1")
    first = store.open_step(run, "s", 1)
    assert store.revoke_step(first)
    assert not store.revoke_step(first)
    with pytest.raises(LeaseLostError):
        store.append([Event(4.0, made("a"), "s", "r1")], first)
    second = store.open_step(run, "s", 2)
    assert not store.revoke_step(first)
    store.append([Event(4.0, StepSuccessData(1.0), "s", "r1")], second)
    assert store.asset_states(None) == {}


def a_step_has_one_open_attempt(store: Store) -> None:
    run = _leased(store, "r1")
    step = store.open_step(run, "s", 1)
    for attempt in (1, 2):
        with pytest.raises(InvariantViolationError, match="Attempt 1 of the step 's'"):
            store.open_step(run, "s", attempt, events_of("r1", [logged("opens")]))
    store.open_step(run, "t", 1)
    store.require_lease(step)
    assert _types(store, "r1") == ["RUN_START"]


def a_step_is_opened_by_who_has_the_run(store: Store) -> None:
    run = _leased(store, "r1")
    with pytest.raises(LeaseLostError):
        store.open_step(Fence("r1", run.token + 1), "s", 1, events_of("r1", [logged("opens")]))
    store.append(events_of("r1", [failed()]), run)
    with pytest.raises(LeaseLostError):
        store.open_step(run, "s", 1, events_of("r1", [logged("opens")]))
    assert _types(store, "r1") == ["RUN_START", "RUN_FAILURE"]


def a_step_tells_of_itself_alone(store: Store) -> None:
    step = store.open_step(_leased(store, "r1"), "s", 1)
    add_run(store, "r2", started())
    foreign = [Event(4.0, StepStartData(), "t", "r1"), Event(4.0, succeeded(), None, "r1")]
    for event in foreign:
        with pytest.raises(InvariantViolationError, match="'s'"):
            store.append([Event(4.0, made("a"), "s", "r1"), event], step)
    store.append([Event(4.0, logged("of the run"), None, "r1"), Event(4.0, made("b"))], step)
    assert [state.key.to_user_string() for state in store.asset_states(None).values()] == ["b"]


def steps_fall_with_their_run(store: Store) -> None:
    for run_id in ("ended", "deleted", "taken"):
        if run_id == "taken":
            add_run(store, run_id, started("nobody"))
            run = Fence(run_id, store.take_over(run_id))  # as whoever wants to end it does
        else:
            run = _leased(store, run_id)
        step = store.open_step(run, "s", 1)
        if run_id == "ended":
            store.append(events_of(run_id, [failed()]), run)
        elif run_id == "taken":
            store.take_over(run_id)
        else:
            store.delete_run(run_id)
        with pytest.raises(LeaseLostError):
            store.append([Event(4.0, made("a"), "s", run_id)], step)
        with pytest.raises(LeaseLostError):
            store.require_lease(step)
        assert not store.revoke_step(step)
    assert store.asset_states(None) == {}


def a_lease_by_name_is_one_worker_s(store: Store) -> None:
    run_token = _leased(store, "r1").token
    first = store.acquire_lease("größe", 30.0)
    assert first is not None
    assert first > run_token
    assert store.acquire_lease("größe", 30.0) is None
    other = store.acquire_lease("a", 30.0)
    assert other is not None
    assert list(store.leases()) == [
        Lease("a", store.worker(), other, True),
        Lease("größe", store.worker(), first, True),
    ]
    assert store.renew_lease("größe", first, 30.0)
    assert not store.renew_lease("größe", first + 1, 30.0)
    assert not store.renew_lease("nothing", first, 30.0)
    assert not store.release_lease("größe", other)
    assert store.release_lease("größe", first)
    assert not store.release_lease("größe", first)
    assert not store.renew_lease("größe", first, 30.0)
    second = store.acquire_lease("größe", 30.0)
    assert second is not None
    assert second > other


def _leased(store: Store, run_id: str) -> Fence:
    """A run that this worker executes."""
    add_run(store, run_id)
    return Fence(run_id, store.start_run(run_id, events_of(run_id, [started(store.worker())], 2.0)))


def _types(store: Store, run_id: str) -> list[str]:
    return [record.event.event_type_value for record in store.events(EventFilter(run_id=run_id), None)]


RULES = (
    each_lease_has_a_greater_token,
    a_leased_run_names_its_worker,
    a_run_is_leased_with_its_first_events_or_not_at_all,
    a_run_that_somebody_alive_executes_is_not_leased_again,
    a_run_recorded_by_its_worker_is_missed_when_that_worker_goes_before_it_began,
    a_run_that_has_ended_or_is_not_there_is_not_leased,
    another_token_writes_nothing,
    a_run_that_ended_takes_nothing_under_its_fence,
    the_steps_of_a_leased_run_are_its_workers_to_tell,
    a_run_is_taken_from_a_worker_that_is_gone,
    taking_a_run_over_and_ending_it_is_one_transaction,
    a_run_that_was_given_up_is_taken_over,
    a_step_is_told_by_who_leased_its_attempt,
    an_attempt_ends_once,
    a_revoked_attempt_tells_nothing,
    a_step_has_one_open_attempt,
    a_step_is_opened_by_who_has_the_run,
    a_step_tells_of_itself_alone,
    steps_fall_with_their_run,
    a_lease_by_name_is_one_worker_s,
)
