"""`segue sensor`: list, start, stop and preview sensors."""

from __future__ import annotations

import time

import click
import msgspec

from segue.cli.control import Found, Plane, confirm, find_instigator, instigators, open_plane, settings_of_instigator
from segue.cli.options import CodeOptions, code_options, home_option, json_option, location_option, settings_in_force
from segue.cli.output import moment, print_json, print_table, stdout_for_json
from segue.cli.tick_documents import TickDocument, preview_document, print_preview, print_ticks, tick_document
from segue.decide.sensors import DEFAULT_INTERVAL, EVENT_DRIVEN, PAYLOADS_AT_ONCE, payloads_of_tick
from segue.model.automation_nodes import SensorNode
from segue.model.instigator import InstigatorKind, InstigatorStatus
from segue.model.tick_task import TickTask

KIND = InstigatorKind.SENSOR


class SensorDocument(msgspec.Struct, frozen=True):
    """A sensor; one that follows events is asked when they happen, and after `interval` seconds at the latest."""

    sensor: str
    location: str
    type: str
    jobs: tuple[str, ...]
    interval: float
    follows_events: bool
    is_running: bool
    cursor: str | None
    failures: int
    last_tick: TickDocument | None


@click.group("sensor")
def sensor() -> None:
    """List, start, stop and preview sensors."""


@sensor.command("list")
@home_option
@json_option
def list_sensors(home: str | None, as_json: bool) -> None:
    """List the sensors of all code locations.

    With --json: {"sensors": [...]}.
    """
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = [_document(plane, each) for each in instigators(plane, KIND)]
    if as_json:
        print_json({"sensors": found})
        return
    rows = [
        (
            each.sensor,
            each.location,
            "events" if each.follows_events else f"every {each.interval:g} s",
            "running" if each.is_running else "stopped",
            "" if each.last_tick is None else f"{each.last_tick.status} {moment(each.last_tick.ended_at)}",
            each.cursor or "",
        )
        for each in found
    ]
    print_table(("SENSOR", "LOCATION", "ASKED", "STATUS", "LAST TICK", "CURSOR"), rows, empty="No sensors.")


@sensor.command()
@click.argument("name", metavar="NAME")
@location_option
@home_option
@json_option
def start(name: str, location: str | None, home: str | None, as_json: bool) -> None:
    """Start the sensor NAME; it continues from its cursor."""
    _switch(name, location, home, InstigatorStatus.RUNNING, as_json=as_json)


@sensor.command()
@click.argument("name", metavar="NAME")
@location_option
@home_option
@json_option
def stop(name: str, location: str | None, home: str | None, as_json: bool) -> None:
    """Stop the sensor NAME; its cursor is kept."""
    _switch(name, location, home, InstigatorStatus.STOPPED, as_json=as_json)


@sensor.command()
@click.argument("name", metavar="NAME")
@click.option("--cursor", "given", metavar="TEXT", help="The cursor to evaluate with; default: the recorded one.")
@location_option
@code_options
@home_option
@json_option
def preview(
    name: str, given: str | None, location: str | None, code: CodeOptions, home: str | None, as_json: bool
) -> None:
    """Evaluate the sensor NAME in this process, and show what it would request; nothing is recorded."""
    settings = settings_of_instigator(settings_in_force(code, home), KIND, name, location)
    with stdout_for_json(as_json), open_plane(settings, code) as plane:
        found = find_instigator(plane, KIND, name, location or settings.location_name)
        waiting = plane.control.payloads(found.state.id, PAYLOADS_AT_ONCE)
        task = TickTask(
            kind=KIND,
            name=name,
            location=found.state.id.location,
            cursor=found.state.cursor if given is None else given,
            last_run_key=found.state.last_run_key,
            last_tick_at=found.state.last_tick_at,
            started_at=found.state.started_at,
            payloads=tuple(each.text for each in payloads_of_tick(waiting)),
        )
        document = preview_document(settings, plane, found, task, ())
    if as_json:
        print_json(document)
    else:
        print_preview(document)


@sensor.command()
@click.argument("name", metavar="NAME")
@click.option("--set", "text", metavar="TEXT", help="The new cursor.")
@click.option("--clear", is_flag=True, help="Remove the cursor.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@location_option
@home_option
@json_option
def cursor(
    name: str, text: str | None, clear: bool, yes: bool, location: str | None, home: str | None, as_json: bool
) -> None:
    """Show or change the cursor of the sensor NAME."""
    if text is not None and clear:
        raise click.UsageError("Both --set and --clear were provided; keep one.")
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = find_instigator(plane, KIND, name, location)
        if text is not None or clear:
            if found.state.cursor is not None:
                confirm(
                    f"The sensor {name} has the cursor {found.state.cursor!r}, which will be lost. Change it?",
                    yes=yes,
                )
            plane.control.set_cursor(found.state.id, text)
        now = plane.control.instigator_state(found.state.id).cursor
    if as_json:
        print_json({"sensor": name, "location": found.location.name, "cursor": now})
    else:
        click.echo(f"The sensor {name} has no cursor." if now is None else now)


@sensor.command()
@click.argument("name", metavar="NAME")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of entries.")
@location_option
@home_option
@json_option
def ticks(name: str, limit: int, location: str | None, home: str | None, as_json: bool) -> None:
    """List the ticks of the sensor NAME, newest first.

    With --json: {"ticks": [...]}.
    """
    print_ticks(KIND, name, location, home, limit, as_json=as_json)


def _switch(name: str, location: str | None, home: str | None, status: InstigatorStatus, *, as_json: bool) -> None:
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = find_instigator(plane, KIND, name, location)
        plane.control.set_instigator(found.state.id, status, time.time())
        document = _document(plane, find_instigator(plane, KIND, name, found.location.name))
    if as_json:
        print_json(document)
    else:
        click.echo(f"The sensor {name} {'runs' if document.is_running else 'is stopped'}.")


def _document(plane: Plane, found: Found) -> SensorDocument:
    node = found.node
    assert isinstance(node, SensorNode)
    last = plane.control.ticks(found.state.id, 1)
    interval = DEFAULT_INTERVAL if node.minimum_interval_seconds is None else float(node.minimum_interval_seconds)
    return SensorDocument(
        sensor=node.name,
        location=found.location.name,
        type=node.sensor_type.value,
        jobs=node.job_names,
        interval=interval,
        follows_events=node.sensor_type in EVENT_DRIVEN,
        is_running=found.is_running,
        cursor=found.state.cursor,
        failures=found.state.failures,
        last_tick=tick_document(last[0].tick) if last else None,
    )
