"""Ticks for people and as JSON: recorded ones and previews."""

from __future__ import annotations

import time

import click
import msgspec

from segue.cli.control import Found, Plane, find_instigator, open_plane
from segue.cli.home import instance_of
from segue.cli.options import settings_in_force
from segue.cli.output import count, moment, print_json, print_table, stdout_for_json
from segue.errors import InvalidSubsetError
from segue.model.instigator import InstigatorKind
from segue.model.tick_record import Tick
from segue.model.tick_task import RequestedRun, TickTask
from segue.settings import Settings


class TickDocument(msgspec.Struct, frozen=True):
    """A tick. Times are seconds since 1970; `scheduled_at` is null for a sensor; `payloads` are the numbers of those it took."""

    status: str
    scheduled_at: float | None
    started_at: float
    ended_at: float
    runs: tuple[str, ...]
    skip_reason: str | None
    error: str | None
    cursor: str | None
    payloads: tuple[int, ...]


class RequestDocument(msgspec.Struct, frozen=True):
    """A run that would be asked for."""

    job: str | None
    assets: tuple[str, ...] | None
    partition: str | None
    run_key: str | None
    tags: dict[str, str]
    run_config: dict[str, object]


class PreviewDocument(msgspec.Struct, frozen=True):
    """What a schedule or sensor would answer; `catch_up` is what becomes of missed times of a schedule."""

    name: str
    location: str
    next_ticks: tuple[float, ...]
    at: float | None
    requests: tuple[RequestDocument, ...]
    skip_reason: str | None
    error: str | None
    cursor: str | None
    catch_up: str | None


def tick_document(tick: Tick) -> TickDocument:
    """A tick as a document."""
    return TickDocument(
        status=tick.status.value,
        scheduled_at=tick.scheduled_at,
        started_at=tick.started_at,
        ended_at=tick.ended_at,
        runs=tick.run_ids,
        skip_reason=tick.skip_reason,
        error=None if tick.error is None else tick.error.message,
        cursor=tick.cursor,
        payloads=tick.payloads,
    )


def preview_document(
    settings: Settings,
    plane: Plane,
    found: Found,
    task: TickTask,
    times: tuple[float, ...],
    catch_up: str | None = None,
) -> PreviewDocument:
    """What a schedule or sensor answers when it is asked here.

    Raises:
        InvalidSubsetError: its code is not the one that was loaded.
    """
    from segue.host.ticks import answer_tick

    definitions = found.location.definitions
    if definitions is None:
        raise InvalidSubsetError(
            f"The code of {found.location.name!r} is not the code of --file, --module or the settings, so its "
            f"{task.kind.value} cannot be evaluated here. Pass --file or --module of that code location."
        )
    answer = answer_tick(definitions, instance_of(settings, plane.store), task, time.time())
    return PreviewDocument(
        name=task.name,
        location=found.location.name,
        next_ticks=times,
        at=task.scheduled_at,
        requests=tuple(map(_request, answer.requests)),
        skip_reason=answer.skip_reason,
        error=None if answer.error is None else answer.error.message,
        cursor=answer.cursor,
        catch_up=catch_up,
    )


def print_preview(document: PreviewDocument) -> None:
    """A preview for people."""
    for each in document.next_ticks:
        click.echo(f"ticks at {moment(each)}")
    if document.catch_up is not None:
        click.echo(f"missed ticks: {document.catch_up}")
    when = "" if document.at is None else f" at {moment(document.at)}"
    if document.error is not None:
        click.echo(f"{document.name}{when} fails: {document.error}")
    elif not document.requests:
        click.echo(f"{document.name}{when} requests no run: {document.skip_reason or 'it gives no reason'}")
    else:
        click.echo(f"{document.name}{when} requests {count(len(document.requests), 'run')}:")
    rows = [
        (each.job or ", ".join(each.assets or ()), each.partition or "", each.run_key or "", _tags(each.tags))
        for each in document.requests
    ]
    if rows:
        print_table(("JOB OR ASSETS", "PARTITION", "RUN KEY", "TAGS"), rows, empty="")
    if document.cursor is not None:
        click.echo(f"cursor: {document.cursor}")


def print_ticks(
    kind: InstigatorKind, name: str, location: str | None, home: str | None, limit: int, *, as_json: bool
) -> None:
    """The ticks of a schedule or sensor, newest first."""
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found = find_instigator(plane, kind, name, location)
        ticks = [tick_document(entry.tick) for entry in plane.control.ticks(found.state.id, limit)]
    if as_json:
        print_json({"ticks": ticks})
        return
    rows = [
        (
            each.status,
            moment(each.scheduled_at) if each.scheduled_at is not None else moment(each.started_at),
            each.error or each.skip_reason or ", ".join(each.runs),
        )
        for each in ticks
    ]
    print_table(("STATUS", "TIME", "RUNS OR REASON"), rows, empty="No ticks.")


def _request(request: RequestedRun) -> RequestDocument:
    first, last = request.partition_start, request.partition_end
    return RequestDocument(
        job=request.job_name,
        assets=None
        if request.asset_selection is None
        else tuple(key.to_user_string() for key in request.asset_selection),
        partition=first if first == last else f"{first}...{last}",
        run_key=request.run_key,
        tags=request.tags,
        run_config=request.run_config,
    )


def _tags(tags: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items()) if not key.startswith("dagster/"))
