"""The sensor that evaluates automation conditions, as it is declared."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from segue.defs.sensor import SensorDefinition
from segue.defs.sensor_context import SensorEvaluationContext
from segue.errors import InvalidDefinitionError, NotSupportedError
from segue.model.condition_argument import optional_condition
from segue.model.keys import AssetJobKey
from segue.model.request import run_tags as tags_of_runs
from segue.model.selection import CoercibleToAssetSelection
from segue.model.tick import DefaultSensorStatus, SensorTick, SensorType

ASSET_JOB_KEYS_METADATA = "dagster/asset_job_keys"
EMIT_BACKFILLS_METADATA = "dagster/emit_backfills"


class AutomationConditionSensorDefinition(SensorDefinition):
    """Says which assets' automation conditions are evaluated together, how often, and how their runs are tagged.

    Args:
        name: unique among schedules and sensors.
        target: the assets and checks.
        tags: tags of the sensor itself.
        run_tags: tags of the runs it starts.
        default_status: whether it runs before anyone has switched it on.
        minimum_interval_seconds: how long to wait between two evaluations, at least; 30 seconds when None.
        description, metadata: for people.
        emit_backfills: whether several partitions of one asset are requested as a backfill, rather than as separate
            runs.
        use_user_code_server: whether conditions are evaluated in the process with the user's code.
        default_condition: the condition of assets that have none; with `use_user_code_server`.
        asset_job_keys: the jobs whose conditions are evaluated too.

    Raises:
        InvalidDefinitionError: a bad name, or a `default_condition` without `use_user_code_server`.
    """

    def __init__(
        self,
        name: str,
        *,
        target: CoercibleToAssetSelection,
        tags: Mapping[str, Any] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        minimum_interval_seconds: int | None = None,
        description: str | None = None,
        metadata: Mapping[str, object] | None = None,
        emit_backfills: bool = True,
        use_user_code_server: bool = False,
        default_condition: object = None,
        asset_job_keys: Set[AssetJobKey] | None = None,
    ) -> None:
        super().__init__(
            name=name,
            evaluation_fn=_evaluated_elsewhere,
            minimum_interval_seconds=minimum_interval_seconds or None,
            description=description,
            default_status=default_status,
            asset_selection=target,
            tags=tags,
            metadata={
                **(metadata or {}),
                **({EMIT_BACKFILLS_METADATA: True} if emit_backfills else {}),
                **({ASSET_JOB_KEYS_METADATA: sorted(key.job_name for key in asset_job_keys)} if asset_job_keys else {}),
            },
        )
        if default_condition is not None and not use_user_code_server:
            raise InvalidDefinitionError(
                f"sensor {name!r}: default_condition requires use_user_code_server=True, because it is only available in "
                "user code."
            )
        self.run_tags: Mapping[str, str] = tags_of_runs(run_tags)
        self.emit_backfills = emit_backfills
        self.use_user_code_server = use_user_code_server
        self.default_condition = optional_condition(f"sensor {name!r}", default_condition)
        self.asset_job_keys: frozenset[AssetJobKey] = frozenset(asset_job_keys or ())

    @property
    def sensor_type(self) -> SensorType:
        """Where its conditions are evaluated."""
        return SensorType.AUTOMATION if self.use_user_code_server else SensorType.AUTO_MATERIALIZE

    def evaluate_tick(self, context: SensorEvaluationContext) -> SensorTick:
        """Raises NotSupportedError: conditions are evaluated with the state of all assets."""
        raise _not_a_function(self.name)


def _evaluated_elsewhere() -> None:
    raise _not_a_function("automation")


def _not_a_function(name: str) -> NotSupportedError:
    return NotSupportedError(
        f"The sensor {name!r} evaluates automation conditions and has no function to call: use "
        "evaluate_automation_conditions(defs, instance)."
    )
