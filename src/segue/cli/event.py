"""`segue event`: send payloads to sensors; list and discard those that wait."""

from __future__ import annotations

import sys
import time

import click
import msgspec

from segue.cli.control import confirm, find_instigator, open_plane
from segue.cli.options import home_option, json_option, location_option, settings_in_force
from segue.cli.output import count, moment, print_json, print_table, stdout_for_json
from segue.decide.sensors import takes_payloads
from segue.errors import InvalidInvocationError
from segue.model.automation_nodes import SensorNode
from segue.model.instigator import InstigatorKind
from segue.model.payload import payload_text, payload_value

KIND = InstigatorKind.SENSOR
_SHOWN = 60


class SentDocument(msgspec.Struct, frozen=True):
    """A payload that was sent; a sensor that does not run takes it once it is started."""

    sensor: str
    location: str
    number: int
    is_running: bool


class WaitingDocument(msgspec.Struct, frozen=True):
    """A payload that waits."""

    number: int
    sent_at: float
    payload: object


@click.group("event")
def event() -> None:
    """Send payloads to a sensor; list or discard those that wait."""


@event.command()
@click.argument("sensor", metavar="SENSOR")
@click.argument("payload", metavar="PAYLOAD", default="null")
@location_option
@home_option
@json_option
def send(sensor: str, payload: str, location: str | None, home: str | None, as_json: bool) -> None:
    """Send PAYLOAD, a JSON value, to SENSOR, which is then evaluated at once; `-` reads it from standard input.

    The sensor gets it in context.payloads. It is kept until a successful tick has consumed it, and is consumed once.
    """
    text = payload_text(sys.stdin.buffer.read() if payload == "-" else payload)
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = find_instigator(plane, KIND, sensor, location)
        assert isinstance(found.node, SensorNode)
        if not takes_payloads(found.node):
            raise InvalidInvocationError(
                f"The sensor {sensor!r} follows events of Segue and cannot take a payload. Send it to a sensor "
                "declared with @sensor."
            )
        kept = plane.control.send_payload(found.state.id, text, time.time())
        document = SentDocument(sensor, found.location.name, kept.number, found.is_running)
    if as_json:
        print_json(document)
        return
    when = "" if document.is_running else f"; the sensor is stopped, and takes it after 'segue sensor start {sensor}'"
    click.echo(f"Sent payload {document.number} to the sensor {sensor}{when}.")


@event.command("list")
@click.argument("sensor", metavar="SENSOR")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of entries.")
@location_option
@home_option
@json_option
def list_payloads(sensor: str, limit: int, location: str | None, home: str | None, as_json: bool) -> None:
    """List the payloads that wait for SENSOR, oldest first.

    With --json: {"payloads": [...]}.
    """
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = find_instigator(plane, KIND, sensor, location)
        waiting = plane.control.payloads(found.state.id, limit)
    if as_json:
        documents = [WaitingDocument(each.number, each.sent_at, payload_value(each.text)) for each in waiting]
        print_json({"payloads": documents})
        return
    rows = [
        (
            str(each.number),
            moment(each.sent_at),
            each.text if len(each.text) <= _SHOWN else f"{each.text[: _SHOWN - 3]}...",
        )
        for each in waiting
    ]
    print_table(("NUMBER", "SENT", "PAYLOAD"), rows, empty="No payloads wait.")


@event.command()
@click.argument("sensor", metavar="SENSOR")
@click.argument("numbers", metavar="[NUMBER]...", type=int, nargs=-1)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@location_option
@home_option
@json_option
def discard(
    sensor: str, numbers: tuple[int, ...], yes: bool, location: str | None, home: str | None, as_json: bool
) -> None:
    """Discard all payloads that wait for SENSOR, or only those with these numbers."""
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = find_instigator(plane, KIND, sensor, location)
        if not numbers:
            confirm(f"All payloads waiting for the sensor {sensor} will be lost. Discard them?", yes=yes)
        discarded = plane.control.discard_payloads(found.state.id, numbers or None)
    if as_json:
        print_json({"sensor": sensor, "location": found.location.name, "discarded": discarded})
    else:
        click.echo(f"{count(discarded, 'payload')} discarded.")
