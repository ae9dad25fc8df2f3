"""What a run claims as a whole: each partition that it makes, so that no other run makes the same one meanwhile."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Mapping

import msgspec

from segue.execute.failure import error_info
from segue.execute.failure_facts import failure_class
from segue.execute.run_scope import RunScope
from segue.model.claim_stores import ClaimStore
from segue.model.claims import (
    Claim,
    ClaimAnswer,
    Claimant,
    ClaimRequest,
    PartitionLocks,
    busy,
    partition_resource,
)
from segue.model.concurrency import partition_lock, run_priority
from segue.model.event import EngineEventData, RunCanceledData, RunFailureData
from segue.model.keys import AssetKey
from segue.model.partitions.subset import keys_of_subset
from segue.model.run import FailureReason
from segue.plan.instructions import FinishedStep
from segue.plan.plan import Plan, PlanStep

CLAIM_SECONDS = 0.25
"""How often one who waits asks again."""

within: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("segue_within", default=())
"""The runs that are executed here, from the outermost in: a step may execute a run of its own, which works under what the
runs around it hold, since it would wait for them for ever."""


_abandoned: set[str] = set()
"""Runs that this process gave up without an end on record, since the store could not be written: nobody else can tell, as
the process lives on, and what they hold would be held until it exits."""


class RunClaims(msgspec.Struct, frozen=True):
    """What a run claims.

    Attributes:
        request: the claims.
        locks: what to do where another run holds one, by resource.
    """

    request: ClaimRequest
    locks: Mapping[str, PartitionLocks]


class Refused(msgspec.Struct, frozen=True):
    """A run that is not to be executed now: the event that ends it, and the error where it failed."""

    payload: RunCanceledData | RunFailureData
    error: Exception | None


def claims_of_run(plan: Plan, scope: RunScope, finished: Mapping[str, FinishedStep]) -> RunClaims | None:
    """What a run claims of the assets that it makes; None where it claims nothing.

    Raises:
        InvalidDefinitionError: a tag that says what to do says none of `wait`, `skip`, `fail`, `allow`.
    """
    default = scope.instance.concurrency.partition_locks
    partitions = _keys(scope)
    locks: dict[str, PartitionLocks] = {}
    for step in plan.steps:
        if step.key in finished:
            continue
        for output in step.outputs:
            key = output.asset_key
            if key is None or output.is_observed:
                continue
            name = key.to_user_string()
            lock = _lock_of(scope, step, key, name, default)
            if lock is PartitionLocks.ALLOW:
                continue
            if output.is_partitioned:
                locks.update([(partition_resource(name, each), lock) for each in partitions])
            else:
                locks[partition_resource(name, None)] = lock
    if not locks:
        return None
    claimant = Claimant(scope.run.run_id, None, scope.instance.store.worker(), run_priority(scope.run.tags))
    return RunClaims(ClaimRequest(claimant, tuple([Claim(each, 1, 1) for each in locks]), waits=False), locks)


def abandon(run_id: str) -> None:
    """Notes that this process executes a run no more, and could not record its end."""
    _abandoned.add(run_id)


def release_abandoned(store: ClaimStore, answer: ClaimAnswer) -> bool:
    """Takes back what runs hold that this process gave up, where they are in the way; says whether any is."""
    found = {holder.run_id for block in answer.blocks for holder in block.holders} & _abandoned
    for run_id in found:
        store.release_claims(run_id, None)
        _abandoned.discard(run_id)
    return bool(found)


def wait_for_claims(claims: RunClaims, scope: RunScope) -> Refused | None:
    """Waits until a run that has started has what it claims, and says in its log what it waits for.

    Returns:
        None when it has all of it; why the run ends, where it is not to wait.

    Raises:
        KeyboardInterrupt: the user stopped the run.
        StorageError: the store cannot be used.
    """
    store, sink = scope.instance.store, scope.sink
    request, is_told = claims.request, False
    while True:
        (answer,) = store.claim([request], time.time())
        if release_abandoned(store, answer):
            continue
        around = _held_around(answer, within.get())
        if around:
            left = tuple([each for each in request.claims if each.resource not in around])
            request = msgspec.structs.replace(request, claims=left)
            continue
        if answer.is_granted:
            if is_told:
                sink.emit(EngineEventData("No other run materializes the same any more: continuing."))
            return None
        wanted = {claims.locks[block.resource] for block in answer.blocks}
        if PartitionLocks.FAIL in wanted:
            error = busy(request, answer)
            found = failure_class(error, scope.described.failure_rules)
            reason = FailureReason.RESOURCE_BUSY
            return Refused(RunFailureData(reason, str(error), error=error_info(error), failure_class=found), error)
        if PartitionLocks.SKIP in wanted:
            return Refused(RunCanceledData(f"Skipped, because another run materializes the same: {answer}."), None)
        if not is_told:
            sink.emit(EngineEventData(f"Waits, because another run materializes the same: {answer}.", is_waiting=True))
            sink.flush()
            is_told, request = True, msgspec.structs.replace(request, waits=True)
            continue
        time.sleep(CLAIM_SECONDS)


def _keys(scope: RunScope) -> list[str]:
    """The partitions that a run makes; none where it is about none."""
    if scope.partitions_def is None or scope.subset is None:
        return []
    return keys_of_subset(scope.partitions_def, scope.subset, scope.now)


def _lock_of(scope: RunScope, step: PlanStep, key: AssetKey, name: str, default: PartitionLocks) -> PartitionLocks:
    spec, tags = scope.described.specs.get(key), scope.tags_of(step)
    return partition_lock(default, name, scope.run.tags, {} if spec is None else spec.tags, tags)


def _held_around(answer: ClaimAnswer, runs: tuple[str, ...]) -> frozenset[str]:
    """Of what blocks a run, that which runs around it hold."""
    if not runs:
        return frozenset()
    return frozenset(
        block.resource for block in answer.blocks if any(holder.run_id in runs for holder in block.holders)
    )
