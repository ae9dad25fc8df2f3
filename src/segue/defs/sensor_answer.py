"""What a sensor's function gave, taken apart and checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec

from segue.defs.resolve_request import resolved
from segue.defs.sensor_context import SensorEvaluationContext
from segue.errors import InvalidSubsetError, InvariantViolationError
from segue.model.request import RunRequest
from segue.model.selection import AssetSelection
from segue.model.tags import SENSOR_NAME_TAG
from segue.model.tick import RunReaction, SensorResult, SensorTick, SkipReason
from segue.model.tick_task import require_few

Answer = RunRequest | SkipReason | RunReaction | SensorResult
_KINDS = (RunRequest, SkipReason, RunReaction, SensorResult)


class SensorTargets(msgspec.Struct, frozen=True):
    """What a sensor may start.

    Attributes:
        name: the sensor.
        job_names: the jobs, by name.
        asset_selection: the assets, for a sensor without jobs.
    """

    name: str
    job_names: tuple[str, ...]
    asset_selection: AssetSelection | None


def answers_in(returned: Any, name: str) -> list[Answer]:
    """The single answers in what a function returned or yielded.

    Raises:
        InvariantViolationError: the function returned something else.
    """
    found: list[Answer] = []
    for each in cast("Iterable[object]", returned) if isinstance(returned, (list, tuple, Iterator)) else (returned,):
        if each is None:
            continue
        if not isinstance(each, _KINDS):
            raise InvariantViolationError(
                f"The sensor {name!r} returned {each!r}; expected RunRequests, a SkipReason or a SensorResult."
            )
        found.append(each)
    return found


def tick_of(
    answers: Sequence[Answer], targets: SensorTargets, context: SensorEvaluationContext, now: datetime
) -> SensorTick:
    """The tick that the answers make.

    Raises:
        InvariantViolationError: answers that exclude each other, a run that the sensor has no target for, or too many runs.
        InvalidSubsetError: assets outside of the sensor's selection.
        UnknownPartitionError: a partition that does not exist.
    """
    result = _result(answers, targets.name)
    if result.cursor is not None and context.cursor_updated:
        raise InvariantViolationError(
            f"The sensor {targets.name!r} returned a SensorResult with a cursor and also called context.update_cursor: "
            "use one of the two."
        )
    require_few(len(result.run_requests), f"sensor {targets.name!r}")
    full = [_resolved(request, targets, context, result, now) for request in result.run_requests]
    own = {SENSOR_NAME_TAG: targets.name}
    requests = [each.with_replaced_attrs(tags={**each.tags, **own}) for each in full]
    reactions = [each for each in answers if isinstance(each, RunReaction)]
    reason = None if result.skip_reason is None else result.skip_reason.skip_message
    if result.skip_reason is None and not requests and not reactions:
        reason = f"{targets.name} requested no runs."
    return SensorTick(
        run_requests=requests,
        skip_message=reason,
        cursor=context.cursor if result.cursor is None else result.cursor,
        run_reactions=reactions,
        dynamic_partitions_requests=result.dynamic_partitions_requests,
        asset_events=result.asset_events,
    )


def _result(answers: Sequence[Answer], name: str) -> SensorResult:
    """All the answers as one result."""
    answers = [each for each in answers if not isinstance(each, RunReaction)]
    results = [each for each in answers if isinstance(each, SensorResult)]
    if results and len(answers) > 1:
        raise InvariantViolationError(
            f"The sensor {name!r} returned a SensorResult together with other results ({len(answers)} in all): return it "
            "alone."
        )
    if results:
        return results[0]
    requests = [each for each in answers if isinstance(each, RunRequest)]
    skips = [each for each in answers if isinstance(each, SkipReason)]
    if len(skips) > 1 or (skips and requests):
        raise InvariantViolationError(
            f"The sensor {name!r} returned {len(skips)} SkipReasons and {len(requests)} RunRequests: return one "
            "SkipReason, or only RunRequests."
        )
    return SensorResult(run_requests=requests, skip_reason=skips[0] if skips else None)


def _resolved(
    request: RunRequest, targets: SensorTargets, context: SensorEvaluationContext, result: SensorResult, now: datetime
) -> RunRequest:
    """A request, checked against what the sensor may start."""
    if targets.asset_selection is not None:
        request = _of_assets(request, targets.asset_selection, targets.name, context)
        return resolved(request, None, context, result.dynamic_partitions_requests, now)
    known = targets.job_names
    if not known:
        raise InvariantViolationError(
            f"The sensor {targets.name!r} requested a run but has no target: pass job=, jobs=, job_name= or target=."
        )
    if request.job_name is None and len(known) > 1:
        raise InvariantViolationError(
            f"The sensor {targets.name!r} has several jobs, and the RunRequest has no job_name: set it to one of "
            f"{', '.join(known)}."
        )
    if request.job_name is not None and request.job_name not in known:
        raise InvariantViolationError(
            f"The sensor {targets.name!r} requested a run of {request.job_name!r}, which is not one of its jobs: "
            f"{', '.join(known)}."
        )
    return resolved(request, request.job_name or next(iter(known)), context, result.dynamic_partitions_requests, now)


def _of_assets(
    request: RunRequest, selection: AssetSelection, name: str, context: SensorEvaluationContext
) -> RunRequest:
    """A request for assets, all of the selection where it names none."""
    if context.definitions is None:
        raise InvariantViolationError(
            f"The sensor {name!r} requested a run of assets, but its context has no definitions to find them in: pass "
            f"definitions= to {context.builder}."
        )
    graph = context.definitions.asset_graph
    allowed = selection.resolve(graph)
    if request.asset_selection is None:
        keys = sorted(key for key in allowed if graph.nodes[key].is_materializable)
        return request.with_replaced_attrs(asset_selection=keys)
    outside = [key.to_user_string() for key in request.asset_selection if key not in allowed]
    if outside:
        raise InvalidSubsetError(
            f"The sensor {name!r} requested assets outside its asset_selection: {', '.join(outside)}."
        )
    return request
