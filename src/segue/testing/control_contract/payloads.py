"""Rules about what is sent to sensors."""

from __future__ import annotations

import msgspec
import pytest

from segue.errors import LeaseLostError
from segue.model.control_stores import LoopLease
from segue.model.payload import Payload
from segue.model.tick_record import TickCommit
from segue.testing.control_contract.builders import SENSOR, Stores, sensor_tick, wanted

OTHER = msgspec.structs.replace(SENSOR, name="other")


def a_payload_waits_for_its_sensor(stores: Stores) -> None:
    assert stores.control.sensors_with_payloads() == []
    sent = [stores.control.send_payload(SENSOR, text, 5.0) for text in ('{"a": "ä"}', "[1]", "null")]
    assert stores.control.payloads(SENSOR, 2) == sent[:2]
    assert sent[0] == Payload(sent[0].number, 5.0, '{"a": "ä"}')
    assert stores.control.sensors_with_payloads() == [SENSOR]
    assert stores.control.payloads(OTHER, 10) == []
    assert stores.control.instigator_state(SENSOR).last_tick_at is None


def a_tick_takes_the_payloads_it_names(stores: Stores) -> None:
    first, second = (stores.control.send_payload(SENSOR, text, 5.0) for text in "12")
    stores.control.commit_ticks([_taking(first.number, run_id="a")])
    assert stores.control.payloads(SENSOR, 10) == [second]
    (entry,) = stores.control.ticks(SENSOR, 10)
    assert entry.tick.payloads == (first.number,)
    stores.control.commit_ticks([_taking(first.number, second.number, run_id="b")])  # one was discarded meanwhile
    assert stores.control.sensors_with_payloads() == []


def a_tick_that_is_not_written_takes_nothing(stores: Stores) -> None:
    sent = stores.control.send_payload(SENSOR, "1", 5.0)
    with pytest.raises(LeaseLostError):
        stores.control.commit_ticks([_taking(sent.number, run_id="a")], LoopLease("loop/sensors", 1))
    assert stores.control.payloads(SENSOR, 10) == [sent]


def payloads_of_another_sensor_stay(stores: Stores) -> None:
    sent = stores.control.send_payload(OTHER, "1", 5.0)
    stores.control.commit_ticks([_taking(sent.number, run_id="a")])
    assert stores.control.payloads(OTHER, 10) == [sent]
    assert stores.control.discard_payloads(SENSOR, [sent.number]) == 0
    assert stores.control.discard_payloads(SENSOR) == 0
    assert stores.control.payloads(OTHER, 10) == [sent]


def payloads_are_discarded(stores: Stores) -> None:
    numbers = [stores.control.send_payload(SENSOR, "1", 5.0).number for _ in range(4)]
    assert stores.control.discard_payloads(SENSOR, [numbers[1], numbers[1], 999]) == 1
    assert [each.number for each in stores.control.payloads(SENSOR, 10)] == [numbers[0], *numbers[2:]]
    assert stores.control.discard_payloads(SENSOR) == 3
    assert stores.control.send_payload(SENSOR, "1", 5.0).number > numbers[-1]  # no number is given twice


def _taking(*numbers: int, run_id: str) -> TickCommit:
    commit = sensor_tick(10.0, wanted(run_id))
    return msgspec.structs.replace(commit, tick=msgspec.structs.replace(commit.tick, payloads=numbers))


RULES = (
    a_payload_waits_for_its_sensor,
    a_tick_takes_the_payloads_it_names,
    a_tick_that_is_not_written_takes_nothing,
    payloads_of_another_sensor_stay,
    payloads_are_discarded,
)
