"""The loop over sensors: what was sent to one is taken by a tick, once."""

from __future__ import annotations

from collections.abc import Iterator

from plane import NOON, Plane

import segue as sg
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorStatus
from segue.model.tick_record import TickStatus


@sg.asset
def table() -> None: ...


job = sg.define_asset_job("job", [table])
PUSHED = InstigatorId("main", InstigatorKind.SENSOR, "sensor")


def of_payloads(context: sg.SensorEvaluationContext) -> Iterator[sg.RunRequest]:
    for each in context.payloads:
        if each == "poison":
            raise ValueError("cannot read this")
        yield sg.RunRequest(tags={"payload": str(each)})


def plane(minimum_interval_seconds: int | None = None) -> Plane:
    sensor = sg.SensorDefinition(
        name="sensor",
        evaluation_fn=of_payloads,
        job=job,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=sg.DefaultSensorStatus.RUNNING,
    )
    return Plane(sg.Definitions(assets=[table], jobs=[job], sensors=[sensor]))


def payloads_seen(made: Plane) -> list[str]:
    return [run.tags["payload"] for run in made.runs()]


def test_a_sensor_is_asked_at_once_with_what_was_sent_to_it_and_once() -> None:
    made = plane(3600)
    made.ask_sensors(NOON)
    for text in ('{"file":"a.csv"}', "2"):
        made.control.send_payload(PUSHED, text, NOON + 1)
    made.ask_sensors(NOON + 1)
    assert payloads_seen(made) == ["{'file': 'a.csv'}", "2"]
    assert len(made.sensor_ticks("sensor")[-1].payloads) == 2
    for second in (2, 3):
        made.ask_sensors(NOON + second)
    assert (len(made.location.asked), made.control.sensors_with_payloads()) == (2, [])


def test_what_is_sent_while_a_sensor_is_asked_comes_with_the_next_tick() -> None:
    made = plane(3600)
    made.control.send_payload(PUSHED, "1", NOON)
    made.sensors.round(made.turn(NOON))
    made.control.send_payload(PUSHED, "2", NOON)
    made.location.settle()
    made.ask_sensors(NOON)
    assert payloads_seen(made) == ["1", "2"]
    assert len(made.location.asked) == 2


def test_a_tick_that_fails_takes_nothing_and_the_sensor_waits_before_it_is_asked_again() -> None:
    made = plane(10)
    sent = made.control.send_payload(PUSHED, '"poison"', NOON)
    made.control.send_payload(PUSHED, "1", NOON)
    for second in (0, 1, 2):
        made.ask_sensors(NOON + second)
    assert made.statuses("sensor") == [TickStatus.FAILURE]
    assert [tick.payloads for tick in made.sensor_ticks("sensor")] == [()]
    made.control.discard_payloads(PUSHED, [sent.number])
    made.ask_sensors(NOON + 30)
    assert payloads_seen(made) == ["1"]


def test_more_than_one_tick_takes_comes_with_the_next_ones_at_once() -> None:
    made = plane(3600)
    for number in range(250):
        made.control.send_payload(PUSHED, str(number), NOON)
    for _ in range(4):
        made.ask_sensors(NOON)
    assert payloads_seen(made) == [str(number) for number in range(250)]
    assert [len(tick.payloads) for tick in made.sensor_ticks("sensor")] == [100, 100, 50]


def test_a_stopped_sensor_finds_what_was_sent_when_it_is_started() -> None:
    made = plane()
    made.switch("sensor", InstigatorStatus.STOPPED, NOON, InstigatorKind.SENSOR)
    made.control.send_payload(PUSHED, "1", NOON)
    made.ask_sensors(NOON)
    assert made.location.asked == []
    made.switch("sensor", InstigatorStatus.RUNNING, NOON + 1, InstigatorKind.SENSOR)
    made.ask_sensors(NOON + 1)
    assert payloads_seen(made) == ["1"]
