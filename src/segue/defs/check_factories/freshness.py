"""Checks of how old an asset is: when it was last updated, or whether the partition that is due has arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.check_factories.building import checks_of_assets, events_of, require_severity
from segue.defs.context import AssetCheckExecutionContext
from segue.defs.instance import Instance
from segue.defs.superseded import warn_superseded
from segue.errors import InvariantViolationError, SupersessionWarning, WrongDeclarationError
from segue.model.checks import AssetCheckResult, AssetCheckSeverity
from segue.model.cron_times import last_fire, next_fire
from segue.model.event import EventType
from segue.model.freshness import require_deadlines
from segue.model.keys import AssetKey
from segue.model.metadata import AnyMetadataValue, JsonMetadataValue, TimestampMetadataValue
from segue.model.partitions.time_windows import TimeWindowPartitionsDefinition

FRESHNESS_CHECK = "freshness_check"
PARAMETERS = "dagster/freshness_params"
LAST_UPDATED = "dagster/last_updated_timestamp"
LOWER_BOUND = "dagster/freshness_lower_bound_timestamp"
FRESH_UNTIL = "dagster/fresh_until_timestamp"
LATEST_TICK = "dagster/latest_cron_tick_timestamp"
_DESCRIPTION = "Checks whether the asset is fresh."
_OBSERVATIONS = 25  # so many are searched for one that says when the data was updated
_NEVER = "The asset has no recorded update."


class Deadlines(msgspec.Struct, frozen=True):
    """When an asset has to be there.

    Attributes:
        cron, timezone: the deadlines; every moment is one where `cron` is None.
        allowed: how long before a deadline it may have been updated, at most; None where partitions are asked for.
    """

    cron: str | None
    timezone: str
    allowed: timedelta | None = None

    @property
    def metadata(self) -> dict[str, AnyMetadataValue]:
        """The parameters, as every result shows them."""
        shown: dict[str, object] = {"timezone": self.timezone}
        if self.allowed is not None:
            shown["lower_bound_delta_seconds"] = self.allowed.total_seconds()
        if self.cron is not None:
            shown["deadline_cron"] = self.cron
        return {PARAMETERS: JsonMetadataValue(shown)}


class Finding(msgspec.Struct, frozen=True):
    """What a check of freshness found."""

    passed: bool
    description: str
    metadata: Mapping[str, AnyMetadataValue]


def build_last_update_freshness_checks(
    *,
    assets: Sequence[object],
    lower_bound_delta: timedelta,
    deadline_cron: str | None = None,
    timezone: str = "UTC",
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    blocking: bool = False,
) -> Sequence[AssetChecksDefinition]:
    """Checks that assets were updated within a span of time, before now or before the last deadline.

    An asset counts as updated when it was materialized, or at the time that its last materialization or observation names
    in the metadata `dagster/last_updated_timestamp`.

    Args:
        assets: the assets, by key or definition.
        lower_bound_delta: how long ago the update may be, at most.
        deadline_cron: the deadlines by which it has to be there, as a cron schedule; any moment when None. What is updated
            after a deadline is fresh until the next one.
        timezone: the time zone of the cron schedule.
        severity: the severity of a failure.
        blocking: whether a failure of severity ERROR keeps downstream assets from being materialized.

    Raises:
        InvalidDefinitionError: an invalid cron schedule or time zone, or duplicate assets.
        WrongDeclarationError: something of a wrong type.
    """
    where = "build_last_update_freshness_checks"
    warn_superseded(where, "give the assets a FreshnessPolicy", SupersessionWarning)
    require_severity(where, severity)
    if not isinstance(lower_bound_delta, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(f"{where}: lower_bound_delta must be a timedelta, got {lower_bound_delta!r}.")
    require_deadlines(where, "0 0 * * *" if deadline_cron is None else deadline_cron, timezone)
    deadlines = Deadlines(deadline_cron, timezone, lower_bound_delta)

    def judge(context: AssetCheckExecutionContext, key: AssetKey) -> AssetCheckResult:
        found = judge_update(deadlines, last_updated(context.instance, key), datetime.now(UTC))
        return _result(found, severity)

    return checks_of_assets(
        where,
        assets,
        judge,
        step=FRESHNESS_CHECK,
        check_name=FRESHNESS_CHECK,
        description=_DESCRIPTION,
        blocking=blocking,
        metadata=deadlines.metadata,
    )


def build_time_partition_freshness_checks(
    *,
    assets: Sequence[object],
    deadline_cron: str,
    timezone: str = "UTC",
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    blocking: bool = False,
) -> Sequence[AssetChecksDefinition]:
    """Checks that the last partition that was over at the last deadline has been materialized or observed.

    Args:
        assets: assets that are partitioned by windows of time, by key or definition.
        deadline_cron: the deadlines, as a cron schedule.
        timezone: the time zone of the cron schedule.
        severity: the severity of a failure.
        blocking: whether a failure of severity ERROR keeps downstream assets from being materialized.

    Raises:
        InvalidDefinitionError: a wrong type, an invalid cron schedule or time zone, or duplicate assets.
        InvariantViolationError: when a check runs on an asset that is not partitioned by windows of time.
    """
    where = "build_time_partition_freshness_checks"
    warn_superseded(where, "give the assets a FreshnessPolicy", SupersessionWarning)
    require_severity(where, severity)
    require_deadlines(where, deadline_cron, timezone)
    deadlines = Deadlines(deadline_cron, timezone)

    def judge(context: AssetCheckExecutionContext, key: AssetKey) -> AssetCheckResult:
        definition = context.asset_partitions_def(key)
        if not isinstance(definition, TimeWindowPartitionsDefinition):
            raise InvariantViolationError(
                f"{where}: the asset {key.to_user_string()!r} is not time-partitioned: use "
                "build_last_update_freshness_checks."
            )
        now = datetime.now(UTC)
        due = partition_due(deadlines, definition, now)
        has_arrived = due is not None and _events(context.instance, key, due)
        found = judge_partition(deadlines, due, _events(context.instance, key), has_arrived, now)
        return _result(found, severity)

    return checks_of_assets(
        where,
        assets,
        judge,
        step=FRESHNESS_CHECK,
        check_name=FRESHNESS_CHECK,
        description=_DESCRIPTION,
        blocking=blocking,
        metadata=deadlines.metadata,
    )


def judge_update(deadlines: Deadlines, updated: float | None, now: datetime) -> Finding:
    """Whether an asset that was updated at a time (seconds since 1970; None for never) is fresh."""
    metadata = deadlines.metadata
    allowed = deadlines.allowed or timedelta(0)
    deadline = now if deadlines.cron is None else last_fire(deadlines.cron, deadlines.timezone, now) or now
    bound = deadline.timestamp() - allowed.total_seconds()
    metadata[LOWER_BOUND] = TimestampMetadataValue(bound)
    if deadlines.cron is not None:
        metadata[LATEST_TICK] = TimestampMetadataValue(deadline.timestamp())
    if updated is None:
        return Finding(False, _NEVER, metadata)
    passed = updated >= bound
    if passed:
        until = _next_deadline(deadlines, now)
        metadata[FRESH_UNTIL] = TimestampMetadataValue(updated + allowed.total_seconds() if until is None else until)
    metadata[LAST_UPDATED] = TimestampMetadataValue(updated)
    ago = f"Updated {_span(now.timestamp() - updated)} ago"
    if passed:
        return Finding(True, f"Fresh. {ago}; the maximum is {_span(now.timestamp() - bound)}.", metadata)
    return Finding(
        False,
        f"Overdue. {ago}; the maximum is {_span(now.timestamp() - bound)}.",
        metadata,
    )


def judge_partition(deadlines: Deadlines, due: str | None, has_any: bool, has_arrived: bool, now: datetime) -> Finding:
    """Whether an asset whose partition `due` is asked for is fresh."""
    metadata = deadlines.metadata
    deadline = None if deadlines.cron is None else last_fire(deadlines.cron, deadlines.timezone, now)
    if deadline is not None:
        metadata[LATEST_TICK] = TimestampMetadataValue(deadline.timestamp())
    if due is not None and not has_arrived:
        missing = f"Partition {due} has not been materialized or observed."
        begin = "Overdue." if has_any else "The asset has never been materialized or observed."
        return Finding(False, f"{begin} {missing}", metadata)
    until = _next_deadline(deadlines, now)
    if until is not None:
        metadata[FRESH_UNTIL] = TimestampMetadataValue(until)
    reason = "no partition is due yet" if due is None else f"partition {due} has been materialized or observed"
    return Finding(True, f"Fresh: {reason}.", metadata)


def partition_due(deadlines: Deadlines, definition: TimeWindowPartitionsDefinition, now: datetime) -> str | None:
    """The last partition that was over at the last deadline; None where there was none."""
    deadline = None if deadlines.cron is None else last_fire(deadlines.cron, deadlines.timezone, now)
    return None if deadline is None else definition.get_last_partition_key(current_time=deadline)


def last_updated(instance: Instance, key: AssetKey) -> float | None:
    """When an asset was last updated, in seconds since 1970; None where nothing recorded says it."""
    found: list[float] = []
    state = instance.store.asset_states([key]).get(key)
    if state is not None:
        named = named_time(state.materialization.metadata)
        found.append(state.timestamp if named is None else named)
    for stored in events_of(instance, key, EventType.ASSET_OBSERVATION, _OBSERVATIONS):
        named = named_time(stored.event.asset_observation_data.asset_observation.metadata)
        if named is not None:
            found.append(named)
            break
    return max(found, default=None)


def named_time(metadata: Mapping[str, AnyMetadataValue]) -> float | None:
    """The time that metadata names as that of the last update."""
    value = metadata.get(LAST_UPDATED)
    number = None if value is None else value.value
    return float(number) if isinstance(number, (int, float)) else None


def _result(found: Finding, severity: AssetCheckSeverity) -> AssetCheckResult:
    return AssetCheckResult(
        passed=found.passed, severity=severity, description=found.description, metadata=found.metadata
    )


def _events(instance: Instance, key: AssetKey, partition: str | None = None) -> bool:
    kinds = (EventType.ASSET_MATERIALIZATION, EventType.ASSET_OBSERVATION)
    return any(events_of(instance, key, kind, 1, partition) for kind in kinds)


def _next_deadline(deadlines: Deadlines, now: datetime) -> float | None:
    following = None if deadlines.cron is None else next_fire(deadlines.cron, deadlines.timezone, now)
    return None if following is None else following.timestamp()


def _span(seconds: float) -> str:
    """A span of time in words, of its two largest units."""
    rest = max(int(seconds), 0)
    parts: list[str] = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return ", ".join(parts[:2]) or "less than a second"
