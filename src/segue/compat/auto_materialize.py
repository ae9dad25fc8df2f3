"""Dagster's superseded auto-materialize policies and rules, each as the automation condition that means the same.

A condition is a policy too: `auto_materialize_policy=` takes either, and `condition.as_auto_materialize_policy()` is the
condition itself.
"""

from __future__ import annotations

import enum
from abc import abstractmethod
from collections.abc import Mapping, Set
from functools import reduce

import msgspec

from segue.errors import InvalidDefinitionError, NotSupportedError, WrongDeclarationError
from segue.model.condition.base import AnyCondition, AutomationCondition
from segue.model.cron import require_cron

_C = AutomationCondition


class AutoMaterializePolicyType(enum.Enum):
    """EAGER asks for an asset when its parents change, LAZY when it gets too old."""

    EAGER = "EAGER"
    LAZY = "LAZY"


class AutoMaterializeRule(msgspec.Struct, frozen=True):
    """One reason to request an asset, or not to; made by its static methods."""

    @property
    def skips(self) -> bool:
        """Whether it is a reason not to request."""
        return type(self).__name__.startswith("Skip")

    @abstractmethod
    def to_asset_condition(self) -> AnyCondition | None:
        """The condition that means the same; None for a reason that never holds here."""
        raise NotImplementedError

    @staticmethod
    def materialize_on_required_for_freshness() -> AutoMaterializeRule:
        """The asset gets too old for its freshness policy."""
        return MaterializeOnRequiredForFreshnessRule()

    @staticmethod
    def materialize_on_cron(
        cron_schedule: str, timezone: str = "UTC", all_partitions: bool = False
    ) -> AutoMaterializeRule:
        """A cron schedule has fired; of an asset with time partitions the last one is asked for, or all of them."""
        require_cron(cron_schedule, "AutoMaterializeRule.materialize_on_cron")
        return MaterializeOnCronRule(cron_schedule, timezone, all_partitions)

    @staticmethod
    def materialize_on_parent_updated(
        updated_parent_filter: AutoMaterializeAssetPartitionsFilter | None = None,
    ) -> AutoMaterializeRule:
        """A parent was updated, by a run with the tags of the filter where there is one."""
        return MaterializeOnParentUpdatedRule(updated_parent_filter)

    @staticmethod
    def materialize_on_missing() -> AutoMaterializeRule:
        """It was never made."""
        return MaterializeOnMissingRule()

    @staticmethod
    def skip_on_parent_missing() -> AutoMaterializeRule:
        """Not while a parent was never made."""
        return SkipOnParentMissingRule()

    @staticmethod
    def skip_on_parent_outdated() -> AutoMaterializeRule:
        """Not while a parent is older than one of its own parents."""
        return SkipOnParentOutdatedRule()

    @staticmethod
    def skip_on_not_all_parents_updated(require_update_for_all_parent_partitions: bool = False) -> AutoMaterializeRule:
        """Refused: there is no equivalent condition.

        Raises:
            NotSupportedError: always; it names what to use.
        """
        raise NotSupportedError(
            "AutoMaterializeRule.skip_on_not_all_parents_updated(require_update_for_all_parent_partitions="
            f"{require_update_for_all_parent_partitions}) has no equivalent: use AutomationCondition.on_cron(...), which waits "
            "for all parents after each tick, or all_deps_match(newly_updated().since(...))."
        )

    @staticmethod
    def skip_on_not_all_parents_updated_since_cron(cron_schedule: str, timezone: str = "UTC") -> AutoMaterializeRule:
        """Not before all parents were updated after the last tick of a cron schedule."""
        return SkipOnNotAllParentsUpdatedSinceCronRule(cron_schedule, timezone)

    @staticmethod
    def skip_on_required_but_nonexistent_parents() -> AutoMaterializeRule:
        """Not where partitions upstream are needed that do not exist; here such a partition is never waited for."""
        return SkipOnRequiredButNonexistentParentsRule()

    @staticmethod
    def skip_on_backfill_in_progress(all_partitions: bool = False) -> AutoMaterializeRule:
        """Not while a backfill is going to make it."""
        return SkipOnBackfillInProgressRule(all_partitions)

    @staticmethod
    def skip_on_run_in_progress() -> AutoMaterializeRule:
        """Not while a run is going to make it."""
        return SkipOnRunInProgressRule()


class AutoMaterializeAssetPartitionsFilter(msgspec.Struct, frozen=True):
    """Which updates count: those of runs with these tags."""

    latest_run_required_tags: Mapping[str, str] | None = None

    @property
    def description(self) -> str:
        """For people."""
        return f"materialized by a run with the tags {dict(self.latest_run_required_tags or {})}"

    def __hash__(self) -> int:
        return hash(frozenset((self.latest_run_required_tags or {}).items()))


class MaterializeOnRequiredForFreshnessRule(AutoMaterializeRule, frozen=True):
    """The asset gets too old for its freshness policy."""

    def to_asset_condition(self) -> AnyCondition | None:
        return (_C.freshness_warned() | _C.freshness_failed()).since_last_handled()


class MaterializeOnCronRule(AutoMaterializeRule, frozen=True):
    """A cron schedule has fired."""

    cron_schedule: str
    timezone: str = "UTC"
    all_partitions: bool = False

    def to_asset_condition(self) -> AnyCondition | None:
        passed = _C.cron_tick_passed(self.cron_schedule, self.timezone).since_last_handled()
        return passed if self.all_partitions else _C.in_latest_time_window() & passed


class MaterializeOnParentUpdatedRule(AutoMaterializeRule, frozen=True):
    """A parent was updated."""

    updated_parent_filter: AutoMaterializeAssetPartitionsFilter | None = None

    def to_asset_condition(self) -> AnyCondition | None:
        tags = None if self.updated_parent_filter is None else self.updated_parent_filter.latest_run_required_tags
        if not tags:
            return _C.any_deps_updated().since_last_handled()
        by_run = _C.newly_updated() & _C.executed_with_tags(tag_values=tags)
        return _C.any_deps_match(by_run | _C.will_be_requested()).since_last_handled()


class MaterializeOnMissingRule(AutoMaterializeRule, frozen=True):
    """It was never made."""

    def to_asset_condition(self) -> AnyCondition | None:
        return _C.missing().newly_true().since(_C.newly_requested() | _C.newly_updated())  # also from the first one on


class SkipOnParentMissingRule(AutoMaterializeRule, frozen=True):
    """A parent was never made."""

    def to_asset_condition(self) -> AnyCondition | None:
        return _C.any_deps_missing()


class SkipOnParentOutdatedRule(AutoMaterializeRule, frozen=True):
    """A parent is older than one of its own."""

    def to_asset_condition(self) -> AnyCondition | None:
        waits = _C.any_deps_match(_C.newly_updated()).since(_C.newly_updated()) & ~_C.will_be_requested()
        return _C.any_deps_match(waits)


class SkipOnNotAllParentsUpdatedSinceCronRule(AutoMaterializeRule, frozen=True):
    """Not all parents were updated after the last tick of a cron schedule."""

    cron_schedule: str
    timezone: str = "UTC"

    def to_asset_condition(self) -> AnyCondition | None:
        return ~_C.all_deps_updated_since_cron(self.cron_schedule, self.timezone)


class SkipOnRequiredButNonexistentParentsRule(AutoMaterializeRule, frozen=True):
    """Partitions upstream are needed that do not exist."""

    def to_asset_condition(self) -> AnyCondition | None:
        return None


class SkipOnBackfillInProgressRule(AutoMaterializeRule, frozen=True):
    """A backfill is going to make it."""

    all_partitions: bool = False

    def to_asset_condition(self) -> AnyCondition | None:
        return _C.backfill_in_progress()


class SkipOnRunInProgressRule(AutoMaterializeRule, frozen=True):
    """A run is going to make it."""

    def to_asset_condition(self) -> AnyCondition | None:
        return _C.run_in_progress()


_SKIPS = (
    AutoMaterializeRule.skip_on_parent_missing(),
    AutoMaterializeRule.skip_on_parent_outdated(),
    AutoMaterializeRule.skip_on_required_but_nonexistent_parents(),
    AutoMaterializeRule.skip_on_backfill_in_progress(),
)


class _Policies(type):
    """The type of policies: what an asset has of the policy that it was given is the condition, which counts as one."""

    def __instancecheck__(cls, instance: object) -> bool:
        return super().__instancecheck__(instance) or isinstance(instance, AutomationCondition)


class AutoMaterializePolicy(metaclass=_Policies):
    """When to request an asset, as rules: where one that asks for it holds and none that skips it.

    Args:
        rules: the rules.
        max_materializations_per_minute: kept and not used: how many runs may start is a matter of the run queue.
        asset_condition: a condition instead of rules.

    Raises:
        InvalidDefinitionError: rules and a condition, or neither; or a limit below 1.
    """

    def __init__(
        self,
        rules: Set[AutoMaterializeRule] = frozenset(),
        max_materializations_per_minute: int | None = 1,
        asset_condition: AnyCondition | None = None,
    ) -> None:
        if bool(rules) == (asset_condition is not None):
            raise InvalidDefinitionError("AutoMaterializePolicy: provide either rules or asset_condition.")
        if max_materializations_per_minute is not None and max_materializations_per_minute < 1:
            raise WrongDeclarationError(
                "AutoMaterializePolicy: max_materializations_per_minute must be at least 1 (or None for no limit), got "
                f"{max_materializations_per_minute}."
            )
        self.rules = frozenset(rules)
        self.max_materializations_per_minute = max_materializations_per_minute
        self.asset_condition = asset_condition

    @staticmethod
    def eager(max_materializations_per_minute: int | None = 1) -> AutoMaterializePolicy:
        """Requests what is missing, or older than its parents."""
        asks = (
            AutoMaterializeRule.materialize_on_missing(),
            AutoMaterializeRule.materialize_on_parent_updated(),
            AutoMaterializeRule.materialize_on_required_for_freshness(),
        )
        return AutoMaterializePolicy(frozenset([*asks, *_SKIPS]), max_materializations_per_minute)

    @staticmethod
    def lazy(max_materializations_per_minute: int | None = 1) -> AutoMaterializePolicy:
        """Requests what gets too old for its freshness policy."""
        asks = AutoMaterializeRule.materialize_on_required_for_freshness()
        return AutoMaterializePolicy(frozenset([asks, *_SKIPS]), max_materializations_per_minute)

    @staticmethod
    def from_automation_condition(automation_condition: AnyCondition) -> AutoMaterializePolicy:
        """The policy that a condition is."""
        return AutoMaterializePolicy(asset_condition=automation_condition)

    @property
    def materialize_rules(self) -> frozenset[AutoMaterializeRule]:
        """The reasons to request."""
        return frozenset(rule for rule in self.rules if not rule.skips)

    @property
    def skip_rules(self) -> frozenset[AutoMaterializeRule]:
        """The reasons not to."""
        return frozenset(rule for rule in self.rules if rule.skips)

    @property
    def policy_type(self) -> AutoMaterializePolicyType:
        """Whether it looks at parents."""
        eager = any(isinstance(rule, MaterializeOnParentUpdatedRule) for rule in self.rules)
        return AutoMaterializePolicyType.EAGER if eager else AutoMaterializePolicyType.LAZY

    def with_rules(self, *rules_to_add: AutoMaterializeRule) -> AutoMaterializePolicy:
        """The same with more rules; one takes the place of another of its kind."""
        kinds = {type(rule) for rule in rules_to_add}
        kept = [rule for rule in self.rules if type(rule) not in kinds]
        return AutoMaterializePolicy(frozenset([*kept, *rules_to_add]), self.max_materializations_per_minute)

    def without_rules(self, *rules_to_remove: AutoMaterializeRule) -> AutoMaterializePolicy:
        """The same with fewer rules.

        Raises:
            InvalidDefinitionError: one of them is not there.
        """
        strange = [rule for rule in rules_to_remove if rule not in self.rules]
        if strange:
            raise WrongDeclarationError(f"AutoMaterializePolicy has no rule {', '.join(map(repr, strange))} to remove.")
        return AutoMaterializePolicy(self.rules - set(rules_to_remove), self.max_materializations_per_minute)

    def to_automation_condition(self) -> AnyCondition:
        """The condition that means the same."""
        if self.asset_condition is not None:
            return self.asset_condition
        asks, skips = _conditions(self.materialize_rules), _conditions(self.skip_rules)
        if not asks:
            return _C.missing() & ~_C.missing()  # nothing ever asks for it
        asked = reduce(lambda one, other: one | other, asks)
        return reduce(lambda found, skip: found & ~skip, skips, asked) & ~_C.in_progress()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AutomationCondition):  # what an asset that was given the policy has of it
            return self.to_automation_condition() == other
        return (
            isinstance(other, AutoMaterializePolicy)
            and self.rules == other.rules
            and self.asset_condition == other.asset_condition
            and self.max_materializations_per_minute == other.max_materializations_per_minute
        )

    def __hash__(self) -> int:
        return hash(self.to_automation_condition())

    def __repr__(self) -> str:
        shown = sorted(map(repr, self.rules)) if self.asset_condition is None else [repr(self.asset_condition)]
        return f"AutoMaterializePolicy({', '.join(shown)})"


def _conditions(rules: frozenset[AutoMaterializeRule]) -> list[AnyCondition]:
    """What the rules mean, in an order that does not depend on hashes."""
    found = [rule.to_asset_condition() for rule in sorted(rules, key=repr)]
    return [each for each in found if each is not None]
