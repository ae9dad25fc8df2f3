"""When a step may start whose trigger rule is not the usual one: judged by how the steps before it have ended. Pure."""

from __future__ import annotations

from typing import NamedTuple

from segue.model.step_policy import TriggerRule


class Upstream(NamedTuple):
    """How the steps that a step depends on have ended, by their keys.

    Attributes:
        succeeded: they ended well, and gave what is needed of them.
        failed: they failed, or were not started because of a failure.
        skipped: they were skipped, or did not give what is needed of them.
    """

    succeeded: list[str]
    failed: list[str]
    skipped: list[str]

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.succeeded) + len(self.failed) + len(self.skipped)


class Verdict(NamedTuple):
    """What becomes of a step.

    Attributes:
        starts: whether it starts.
        reason: why not.
        is_abandoned: whether failures keep a step from starting that builds on success; else it is skipped.
    """

    starts: bool
    reason: str = ""
    is_abandoned: bool = False


_BUILDS_ON_SUCCESS = (TriggerRule.ALL_SUCCESS, TriggerRule.ONE_SUCCESS, TriggerRule.NONE_FAILED)


def judge(rule: TriggerRule, upstream: Upstream) -> Verdict:
    """What becomes of a step by its rule; without any step before it, the rules that ask for a failure skip it."""
    succeeded, failed, skipped = upstream
    match rule:
        case TriggerRule.ALL_SUCCESS:
            starts = not failed and not skipped
        case TriggerRule.ALL_DONE | TriggerRule.ALWAYS:
            starts = True
        case TriggerRule.ONE_SUCCESS:
            starts = bool(succeeded) or upstream.total == 0
        case TriggerRule.ONE_FAILED:
            starts = bool(failed)
        case TriggerRule.ALL_FAILED:
            starts = bool(failed) and len(failed) == upstream.total
        case TriggerRule.NONE_FAILED:
            starts = not failed
        case TriggerRule.NONE_SKIPPED:
            starts = not skipped
    if starts:
        return Verdict(True)
    return Verdict(False, _reason(rule, upstream), bool(failed) and rule in _BUILDS_ON_SUCCESS)


def _reason(rule: TriggerRule, upstream: Upstream) -> str:
    found = [
        f"{', '.join(keys)} {how}"
        for keys, how in zip(upstream, ("succeeded", "failed", "skipped"), strict=True)
        if keys
    ]
    return f"Its trigger rule {rule.value!r} does not hold: {'; '.join(found) or 'it depends on no step'}."
