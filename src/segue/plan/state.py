"""How a run goes: the state of its steps as a fold over what happened to them. Pure.

    waiting ──► running ──► succeeded
                  │  ▲
                  │  └── retrying (attempt + 1, after a delay)
                  ├────► failed ──► every step downstream: abandoned
    waiting ────► skipped  (an upstream step gave none of the outputs it needs)

`RunProgress` takes facts and returns instructions; who carries them out, and in how many processes, is not its concern.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from segue.model.policies import RetryPolicy, retry_delay
from segue.plan.plan import Plan, PlanStep


class StepStatus(enum.Enum):
    """Where a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    ABANDONED = "abandoned"


class StepSucceeded(msgspec.Struct, frozen=True):
    """A step ended well; `outputs` are the names of those it gave."""

    step_key: str
    outputs: frozenset[str]


class StepFailed(msgspec.Struct, frozen=True):
    """An attempt of a step failed.

    Attributes:
        step_key: which.
        retryable: whether the failure may be retried at all.
        requested: a policy that the failure itself asks for; wins over the step's own.
        chance: a number in [0, 1), for the jitter of a retry.
    """

    step_key: str
    retryable: bool = True
    requested: RetryPolicy | None = None
    chance: float = 0.0


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


class FinishRun(msgspec.Struct, frozen=True):
    """The run has come to its end; it failed if any step did."""

    failed_steps: tuple[str, ...]


Instruction: TypeAlias = StartStep | SkipStep | AbandonStep | FailStep | FinishRun


class RunProgress:
    """The steps of one run and where each stands.

    Args:
        plan: what there is to do.
        finished: steps that an earlier run already brought to a good end, and that are not done again, each with the
            outputs it gave.
    """

    def __init__(self, plan: Plan, finished: Mapping[str, frozenset[str]] | None = None) -> None:
        self.steps: dict[str, PlanStep] = {step.key: step for step in plan.steps}
        self.status: dict[str, StepStatus] = dict.fromkeys(self.steps, StepStatus.WAITING)
        self.attempts: dict[str, int] = {}
        self._missing: dict[str, int] = {}
        self._dependents: dict[str, list[str]] = {}
        self._outputs: dict[str, frozenset[str]] = dict(finished or {})
        self._open = 0
        for step in plan.steps:
            if step.key in self._outputs:
                self.status[step.key] = StepStatus.SUCCEEDED
                continue
            self._open += 1
            waits_for = [each for each in step.depends_on if each in self.steps and each not in self._outputs]
            self._missing[step.key] = len(waits_for)
            for each in waits_for:
                self._dependents.setdefault(each, []).append(step.key)

    def begin(self) -> list[Instruction]:
        """What to do first."""
        instructions = self._advance([key for key, count in self._missing.items() if count == 0])
        if self._open == 0:
            instructions.append(FinishRun(()))
        return instructions

    def handle(self, fact: StepSucceeded | StepFailed) -> list[Instruction]:
        """What to do now that this happened."""
        if isinstance(fact, StepSucceeded):
            self._outputs[fact.step_key] = fact.outputs
            instructions = self._end(fact.step_key, StepStatus.SUCCEEDED)
        else:
            instructions = self._failed(fact)
        if self._open == 0:
            instructions.append(FinishRun(self.failed_steps))
        return instructions

    @property
    def failed_steps(self) -> tuple[str, ...]:
        """The steps that failed, in order of the plan."""
        return tuple(key for key, status in self.status.items() if status is StepStatus.FAILED)

    def _failed(self, fact: StepFailed) -> list[Instruction]:
        key = fact.step_key
        attempt = self.attempts[key]
        policy = fact.requested or self.steps[key].retry_policy
        if fact.retryable and policy is not None and attempt <= policy.max_retries:
            self.status[key] = StepStatus.RETRYING
            self.attempts[key] = attempt + 1
            return [StartStep(key, attempt + 1, retry_delay(policy, attempt, fact.chance))]
        return [FailStep(key, attempt), *self._end(key, StepStatus.FAILED)]

    def _start(self, key: str) -> StartStep:
        self.status[key] = StepStatus.RUNNING
        self.attempts[key] = 1
        return StartStep(key)

    def _end(self, key: str, status: StepStatus) -> list[Instruction]:
        """Ends a step; says what becomes of those that waited for it."""
        self.status[key] = status
        self._open -= 1
        return self._advance(self._freed(key))

    def _advance(self, ready: list[str]) -> list[Instruction]:
        """Starts steps that wait for nothing any more, and ends those that will never start, and so on downstream."""
        instructions: list[Instruction] = []
        for key in ready:  # grows while it is walked
            instruction = self._next(self.steps[key])
            instructions.append(instruction)
            if not isinstance(instruction, StartStep):
                skipped = isinstance(instruction, SkipStep)
                self.status[key] = StepStatus.SKIPPED if skipped else StepStatus.ABANDONED
                self._open -= 1
                ready.extend(self._freed(key))
        return instructions

    def _freed(self, key: str) -> list[str]:
        """The steps that waited for nothing but this one, which has ended."""
        freed: list[str] = []
        for dependent in self._dependents.get(key, ()):
            self._missing[dependent] -= 1
            if self._missing[dependent] == 0:
                freed.append(dependent)
        return freed

    def _next(self, step: PlanStep) -> StartStep | SkipStep | AbandonStep:
        """What becomes of a step whose upstream steps have all ended."""
        bad = (StepStatus.FAILED, StepStatus.ABANDONED)
        failed = tuple(each for each in step.depends_on if self.status.get(each) in bad)
        if failed:
            return AbandonStep(step.key, failed)
        skipped = [each for each in step.depends_on if self.status.get(each) is StepStatus.SKIPPED]
        if skipped:
            return SkipStep(step.key, f"The step it depends on was skipped: {', '.join(skipped)}.")
        for upstream, output in step.needs:
            if output not in self._outputs.get(upstream, frozenset()):
                return SkipStep(step.key, f"Step {upstream!r} did not give the output {output!r}.")
        return self._start(step.key)
