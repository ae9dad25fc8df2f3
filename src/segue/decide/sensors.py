"""Which sensors are to be asked now. Pure.

A polling sensor is asked again when its interval has passed since the last evaluation ended, later after each failure.
One that follows events is asked as soon as something happened that it waits for; its interval is the longest that it
waits when nothing did, so that nothing is missed. A sensor to which a payload was sent is asked at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.model.automation_nodes import SensorNode
from segue.model.event_type import EventType
from segue.model.instigator import InstigatorState
from segue.model.keys import AssetKey
from segue.model.payload import Payload
from segue.model.run import status_of_event
from segue.model.tick import SensorType

DEFAULT_INTERVAL = 30.0
LONGEST_BACKOFF = 300.0
PAYLOADS_AT_ONCE = 100
PAYLOAD_BYTES_AT_ONCE = 4 << 20
EVENT_DRIVEN = frozenset(
    {
        SensorType.ASSET,
        SensorType.MULTI_ASSET,
        SensorType.RUN_STATUS,
        SensorType.AUTOMATION,
        SensorType.AUTO_MATERIALIZE,
    }
)
RUN_ENDS = (EventType.RUN_SUCCESS, EventType.RUN_FAILURE, EventType.RUN_CANCELED)
ASSET_EVENTS = (
    EventType.ASSET_MATERIALIZATION,
    EventType.ASSET_OBSERVATION,
    EventType.ASSET_CHECK_EVALUATION,
    EventType.ASSET_WIPED,
)
WATCHED_EVENTS = (
    *ASSET_EVENTS,
    EventType.RUN_ENQUEUED,
    EventType.RUN_STARTING,
    EventType.RUN_START,
    EventType.RUN_SUSPENDED,
    EventType.RUN_CANCELING,
    *RUN_ENDS,
)
"""What sensors that follow events may wait for."""


class DueSensor(msgspec.Struct, frozen=True):
    """Whether a sensor is to be asked now; if not, when, in seconds since 1970, UTC."""

    is_due: bool
    next_at: float


class News(msgspec.Struct, frozen=True):
    """What happened: events of one kind, about an asset where they are about one."""

    kind: EventType
    asset: AssetKey | None = None


def waits_for(node: SensorNode, news: News) -> bool:
    """Whether a sensor that follows events waits for this."""
    if node.sensor_type is SensorType.RUN_STATUS:
        status = status_of_event(news.kind.value)
        return status is not None and node.watched_status in (None, status)
    if node.sensor_type in (SensorType.AUTOMATION, SensorType.AUTO_MATERIALIZE):
        return news.kind in ASSET_EVENTS or news.kind in RUN_ENDS
    if node.sensor_type not in EVENT_DRIVEN:
        return False
    if news.kind is not EventType.ASSET_MATERIALIZATION:
        return False
    return node.watched_assets is None or news.asset in node.watched_assets


def takes_payloads(node: SensorNode) -> bool:
    """Whether anything may be sent to a sensor: to one whose function looks at what it likes."""
    return node.sensor_type is SensorType.STANDARD


def payloads_of_tick(waiting: Sequence[Payload]) -> Sequence[Payload]:
    """How many of the payloads that wait one tick takes, the oldest first; the rest comes with the next."""
    size = 0
    for index, each in enumerate(waiting[:PAYLOADS_AT_ONCE]):
        size += len(each.text)
        if index and size > PAYLOAD_BYTES_AT_ONCE:
            return waiting[:index]
    return waiting[:PAYLOADS_AT_ONCE]


def due_sensor(
    node: SensorNode, state: InstigatorState, now: float, happened: bool, has_payloads: bool = False
) -> DueSensor:
    """Whether a running sensor is to be asked.

    Args:
        node: the sensor.
        state: what is recorded of it.
        now: seconds since 1970, UTC.
        happened: whether, since it was asked last, anything happened that it waits for.
        has_payloads: whether anything was sent to it that no tick has taken.
    """
    if state.last_tick_at is None:
        return DueSensor(True, now)
    interval = DEFAULT_INTERVAL if node.minimum_interval_seconds is None else float(node.minimum_interval_seconds)
    wait = interval
    if state.failures:
        wait = max(interval, min(interval * 2 ** min(state.failures, 10), LONGEST_BACKOFF))
    elif (happened and node.sensor_type in EVENT_DRIVEN) or (has_payloads and takes_payloads(node)):
        return DueSensor(True, now)
    # After the clock went back, the last evaluation lies ahead: nobody is to wait for the clock to catch up.
    next_at = min(state.last_tick_at, now) + wait
    return DueSensor(next_at <= now, next_at)
