"""How a step is to be run, beyond how it is retried: when it may start, how long it may take, what it may use. Pure."""

from __future__ import annotations

import enum
import math
import re
from datetime import timedelta

import msgspec

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind


class TriggerRule(enum.StrEnum):
    """When a step may start, judged by how the steps that it depends on have ended. They have all ended by then.

    A step ends in one of three ways: it succeeded, it failed, or it was skipped; a step that was not started because of
    a failure counts as failed. A step that succeeded without giving an output that is needed of it counts as skipped.

    ALL_SUCCESS: all succeeded. With a failed one the step is not started, with a skipped one it is skipped.
    ALL_DONE: however they ended.
    ONE_SUCCESS: at least one succeeded.
    ONE_FAILED: at least one failed.
    ALL_FAILED: all failed.
    NONE_FAILED: none failed; some may have been skipped.
    NONE_SKIPPED: none was skipped; some may have failed.
    ALWAYS: however they ended, also where there are none; today the same as ALL_DONE.
    """

    ALL_SUCCESS = "all_success"
    ALL_DONE = "all_done"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ALL_FAILED = "all_failed"
    NONE_FAILED = "none_failed"
    NONE_SKIPPED = "none_skipped"
    ALWAYS = "always"


EXECUTORS = ("in_process", "threads", "async", "processes", "multiprocess")
"""Where steps can run; the last is another name of the one before it."""


class StepPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a step is to be run.

    Attributes:
        timeout: for how long an attempt may run, in seconds or as a timedelta; then it ends as a failure of the class
            `timeout`. None for as long as it takes.
        trigger_rule: when the step may start, a `TriggerRule` or its value.
        memory_limit: how much memory the step's process may take beyond what importing the code took, in bytes or as text
            (`"512 MB"`, `"2 GiB"`); only steps in processes of their own have one.
        executor: where it runs, if not where the other steps of the run do: `in_process`, `threads`, `async` or `processes`
            (each step in one of its own).
        priority: of the steps that could start, those with a higher one go first.
        approval: what a person is asked before the step starts, such as `"May the totals go out?"`; None where nobody is. A run
            of the control plane waits for the answer without a process; one in a process of your own asks nobody.

    Raises:
        InvalidDefinitionError: something of a wrong type, a timeout or limit that is not above nothing, no such rule, or no such
            executor.
    """

    timeout: float | timedelta | None = None
    trigger_rule: str = TriggerRule.ALL_SUCCESS
    memory_limit: int | str | None = None
    executor: str | None = None
    priority: int = 0
    approval: str | None = None

    def __post_init__(self) -> None:
        require_kind("StepPolicy", "timeout", self.timeout, (int, float, timedelta))
        require_kind("StepPolicy", "memory_limit", self.memory_limit, (int, str))
        require_kind("StepPolicy", "executor", self.executor, str)
        require_kind("StepPolicy", "approval", self.approval, str)
        if self.executor is not None and self.executor not in EXECUTORS:
            known = ", ".join(EXECUTORS)
            raise InvalidDefinitionError(f"StepPolicy: executor must be one of {known}, got {self.executor!r}.")
        if not isinstance(self.priority, int) or isinstance(self.priority, bool):  # pyright: ignore[reportUnnecessaryIsInstance] reason: user code's value
            raise WrongDeclarationError(f"StepPolicy: priority must be a whole number, got {self.priority!r}.")
        if self.approval is not None and not self.approval.strip():
            raise InvalidDefinitionError(
                'StepPolicy: approval is an empty string: provide the question to ask, such as "May the totals go out?".'
            )
        change = msgspec.structs.force_setattr
        change(self, "timeout", _seconds(self.timeout))
        change(self, "trigger_rule", _rule(self.trigger_rule))
        change(self, "memory_limit", _bytes(self.memory_limit))

    @property
    def rule(self) -> TriggerRule:
        """The trigger rule."""
        return TriggerRule(self.trigger_rule)

    @property
    def seconds(self) -> float | None:
        """The timeout in seconds."""
        return _seconds(self.timeout)

    @property
    def memory_bytes(self) -> int | None:
        """The memory limit in bytes."""
        return _bytes(self.memory_limit)


def priority_of(policy: StepPolicy | None, tagged: int) -> int:
    """The priority of a step: that of its policy, or, where that says none, that of its tags."""
    return tagged if policy is None else policy.priority or tagged


def _seconds(timeout: float | timedelta | None) -> float | None:
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)
    if not 0 < seconds < math.inf:
        raise InvalidDefinitionError(
            f"StepPolicy: timeout must be greater than 0 seconds, or None for no limit, got {timeout!r}."
        )
    return seconds


def _rule(rule: str) -> TriggerRule:
    try:
        return TriggerRule(rule)
    except ValueError as error:
        known = ", ".join(each.value for each in TriggerRule)
        raise InvalidDefinitionError(f"StepPolicy: trigger_rule must be one of {known}, got {rule!r}.") from error


_SIZE = r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*"


def _bytes(limit: int | str | None) -> int | None:
    if limit is None:
        return None
    found = limit
    if isinstance(limit, str):
        match = re.fullmatch(_SIZE, limit, re.IGNORECASE)
        if match is None or (match[3] and not match[2]):
            raise InvalidDefinitionError(
                f"StepPolicy: {limit!r} is not a valid memory_limit: expected a number and a unit, such as '512 MB' "
                "(millions) or '2 GiB' (1024 * 1024 * 1024)."
            )
        power = " kmgt".index(match[2].lower() or " ")
        found = int(float(match[1]) * (1024 if match[3] else 1000) ** power)
    if isinstance(found, str) or found <= 0:
        raise InvalidDefinitionError(
            f"StepPolicy: memory_limit must be greater than 0 bytes, or None for no limit, got {limit!r}."
        )
    return found
