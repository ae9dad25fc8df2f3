"""What the answer of a schedule or sensor becomes: everything that its tick writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from segue.decide.requests import wanted_run
from segue.errors import SegueError
from segue.model.backfill import Backfill
from segue.model.concurrency import run_priority
from segue.model.event import ErrorInfo
from segue.model.graph import AssetGraph
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.tags import SCHEDULE_NAME_TAG, SENSOR_NAME_TAG
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.model.tick_task import RequestedRun, TickAnswer, require_few

_TAG_OF = {InstigatorKind.SCHEDULE: SCHEDULE_NAME_TAG, InstigatorKind.SENSOR: SENSOR_NAME_TAG}


def commit_of(
    instigator: InstigatorId,
    answer: TickAnswer,
    graph: AssetGraph,
    *,
    manifest_hash: str | None,
    scheduled_at: float | None,
    started_at: float,
    ended_at: float,
    new_id: Callable[[], str],
    payloads: Sequence[int] = (),
) -> TickCommit:
    """The tick with its runs; a failed one where the answer is an error, or asks for what is not there.

    Args:
        instigator: which schedule or sensor.
        answer: what it said.
        graph: the definitions of its location.
        manifest_hash: by which name these are stored.
        scheduled_at: of a schedule: the time that the tick is for.
        started_at, ended_at: when it was asked, in seconds since 1970, UTC.
        new_id: gives the id of each run.
        payloads: the numbers of what was sent to a sensor, and it was shown; a failed tick takes none of it.
    """

    def tick(status: TickStatus, error: ErrorInfo | None = None) -> Tick:
        return Tick(
            instigator=instigator,
            status=status,
            started_at=started_at,
            ended_at=ended_at,
            scheduled_at=scheduled_at,
            skip_reason=answer.skip_reason if status is TickStatus.SKIPPED else None,
            error=error,
            cursor=answer.cursor,
            payloads=() if status is TickStatus.FAILURE else tuple(payloads),
        )

    if answer.error is not None:
        return TickCommit(tick=tick(TickStatus.FAILURE, answer.error))
    try:
        require_few(len(answer.requests), str(instigator))
        runs = tuple(
            wanted_run(
                request,
                graph,
                run_id=new_id(),
                now=ended_at,
                location=instigator.location,
                manifest_hash=manifest_hash,
                tags={_TAG_OF[instigator.kind]: instigator.name},
            )
            for request in _each_once(instigator, answer.requests)
        )
        backfills = tuple(
            Backfill(
                backfill_id=new_id(),
                location=instigator.location,
                created_at=ended_at,
                updated_at=ended_at,
                targets=each.targets,
                title=f"Requested by {instigator.name}",
                tags={**each.tags, _TAG_OF[instigator.kind]: instigator.name},
                manifest_hash=manifest_hash,
            )
            for each in answer.backfills
        )
        for each in runs:
            run_priority(each.run.tags)  # said of this tick, before it stands in the way of others
    except Exception as error:  # noqa: BLE001 reason: also a bug ends this tick alone; else nobody would ask again
        text = str(error) if isinstance(error, SegueError) else f"A bug in Segue: {error!r}"
        return TickCommit(tick=tick(TickStatus.FAILURE, ErrorInfo(text, type(error).__name__)))
    is_success = runs or backfills or answer.events or answer.partition_changes
    done = tick(TickStatus.SUCCESS if is_success else TickStatus.SKIPPED)
    return TickCommit(
        tick=msgspec.structs.replace(done, backfill_ids=tuple(each.backfill_id for each in backfills)),
        runs=runs,
        partition_changes=answer.partition_changes,
        events=answer.events,
        backfills=backfills,
        evaluations=answer.evaluations,
        condition_cursors=answer.condition_cursors,
    )


def _each_once(instigator: InstigatorId, requests: Sequence[RequestedRun]) -> Sequence[RequestedRun]:
    """The requests; those of a schedule, whose run keys are about one tick, once for each key and then without it."""
    if instigator.kind is InstigatorKind.SENSOR:
        return requests
    found: dict[object, RequestedRun] = {}
    for number, request in enumerate(requests):
        found.setdefault(number if request.run_key is None else request.run_key, request)
    return [msgspec.structs.replace(each, run_key=None) for each in found.values()]
