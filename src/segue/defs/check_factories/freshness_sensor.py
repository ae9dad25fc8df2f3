"""The sensor that runs checks of freshness when their last result is out of date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from segue.defs.assets_definition import AssetChecksDefinition
from segue.defs.check_factories.freshness import FRESH_UNTIL
from segue.defs.sensor import SensorDefinition
from segue.defs.sensor_context import SensorEvaluationContext
from segue.defs.superseded import warn_superseded
from segue.errors import SupersessionWarning, WrongDeclarationError
from segue.model.arguments import require_list
from segue.model.keys import AssetCheckKey
from segue.model.request import RunRequest
from segue.model.run import RunStatus
from segue.model.run_records import RunsFilter
from segue.model.selection import AssetSelection
from segue.model.stores import AssetState, CheckState
from segue.model.tick import DefaultSensorStatus, SkipReason

_ACTIVE = (RunStatus.QUEUED, RunStatus.NOT_STARTED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)


def build_sensor_for_freshness_checks(
    *,
    freshness_checks: Sequence[AssetChecksDefinition],
    minimum_interval_seconds: int | None = None,
    name: str = "freshness_checks_sensor",
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    tags: Mapping[str, object] | None = None,
) -> SensorDefinition:
    """A sensor that runs checks of freshness which never ran, or whose last result held only until a time that is past.

    A check that failed is run again when the asset was made since.

    Args:
        freshness_checks: what `build_last_update_freshness_checks` and `build_time_partition_freshness_checks` gave.
        minimum_interval_seconds: how long to wait between two looks, at least.
        name: unique among schedules and sensors.
        default_status: whether it runs before anyone has switched it on.
        tags: tags of its runs.

    Raises:
        InvalidDefinitionError: something that is not a definition of checks.
        WrongDeclarationError: one check twice, or no positive interval.
    """
    where = "build_sensor_for_freshness_checks"
    warn_superseded(where, "give the assets a FreshnessPolicy", SupersessionWarning)
    keys: list[AssetCheckKey] = []
    for each in require_list(where, "freshness_checks", freshness_checks):
        if not isinstance(each, AssetChecksDefinition):
            raise WrongDeclarationError(f"{where}: freshness_checks must be a list of asset checks, got {each!r}.")
        keys += sorted(each.check_keys)
    twice = sorted({key.to_user_string() for key in keys if keys.count(key) > 1})
    if twice:
        raise WrongDeclarationError(f"{where}: duplicate checks: {', '.join(twice)}.")
    if minimum_interval_seconds is not None and minimum_interval_seconds <= 0:
        raise WrongDeclarationError(
            f"{where}: minimum_interval_seconds must be 1 or more, got {minimum_interval_seconds}."
        )
    run_tags = {str(key): str(value) for key, value in (tags or {}).items()}

    def evaluate(context: SensorEvaluationContext) -> RunRequest | SkipReason:
        store = context.instance.store
        known, made = store.check_states(keys), store.asset_states([key.asset_key for key in keys])
        now = datetime.now(UTC).timestamp()
        due = [key for key in sorted(keys) if _is_due(known.get(key), made.get(key.asset_key), now)]
        runs = store.list_runs(RunsFilter(statuses=_ACTIVE), None, None) if due else ()
        running = {key for run in runs for key in run.asset_check_selection}
        wanted = [key for key in due if key not in running]
        if not wanted:
            return SkipReason("All results of these checks are still valid.")
        return RunRequest(asset_check_keys=wanted, tags=run_tags)

    return SensorDefinition(
        name=name,
        evaluation_fn=evaluate,
        minimum_interval_seconds=minimum_interval_seconds,
        description="Runs freshness checks whose last result has expired.",
        default_status=default_status,
        asset_selection=AssetSelection.checks(*keys),
    )


def _is_due(state: CheckState | None, made: AssetState | None, now: float) -> bool:
    """Whether a check is to run: it never did, passed until a time that is past, or failed before the asset was made."""
    if state is None:
        return True
    if not state.evaluation.passed:
        return made is not None and made.storage_id > state.storage_id
    until = state.evaluation.metadata.get(FRESH_UNTIL)
    limit = None if until is None else until.value
    return isinstance(limit, (int, float)) and limit < now
