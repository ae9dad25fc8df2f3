"""`segue schedule`: list, start, stop and preview schedules."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import islice

import click
import msgspec

from segue.cli.control import Found, Plane, find_instigator, instigators, open_plane, settings_of_instigator
from segue.cli.options import CodeOptions, code_options, home_option, json_option, location_option, settings_in_force
from segue.cli.output import moment, print_json, print_table, stdout_for_json
from segue.cli.tick_documents import TickDocument, preview_document, print_preview, print_ticks, tick_document
from segue.decide.schedules import following_times, next_time
from segue.model.automation_nodes import ScheduleNode
from segue.model.instigator import InstigatorKind, InstigatorStatus
from segue.model.queueing import ScheduleRules
from segue.model.tick_task import TickTask

KIND = InstigatorKind.SCHEDULE


class ScheduleDocument(msgspec.Struct, frozen=True):
    """A schedule; `next_tick` is null for one that does not run. Times are seconds since 1970."""

    schedule: str
    location: str
    job: str
    cron: tuple[str, ...]
    timezone: str
    is_running: bool
    catch_up: str
    next_tick: float | None
    last_tick: TickDocument | None


@click.group("schedule")
def schedule() -> None:
    """List, start, stop and preview schedules."""


@schedule.command("list")
@home_option
@json_option
def list_schedules(home: str | None, as_json: bool) -> None:
    """List the schedules of all code locations.

    With --json: {"schedules": [...]}.
    """
    settings = settings_in_force(home=home)
    with stdout_for_json(as_json), open_plane(settings) as plane:
        found = [_document(plane, each, settings.schedules) for each in instigators(plane, KIND)]
    if as_json:
        print_json({"schedules": found})
        return
    rows = [
        (
            each.schedule,
            each.location,
            "; ".join(each.cron) + ("" if each.timezone == "UTC" else f" ({each.timezone})"),
            "running" if each.is_running else "stopped",
            each.catch_up,
            moment(each.next_tick),
            "" if each.last_tick is None else f"{each.last_tick.status} {moment(each.last_tick.ended_at)}",
        )
        for each in found
    ]
    print_table(
        ("SCHEDULE", "LOCATION", "CRON", "STATUS", "MISSED", "NEXT TICK", "LAST TICK"), rows, empty="No schedules."
    )


@schedule.command()
@click.argument("name", metavar="NAME")
@location_option
@home_option
@json_option
def start(name: str, location: str | None, home: str | None, as_json: bool) -> None:
    """Start the schedule NAME: from now on it ticks."""
    _switch(name, location, home, InstigatorStatus.RUNNING, as_json=as_json)


@schedule.command()
@click.argument("name", metavar="NAME")
@location_option
@home_option
@json_option
def stop(name: str, location: str | None, home: str | None, as_json: bool) -> None:
    """Stop the schedule NAME; runs that it has requested continue."""
    _switch(name, location, home, InstigatorStatus.STOPPED, as_json=as_json)


@schedule.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--at",
    "moment_text",
    metavar="TIME",
    help=("The time to evaluate, such as 2026-03-29T02:30; default: the next tick."),
)
@click.option("--count", type=click.IntRange(0), default=5, show_default=True, help="How many ticks to list.")
@location_option
@code_options
@home_option
@json_option
def preview(
    name: str,
    moment_text: str | None,
    count: int,
    location: str | None,
    code: CodeOptions,
    home: str | None,
    as_json: bool,
) -> None:
    """Show when the schedule NAME ticks, and what it would request; nothing is recorded."""
    settings = settings_of_instigator(settings_in_force(code, home), KIND, name, location)
    with stdout_for_json(as_json), open_plane(settings, code) as plane:
        found = find_instigator(plane, KIND, name, location or settings.location_name)
        assert isinstance(found.node, ScheduleNode)
        times = list(islice(following_times(found.node, time.time()), count))
        at = _moment(moment_text, found.node) if moment_text else next_time(found.node, time.time())
        task = TickTask(kind=KIND, name=name, scheduled_at=at)
        catch_up = found.node.catch_up or settings.schedules.catch_up
        document = preview_document(settings, plane, found, task, tuple(times), catch_up.value)
    if as_json:
        print_json(document)
    else:
        print_preview(document)


@schedule.command()
@click.argument("name", metavar="NAME")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of entries.")
@location_option
@home_option
@json_option
def ticks(name: str, limit: int, location: str | None, home: str | None, as_json: bool) -> None:
    """List the ticks of the schedule NAME, newest first.

    With --json: {"ticks": [...]}.
    """
    print_ticks(KIND, name, location, home, limit, as_json=as_json)


def _switch(name: str, location: str | None, home: str | None, status: InstigatorStatus, *, as_json: bool) -> None:
    settings = settings_in_force(home=home)
    with stdout_for_json(as_json), open_plane(settings) as plane:
        found = find_instigator(plane, KIND, name, location)
        plane.control.set_instigator(found.state.id, status, time.time())
        document = _document(plane, find_instigator(plane, KIND, name, found.location.name), settings.schedules)
    if as_json:
        print_json(document)
    elif document.is_running:
        click.echo(f"The schedule {name} is running; its next tick is at {moment(document.next_tick)}.")
    else:
        click.echo(f"Stopped the schedule {name}.")


def _document(plane: Plane, found: Found, rules: ScheduleRules) -> ScheduleDocument:
    node = found.node
    assert isinstance(node, ScheduleNode)
    last = plane.control.ticks(found.state.id, 1)
    return ScheduleDocument(
        schedule=node.name,
        location=found.location.name,
        job=node.job_name,
        cron=node.cron_schedules,
        timezone=node.execution_timezone or "UTC",
        is_running=found.is_running,
        catch_up=(node.catch_up or rules.catch_up).value,
        next_tick=next_time(node, time.time()) if found.is_running else None,
        last_tick=tick_document(last[0].tick) if last else None,
    )


def _moment(text: str, node: ScheduleNode) -> float:
    """A time as typed, in the time zone of the schedule where it names none."""
    from zoneinfo import ZoneInfo

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at {text!r} is not a valid time. Use a time such as 2026-03-29T02:30.") from None
    zone = ZoneInfo(node.execution_timezone) if node.execution_timezone else UTC
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).timestamp()
