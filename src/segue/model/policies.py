"""Policies that users attach to computations: how to retry, how to split a backfill."""

from __future__ import annotations

import enum
from collections.abc import Collection

import msgspec

from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.failure_class import FailureClass, failure_class_of
from segue.model.named_fields import NamedFields


class Backoff(enum.Enum):
    """How the delay grows with each retry."""

    LINEAR = "LINEAR"
    EXPONENTIAL = "EXPONENTIAL"


class Jitter(enum.Enum):
    """How chance spreads the delay, so that many failed steps do not come back at the same moment.

    FULL: anywhere between nothing and the delay. PLUS_MINUS: the delay, up to one base delay more or less.
    """

    FULL = "FULL"
    PLUS_MINUS = "PLUS_MINUS"


class RetryPolicy(NamedFields, msgspec.Struct, frozen=True):
    """How often, and after how long, a failed step is tried again.

    Attributes:
        max_retries: retries after the first attempt; 0 turns retrying off.
        delay: base delay before a retry, in seconds; None means at once.
        backoff: growth of the delay; needs `delay`.
        jitter: spread of the delay; needs `delay`.
        retry_on: the classes of failures that are tried again, as `FailureClass` or by their values; None for all of them.

    Raises:
        InvalidDefinitionError: something of a wrong type, a negative number, backoff or jitter without a delay, or no
            failure class at all in `retry_on`.
    """

    max_retries: int = 1
    delay: float | int | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None
    retry_on: Collection[str] | None = None

    def __post_init__(self) -> None:
        _require_whole("RetryPolicy", "max_retries", self.max_retries)
        require_kind("RetryPolicy", "delay", self.delay, (int, float))
        require_kind("RetryPolicy", "backoff", self.backoff, Backoff)
        require_kind("RetryPolicy", "jitter", self.jitter, Jitter)
        if self.max_retries < 0:
            raise InvalidDefinitionError(f"RetryPolicy: max_retries must be 0 or more, got {self.max_retries}.")
        if self.delay is None and (self.backoff is not None or self.jitter is not None):
            raise InvalidDefinitionError(
                "RetryPolicy: backoff and jitter require delay (in seconds), which was not provided."
            )
        if self.delay is not None and self.delay < 0:
            raise InvalidDefinitionError(f"RetryPolicy: delay must be 0 or more seconds, got {self.delay}.")
        if self.retry_on is not None:
            msgspec.structs.force_setattr(self, "retry_on", _classes(self.retry_on))

    def retries(self, failure_class: FailureClass | None) -> bool:
        """Whether failures of a class are tried again; one of no known class always is."""
        return self.retry_on is None or failure_class is None or failure_class in self.retry_on


def _classes(retry_on: Collection[str]) -> tuple[FailureClass, ...]:
    """The classes of `retry_on`, each once, in an order of their own: equal policies are written alike."""
    if isinstance(retry_on, str) or not isinstance(retry_on, Collection):  # pyright: ignore[reportUnnecessaryIsInstance] reason: user code's value
        raise WrongDeclarationError(f"RetryPolicy: retry_on must be a set of failure classes, got {retry_on!r}.")
    found = {failure_class_of(each, "RetryPolicy(retry_on=...)") for each in retry_on}
    if not found:
        raise InvalidDefinitionError(
            "RetryPolicy: retry_on is an empty set, so nothing would be retried; leave the policy out, or leave retry_on "
            "out to retry every failure."
        )
    return tuple(sorted(found))


def retry_delay(policy: RetryPolicy, retry_number: int, chance: float) -> float:
    """Seconds to wait before a retry.

    Args:
        policy: the policy of the failed step.
        retry_number: 1 for the first retry.
        chance: a number in [0, 1) drawn by the caller, used by the jitter.

    Returns:
        Seconds, never negative.
    """
    base = float(policy.delay or 0)
    delay = base
    if policy.backoff is Backoff.LINEAR:
        delay = base * retry_number
    elif policy.backoff is Backoff.EXPONENTIAL:
        delay = base * (2**retry_number - 1)
    if policy.jitter is Jitter.FULL:
        delay = delay * chance
    elif policy.jitter is Jitter.PLUS_MINUS:
        delay = delay + (2 * chance - 1) * base
    return max(0.0, delay)


class BackfillPolicyType(enum.Enum):
    """Whether a request for many partitions becomes one run or several."""

    SINGLE_RUN = "SINGLE_RUN"
    MULTI_RUN = "MULTI_RUN"


class BackfillPolicy(NamedFields, msgspec.Struct, frozen=True):
    """How a request for many partitions becomes runs.

    Attributes:
        max_partitions_per_run: partitions one run takes; None means all of them in a single run.

    Raises:
        InvalidDefinitionError: no whole number, or less than one partition per run.
    """

    max_partitions_per_run: int | None = 1

    def __post_init__(self) -> None:
        if self.max_partitions_per_run is None:
            return
        _require_whole("BackfillPolicy", "max_partitions_per_run", self.max_partitions_per_run)
        if self.max_partitions_per_run < 1:
            raise InvalidDefinitionError("BackfillPolicy: max_partitions_per_run must be at least 1, or None.")

    @staticmethod
    def single_run() -> BackfillPolicy:
        """All partitions of a request in one run."""
        return BackfillPolicy(max_partitions_per_run=None)

    @staticmethod
    def multi_run(max_partitions_per_run: int = 1) -> BackfillPolicy:
        """At most this many partitions per run."""
        return BackfillPolicy(max_partitions_per_run=max_partitions_per_run)

    @property
    def policy_type(self) -> BackfillPolicyType:
        """Whether a backfill is one run or several."""
        return BackfillPolicyType.SINGLE_RUN if self.max_partitions_per_run is None else BackfillPolicyType.MULTI_RUN

    def __str__(self) -> str:
        if self.max_partitions_per_run is None:
            return "BackfillPolicy.single_run()"
        return f"BackfillPolicy.multi_run(max_partitions_per_run={self.max_partitions_per_run})"


def _require_whole(where: str, name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongDeclarationError(f"{where}: {name} must be a whole number, got {value!r}.")


class AssetExecutionType(enum.Enum):
    """What a run can do with an asset: look at it, nothing, or make it."""

    OBSERVATION = "OBSERVATION"
    UNEXECUTABLE = "UNEXECUTABLE"
    MATERIALIZATION = "MATERIALIZATION"
