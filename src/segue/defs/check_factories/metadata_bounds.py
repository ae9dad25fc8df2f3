"""Checks that a number in the metadata of the last materialization is within bounds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.check_factories.building import checks_of_assets, materializations, require_severity
from segue.defs.context import AssetCheckExecutionContext
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.checks import AssetCheckResult, AssetCheckSeverity
from segue.model.keys import AssetKey


def build_metadata_bounds_checks(
    *,
    assets: Sequence[object],
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    metadata_key: str,
    min_value: int | float | None = None,
    max_value: int | float | None = None,
    exclusive_min: bool = False,
    exclusive_max: bool = False,
) -> Sequence[AssetChecksDefinition]:
    """Checks that a number in the metadata of the last materialization is within bounds.

    Args:
        assets: the assets, by key or definition.
        severity: the severity of a failure.
        metadata_key: the name of the number, such as `dagster/row_count`.
        min_value, max_value: the bounds; one of them may be None.
        exclusive_min, exclusive_max: whether the bound itself is out of bounds.

    Raises:
        InvalidDefinitionError: no bound, or the lower one above the upper one.
        WrongDeclarationError: a key that is not a string, or a bound that is not a number.
    """
    where = "build_metadata_bounds_checks"
    require_severity(where, severity)
    if not isinstance(metadata_key, str) or not metadata_key:  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(f"{where}: metadata_key must be a string, got {metadata_key!r}.")
    bounds = Bounds(where, min_value, max_value, exclusive_min, exclusive_max)

    def judge(context: AssetCheckExecutionContext, key: AssetKey) -> AssetCheckResult:
        made = materializations(context.instance, key, 1)
        if not made:
            return AssetCheckResult(
                passed=False, severity=severity, description="The asset has never been materialized."
            )
        found = made[0].metadata.get(metadata_key)
        if found is None:
            description = f"The last materialization has no metadata `{metadata_key}`."
            return AssetCheckResult(passed=False, severity=severity, description=description)
        violation = bounds.violation(found.value)
        return AssetCheckResult(
            passed=violation is None,
            severity=severity,
            metadata={metadata_key: found},
            description=f"{found.value} {violation or 'is within the bounds'}",
        )

    return checks_of_assets(
        where,
        assets,
        judge,
        step="metadata_bounds_check",
        check_name=f"{re.sub('[^A-Za-z0-9_]', '_', metadata_key)}_bounds_check",
        description=f"Checks whether `{metadata_key}` of the last materialization is {bounds.description}.",
    )


class Bounds:
    """A lower and an upper bound, at least one of them.

    Raises:
        InvalidDefinitionError: no bound, one that is not a number, or the lower one above the upper one.
    """

    def __init__(
        self,
        where: str,
        low: float | None,
        high: float | None,
        exclusive_min: bool = False,
        exclusive_max: bool = False,
    ) -> None:
        for bound in (low, high):
            if bound is not None and not is_number(bound):
                raise WrongDeclarationError(f"{where}: a bound must be a number, got {bound!r}.")
        if low is None and high is None:
            raise InvalidDefinitionError(f"{where}: no bound was provided: set min_value, max_value, or both.")
        if low is not None and high is not None and low > high:
            raise InvalidDefinitionError(f"{where}: min_value {low} is greater than max_value {high}.")
        self.low = low
        self.high = high
        self.exclusive_min = exclusive_min
        self.exclusive_max = exclusive_max

    @property
    def description(self) -> str:
        """What it asks of a number, in words."""
        lower = f"{'above' if self.exclusive_min else 'at least'} {self.low}"
        upper = f"{'below' if self.exclusive_max else 'at most'} {self.high}"
        return " and ".join(text for text, bound in ((lower, self.low), (upper, self.high)) if bound is not None)

    def violation(self, value: object) -> str | None:
        """What is wrong with a value, in words; None where it lies within."""
        if not is_number(value):
            return "is not a number"
        number = float(value)  # pyright: ignore[reportArgumentType] reason: asked for in the line above
        if number != number:
            return "is not a number"
        if self.low is not None and (number < self.low or (self.exclusive_min and number == self.low)):
            return f"is {'not above' if self.exclusive_min else 'below'} {self.low}"
        if self.high is not None and (number > self.high or (self.exclusive_max and number == self.high)):
            return f"is {'not below' if self.exclusive_max else 'above'} {self.high}"
        return None


def is_number(value: object) -> bool:
    """Whether this is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
