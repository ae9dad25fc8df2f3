"""Values of classes of users, written by `serialize_value`."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

import segue as sg
from segue.compat.record import record
from segue.compat.serdes import whitelist_for_serdes


@whitelist_for_serdes
@dataclasses.dataclass
class Stop:
    name: str
    after: Stop | None = None


@whitelist_for_serdes
class Line(NamedTuple):
    number: int
    stops: Mapping[str, Stop]


@whitelist_for_serdes
@record
class Timetable:
    asset: sg.AssetKey
    lines: Sequence[Line] = []


@whitelist_for_serdes
class Weather(enum.Enum):
    SUN = "s"
    RAIN = "r"


@whitelist_for_serdes
class Fare(BaseModel):
    cents: int


@whitelist_for_serdes(storage_name="Bus", old_storage_names={"Coach"}, storage_field_names={"seats": "places"})
@dataclasses.dataclass
class Vehicle:
    seats: int = 0


@pytest.mark.parametrize(
    "value",
    [
        Stop("a", Stop("b")),
        Line(4, {"a": Stop("a")}),
        Timetable(asset=sg.AssetKey("t"), lines=[Line(1, {})]),
        [Weather.SUN, Weather.RAIN],
        Fare(cents=250),
        Vehicle(40),
        {"__class__": "Stop"},
        {"__enum__": "Weather.SUN"},
    ],
)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert sg.deserialize_value(sg.serialize_value(value)) == value


def test_a_text_names_the_class_and_its_fields() -> None:
    assert json.loads(sg.serialize_value(Stop("a"))) == {"__class__": "Stop", "name": "a", "after": None}
    assert json.loads(sg.serialize_value(Weather.SUN)) == {"__enum__": "Weather.SUN"}
    assert json.loads(sg.serialize_value(Vehicle(3))) == {"__class__": "Bus", "places": 3}


def test_what_another_version_of_a_class_wrote_is_read() -> None:
    assert sg.deserialize_value('{"__class__": "Coach", "places": 9, "wheels": 6}', Vehicle) == Vehicle(9)
    assert sg.deserialize_value('{"__class__": "Bus"}') == Vehicle(0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"__class__": "Tram"}', "'Tram', which is not decorated"),
        ('{"__class__": "Stop"}', "'name'"),
        ('{"__enum__": "Weather.SNOW"}', "SNOW"),
        ('{"__enum__": 1}', "not written by serialize_value"),
    ],
)
def test_a_text_that_no_class_fits_is_refused(text: str, said: str) -> None:
    with pytest.raises(sg.InvalidInvocationError, match=said):
        sg.deserialize_value(text)


def test_a_class_that_cannot_be_written_is_refused() -> None:
    class Plain:
        pass

    @dataclasses.dataclass
    class Undecorated:
        seats: int

    @dataclasses.dataclass
    class Other:
        seats: int

    with pytest.raises(sg.InvalidDefinitionError, match="Plain"):
        whitelist_for_serdes(Plain)
    with pytest.raises(sg.InvalidDefinitionError, match=r"'Bus' of .*Other already stands for .*Vehicle"):
        whitelist_for_serdes(storage_name="Bus")(Other)
    with pytest.raises(sg.InvalidDefinitionError, match=r"'rows', not found .*: seats"):
        whitelist_for_serdes(storage_field_names={"rows": "r"})(Other)
    with pytest.raises(sg.InvalidInvocationError, match="@whitelist_for_serdes"):
        sg.serialize_value(Undecorated(1))


def test_records_do_not_share_the_default_of_a_field() -> None:
    @record
    class Bag:
        things: list[Any] = []

    one, two = Bag(), Bag()
    one.things.append(1)
    assert (one.things, two.things) == ([1], [])
