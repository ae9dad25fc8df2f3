"""Where the steps of a run are executed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from segue.execute.executors.base import StepExecutor
from segue.execute.executors.inline import InlineExecutor
from segue.execute.loop import LoopLimits
from segue.execute.run_scope import RunScope
from segue.plan.plan import PlanStep


def _every_step(_step: PlanStep) -> bool:
    return True


class Placement(msgspec.Struct, frozen=True):
    """Where the steps of a run are executed, and how many at once.

    Attributes:
        make: makes the executor.
        is_here: whether a step runs in the coordinator, whose resources are set up there.
        limits: what keeps steps from starting.
        where: for people, as the end of a sentence.
    """

    make: Callable[[RunScope], StepExecutor] = InlineExecutor
    is_here: Callable[[PlanStep], bool] = _every_step
    limits: LoopLimits = LoopLimits()
    where: str = "in process"


IN_PROCESS = Placement()
