"""Rules about the queue of runs."""

from __future__ import annotations

import pytest

from segue.errors import InvalidInvocationError, InvariantViolationError, LeaseLostError
from segue.model.approval import ApprovalWanted
from segue.model.claims import Claim, Claimant, ClaimFilter, ClaimRequest
from segue.model.control_stores import LoopLease
from segue.model.event import AnyPayload, Event, RunCanceledData, RunEnqueuedData, RunStartData, RunSuccessData
from segue.model.lease import Fence
from segue.model.run import RunStatus
from segue.model.run_events import ApprovalGivenData, RunSuspendedData
from segue.testing.control_contract.builders import Stores, wanted


def runs_wait_by_priority_then_by_arrival(stores: Stores) -> None:
    for run_id, priority in (("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 0)):
        stores.control.enqueue(wanted(run_id, **{"dagster/priority": str(priority)} if priority else {}))
    found = stores.control.queued_runs(10)
    assert [run.run_id for _, _, run in found] == ["b", "d", "a", "e", "c"]
    first = stores.control.queued_runs(3)
    priority, number, _ = first[-1]
    rest = stores.control.queued_runs(10, (priority, number))
    assert [run.run_id for _, _, run in (*first, *rest)] == ["b", "d", "a", "e", "c"]


def a_run_leaves_the_queue_once(stores: Stores) -> None:
    for run_id in "ab":
        stores.control.enqueue(wanted(run_id))
    assert stores.control.dequeue(["a", "missing"], 2.0) == ["a"]
    assert stores.control.dequeue(["a", "b"], 3.0) == ["b"]
    assert stores.control.dequeue([], 3.0) == []
    assert stores.control.queued_runs(10) == []
    run = stores.store.get_run("a")
    assert run is not None
    assert run.status is RunStatus.STARTING


def a_loop_that_lost_its_lease_takes_no_run(stores: Stores) -> None:
    stores.control.enqueue(wanted("a"))
    with pytest.raises(LeaseLostError):
        stores.control.dequeue(["a"], 2.0, LoopLease("loop/queue", 7))
    assert len(stores.control.queued_runs(10)) == 1


def a_run_is_queued_once_and_with_a_priority_that_is_a_number(stores: Stores) -> None:
    stores.control.enqueue(wanted("a"))
    with pytest.raises(InvariantViolationError):
        stores.control.enqueue(wanted("a"))
    with pytest.raises(InvalidInvocationError, match="dagster/priority"):
        stores.control.enqueue(wanted("b", **{"dagster/priority": "high"}))
    assert stores.store.get_run("b") is None


def a_suspended_run_is_nobodys_and_goes_back_into_the_queue(stores: Stores) -> None:
    stores.control.enqueue(wanted("a"))
    stores.control.dequeue(["a"], 2.0)
    claim = ClaimRequest(Claimant("a", None, stores.store.worker()), (Claim("pool/p", capacity=1),))
    fence = Fence("a", stores.store.start_run("a", [_event(RunStartData(stores.store.worker()), 3.0)], claim))
    awaited = RunSuspendedData((ApprovalWanted("publish", "May it go out?"),))
    stores.store.append([_event(awaited, 4.0)], fence)
    run = stores.store.get_run("a")
    assert run is not None
    assert (run.status, run.worker, run.ended_at) == (RunStatus.SUSPENDED, None, None)
    assert stores.store.unfinished_runs() == []
    assert stores.store.claim_records(ClaimFilter()) == []
    assert stores.control.queued_runs(10) == []
    given = [_event(ApprovalGivenData("anna", ("publish",)), 5.0), _event(RunEnqueuedData(), 5.0)]
    stores.store.append(given)
    with pytest.raises(InvariantViolationError):
        stores.store.append(given)  # once
    assert [each.run_id for _, _, each in stores.control.queued_runs(10)] == ["a"]
    assert stores.control.dequeue(["a"], 6.0) == ["a"]
    again = stores.store.start_run("a", [_event(RunStartData(stores.store.worker()), 7.0)])
    assert again > fence.token
    with pytest.raises(LeaseLostError):
        stores.store.append([_event(RunSuccessData(), 8.0)], fence)
    stores.store.append([_event(RunSuccessData(), 8.0)], Fence("a", again))
    run = stores.store.get_run("a")
    assert run is not None
    assert (run.status, run.started_at, run.ended_at) == (RunStatus.SUCCESS, 3.0, 8.0)


def a_suspended_run_is_canceled(stores: Stores) -> None:
    stores.control.enqueue(wanted("a"))
    stores.control.dequeue(["a"], 2.0)
    fence = Fence("a", stores.store.start_run("a", [_event(RunStartData(), 3.0)]))
    stores.store.append([_event(RunSuspendedData(()), 4.0)], fence)
    stores.store.append([_event(RunCanceledData(), 5.0)])
    run = stores.store.get_run("a")
    assert run is not None
    assert run.status is RunStatus.CANCELED


def _event(payload: AnyPayload, at: float) -> Event:
    return Event(at, payload, None, "a", "daily")


RULES = (
    a_suspended_run_is_nobodys_and_goes_back_into_the_queue,
    a_suspended_run_is_canceled,
    runs_wait_by_priority_then_by_arrival,
    a_run_leaves_the_queue_once,
    a_loop_that_lost_its_lease_takes_no_run,
    a_run_is_queued_once_and_with_a_priority_that_is_a_number,
)
