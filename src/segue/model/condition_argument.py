"""What is passed as an automation condition. Loads none of them: most assets have no condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from segue.errors import ConflictingDefinitionsError, WrongDeclarationError

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


K = TypeVar("K")


def require_condition(where: str, value: object) -> AnyCondition:
    """The value, if it is a condition.

    Raises:
        InvalidDefinitionError: it is not.
    """
    if not getattr(type(value), "is_automation_condition", False):
        hint = " Call it: AutomationCondition.eager()." if callable(value) else ""
        raise WrongDeclarationError(f"{where}: expected an AutomationCondition, got {value!r}.{hint}")
    return cast("AnyCondition", value)


def condition_of(where: str, condition: object, policy: object) -> AnyCondition | None:
    """The condition that is declared, as one or as the superseded `auto_materialize_policy`.

    Raises:
        InvalidDefinitionError: both, or something that is neither a condition nor a policy.
    """
    if policy is None:
        return optional_condition(where, condition)
    if condition is not None:
        raise ConflictingDefinitionsError(
            f"{where}: automation_condition and auto_materialize_policy were both provided; keep automation_condition."
        )
    translated = getattr(policy, "to_automation_condition", None)
    return require_condition(f"{where}: auto_materialize_policy", policy if translated is None else translated())


def conditions_of(
    owner: object, conditions: Mapping[K, AnyCondition | None] | None, policies: Mapping[K, object] | None
) -> dict[K, AnyCondition]:
    """The conditions that are declared by output or key, as such or as superseded policies.

    Raises:
        InvalidDefinitionError: both for one of them, or something that is neither a condition nor a policy.
    """
    said, old = conditions or {}, policies or {}
    found = {each: condition_of(f"{owner!r}, {each!r}", said.get(each), old.get(each)) for each in {**said, **old}}
    return {each: condition for each, condition in found.items() if condition is not None}


def optional_condition(where: str, value: object) -> AnyCondition | None:
    """The value, if it is a condition or None.

    Raises:
        InvalidDefinitionError: it is something else.
    """
    return None if value is None else require_condition(f"{where}: automation_condition", value)
