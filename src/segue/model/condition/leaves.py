"""Conditions that look at what is recorded of their target, without other conditions inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from segue.errors import NotSupportedError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.condition.base import AnyCondition, BuiltinAutomationCondition, EntityT_co
from segue.model.condition.snapshot import FreshnessName
from segue.model.cron import require_cron
from segue.model.partitions.zones import zone_named

if TYPE_CHECKING:
    from segue.model.condition.context import AutomationContext, AutomationResult


class MissingAutomationCondition(BuiltinAutomationCondition[EntityT_co]):
    """Never made, observed or executed."""

    tag: ClassVar[str] = "missing"


class RunInProgressAutomationCondition(BuiltinAutomationCondition[EntityT_co]):
    """Part of a run that is waiting or under way and has not made it yet."""

    tag: ClassVar[str] = "run_in_progress"


class BackfillInProgressAutomationCondition(BuiltinAutomationCondition[EntityT_co]):
    """Part of a backfill that is under way and has not made it yet."""

    tag: ClassVar[str] = "backfill_in_progress"


class ExecutionFailedAutomationCondition(BuiltinAutomationCondition[EntityT_co]):
    """The last run that was to make it failed, and nothing made it since."""

    tag: ClassVar[str] = "execution_failed"


class CheckResultCondition(BuiltinAutomationCondition[EntityT_co]):
    """The last execution of a check passed, or failed."""

    tag: ClassVar[str] = "check_result"
    fields: ClassVar[tuple[str, ...]] = ("passed",)
    passed: bool

    def __init__(self, *, label: str | None = None, passed: bool) -> None:
        super().__init__(label=label, passed=passed)

    @property
    def name(self) -> str:
        return "check_passed" if self.passed else "check_failed"

    def arguments(self) -> Sequence[tuple[str, str]]:
        return [("passed", str(self.passed))]


class InitialEvaluationCondition(BuiltinAutomationCondition[EntityT_co]):
    """The target is evaluated with this condition for the first time."""

    tag: ClassVar[str] = "initial_evaluation"

    @property
    def requires_cursor(self) -> bool:
        return True


class InLatestTimeWindowCondition(BuiltinAutomationCondition[EntityT_co]):
    """In the last time window that has ended, or within a span of time before its end; always true without windows."""

    tag: ClassVar[str] = "in_latest_time_window"
    fields: ClassVar[tuple[str, ...]] = ("lookback_delta",)
    lookback_delta: timedelta | None

    def __init__(self, *, label: str | None = None, lookback_delta: timedelta | None = None) -> None:
        if lookback_delta is not None and not isinstance(lookback_delta, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongDeclarationError(
                f"in_latest_time_window: lookback_delta must be a timedelta, got {lookback_delta!r}."
            )
        super().__init__(label=label, lookback_delta=lookback_delta or None)

    @property
    def description(self) -> str:
        latest = "the latest time window"
        return (
            f"Within {latest}"
            if self.lookback_delta is None
            else f"Within {self.lookback_delta} of the end of {latest}"
        )

    def arguments(self) -> Sequence[tuple[str, str]]:
        return [] if self.lookback_delta is None else [("lookback_timedelta", str(self.lookback_delta))]


class WillBeRequestedCondition(BuiltinAutomationCondition[EntityT_co]):
    """Requested in this very evaluation, in the same partition where the root of the condition has it too."""

    tag: ClassVar[str] = "will_be_requested"

    @property
    def description(self) -> str:
        return "Will be requested this tick"


class NewlyRequestedCondition(BuiltinAutomationCondition[EntityT_co]):
    """Requested by the evaluation before."""

    tag: ClassVar[str] = "newly_requested"


class NewlyUpdatedCondition(BuiltinAutomationCondition[EntityT_co]):
    """Made, observed with a new data version, or executed since the evaluation before."""

    tag: ClassVar[str] = "newly_updated"


class DataVersionChangedCondition(BuiltinAutomationCondition[EntityT_co]):
    """Made or observed since the evaluation before, with another data version."""

    tag: ClassVar[str] = "data_version_changed"


class CodeVersionChangedCondition(BuiltinAutomationCondition[EntityT_co]):
    """Declared with another code version than in the evaluation before."""

    tag: ClassVar[str] = "code_version_changed"

    @property
    def requires_cursor(self) -> bool:
        return True


class CronTickPassedCondition(BuiltinAutomationCondition[EntityT_co]):
    """A tick of a cron schedule lies between the evaluation before and this one."""

    tag: ClassVar[str] = "cron_tick_passed"
    fields: ClassVar[tuple[str, ...]] = ("cron_schedule", "cron_timezone")
    cron_schedule: str
    cron_timezone: str

    def __init__(self, *, label: str | None = None, cron_schedule: str, cron_timezone: str = "UTC") -> None:
        require_kind("cron_tick_passed", "cron_schedule", cron_schedule, str)
        require_cron(cron_schedule, "cron_tick_passed")
        zone_named(cron_timezone)
        super().__init__(label=label, cron_schedule=cron_schedule, cron_timezone=cron_timezone)

    def arguments(self) -> Sequence[tuple[str, str]]:
        return [("cron_schedule", self.cron_schedule), ("cron_timezone", self.cron_timezone)]


class FreshnessResultCondition(BuiltinAutomationCondition[EntityT_co]):
    """The asset's freshness policy says this."""

    tag: ClassVar[str] = "freshness_result"
    fields: ClassVar[tuple[str, ...]] = ("state",)
    state: FreshnessName

    def __init__(self, *, label: str | None = None, state: FreshnessName) -> None:
        super().__init__(label=label, state=state)

    def arguments(self) -> Sequence[tuple[str, str]]:
        return [("state", self.state)]


class LatestRunExecutedWithRootTargetCondition(BuiltinAutomationCondition[EntityT_co]):
    """The run that last made it was to make the root of the condition too; never of the root itself, which a run can only have
    made for another partition where it depends on itself."""

    tag: ClassVar[str] = "executed_with_root_target"


class RunTagsCondition(BuiltinAutomationCondition[EntityT_co]):
    """What looks at the tags of runs: all these keys, and these keys with these values."""

    fields: ClassVar[tuple[str, ...]] = ("tag_keys", "tag_values")
    tag_keys: frozenset[str] | None
    tag_values: Mapping[str, str] | None

    def __init__(
        self,
        *,
        label: str | None = None,
        tag_keys: AbstractSet[str] | None = None,
        tag_values: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(tag_keys, str) or not isinstance(tag_keys, (type(None), AbstractSet, list)):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongDeclarationError(f"{self.tag}: tag_keys must be a set of strings, got {tag_keys!r}.")
        if not isinstance(tag_values, (type(None), Mapping)):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongDeclarationError(f"{self.tag}: tag_values must be a mapping of strings, got {tag_values!r}.")
        super().__init__(
            label=label,
            tag_keys=None if tag_keys is None else frozenset(tag_keys),
            tag_values=None if tag_values is None else dict(tag_values),
        )

    def arguments(self) -> Sequence[tuple[str, str]]:
        keys, values = sorted(self.tag_keys or ()), sorted((self.tag_values or {}).items())
        shown = [("tag_keys", f"{{{','.join(keys)}}}")] if keys else []
        return shown + (
            [("tag_values", f"{{{','.join(f'{key}:{value}' for key, value in values)}}}")] if values else []
        )

    def fits(self, tags: Mapping[str, str]) -> bool:
        """Whether these tags of a run are wanted."""
        return all(key in tags for key in self.tag_keys or ()) and all(
            tags.get(key) == value for key, value in (self.tag_values or {}).items()
        )


class LatestRunExecutedWithTagsCondition(RunTagsCondition[EntityT_co]):
    """The run that last made it has these tags."""

    tag: ClassVar[str] = "executed_with_tags"


class AnyNewUpdateHasRunTagsCondition(RunTagsCondition[EntityT_co]):
    """Made since the evaluation before, at least once by a run with these tags."""

    tag: ClassVar[str] = "any_new_update_has_run_tags"


class AllNewUpdatesHaveRunTagsCondition(RunTagsCondition[EntityT_co]):
    """Made since the evaluation before, each time by a run with these tags."""

    tag: ClassVar[str] = "all_new_updates_have_run_tags"


class OpaqueCondition(BuiltinAutomationCondition[EntityT_co]):
    """A custom condition as it stands in a manifest: only the user's code can evaluate it."""

    tag: ClassVar[str] = "opaque"
    fields: ClassVar[tuple[str, ...]] = ("class_name", "id", "operands")
    class_name: str
    id: str
    operands: tuple[AnyCondition, ...]

    @property
    def name(self) -> str:
        return self.class_name

    @property
    def children(self) -> Sequence[AnyCondition]:
        return self.operands

    @property
    def is_serializable(self) -> bool:
        return False

    def identity(self) -> str:
        return self.id  # that of the user's class: what it remembers is found under it

    def evaluate(self, context: AutomationContext) -> AutomationResult:
        raise NotSupportedError(
            f"{self.class_name} is a custom automation condition, which is only evaluated where your code runs, with "
            "evaluate_automation_conditions(defs, instance). Built-in conditions are evaluated everywhere."
        )
