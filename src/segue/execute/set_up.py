"""Setting up the resources of steps, and tearing them down, with the events that say so."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from segue.errors import ResourceFunctionError, SegueError
from segue.execute.failure import error_info, shown_text
from segue.execute.hooks import hook_resources
from segue.execute.resources import ResourceScope, needed_resources, set_up
from segue.execute.run_scope import RunScope
from segue.execute.sink import EventSink
from segue.model.event import (
    EngineEventData,
    ResourceInitFailureData,
    ResourceInitStartedData,
    ResourceInitSuccessData,
)
from segue.plan.plan import PlanStep


def set_up_for(
    steps: Sequence[PlanStep], scope: RunScope, stack: contextlib.ExitStack, step_key: str | None
) -> SegueError | None:
    """Sets up what steps need, into the scope.

    Args:
        steps: which.
        scope: takes the resources.
        stack: tears them down.
        step_key: the step whose events say so; None for those of the run.

    Returns:
        Why that failed, if it did.
    """
    keys = needed_resources(steps, scope.described) | hook_resources(scope, steps)
    shown = tuple(sorted(keys))
    scope.sink.emit(ResourceInitStartedData(shown), step_key)
    resources = ResourceScope(scope.described.resources, scope.run_config, scope.run, scope.instance, scope.log)
    try:
        scope.open(set_up(keys, resources, stack))
    except SegueError as error:
        scope.sink.emit(ResourceInitFailureData(shown, error_info(error.__cause__ or error)), step_key)
        return error
    scope.sink.emit(ResourceInitSuccessData(shown), step_key)
    return None


def tear_down(sink: EventSink, stack: contextlib.ExitStack) -> ResourceFunctionError | None:
    """Tears every resource down, also when one of them raises; gives back what the last of these raised."""
    try:
        stack.close()
    except (Exception, SystemExit) as error:  # noqa: BLE001 reason: whatever the user's teardown raises is recorded
        failure = ResourceFunctionError(f"A resource could not be torn down: {error!r}", error)
        failure.__cause__ = error
        sink.emit(EngineEventData(shown_text(failure)))
        return failure
    return None
