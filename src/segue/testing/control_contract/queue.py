"""Rules about the queue of runs."""

from __future__ import annotations

import pytest

from segue.errors import InvalidInvocationError, InvariantViolationError, LeaseLostError
from segue.model.control_stores import LoopLease
from segue.model.run import RunStatus
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


RULES = (
    runs_wait_by_priority_then_by_arrival,
    a_run_leaves_the_queue_once,
    a_loop_that_lost_its_lease_takes_no_run,
    a_run_is_queued_once_and_with_a_priority_that_is_a_number,
)
