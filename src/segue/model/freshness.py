"""How old an asset may get: the policies that say it, and the states they lead to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, ClassVar

import msgspec

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.cron import cron_problem
from segue.model.cron_times import cron_times, fires_on
from segue.model.partitions.zones import zone_named

FRESHNESS_POLICY_METADATA = "dagster/internal_freshness_policy"
_SHORTEST = timedelta(minutes=1)


class FreshnessState(enum.Enum):
    """The state of an asset under its freshness policy.

    PASS: fresh. WARN: soon too old. FAIL: too old. UNKNOWN: never materialized. NOT_APPLICABLE: it has no policy.
    """

    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class FreshnessPolicy(msgspec.Struct, frozen=True, tag_field="kind"):
    """How old an asset may become; created by `FreshnessPolicy.time_window` or `FreshnessPolicy.cron`."""

    metadata_key: ClassVar[str] = FRESHNESS_POLICY_METADATA
    is_freshness_policy: ClassVar[bool] = False  # what declares a policy knows it by this, see freshness_argument

    @staticmethod
    def time_window(fail_window: timedelta, warn_window: timedelta | None = None) -> TimeWindowFreshnessPolicy:
        """At any time, the last materialization must be at most a given time ago.

        Args:
            fail_window: older than this is too old.
            warn_window: older than this is a reason to warn; shorter than `fail_window`.

        Raises:
            InvalidDefinitionError: a window below one minute, or a warning that comes no sooner than the failure.
        """
        return TimeWindowFreshnessPolicy(fail_window=fail_window, warn_window=warn_window)

    @staticmethod
    def cron(deadline_cron: str, lower_bound_delta: timedelta, timezone: str = "UTC") -> CronFreshnessPolicy:
        """The asset must be materialized by each deadline, and at most a given time before it.

        An asset materialized late is fresh from then on, until the next deadline has passed.

        Args:
            deadline_cron: the deadlines, as a cron schedule.
            lower_bound_delta: how long before a deadline the asset may be materialized, at most.
            timezone: the time zone of the cron schedule.

        Raises:
            InvalidDefinitionError: an invalid cron schedule or time zone, or a span below one minute or beyond the time between two
                deadlines.
        """
        return CronFreshnessPolicy(deadline_cron, lower_bound_delta, timezone)

    @classmethod
    def from_asset_spec_metadata(cls, metadata: Mapping[str, Any]) -> FreshnessPolicy | None:
        """The policy in an asset's metadata; None if there is none."""
        found = metadata.get(FRESHNESS_POLICY_METADATA)
        return found if isinstance(found, FreshnessPolicy) else None


class TimeWindowFreshnessPolicy(FreshnessPolicy, frozen=True, kw_only=True, tag="time_window"):
    """Fresh is what was made within a span of time.

    Attributes:
        fail_window: older than this is too old.
        warn_window: older than this is a reason to warn.
    """

    is_freshness_policy: ClassVar[bool] = True

    fail_window: timedelta
    warn_window: timedelta | None = None

    def __post_init__(self) -> None:
        _require_span("FreshnessPolicy.time_window", "fail_window", self.fail_window)
        if self.warn_window is None:
            return
        _require_span("FreshnessPolicy.time_window", "warn_window", self.warn_window)
        if self.warn_window >= self.fail_window:
            raise WrongDeclarationError(
                f"FreshnessPolicy.time_window: warn_window must be shorter than fail_window, got "
                f"{self.warn_window} and {self.fail_window}."
            )

    @classmethod
    def from_timedeltas(cls, fail_window: timedelta, warn_window: timedelta | None = None) -> TimeWindowFreshnessPolicy:
        """The policy of these windows."""
        return cls(fail_window=fail_window, warn_window=warn_window)


class CronFreshnessPolicy(FreshnessPolicy, frozen=True, tag="cron"):
    """Fresh is what was made in time for the last deadline.

    Attributes:
        deadline_cron: the deadlines.
        lower_bound_delta: how long before a deadline the asset may be materialized, at most.
        timezone: the time zone of the cron schedule.
    """

    is_freshness_policy: ClassVar[bool] = True

    deadline_cron: str
    lower_bound_delta: timedelta
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        where = "FreshnessPolicy.cron"
        require_deadlines(where, self.deadline_cron, self.timezone)
        _require_span(where, "lower_bound_delta", self.lower_bound_delta)
        shortest = _shortest_interval(self.deadline_cron)
        if shortest is not None and self.lower_bound_delta > shortest:
            raise WrongDeclarationError(
                f"{where}: lower_bound_delta must not be longer than the shortest interval between two deadlines ({shortest}), "
                f"got {self.lower_bound_delta}."
            )


AnyFreshnessPolicy = TimeWindowFreshnessPolicy | CronFreshnessPolicy


def require_deadlines(where: str, line: object, timezone: str) -> None:
    """Do nothing if these are deadlines: a cron schedule and its time zone.

    Raises:
        WrongDeclarationError: an invalid cron schedule or time zone.
    """
    problem = cron_problem(line) if isinstance(line, str) else "expected a string"
    if problem is not None:
        raise WrongDeclarationError(f"{where}: Invalid cron string {line!r}: {problem}.")
    try:
        zone_named(timezone)
    except InvalidDefinitionError as error:
        raise WrongDeclarationError(f"{where}: Invalid IANA timezone. {error}") from error


def _require_span(where: str, name: str, value: object) -> None:
    if not isinstance(value, timedelta):
        raise WrongDeclarationError(f"{where}: {name} must be a timedelta, got {value!r}.")
    if value < _SHORTEST:
        raise WrongDeclarationError(f"{where}: {name} must be at least 1 minute, got {value}.")


def _shortest_interval(line: str) -> timedelta | None:
    """The least time between two moments that a cron schedule names, in a zone whose clocks never change; None for one moment."""
    times = cron_times(line)
    any_date = times.days is None and len(times.months) == 12
    span = 2 if any_date and times.weekdays is None else 36 if any_date else 731
    start = date(2023, 1, 1)  # with the year after it, which has a 29th of February
    fires = sorted(moment for day in range(span) for moment in fires_on(times, "UTC", start + timedelta(days=day)))
    gaps = [later - earlier for earlier, later in pairwise(fires)]
    return timedelta(seconds=min(gaps)) if gaps else None
