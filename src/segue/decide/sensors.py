"""Which sensors are to be asked now. Pure.

A polling sensor is asked again when its interval has passed since the last evaluation ended, later after each failure.
One that follows events is asked as soon as something happened that it may want to know of; its interval is the longest
that it waits when nothing did, so that nothing is missed.
"""

from __future__ import annotations

import msgspec

from segue.model.automation_nodes import SensorNode
from segue.model.instigator import InstigatorState
from segue.model.tick import SensorType

DEFAULT_INTERVAL = 30.0
LONGEST_BACKOFF = 300.0
EVENT_DRIVEN = frozenset(
    {
        SensorType.ASSET,
        SensorType.MULTI_ASSET,
        SensorType.RUN_STATUS,
        SensorType.AUTOMATION,
        SensorType.AUTO_MATERIALIZE,
    }
)


class DueSensor(msgspec.Struct, frozen=True):
    """Whether a sensor is to be asked now; if not, when, in seconds since 1970, UTC."""

    is_due: bool
    next_at: float


def due_sensor(node: SensorNode, state: InstigatorState, now: float, happened: bool) -> DueSensor:
    """Whether a running sensor is to be asked.

    Args:
        node: the sensor.
        state: what is recorded of it.
        now: seconds since 1970, UTC.
        happened: whether, since it was asked last, anything happened that it may want to know of.
    """
    if state.last_tick_at is None:
        return DueSensor(True, now)
    interval = DEFAULT_INTERVAL if node.minimum_interval_seconds is None else float(node.minimum_interval_seconds)
    wait = interval
    if state.failures:
        wait = max(interval, min(interval * 2**state.failures, LONGEST_BACKOFF))
    elif happened and node.sensor_type in EVENT_DRIVEN:
        return DueSensor(True, now)
    # After the clock went back, the last evaluation lies ahead: nobody is to wait for the clock to catch up.
    next_at = min(state.last_tick_at, now) + wait
    return DueSensor(next_at <= now, next_at)
