"""Rules about claims: who is given what, who waits, and when it is given back."""

from __future__ import annotations

import pytest

from segue.errors import InvariantViolationError, ResourceBusyError
from segue.model.claims import Claim, ClaimAnswer, Claimant, ClaimFilter, ClaimRequest, pool_resource
from segue.model.event import Event, RunCanceledData, StepFailureData, StepRetryData, StepSuccessData
from segue.model.event_data import ErrorInfo
from segue.model.lease import Fence
from segue.model.run import RunStatus
from segue.model.stores import Store
from segue.testing.storage_contract.builders import add_events, add_run, events_of, failed, started, succeeded

_DB = pool_resource("db")
_ANY = ClaimFilter()
_ERROR = ErrorInfo("it failed", "Exception")


def _claim(
    store: Store,
    run_id: str,
    step_key: str | None,
    *claims: Claim | str,
    waits: bool = True,
    priority: int = 0,
    timestamp: float = 1.0,
) -> ClaimAnswer:
    wanted = tuple([Claim(each) if isinstance(each, str) else each for each in claims])
    request = ClaimRequest(Claimant(run_id, step_key, store.worker(), priority), wanted, waits)
    (answer,) = store.claim([request], timestamp)
    return answer


def _held(store: Store, which: ClaimFilter = _ANY) -> list[tuple[str, str | None, str, int]]:
    records = [each for each in store.claim_records(which) if each.is_granted]
    return [(each.claimant.run_id, each.claimant.step_key, each.resource, each.weight) for each in records]


def _waiting(store: Store, which: ClaimFilter = _ANY) -> list[tuple[str, str | None]]:
    records = [each for each in store.claim_records(which) if not each.is_granted]
    return [(each.claimant.run_id, each.claimant.step_key) for each in records]


def a_limit_is_kept_changed_and_removed(store: Store) -> None:
    assert store.claim_limits("pool:") == {}
    store.set_claim_limit(pool_resource("b"), 2)
    store.set_claim_limit(pool_resource("a"), 1)
    store.set_claim_limit("tag:team", 5)
    store.set_claim_limit(pool_resource("b"), 0)
    assert list(store.claim_limits("pool:").items()) == [("pool:a", 1), ("pool:b", 0)]
    store.set_claim_limit(pool_resource("a"), None)
    store.set_claim_limit(pool_resource("nobody"), None)
    assert store.claim_limits("") == {"pool:b": 0, "tag:team": 5}


def slots_are_given_up_to_the_limit_and_given_back(store: Store) -> None:
    store.set_claim_limit(_DB, 2)
    assert _claim(store, "r1", "a", _DB).is_granted
    assert _claim(store, "r2", "a", _DB).is_granted
    (block,) = _claim(store, "r3", "a", _DB).blocks
    assert (block.resource, block.capacity, block.used, block.weight) == (_DB, 2, 2, 1)
    assert {holder.run_id for holder in block.holders} == {"r1", "r2"}
    assert _waiting(store) == [("r3", "a")]
    assert store.release_claims("r1", "a") == 1
    assert _claim(store, "r3", "a", _DB).is_granted
    assert sorted(_held(store)) == [("r2", "a", _DB, 1), ("r3", "a", _DB, 1)]
    assert _waiting(store) == []


def without_a_limit_everybody_is_given_slots_and_they_count_once_there_is_one(store: Store) -> None:
    for run_id in ("r1", "r2", "r3"):
        assert _claim(store, run_id, "a", _DB).is_granted
    store.set_claim_limit(_DB, 3)
    assert not _claim(store, "r4", "a", _DB).is_granted
    store.set_claim_limit(_DB, None)
    assert _claim(store, "r4", "a", _DB).is_granted
    assert not _claim(store, "r5", "a", Claim(_DB, capacity=4)).is_granted
    store.set_claim_limit(_DB, 5)
    assert _claim(store, "r5", "a", Claim(_DB, capacity=4)).is_granted


def a_claimant_that_asks_again_holds_it_once(store: Store) -> None:
    store.set_claim_limit(_DB, 1)
    assert _claim(store, "r1", "a", _DB).is_granted
    assert _claim(store, "r1", "a", _DB).is_granted
    assert _claim(store, "r1", "a", _DB, "pool:other").is_granted
    assert sorted(_held(store)) == [("r1", "a", _DB, 1), ("r1", "a", "pool:other", 1)]
    assert not _claim(store, "r1", "b", _DB).is_granted


def what_several_resources_are_asked_for_is_given_together_or_not_at_all(store: Store) -> None:
    store.set_claim_limit(_DB, 1)
    assert _claim(store, "r1", "a", _DB).is_granted
    answer = _claim(store, "r2", "a", "pool:other", _DB)
    assert [block.resource for block in answer.blocks] == [_DB]
    assert _held(store, ClaimFilter(run_id="r2")) == []
    store.release_claims("r1", None)
    assert _claim(store, "r2", "a", "pool:other", _DB).is_granted
    assert len(_held(store, ClaimFilter(run_id="r2"))) == 2


def who_waits_is_served_by_priority_and_then_by_arrival(store: Store) -> None:
    store.set_claim_limit(_DB, 1)
    assert _claim(store, "r0", "a", _DB).is_granted
    for run_id, priority in (("r1", 0), ("r2", 0), ("r3", 7)):
        assert not _claim(store, run_id, "a", _DB, priority=priority).is_granted
    assert _waiting(store) == [("r1", "a"), ("r2", "a"), ("r3", "a")]
    store.release_claims("r0", "a")
    (block,) = _claim(store, "r2", "a", _DB).blocks
    assert block.used + block.reserved == 2
    for run_id, priority in (("r3", 7), ("r1", 0), ("r2", 0)):
        assert _claim(store, run_id, "a", _DB, priority=priority).is_granted
        store.release_claims(run_id, "a")


def a_heavy_claim_is_not_passed_over(store: Store) -> None:
    store.set_claim_limit(_DB, 3)
    assert _claim(store, "r1", "a", _DB).is_granted
    assert not _claim(store, "r2", "heavy", Claim(_DB, 3)).is_granted
    assert not _claim(store, "r3", "light", _DB).is_granted
    store.release_claims("r1", None)
    assert not _claim(store, "r3", "light", _DB).is_granted
    assert _claim(store, "r2", "heavy", Claim(_DB, 3)).is_granted
    assert _held(store) == [("r2", "heavy", _DB, 3)]


def a_request_that_does_not_wait_leaves_no_trace(store: Store) -> None:
    store.set_claim_limit(_DB, 1)
    assert _claim(store, "r1", "a", _DB).is_granted
    assert not _claim(store, "r2", "a", _DB, waits=False).is_granted
    assert _waiting(store) == []


def who_stops_waiting_is_gone_from_the_line(store: Store) -> None:
    store.set_claim_limit(_DB, 1)
    assert _claim(store, "r1", "a", _DB).is_granted
    assert not _claim(store, "r2", "a", _DB).is_granted
    assert not _claim(store, "r2", "b", _DB).is_granted
    assert store.release_claims("r2", "a") == 0
    assert _waiting(store) == [("r2", "b")]
    assert store.release_claims("r2", None) == 0
    assert _waiting(store) == []


def many_requests_are_answered_in_one_go(store: Store) -> None:
    store.set_claim_limit(_DB, 3)
    worker = store.worker()
    requests = [ClaimRequest(Claimant("r1", f"step_{number}", worker), (Claim(_DB),)) for number in range(1000)]
    answers = store.claim(requests, 1.0)
    assert [answer.is_granted for answer in answers] == [True] * 3 + [False] * 997
    assert len(_waiting(store)) == 997


def a_run_takes_many_resources_at_once_and_keeps_others_out(store: Store) -> None:
    mine = [Claim(f"partition:sales|{number}", capacity=1) for number in range(2_000)]
    assert _claim(store, "r1", None, *mine).is_granted
    answer = _claim(store, "r2", None, mine[1_999], Claim("partition:sales|x", capacity=1))
    assert [block.resource for block in answer.blocks] == ["partition:sales|1999"]
    assert _claim(store, "r3", None, Claim("partition:sales|x", capacity=1), waits=False).is_granted is False
    store.release_claims("r2", None)
    assert _claim(store, "r3", None, Claim("partition:sales|x", capacity=1)).is_granted
    assert store.release_claims("r1", None) == 2_000


def the_event_that_ends_an_attempt_gives_back_what_the_step_held(store: Store) -> None:
    for end in (StepSuccessData(1.0), StepFailureData(_ERROR, 1), StepRetryData(1, 0.0, _ERROR)):
        run_id = f"run of {type(end).__name__}"
        add_run(store, run_id, started(store.worker()))
        assert _claim(store, run_id, None, "tag:team").is_granted
        assert _claim(store, run_id, "a", _DB).is_granted
        assert _claim(store, run_id, "b", _DB).is_granted
        store.append([Event(5.0, end, "a", run_id, "daily")])
        assert _held(store, ClaimFilter(run_id=run_id)) == [(run_id, None, "tag:team", 1), (run_id, "b", _DB, 1)]


def the_event_that_ends_a_run_gives_back_all_it_held_and_waits_for(store: Store) -> None:
    store.set_claim_limit("pool:full", 0)
    for number, end in enumerate((succeeded(), failed(), RunCanceledData("stopped"))):
        run_id = f"r{number}"
        add_run(store, run_id, started(store.worker()))
        assert _claim(store, run_id, None, Claim("partition:sales|", capacity=1)).is_granted
        assert _claim(store, run_id, "a", _DB).is_granted
        assert not _claim(store, run_id, "b", "pool:full").is_granted
        add_events(store, run_id, end, start=9.0)
        assert store.claim_records(_ANY) == []


def a_run_that_is_removed_holds_nothing(store: Store) -> None:
    add_run(store, "r1", started(store.worker()))
    assert _claim(store, "r1", "a", _DB).is_granted
    store.delete_run("r1")
    assert store.claim_records(_ANY) == []


def a_run_starts_with_all_it_claims_or_not_at_all(store: Store) -> None:
    lock = (Claim("partition:costs|", capacity=1), Claim("partition:sales|", capacity=1))
    for run_id in ("r1", "r2"):
        add_run(store, run_id)
    requests = {run_id: ClaimRequest(Claimant(run_id, None, store.worker()), lock) for run_id in ("r1", "r2")}
    token = store.start_run("r1", events_of("r1", [started(store.worker())]), requests["r1"])
    assert len(_held(store, ClaimFilter(run_id="r1"))) == 2
    with pytest.raises(ResourceBusyError) as caught:
        store.start_run("r2", events_of("r2", [started(store.worker())]), requests["r2"])
    assert caught.value.resources == ("partition:costs|", "partition:sales|")
    assert caught.value.run_ids == ("r1",)
    waiting = store.get_run("r2")
    assert waiting is not None
    assert (waiting.status, waiting.worker) == (RunStatus.NOT_STARTED, None)
    assert _waiting(store) == []
    store.append(events_of("r1", [succeeded()], 5.0), Fence("r1", token))
    store.start_run("r2", events_of("r2", [started(store.worker())]), requests["r2"])
    assert len(_held(store)) == 2


def nothing_is_given_where_a_run_cannot_start(store: Store) -> None:
    add_run(store, "r1", started(), succeeded())
    request = ClaimRequest(Claimant("r1", None, store.worker()), (Claim(_DB),))
    with pytest.raises(InvariantViolationError):
        store.start_run("r1", events_of("r1", [started()]), request)
    assert store.claim_records(_ANY) == []


def claims_are_found_by_what_and_whose_they_are(store: Store) -> None:
    store.set_claim_limit(_DB, 1)
    _claim(store, "r1", "a", _DB, "pool:other", timestamp=3.0)
    _claim(store, "r1", None, "tag:team", timestamp=2.0)
    _claim(store, "r2", "a", _DB, priority=4, timestamp=4.0)
    found = store.claim_records(ClaimFilter(resource=_DB))
    assert [(each.claimant.run_id, each.is_granted, each.since) for each in found] == [
        ("r1", True, 3.0),
        ("r2", False, 4.0),
    ]
    assert found[1].claimant == Claimant("r2", "a", store.worker(), 4)
    assert {each.resource for each in store.claim_records(ClaimFilter(prefix="pool:", run_id="r1"))} == {
        _DB,
        "pool:other",
    }
    assert [each.resource for each in store.claim_records(ClaimFilter(prefix="tag:"))] == ["tag:team"]
    assert len(store.claim_records(ClaimFilter(run_id="r1", step_key="a"))) == 2
    assert store.claim_records(ClaimFilter(resource="pool:nobody")) == []


def names_of_resources_are_data(store: Store) -> None:
    for name in ("'; DROP TABLE claims; --", "%", "ü𝄞", '"', "a b", "\n", "", "x" * 5_000):
        resource = pool_resource(name)
        store.set_claim_limit(resource, 1)
        assert _claim(store, "r1", name, resource).is_granted
        assert not _claim(store, "r2", name, resource).is_granted
        assert store.claim_limits(resource) == {resource: 1}
        store.set_claim_limit(resource, None)
    with pytest.raises(InvariantViolationError):
        _claim(store, "r1", "a", "pool:\0")
    with pytest.raises(InvariantViolationError):
        store.set_claim_limit("pool:\0", 1)


RULES = (
    a_limit_is_kept_changed_and_removed,
    slots_are_given_up_to_the_limit_and_given_back,
    without_a_limit_everybody_is_given_slots_and_they_count_once_there_is_one,
    a_claimant_that_asks_again_holds_it_once,
    what_several_resources_are_asked_for_is_given_together_or_not_at_all,
    who_waits_is_served_by_priority_and_then_by_arrival,
    a_heavy_claim_is_not_passed_over,
    a_request_that_does_not_wait_leaves_no_trace,
    who_stops_waiting_is_gone_from_the_line,
    many_requests_are_answered_in_one_go,
    a_run_takes_many_resources_at_once_and_keeps_others_out,
    the_event_that_ends_an_attempt_gives_back_what_the_step_held,
    the_event_that_ends_a_run_gives_back_all_it_held_and_waits_for,
    a_run_that_is_removed_holds_nothing,
    a_run_starts_with_all_it_claims_or_not_at_all,
    nothing_is_given_where_a_run_cannot_start,
    claims_are_found_by_what_and_whose_they_are,
    names_of_resources_are_data,
)
