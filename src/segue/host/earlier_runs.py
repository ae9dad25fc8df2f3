"""The runs that a run does again, or goes on with, as they are recorded."""

from __future__ import annotations

from segue.model.event import EventType
from segue.model.run import Run
from segue.model.stores import EventFilter, Store
from segue.plan.plan import Plan, decode_plan
from segue.plan.resume import EarlierRun, failed_steps


def earlier_runs(store: Store, run_id: str) -> list[EarlierRun]:
    """A run and those that it does again, the oldest first; without those whose plan is not kept any more."""
    found: list[EarlierRun] = []
    seen: set[str] = set()
    current = store.get_run(run_id)
    while current is not None and current.run_id not in seen:
        seen.add(current.run_id)
        plan = stored_plan(store, current)
        if plan is not None:
            events = [stored.event for stored in store.events(EventFilter(run_id=current.run_id), None)]
            found.append(EarlierRun(current.run_id, plan, current.is_resume_retry, events))
        current = None if current.parent_run_id is None else store.get_run(current.parent_run_id)
    return found[::-1]


def failed_before(store: Store, run_id: str) -> frozenset[str]:
    """The steps of a run that failed before it was suspended."""
    failures = store.events(EventFilter(run_id=run_id, types=(EventType.STEP_FAILURE,)), None)
    return failed_steps(stored.event for stored in failures)


def stored_plan(store: Store, run: Run) -> Plan | None:
    """The plan of a run; None where it is not kept any more."""
    data = None if run.plan_hash is None else store.get_plan(run.plan_hash)
    return None if not data else decode_plan(data)
