"""How schedules and sensors stand in Dagster, and how they go on here. Nothing is read or written here."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, cast

import msgspec

from segue.migrate.source import InstigatorRow, RunRow
from segue.model.asset_cursor import AssetCursor, encode_cursors
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState, InstigatorStatus
from segue.model.keys import AssetKey
from segue.model.tags import SENSOR_NAME_TAG

_KINDS = {"SCHEDULE": InstigatorKind.SCHEDULE, "SENSOR": InstigatorKind.SENSOR}
_STATUSES = {"RUNNING": InstigatorStatus.RUNNING, "STOPPED": InstigatorStatus.STOPPED}
_RUN_KEY_TAG = "dagster/run_key"
_OF_THEIR_OWN = frozenset({"STANDARD", "UNKNOWN"})  # types of sensors whose cursor is the user's own text


class Standing(msgspec.Struct, frozen=True):
    """A schedule or sensor as Dagster has it.

    Attributes:
        location: the code location, by Dagster's name.
        kind, name: which one.
        status: how it was switched; DECLARED where it was not.
        sensor_type: of a sensor: Dagster's name of its type.
        cursor: of a sensor: what its next evaluation goes on from.
    """

    location: str
    kind: InstigatorKind
    name: str
    status: InstigatorStatus
    sensor_type: str = "STANDARD"
    cursor: str | None = None

    @property
    def says_anything(self) -> bool:
        """Whether it stands otherwise than its code declares."""
        return self.status is not InstigatorStatus.DECLARED or self.cursor is not None

    def __str__(self) -> str:
        return f"the {self.kind.value} {self.name}"


def standing_of(row: InstigatorRow) -> Standing:
    """What a row says of a schedule or sensor."""
    body: Mapping[str, Any] = json.loads(row.body)
    state: Mapping[str, Any] = body.get("job_specific_data") or body.get("instigator_data") or {}
    origin: Mapping[str, Any] = body["origin"]
    written: Mapping[str, str] = state.get("sensor_type") or {}
    return Standing(
        location=location_of(origin) or "",
        kind=_KINDS[row.kind],
        name=origin.get("job_name") or origin["instigator_name"],
        status=_STATUSES.get(row.status, InstigatorStatus.DECLARED),
        sensor_type=written.get("__enum__", "SensorType.STANDARD").rpartition(".")[2],
        cursor=state.get("cursor"),
    )


def location_of(origin: object) -> str | None:
    """The name of the code location that an origin lies in, however deep it stands there."""
    if not isinstance(origin, dict):
        return None
    values = cast("Mapping[str, object]", origin)
    name = values.get("location_name")
    if isinstance(name, str):
        return name
    return next((found for each in values.values() if (found := location_of(each)) is not None), None)


def run_key_of(row: RunRow) -> tuple[str, str, str] | None:
    """By which key which sensor asked for a run: code location ("" where the run does not say), sensor and key."""
    body: Mapping[str, Any] = json.loads(row.body)
    tags: Mapping[str, str] = body.get("tags") or {}
    sensor, key = tags.get(SENSOR_NAME_TAG), tags.get(_RUN_KEY_TAG)
    if sensor is None or key is None:
        return None
    origins = ("external_pipeline_origin", "external_job_origin", "remote_job_origin")
    found = (location_of(body.get(each)) for each in origins)
    return next((each for each in found if each is not None), ""), sensor, key


def place_here(location: str, known: Sequence[str]) -> str | None:
    """Which of the code locations here is the one of that name in Dagster, where one that a file makes bears its ending."""
    for name in (location, PurePath(location).stem if location.endswith(".py") else location):
        if name in known:
            return name
    return known[0] if len(known) == 1 else None


class Change(msgspec.Struct, frozen=True):
    """What is written of a schedule or sensor.

    Attributes:
        which: the one.
        status: how it is switched; None where it stays.
        cursor: what its next evaluation goes on from; None where that stays.
        left: what to say where it does not go on from where it stood.
    """

    which: InstigatorId
    status: InstigatorStatus | None
    cursor: str | None
    left: str | None

    @property
    def is_any(self) -> bool:
        """Whether anything is written."""
        return self.status is not None or self.cursor is not None


def change_of(standing: Standing, state: InstigatorState, newest: int) -> Change:
    """What is written of a schedule or sensor: what somebody has said here already stays.

    What a sensor over assets keeps is a place in Dagster's event log. It goes on from the newest place here, so that what it has
    answered there is not answered again.

    Args:
        standing: how it stands in Dagster.
        state: how it stands here.
        newest: the newest place in the log here, after everything was moved.
    """
    is_new = state.status is InstigatorStatus.DECLARED and standing.status is not InstigatorStatus.DECLARED
    status = standing.status if is_new else None
    if standing.cursor is None or state.cursor is not None:
        return Change(state.id, status, None, None)
    if standing.sensor_type in _OF_THEIR_OWN:
        return Change(state.id, status, standing.cursor, None)
    if standing.sensor_type in ("ASSET", "MULTI_ASSET"):
        left = f"the cursor of {standing}: it continues with what is materialized from now on"
        return Change(state.id, status, _newest_place(standing.sensor_type, standing.cursor, newest), left)
    return Change(state.id, status, None, f"the cursor of {standing}: it continues with what happens once it runs here")


def _newest_place(sensor_type: str, cursor: str, newest: int) -> str:
    if sensor_type == "ASSET":
        return str(newest)
    seen = [AssetKey(ast.literal_eval(name.removeprefix("AssetKey"))) for name in json.loads(cursor)]
    return encode_cursors({key: AssetCursor(storage_id=newest) for key in seen})


def sensor_here(location: str, name: str, known: Sequence[str]) -> InstigatorId | None:
    """The sensor here for the names of a code location and a sensor in Dagster."""
    place = place_here(location, known)
    return None if place is None else InstigatorId(place, InstigatorKind.SENSOR, name)
