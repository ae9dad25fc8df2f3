"""What bounds the runs in progress, what becomes of those that fail, and of missed times: as it is set for a deployment."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from segue.model.tag_limit import TagLimit
from segue.model.tick import CatchUp


class QueueLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What bounds the runs in progress.

    Attributes:
        max_runs: how many in all.
        per_location: how many of each code location named.
        tags: limits by tag.
    """

    max_runs: int | Literal["unlimited"] = 10
    per_location: Mapping[str, int] = {}
    tags: tuple[TagLimit, ...] = ()

    def is_full(self, runs: int) -> bool:
        """Whether so many runs in progress are all that there may be."""
        return self.max_runs != "unlimited" and runs >= self.max_runs


class ScheduleRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for all schedules.

    Attributes:
        catch_up: what becomes of times that passed while no control plane ran, where a schedule does not say.
        most_missed: how many of them `CatchUp.ALL` makes up for at most: the last ones.
    """

    catch_up: CatchUp = CatchUp.LATEST
    most_missed: Annotated[int, msgspec.Meta(ge=1)] = 100


class RetryStrategy(enum.Enum):
    """What a run that is run again does: what the one before left undone, or all of it."""

    FROM_FAILURE = "FROM_FAILURE"
    ALL_STEPS = "ALL_STEPS"


class RunRetries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is set for all runs.

    Attributes:
        max_retries: how many times a run that failed is run again.
        strategy: what is run again of it.
        on_step_failure: whether also where a step failed; otherwise only where its process was lost.
    """

    max_retries: int = 0
    strategy: RetryStrategy = RetryStrategy.FROM_FAILURE
    on_step_failure: bool = True
