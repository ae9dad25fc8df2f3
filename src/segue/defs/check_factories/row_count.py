"""Checks of how many rows an asset holds: by what its materialization says, or by the value that is stored."""

from __future__ import annotations

from collections.abc import Sequence, Sized

from segue.defs.asset_check import asset_check
from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.check_factories.building import asset_keys, checks_of_assets, materializations, require_severity
from segue.defs.check_factories.metadata_bounds import Bounds, is_number
from segue.defs.context import AssetCheckExecutionContext
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.checks import AssetCheckResult, AssetCheckSeverity
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization

ROW_COUNT = "dagster/row_count"
PARTITION_ROW_COUNT = "dagster/partition_row_count"
ROW_CHANGE = "dagster/row_count_change"


def build_row_count_checks(
    *,
    assets: Sequence[object],
    min_rows: int | None = None,
    max_rows: int | None = None,
    max_decrease: float | None = None,
    max_increase: float | None = None,
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
    blocking: bool = False,
) -> Sequence[AssetChecksDefinition]:
    """Checks how many rows the last materialization says there are, and how far that is from the one before.

    The count is the metadata `dagster/row_count` (or `dagster/partition_row_count`). A materialization without it fails
    the check: a count that nobody reported proves nothing.

    Args:
        assets: the assets, by key or definition.
        min_rows, max_rows: the bounds, both allowed themselves.
        max_decrease, max_increase: how much the count may fall or rise since the materialization before, as a part of that
            count: 0.5 for by half. Nothing is compared with a first materialization, nor with one that had no rows.
        severity: the severity of a failure.
        blocking: whether a failure of severity ERROR keeps downstream assets from being materialized.

    Raises:
        InvalidDefinitionError: no limit at all.
        WrongDeclarationError: an invalid limit.
    """
    where = "build_row_count_checks"
    require_severity(where, severity)
    changes = {"max_decrease": max_decrease, "max_increase": max_increase}
    for name, limit in changes.items():
        if limit is not None and (not is_number(limit) or limit < 0):
            raise WrongDeclarationError(
                f"{where}: {name} must be a number of at least 0 (0.5 means half), got {limit!r}."
            )
    has_bounds = min_rows is not None or max_rows is not None
    if not has_bounds and max_decrease is None and max_increase is None:
        raise InvalidDefinitionError(
            f"{where}: no limit was provided: set min_rows, max_rows, max_decrease or max_increase."
        )
    bounds = Bounds(where, min_rows, max_rows) if has_bounds else None

    def judge(context: AssetCheckExecutionContext, key: AssetKey) -> AssetCheckResult:
        made = materializations(context.instance, key, 2)
        if not made:
            return AssetCheckResult(
                passed=False, severity=severity, description="The asset has never been materialized."
            )
        count = rows_of(made[0])
        if count is None:
            return AssetCheckResult(passed=False, severity=severity, description=_NO_COUNT)
        before = rows_of(made[1]) if len(made) > 1 else None
        change = None if not before else (count - before) / before
        problems = _problems(bounds, count, change, max_decrease, max_increase)
        metadata: dict[str, object] = {ROW_COUNT: count}
        if change is not None:
            metadata[ROW_CHANGE] = change
        description = "; ".join(problems) or f"{count} rows"
        return AssetCheckResult(passed=not problems, severity=severity, metadata=metadata, description=description)

    return checks_of_assets(
        where,
        assets,
        judge,
        step="row_count_check",
        check_name="row_count",
        description="Checks the row count of the last materialization.",
        blocking=blocking,
    )


def build_non_empty_checks(
    *,
    assets: Sequence[object],
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
    blocking: bool = False,
) -> Sequence[AssetChecksDefinition]:
    """Checks that the stored value of each asset is not empty: what it says of itself is not asked.

    The value is loaded by the asset's IO manager. None is empty; a table, a list or a text is empty without rows,
    elements or characters; so is what several partitions hold where each of them is.

    Args:
        assets: the assets, by key or definition.
        severity: the severity of a failure.
        blocking: whether a failure of severity ERROR keeps downstream assets from being materialized.
    """
    where = "build_non_empty_checks"
    require_severity(where, severity)

    def check_of(key: AssetKey) -> AssetChecksDefinition:
        @asset_check(
            asset=key, name="not_empty", description="Checks that the stored value is not empty.", blocking=blocking
        )
        def not_empty(value: object) -> AssetCheckResult:
            count = size_of(value)
            if count is None:
                description = (
                    f"A {type(value).__name__} has no size: this check requires a table, a list or another sized value."
                )
                return AssetCheckResult(passed=False, severity=severity, description=description)
            description = f"{count} rows or elements" if count else "The stored value is empty."
            return AssetCheckResult(
                passed=count > 0, severity=severity, description=description, metadata={ROW_COUNT: count}
            )

        return not_empty

    return [check_of(key) for key in asset_keys(where, assets)]


def rows_of(made: AssetMaterialization) -> int | float | None:
    """The row count that a materialization names."""
    for name in (ROW_COUNT, PARTITION_ROW_COUNT):
        found = made.metadata.get(name)
        value = None if found is None else found.value
        if isinstance(value, (int, float)) and is_number(value):
            return value
    return None


def size_of(value: object) -> int | None:
    """How many rows or elements a value has; None where it has none of these."""
    if value is None:
        return 0
    rows = getattr(value, "num_rows", None)  # of pyarrow's tables
    if isinstance(rows, int):
        return rows
    if isinstance(value, dict):
        parts: list[object] = list(value.values())  # pyright: ignore[reportUnknownArgumentType] reason: the value is the user's
        if all(each is None or isinstance(each, Sized) for each in parts):
            return sum(size_of(each) or 0 for each in parts)
        return len(parts)
    return len(value) if isinstance(value, Sized) else None


def _problems(
    bounds: Bounds | None,
    count: float,
    change: float | None,
    max_decrease: float | None,
    max_increase: float | None,
) -> list[str]:
    """What is wrong with a count, in words."""
    found: list[str] = []
    violation = None if bounds is None else bounds.violation(count)
    if violation is not None:
        found.append(f"Row count {count} {violation}")
    if change is not None and max_decrease is not None and -change > max_decrease:
        found.append(f"Row count fell by {-change:.1%}, to {count}; the maximum decrease is {max_decrease:.1%}")
    if change is not None and max_increase is not None and change > max_increase:
        found.append(f"Row count rose by {change:.1%}, to {count}; the maximum increase is {max_increase:.1%}")
    return found


_NO_COUNT = (
    f"The last materialization has no row count: report the metadata `{ROW_COUNT}`, or use build_non_empty_checks, which "
    "checks the stored value."
)
