"""Until when attempts of steps, and the run, may take: which of them have taken too long, and when to look again. Pure.

Times are seconds of any clock that only goes forward; the caller passes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from segue.errors import InvalidInvocationError
from segue.model.tags import MAX_RUNTIME_TAG


class _Limit(NamedTuple):
    """Until when something may take, and what to say when it takes longer."""

    until: float
    reason: str


class Overdue(NamedTuple):
    """An attempt that is to be stopped, and why."""

    step_key: str
    reason: str


class Deadlines:
    """The limits of one run.

    Args:
        run_seconds: how long the run may take; None for as long as it takes.
        started: when it started.
    """

    def __init__(self, run_seconds: float | None, started: float) -> None:
        self._run: _Limit | None = None
        if run_seconds is not None:
            whose = f"tag {MAX_RUNTIME_TAG}, or the setting max_runtime"
            reason = f"The run took longer than its limit of {run_seconds:g} seconds ({whose})."
            self._run = _Limit(started + run_seconds, reason)
        self._steps: dict[str, _Limit] = {}
        self._told: set[str] = set()

    def start(self, step_key: str, seconds: float | None, now: float) -> None:
        """An attempt of a step starts, which may take so many seconds."""
        own = None
        if seconds is not None:
            own = _Limit(now + seconds, f"The step {step_key!r} took longer than its timeout of {seconds:g} seconds.")
        limits = [each for each in (own, self._run) if each is not None]
        if limits:
            self._steps[step_key] = min(limits)

    def end(self, step_key: str, is_interrupted: bool) -> str | None:
        """An attempt has ended.

        Args:
            step_key: of which step.
            is_interrupted: whether the end of its time was raised in its own code.

        Returns:
            Why it was ended, where that was for its time.
        """
        limit, was_told = self._steps.pop(step_key, None), step_key in self._told
        self._told.discard(step_key)
        return limit.reason if limit is not None and (was_told or is_interrupted) else None

    def left(self, step_key: str, now: float) -> float | None:
        """How many seconds an attempt has left; None where it has no limit."""
        limit = self._steps.get(step_key)
        return None if limit is None else limit.until - now

    def next_in(self, now: float) -> float | None:
        """In how many seconds the next limit is reached that nobody was told of."""
        times = [limit.until for key, limit in self._steps.items() if key not in self._told]
        if self._run is not None and self._run.until > now:
            times.append(self._run.until)
        return max(min(times) - now, 0.0) if times else None

    def overdue(self, now: float) -> list[Overdue]:
        """The attempts that have taken too long, each told once."""
        found = [Overdue(key, limit.reason) for key, limit in self._steps.items() if limit.until <= now]
        new = [each for each in found if each.step_key not in self._told]
        self._told.update(each.step_key for each in new)
        return new

    def run_is_over(self, now: float) -> str | None:
        """What to say of a run that has taken too long; None while it has time."""
        return self._run.reason if self._run is not None and self._run.until <= now else None


def run_seconds(tags: Mapping[str, str], otherwise: float | None = None) -> float | None:
    """How many seconds a run with these tags may take, or one that says nothing (`otherwise`); None for as long as it takes.

    Raises:
        InvalidInvocationError: the tag says no number of seconds.
    """
    text = tags.get(MAX_RUNTIME_TAG)
    if text is None:
        return otherwise
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise InvalidInvocationError(f"The tag {MAX_RUNTIME_TAG} must be a number of seconds, got {text!r}.")
    return seconds
