"""What the answer of a schedule or sensor becomes: everything that its tick writes."""

from __future__ import annotations

from collections.abc import Callable

from segue.decide.requests import wanted_run
from segue.errors import SegueError
from segue.model.event import ErrorInfo
from segue.model.graph import AssetGraph
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.tags import SCHEDULE_NAME_TAG, SENSOR_NAME_TAG
from segue.model.tick_record import Tick, TickCommit, TickStatus
from segue.model.tick_task import TickAnswer

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
        )

    if answer.error is not None:
        return TickCommit(tick=tick(TickStatus.FAILURE, answer.error))
    try:
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
            for request in answer.requests
        )
    except SegueError as error:
        return TickCommit(tick=tick(TickStatus.FAILURE, ErrorInfo(str(error), type(error).__name__)))
    return TickCommit(
        tick=tick(TickStatus.SUCCESS if runs or answer.events or answer.partition_changes else TickStatus.SKIPPED),
        runs=runs,
        partition_changes=answer.partition_changes,
        events=answer.events,
    )
