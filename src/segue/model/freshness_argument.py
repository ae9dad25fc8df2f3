"""What is passed as a freshness policy. Loads none of them: most assets have no policy, and policies need calendars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from segue.errors import InvalidDefinitionError, WrongDeclarationError

if TYPE_CHECKING:
    from segue.model.freshness import AnyFreshnessPolicy


K = TypeVar("K")


def freshness_policy_of(where: str, policy: object, legacy: object) -> AnyFreshnessPolicy | None:
    """The freshness policy that is declared, as one or as the superseded `legacy_freshness_policy`.

    Raises:
        InvalidDefinitionError: both, or something that is neither.
    """
    if legacy is None:
        return require_freshness_policy(where, policy)
    if policy is not None:
        raise InvalidDefinitionError(
            f"{where}: both freshness_policy and legacy_freshness_policy were provided; keep freshness_policy."
        )
    translated = getattr(legacy, "to_freshness_policy", None)
    return require_freshness_policy(where, legacy if translated is None else translated())


def policies_of(owner: object, legacy: Mapping[K, object] | None) -> dict[K, AnyFreshnessPolicy]:
    """The policies that superseded ones mean, by what they are declared for.

    Raises:
        InvalidDefinitionError: the value is not a freshness policy.
    """
    found = {each: freshness_policy_of(f"{owner!r}, {each!r}", None, policy) for each, policy in (legacy or {}).items()}
    return {each: policy for each, policy in found.items() if policy is not None}


def require_freshness_policy(where: str, value: object) -> AnyFreshnessPolicy | None:
    """The value, if it is a freshness policy or None.

    Raises:
        InvalidDefinitionError: it is something else.
    """
    if value is None or getattr(type(value), "is_freshness_policy", False):
        return cast("AnyFreshnessPolicy | None", value)
    raise WrongDeclarationError(
        f"{where}: freshness_policy must be FreshnessPolicy.time_window(...) or FreshnessPolicy.cron(...), got {value!r}."
    )
