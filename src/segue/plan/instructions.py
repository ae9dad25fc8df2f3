"""What happens to the steps of a run, as `plan/state` is told, and what it says is to be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from segue.model.approval import ApprovalAnswer
from segue.model.failure_class import FailureClass
from segue.model.policies import RetryPolicy


class StepSucceeded(msgspec.Struct, frozen=True):
    """A step ended well; `outputs` are the names of those it gave, `mapping_keys` those of each dynamic one, in order."""

    step_key: str
    outputs: frozenset[str]
    mapping_keys: Mapping[str, tuple[str, ...]] = {}


class FinishedStep(msgspec.Struct, frozen=True):
    """What an earlier run brought to a good end: what its step gave, and in which run."""

    outputs: frozenset[str]
    mapping_keys: Mapping[str, tuple[str, ...]] = {}
    run_id: str | None = None


class StepFailed(msgspec.Struct, frozen=True):
    """An attempt of a step failed.

    Attributes:
        step_key: which.
        retryable: whether the failure may be retried at all.
        requested: a policy that the failure itself asks for; wins over the step's own.
        chance: a number in [0, 1), for the jitter of a retry.
        failure_class: what sort of failure it is, where that is known.
        outputs: those that the attempt gave before it failed.
    """

    step_key: str
    retryable: bool = True
    requested: RetryPolicy | None = None
    chance: float = 0.0
    failure_class: FailureClass | None = None
    outputs: frozenset[str] = frozenset()


class StartStep(msgspec.Struct, frozen=True):
    """Start an attempt (the first is 1) after `delay` seconds."""

    step_key: str
    attempt: int = 1
    delay: float = 0.0


class SkipStep(msgspec.Struct, frozen=True):
    """Record that a step has nothing to work on."""

    step_key: str
    reason: str


class AbandonStep(msgspec.Struct, frozen=True):
    """Record that a step will not start, because these steps failed."""

    step_key: str
    failed_steps: tuple[str, ...]


class FailStep(msgspec.Struct, frozen=True):
    """Record that a step failed for good, in this attempt."""

    step_key: str
    attempt: int


class AwaitApproval(msgspec.Struct, frozen=True):
    """Record that a step could start, and waits for a person, who is asked this."""

    step_key: str
    question: str


class RefuseStep(msgspec.Struct, frozen=True):
    """Record that a step failed because a person did not let it start."""

    step_key: str
    answer: ApprovalAnswer


class SuspendRun(msgspec.Struct, frozen=True):
    """Nothing can go on before a person has answered for one of these steps."""

    step_keys: tuple[str, ...]


class FinishRun(msgspec.Struct, frozen=True):
    """The run has come to its end; it failed if any step did."""

    failed_steps: tuple[str, ...]


Instruction: TypeAlias = (
    StartStep | SkipStep | AbandonStep | FailStep | AwaitApproval | RefuseStep | SuspendRun | FinishRun
)
