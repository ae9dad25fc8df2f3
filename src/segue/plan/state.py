"""How a run goes: the state of its steps as a fold over what happened to them. Pure.

    waiting ──► running ──► succeeded
                  │  ▲
                  │  └── retrying (attempt + 1, after a delay)
                  ├────► failed ──► every step downstream: abandoned
    waiting ────► awaiting (a person is asked) ──► running, or failed when they refuse
    waiting ────► skipped  (an upstream step gave none of the outputs it needs, or the step's trigger rule does not hold)
    waiting ────► expanded (a template: replaced by one step for each value of a dynamic output)

A step starts when all that it depends on has ended, and, unless its trigger rule says otherwise, has ended well. The run
failed if any step did, also where a step with a trigger rule of its own ran because of that. When all that could go on waits for
people, the run is suspended, and goes on in another `RunProgress`, which is told how far this one came.

`RunProgress` takes facts and returns instructions; who carries them out, and in how many processes, is not its concern.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Set
from itertools import chain

import msgspec

from segue.model.approval import ApprovalAnswer
from segue.model.policies import retry_delay
from segue.model.step_policy import TriggerRule
from segue.model.steps import CollectSource, FanInSource, OutputSource
from segue.plan.dynamic import expand
from segue.plan.instructions import (
    AbandonStep,
    AwaitApproval,
    FailStep,
    FinishedStep,
    FinishRun,
    Instruction,
    RefuseStep,
    SkipStep,
    StartStep,
    StepFailed,
    StepSucceeded,
    SuspendRun,
)
from segue.plan.plan import Plan, PlanStep, StepInput
from segue.plan.trigger import Upstream, judge


class StepStatus(enum.Enum):
    """Where a step stands."""

    WAITING = "waiting"
    AWAITING = "awaiting"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    ABANDONED = "abandoned"


_ENDED_BY: dict[type[Instruction], StepStatus] = {
    SkipStep: StepStatus.SKIPPED,
    AbandonStep: StepStatus.ABANDONED,
    RefuseStep: StepStatus.FAILED,
}


class RunProgress:
    """The steps of one run and where each stands.

    Args:
        plan: what there is to do.
        finished: steps that an earlier run already brought to a good end, and that are not done again, each with the
            outputs it gave.
        requires_success: whether a step waits for the success of those that it depends on; if not, for their outputs only.
        failed: the steps that failed before the run was suspended.
        answers: what people said of the steps that need an approval, by step; None where nobody is asked.
    """

    def __init__(
        self,
        plan: Plan,
        finished: Mapping[str, FinishedStep] | None = None,
        *,
        requires_success: bool = True,
        failed: Set[str] = frozenset(),
        answers: Mapping[str, ApprovalAnswer] | None = None,
    ) -> None:
        self.requires_success = requires_success
        self._answers = answers
        self._awaiting: list[str] = []
        self._busy = 0
        self.steps: dict[str, PlanStep] = {step.key: step for step in plan.steps}
        self.order: dict[str, tuple[int, ...]] = {step.key: (at,) for at, step in enumerate(plan.steps)}
        done = finished or {}
        self._outputs: dict[str, frozenset[str]] = {key: each.outputs for key, each in done.items()}
        for key, each in done.items():
            if each.mapping_keys:
                self._replace_templates(key, each.mapping_keys)
        self.status: dict[str, StepStatus] = dict.fromkeys(self.steps, StepStatus.WAITING)
        self.attempts: dict[str, int] = {}
        self._missing: dict[str, int] = {}
        self._dependents: dict[str, list[str]] = {}
        self._open = 0
        for step in self.steps.values():
            if step.key in self._outputs:
                self.status[step.key] = StepStatus.SUCCEEDED
                continue
            if step.key in failed:
                self.status[step.key] = StepStatus.FAILED
                continue
            self._open += 1
            ended = failed | self._outputs.keys()
            waits_for = [each for each in step.depends_on if each in self.steps and each not in ended]
            self._missing[step.key] = len(waits_for)
            for each in waits_for:
                self._dependents.setdefault(each, []).append(step.key)

    def begin(self) -> list[Instruction]:
        """What to do first."""
        instructions = self._advance([key for key, count in self._missing.items() if count == 0])
        return [*instructions, *self._closing()]

    def handle(self, fact: StepSucceeded | StepFailed) -> list[Instruction]:
        """What to do now that this happened."""
        if isinstance(fact, StepSucceeded):
            self._outputs[fact.step_key] = fact.outputs
            instructions = self._end(fact.step_key, StepStatus.SUCCEEDED, fact.mapping_keys)
        else:
            instructions = self._failed(fact)
        return [*instructions, *self._closing()]

    @property
    def failed_steps(self) -> tuple[str, ...]:
        """The steps that failed, in order of the plan."""
        return tuple(key for key, status in self.status.items() if status is StepStatus.FAILED)

    def rank(self, step_key: str) -> tuple[int, ...]:
        """Where a step stands among those that could start: by its priority, then in order of the plan; the least goes first."""
        return (-self.steps[step_key].priority, *self.order[step_key])

    def _closing(self) -> list[Instruction]:
        """What becomes of the run, where no step goes on."""
        if self._open == 0:
            return [FinishRun(self.failed_steps)]
        return [SuspendRun(tuple(self._awaiting))] if self._awaiting and self._busy == 0 else []

    def _failed(self, fact: StepFailed) -> list[Instruction]:
        key = fact.step_key
        attempt = self.attempts[key]
        policy = fact.requested or self.steps[key].retry_policy
        again = fact.retryable and policy is not None and policy.retries(fact.failure_class)
        if again and policy is not None and attempt <= policy.max_retries:
            self.status[key] = StepStatus.RETRYING
            self.attempts[key] = attempt + 1
            return [StartStep(key, attempt + 1, retry_delay(policy, attempt, fact.chance))]
        if not self.requires_success:
            self._outputs[key] = fact.outputs
        return [FailStep(key, attempt), *self._end(key, StepStatus.FAILED)]

    def _start(self, key: str) -> StartStep | AwaitApproval | RefuseStep:
        policy = self.steps[key].policy
        if self._answers is not None and policy is not None and policy.approval is not None:
            answer = self._answers.get(key)
            if answer is None:
                self.status[key] = StepStatus.AWAITING
                self._awaiting.append(key)
                return AwaitApproval(key, policy.approval)
            if not answer.is_given:
                return RefuseStep(key, answer)
        self.status[key] = StepStatus.RUNNING
        self._busy += 1
        self.attempts[key] = 1
        return StartStep(key)

    def _end(
        self, key: str, status: StepStatus, mapping_keys: Mapping[str, tuple[str, ...]] | None = None
    ) -> list[Instruction]:
        """Ends a step; says what becomes of those that waited for it."""
        self.status[key] = status
        self._open -= 1
        self._busy -= 1
        expanded = self._expand(key, mapping_keys) if mapping_keys else []
        return self._advance([*self._freed(key), *expanded])

    def _expand(self, key: str, mapping_keys: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Replaces the templates behind a step that ended; gives back which of the new steps wait for nothing."""
        gone, new = self._replace_templates(key, mapping_keys)
        for each in gone:
            del self.status[each]
            self._missing.pop(each, None)
            self._dependents.pop(each, None)
        self._open += sum(1 for each in new if each not in self.status) - len(gone)
        stale = {*gone, *new}
        for upstream, names in self._dependents.items():
            self._dependents[upstream] = [each for each in names if each not in stale]
        ready: list[str] = []
        for each in new:
            self.status[each] = StepStatus.WAITING
            waits_for = [up for up in self.steps[each].depends_on if self._is_open(up)]
            self._missing[each] = len(waits_for)
            for up in waits_for:
                self._dependents.setdefault(up, []).append(each)
            if not waits_for:
                ready.append(each)
        return ready

    def _replace_templates(self, key: str, mapping_keys: Mapping[str, tuple[str, ...]]) -> tuple[list[str], list[str]]:
        """Puts the steps that the values make in the place of their templates; says which went and which are new."""
        waiting = [each for each in self.steps.values() if each.key not in self._outputs]
        expansion = expand(waiting, key, mapping_keys)
        new: list[str] = []
        for template, made in expansion.made.items():
            position = self.order.pop(template)
            del self.steps[template]
            for index, each in enumerate(made):
                self.steps[each.key] = each
                self.order[each.key] = (*position, index)
                new.append(each.key)
        for each in expansion.changed:
            self.steps[each.key] = each
            new.append(each.key)
        return list(expansion.made), new

    def _is_open(self, key: str) -> bool:
        """Whether a step is there that has not ended."""
        return self.status.get(key) in (StepStatus.WAITING, StepStatus.RUNNING, StepStatus.RETRYING) and (
            key not in self._outputs
        )

    def _advance(self, ready: list[str]) -> list[Instruction]:
        """Starts steps that wait for nothing any more, and ends those that will never start, and so on downstream."""
        instructions: list[Instruction] = []
        for key in ready:  # grows while it is walked
            instruction = self._next(self.steps[key])
            instructions.append(instruction)
            ended = _ENDED_BY.get(type(instruction))
            if ended is not None:
                self.status[key] = ended
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

    def _next(self, step: PlanStep) -> Instruction:
        """What becomes of a step whose upstream steps have all ended."""
        if step.policy is not None and step.policy.rule is not TriggerRule.ALL_SUCCESS and step.origin is None:
            return self._next_by_rule(step, step.policy.rule)
        unmade = [each for each in step.depends_on if self.status.get(each) not in (None, StepStatus.SUCCEEDED)]
        bad = (StepStatus.FAILED, StepStatus.ABANDONED)
        failed = [each for each in unmade if self.status[each] in bad and not self._gave_before_it_failed(each, step)]
        if failed:
            return AbandonStep(step.key, tuple(failed))
        lists = {each for group in step.needs_any for each, _ in group}
        skipped = [each for each in unmade if self.status[each] is StepStatus.SKIPPED and each not in lists]
        if skipped:
            return SkipStep(step.key, f"An upstream step was skipped: {', '.join(skipped)}.")
        for upstream, output in step.needs:
            if output not in self._outputs.get(upstream, frozenset()):
                return SkipStep(step.key, f"The upstream step {upstream!r} did not yield the output {output!r}.")
        if step.needs_any:
            for group in step.needs_any:
                if not any(self._gave(*each) for each in group):
                    names = ", ".join(upstream for upstream, _ in group)
                    return SkipStep(step.key, f"None of the outputs in its list was yielded: {names}.")
            self.steps[step.key] = self._without_missing(step)
        return self._start(step.key)

    def _gave_before_it_failed(self, upstream: str, step: PlanStep) -> bool:
        """Whether a step that failed left all that another one takes of it, in a run in which that is enough."""
        taken = [output for key, output in (*step.needs, *chain.from_iterable(step.needs_any)) if key == upstream]
        enough = bool(taken) and not self.requires_success
        return enough and all(self._gave(upstream, output) for output in taken)

    def _next_by_rule(self, step: PlanStep, rule: TriggerRule) -> Instruction:
        """The same for a step with a trigger rule of its own: its inputs that nothing gave are marked as missing."""
        upstream = Upstream([], [], [])
        for key in step.depends_on:
            status = self.status.get(key)
            if status in (StepStatus.FAILED, StepStatus.ABANDONED):
                upstream.failed.append(key)
            elif status is StepStatus.SKIPPED or (status is not None and not self._gave_what_is_needed(step, key)):
                upstream.skipped.append(key)
            elif status is not None:
                upstream.succeeded.append(key)
        verdict = judge(rule, upstream)
        if verdict.is_abandoned:
            return AbandonStep(step.key, tuple(upstream.failed))
        if not verdict.starts:
            return SkipStep(step.key, verdict.reason)
        inputs = tuple([self._given_part(each, is_optional=True) for each in step.inputs])
        self.steps[step.key] = msgspec.structs.replace(step, inputs=inputs)
        return self._start(step.key)

    def _gave_what_is_needed(self, step: PlanStep, key: str) -> bool:
        """Whether a step that succeeded gave what another takes of it: each single output, and any of those in its lists."""
        if any(not self._gave(*each) for each in step.needs if each[0] == key):
            return False
        listed = [each for group in step.needs_any for each in group if each[0] == key]
        return not listed or any(self._gave(*each) for each in listed)

    def _gave(self, step_key: str, output: str) -> bool:
        return output in self._outputs.get(step_key, frozenset())

    def _without_missing(self, step: PlanStep) -> PlanStep:
        """The step with those elements left out of its lists that no step gave."""
        return msgspec.structs.replace(step, inputs=tuple([self._given_part(each) for each in step.inputs]))

    def _given_part(self, each: StepInput, is_optional: bool = False) -> StepInput:
        """The input as far as it was given: a list without the elements that no step gave, and, where that is allowed, a
        single value marked as missing, and a list of nobody knows how many values as none."""
        source = each.source
        if isinstance(source, FanInSource):
            given = [one for one in source.sources if not isinstance(one, OutputSource) or self._is_given(one)]
            return msgspec.structs.replace(each, source=FanInSource(tuple(given)))
        if is_optional and isinstance(source, CollectSource):
            return msgspec.structs.replace(each, source=FanInSource(()))
        if is_optional and each.upstream_step is not None and each.upstream_step in self.status:
            return msgspec.structs.replace(
                each, is_missing=not self._gave(each.upstream_step, each.upstream_output or "")
            )
        if is_optional and isinstance(source, OutputSource) and source.step in self.status:
            return msgspec.structs.replace(each, is_missing=not self._is_given(source))
        return each

    def _is_given(self, source: OutputSource) -> bool:
        return self._gave(source.step, source.output)
