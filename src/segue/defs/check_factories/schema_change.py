"""Checks that the columns of an asset are what they were one materialization before."""

from __future__ import annotations

from collections.abc import Sequence

from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.check_factories.building import checks_of_assets, materializations, require_severity
from segue.defs.context import AssetCheckExecutionContext
from segue.model.checks import AssetCheckResult, AssetCheckSeverity
from segue.model.keys import AssetKey
from segue.model.materialization import AssetMaterialization
from segue.model.table import TableColumn, TableSchema

COLUMN_SCHEMA_METADATA = "dagster/column_schema"


def build_column_schema_change_checks(
    *, assets: Sequence[object], severity: AssetCheckSeverity = AssetCheckSeverity.WARN
) -> Sequence[AssetChecksDefinition]:
    """Checks that columns were neither added nor removed, nor changed their type, since the materialization before.

    The columns are those of the metadata `dagster/column_schema`, a `TableSchema`. The order of columns does not count.

    Args:
        assets: the assets, by key or definition.
        severity: the severity of a failure.
    """
    where = "build_column_schema_change_checks"
    require_severity(where, severity)

    def judge(context: AssetCheckExecutionContext, key: AssetKey) -> AssetCheckResult:
        passed, description = compare(materializations(context.instance, key, 2))
        return AssetCheckResult(passed=passed, severity=severity, description=description)

    return checks_of_assets(
        where,
        assets,
        judge,
        step="column_schema_change_check",
        check_name="column_schema_change",
        description="Checks whether the columns have changed since the previous materialization.",
    )


def compare(made: Sequence[AssetMaterialization]) -> tuple[bool, str]:
    """Whether the last two materializations, newest first, have the same columns; and what is to be said."""
    if len(made) < 2:
        return True, "Nothing to compare: fewer than two materializations"
    new, old = _columns(made[0]), _columns(made[1])
    if new is None:
        return False, "The last materialization has no column schema"
    if old is None:
        return False, "The previous materialization has no column schema"
    lines: list[str] = []
    added = [name for name in new if name not in old]
    removed = [name for name in old if name not in new]
    changed = [
        f"  {name}: {old[name].type} -> {new[name].type}"
        for name in new
        if name in old and old[name].type != new[name].type
    ]
    if added:
        lines.append(f"Added: {', '.join(added)}")
    if removed:
        lines.append(f"Removed: {', '.join(removed)}")
    if changed:
        lines += ["Other types:", *changed]
    if lines:
        return False, "\n".join(["Columns changed since the previous materialization:", *lines])
    return True, "Columns have not changed"


def _columns(made: AssetMaterialization) -> dict[str, TableColumn] | None:
    found = made.metadata.get(COLUMN_SCHEMA_METADATA)
    schema = None if found is None else found.value
    return {column.name: column for column in schema.columns} if isinstance(schema, TableSchema) else None
