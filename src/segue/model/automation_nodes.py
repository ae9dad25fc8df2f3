"""Schedules and sensors in the manifest: when something starts, as data."""

from __future__ import annotations

import msgspec

from segue.model.keys import AssetKey
from segue.model.metadata import AnyMetadataValue
from segue.model.run import RunStatus
from segue.model.tick import CatchUp, SensorType

DEFAULT_AUTOMATION_SENSOR = "default_automation_condition_sensor"
"""The sensor over those automation conditions that no declared one evaluates."""


class ScheduleNode(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One schedule.

    Attributes:
        name: unique among schedules and sensors.
        cron_schedules: it ticks whenever one of these lines does.
        job_name: what it starts.
        execution_timezone: the time zone of the cron schedules; None means UTC.
        runs_by_default: whether it runs before anyone has switched it on.
        resource_keys: the resources its functions take.
        tags: of its runs.
        run_config: of its runs, for one that is static.
        is_static: whether it always asks for the same run, so that no user code is needed to decide a tick.
        catch_up: what becomes of times that passed while no control plane ran; None for what the deployment says.
        description, metadata, owners: for people.
    """

    name: str
    cron_schedules: tuple[str, ...]
    job_name: str
    execution_timezone: str | None = None
    runs_by_default: bool = False
    resource_keys: tuple[str, ...] = ()
    description: str | None = None
    tags: dict[str, str] = {}
    run_config: dict[str, object] = {}
    is_static: bool = False
    catch_up: CatchUp | None = None
    metadata: dict[str, AnyMetadataValue] = {}
    owners: tuple[str, ...] = ()


class SensorNode(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One sensor.

    Attributes:
        name: unique among schedules and sensors.
        sensor_type: what it looks at.
        job_names: the jobs it may start.
        asset_selection: the assets it may start runs of, for one without jobs.
        watched_assets: the assets whose materializations it waits for; None for one that looks at others, or at anything.
        watched_status: the status of runs that it waits for.
        minimum_interval_seconds: how long to wait between two evaluations, at least.
        runs_by_default: whether it runs before anyone has switched it on.
        resource_keys: the resources its function takes.
        description, tags, metadata, owners: for people.
    """

    name: str
    sensor_type: SensorType = SensorType.STANDARD
    job_names: tuple[str, ...] = ()
    asset_selection: tuple[AssetKey, ...] | None = None
    watched_assets: tuple[AssetKey, ...] | None = None
    watched_status: RunStatus | None = None
    minimum_interval_seconds: int | None = None
    runs_by_default: bool = False
    resource_keys: tuple[str, ...] = ()
    description: str | None = None
    tags: dict[str, str] = {}
    metadata: dict[str, AnyMetadataValue] = {}
    owners: tuple[str, ...] = ()
