"""`segue doctor`: checks of everything that Segue depends on; each finding with its fix."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import click
import msgspec

from segue.cli.failures import FAILED
from segue.cli.options import home_option, json_option, place_of, settings_in_force
from segue.cli.output import duration, print_json
from segue.deployment import control_of, listener_of, store_of
from segue.errors import SegueError, StorageError
from segue.model.control_stores import Durability
from segue.model.gates import OPEN
from segue.model.location import LocationStatus
from segue.model.stores import EventFilter
from segue.settings import Settings, check
from segue.storage.administration import administration_of
from segue.storage.health import Health
from segue.storage.revision import require_known
from segue.version import __version__

_LOW_ON_DISK = 1 << 30
_OUT_OF_DISK = 100 << 20
_SLOW_DISK_SECONDS = 0.5
_PAGE = 4096  # bytes
_WRITES = 3
_SILENT_SECONDS = 10.0
_LATE_SECONDS = 5.0
_RECENT_SECONDS = 600.0
_CLOCK_SECONDS = 2.0


class Finding(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        level: `ok`, `warning` or `error`.
        subject: what was looked at.
        message: how it is.
        cure: what to do about it; empty where nothing is to be done.
    """

    level: str
    subject: str
    message: str
    cure: str = ""


@click.command()
@home_option
@json_option
def doctor(home: str | None, as_json: bool) -> None:
    """Check everything that Segue depends on, and suggest fixes.

    Checks versions, settings, disk, database, clock, push, circuit breakers, code locations, leases and loops.

    With --json: {"findings": [...]}. The exit code is 1 if something keeps Segue from working.
    """
    settings = settings_in_force(None, home)
    findings = list(_findings(settings))
    if as_json:
        print_json({"findings": findings})
    else:
        for each in findings:
            click.echo(f"{_sign(each.level)} {each.subject}: {each.message}")
            if each.cure:
                click.echo(f"        {each.cure}")
    if any(each.level == "error" for each in findings):
        raise click.exceptions.Exit(FAILED)


def _sign(level: str) -> str:
    colour = {"ok": "green", "warning": "yellow", "error": "red"}[level]
    return click.style(level.ljust(7), fg=colour)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield from _versions()
    yield from _settings(settings)
    yield from _disk(settings)
    database = list(_database(settings))
    yield from database
    if all(each.level != "error" for each in database):
        for look in (_clock, _push, _breakers, _locations, _loops):
            yield from _guarded(look, settings)


def _guarded(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """What one check finds; an error that it meets is a finding, too."""
    try:
        yield from look(settings)
    except SegueError as error:
        yield Finding("error", look.__name__.strip("_"), str(error))


def _versions() -> Iterator[Finding]:
    said = (
        f"segue {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}"
    )
    yield Finding("ok", "versions", said)


def _settings(settings: Settings) -> Iterator[Finding]:
    found = check(settings)
    for each in found:
        yield Finding("error" if each.is_error else "warning", "settings", each.message)
    if not found:
        yield Finding(
            "ok", "settings", str(settings.source) if settings.source else ("no file; all settings have their defaults")
        )


def _disk(settings: Settings) -> Iterator[Finding]:
    for what, folder in {"home": settings.home, "storage": settings.storage_directory}.items():
        there = _existing(folder)
        try:
            free = shutil.disk_usage(there).free
        except OSError as error:
            yield Finding(
                "error", f"disk of {what}", f"{there} cannot be checked: {error.strerror}.", "Make it readable."
            )
            continue
        level = "error" if free < _OUT_OF_DISK else "warning" if free < _LOW_ON_DISK else "ok"
        cure = "" if level == "ok" else "Free some space: segue db prune removes old records."
        yield Finding(level, f"disk of {what}", f"{free / (1 << 30):.1f} GB are free at {folder}.", cure)
        if level != "error":
            yield _written(f"writes to {what}", there)


def _written(subject: str, folder: Path) -> Finding:
    """Whether a folder can be written, and how long that waits for the disk: the shortest of a few times, as others write, too."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            took = min(_seconds_to_write(file) for _ in range(_WRITES))
    except OSError as error:
        return Finding("error", subject, f"{folder} cannot be written: {error.strerror}.", "Make it writable.")
    said = f"a durable write takes {took * 1000:.0f} ms at {folder}."
    if took < _SLOW_DISK_SECONDS:
        return Finding("ok", subject, said)
    cure = 'Ticks and payloads wait for it. Use a faster disk, or set durability = "normal".'
    return Finding("warning", subject, said, cure)


def _seconds_to_write(file: IO[bytes]) -> float:
    began = time.monotonic()
    file.write(bytes(_PAGE))
    file.flush()
    os.fsync(file.fileno())
    return time.monotonic() - began


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


def _database(settings: Settings) -> Iterator[Finding]:
    place = place_of(settings)
    try:
        health = administration_of(settings.home, settings.database).health()
        if health.revision is not None:
            require_known(health.revision, place)
    except StorageError as error:
        yield Finding("error", "database", str(error))
        return
    for problem in health.problems:
        yield Finding("error", "database", problem)
    for note in health.notes:
        yield Finding("ok", "database", note)
    if health.durability:
        yield _durability(settings, health)
    if not health.problems:
        size = f"{health.bytes / (1 << 20):.1f} MB, {health.counts.get('runs', 0)} runs"
        yield Finding("ok", "database", f"{health.kind} at {place}: {size}.")


def _durability(settings: Settings, health: Health) -> Finding:
    """What of the records survives a loss of power."""
    said = health.durability
    is_full = settings.durability is Durability.FULL
    if health.kind == "sqlite":
        ticks = (
            f"ticks and payloads survive a power loss ({said['durable']})"
            if is_full
            else "ticks and payloads are as durable as the event log"
        )
        log = f"the event log survives a crash of any process ({said['logged']})"
        if said["journal_mode"] != "wal":
            cure = (
                "Free some space, make sure that no other process has segue.db open, and run sqlite3 segue.db "
                "'PRAGMA journal_mode=wal'."
            )
            return Finding("error", "durability", f"the journal of segue.db is {said['journal_mode']}, not wal.", cure)
        return Finding("ok", "durability", f"{ticks}, {log}.")
    stands = ", ".join(f"{name} = {value}" for name, value in sorted(said.items()))
    if said["fsync"] == "off":
        cure = "Set fsync = on, unless the records may be lost."
        return Finding("warning", "durability", f"the server loses its data if its machine crashes ({stands}).", cure)
    ticks = " Ticks are still written durably." if is_full and said["synchronous_commit"] == "off" else ""
    return Finding("ok", "durability", f"as configured on the server: {stands}.{ticks}")


def _clock(settings: Settings) -> Iterator[Finding]:
    store = store_of(settings)
    newest = store.events(EventFilter(ascending=False), 1)
    store.close()
    ahead = newest[0].timestamp - time.time() if newest else 0.0
    if ahead > _CLOCK_SECONDS:
        yield Finding(
            "error",
            "clock",
            (
                f"the latest event was recorded {duration(ahead)} in the future: this clock was set back, or another "
                "one is wrong."
            ),
            "Synchronize the clocks of all machines with NTP.",
        )
    else:
        yield Finding("ok", "clock", f"it is {time.strftime('%Y-%m-%d %H:%M:%S %Z')}, and nothing was recorded later.")


def _push(settings: Settings) -> Iterator[Finding]:
    try:
        listener_of(settings).close()
    except OSError as error:
        yield Finding(
            "warning",
            "push",
            f"writes of other processes cannot be noticed at once: {error.strerror}. Loops check once a second.",
            "Use a home folder on a local disk of a Unix system.",
        )
        return
    yield Finding("ok", "push", "processes notify each other.")


def _breakers(settings: Settings) -> Iterator[Finding]:
    """The resources that are left alone since they are out of order."""
    store = store_of(settings)
    states = store.gate_states()
    store.close()
    for name, state in states.by_name.items():
        breaker = state.breaker
        if breaker.opened_at is None:
            continue
        since = duration(max(states.now - breaker.opened_at, 0.0))
        if breaker.state(states.now) == OPEN:
            what = (
                f"open for {since}: no calls for another {duration(breaker.due_at - states.now)}, then one step tries."
            )
        else:
            what = f"half open, {since} after it opened: the next step that uses it tries whether it works again."
        cure = f"It opened because calls failed. See what the resource {name} reports in the failed runs."
        yield Finding("warning", f"circuit breaker {name}", what, cure)


def _locations(settings: Settings) -> Iterator[Finding]:
    store = store_of(settings)
    states = control_of(store).location_states()
    store.close()
    if not states:
        yield Finding("ok", "code locations", "no control plane has loaded a code location here yet.")
    for state in states:
        if state.status is LocationStatus.READY:
            level = "warning" if state.error else "ok"
            yield Finding(level, f"code location {state.name}", state.error or "it is ready.")
        else:
            cure = f"Correct the code; segue location check {state.name} loads it here."
            said = f"it is {state.status.value}. {state.error or ''}".rstrip()
            yield Finding(
                "error" if state.status is LocationStatus.BROKEN else "warning",
                f"code location {state.name}",
                said,
                cure,
            )


def _loops(settings: Settings) -> Iterator[Finding]:
    store = store_of(settings)
    leases = {each.name: each for each in store.leases()}
    states = control_of(store).loop_states()
    store.close()
    now = time.time()
    if not any(each.is_held for name, each in leases.items() if name.startswith("loop/")):
        yield Finding(
            "warning",
            "loops",
            "no control plane is running: schedules and sensors do not tick, and runs wait in the queue.",
            "Start segue dev or segue serve.",
        )
        return
    for state in states:
        lease = leases.get(f"loop/{state.name}")
        subject = f"loop {state.name}"
        if lease is None or not lease.is_held:
            yield Finding(
                "warning", subject, "no process runs it.", "Start segue serve; another process takes over within 5 s."
            )
        elif state.error is not None:
            yield Finding("error", subject, f"its last round failed: {state.error}")
        elif now - state.heartbeat_at > _SILENT_SECONDS:
            silent = duration(now - state.heartbeat_at)
            yield Finding(
                "error", subject, f"{lease.holder} holds it, but has been silent for {silent}.", "Restart that process."
            )
        elif state.heartbeat_at - now > _CLOCK_SECONDS:
            ahead = duration(state.heartbeat_at - now)
            yield Finding(
                "error",
                subject,
                f"the clock of {lease.holder} is ahead of the local one by {ahead}.",
                "Synchronize both with NTP.",
            )
        elif state.lag > _LATE_SECONDS:
            yield Finding("warning", subject, f"it is late by {duration(state.lag)}.", "This machine may be too busy.")
        elif state.failed_at is not None and now - state.failed_at < _RECENT_SECONDS:
            ago = duration(max(now - state.failed_at, 0.0))
            yield Finding("warning", subject, f"it continues after a round that failed {ago} ago: {state.last_error}")
        else:
            silent = duration(max(now - state.heartbeat_at, 0.0))
            said = f"run by {lease.holder}, last {silent} ago, at most {duration(state.lag)} late."
            yield Finding("ok", subject, said)
