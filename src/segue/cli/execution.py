"""Runs one after another in this process, watched, stopped by Ctrl-C or SIGTERM, and summed up at the end."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click
import msgspec

from segue.cli.documents import MaterializeDocument, RunDetailsDocument, StepDocument, verdict
from segue.cli.failures import FAILED, Terminated
from segue.cli.history import read_run
from segue.cli.output import count, print_json
from segue.cli.progress import Watcher, watching
from segue.cli.requests import Batch, blocked_by
from segue.cli.streams import write
from segue.model.event import Event, RunCanceledData
from segue.model.partitions.key_range import RANGE_SEPARATOR
from segue.model.run import Run
from segue.model.stores import Store

if TYPE_CHECKING:
    from segue.defs.definitions import Definitions
    from segue.defs.instance import Instance
    from segue.host.placement import StepCode

Execute = Callable[[Callable[[Event], None]], Run]


class Outcome(msgspec.Struct, frozen=True):
    """What came of several runs: those that ran, and those that did not with the reason."""

    runs: Sequence[RunDetailsDocument]
    not_run: Sequence[tuple[Batch, str]] = ()


def execute_batches(
    definitions: Definitions,
    instance: Instance,
    batches: Sequence[Batch],
    code: StepCode,
    *,
    fail_fast: bool,
    silent: bool,
) -> Outcome:
    """Runs one after another; a failed one stops only those that need what it should have made, or all."""
    from segue.host.inprocess import execute_request

    runs: list[RunDetailsDocument] = []
    failed: list[Batch] = []
    not_run: list[tuple[Batch, str]] = []
    with watching(len(batches), silent=silent) as watcher:
        for batch in batches:
            blocker = blocked_by(batch, failed)
            if blocker is not None or (fail_fast and failed):
                needed = ", ".join(key.to_user_string() for key in (blocker or batch).assets)
                reason = f"a run that should have made {needed} failed" if blocker else "a run before it failed"
                not_run.append((batch, reason))
                if blocker is not None:
                    failed.append(batch)
                continue
            watcher.announce(name_of(batch))

            def execute(on_event: Callable[[Event], None], batch: Batch = batch) -> Run:
                return execute_request(definitions, instance, batch.request, on_event, code)

            run = execute_watched(instance.store, execute, watcher)
            runs.append(read_run(instance.store, run))
            if not run.is_success:
                failed.append(batch)
    return Outcome(runs, not_run)


def execute_watched(store: Store, execute: Execute, watcher: Watcher) -> Run:
    """One run, watched; Ctrl-C and SIGTERM end it and are raised again once it is recorded as ended.

    Raises:
        KeyboardInterrupt: it was stopped.
    """
    run_id: str | None = None

    def on_event(event: Event) -> None:
        nonlocal run_id
        run_id = event.run_id or run_id
        watcher.event(event)

    try:
        with _sigterm_stops():
            run = execute(on_event)
    except KeyboardInterrupt:
        if run_id is not None:
            watcher.ended(_ended(store, run_id))
        raise
    watcher.ended(run)
    return run


def finish(document: MaterializeDocument, *, as_json: bool) -> None:
    """Prints what came of the runs, and ends the command with exit code 1 unless all went well."""
    if as_json:
        print_json(document)
    else:
        _print_checks(document.runs)
        _print_summary(document)
    if not document.success:
        raise click.exceptions.Exit(FAILED)


def name_of(batch: Batch) -> str:
    """A run in a few words: its assets and partitions."""
    names = [key.to_user_string() for key in batch.assets]
    assets = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{assets} {_partitions(batch.partitions)}".rstrip()


def _partitions(keys: Sequence[str]) -> str:
    if not keys:
        return ""
    return f"[{keys[0]}]" if len(keys) == 1 else f"[{keys[0]}{RANGE_SEPARATOR}{keys[-1]}]"


def _print_checks(runs: Sequence[RunDetailsDocument]) -> None:
    found = [verdict(check) for details in runs for step in details.steps for check in step.checks]
    if found:
        numbers = {word: found.count(word) for word in ("passed", "failed", "warning")}
        texts = [f"{number} {word}" for word, number in numbers.items() if number]
        click.echo(f"checks: {', '.join(texts)}")


def _print_summary(document: MaterializeDocument) -> None:
    bad = [details for details in document.runs if details.run.status != "success"]
    total = len(document.runs) + len(document.not_run)
    if total > 1:
        ended_well = len(document.runs) - len(bad)
        click.echo(f"{count(total, 'run')}: {ended_well} succeeded, {len(bad)} failed, {len(document.not_run)} not run")
    for details in bad:
        write(sys.stderr, f"Error: {failure_of(details)}\n")
    for each in document.not_run:
        where = f"{', '.join(each.assets)} {_partitions(each.partitions)}".rstrip()
        write(sys.stderr, f"Not run: {where}, because {each.reason}.\n")


def failure_of(details: RunDetailsDocument) -> str:
    """Why a run did not succeed and what to do, in one line."""
    run = details.run
    partition = (
        ""
        if run.partition is None
        else f" (partition {run.partition}"
        + (")" if run.partition_end in (None, run.partition) else f"{RANGE_SEPARATOR}{run.partition_end})")
    )
    failed = [step for step in details.steps if step.status == "failed"]
    cause = "; ".join(_cause(step) for step in failed) or details.message or "see the messages above"
    return (
        f"run {run.run_id}{partition} ended with status {run.status}: {cause}. 'segue show {run.run_id}' shows "
        f"details, 'segue runs retry {run.run_id}' runs what is left."
    )


def _cause(step: StepDocument) -> str:
    message = "" if step.error is None else step.error.message
    return f"step {step.step} failed: {message.partition(chr(10))[0]}".rstrip(": .")


def _ended(store: Store, run_id: str) -> Run:
    """The run after it was stopped, recorded as canceled if nothing did that yet."""
    run = store.get_run(run_id)
    assert run is not None  # it gave events
    if not run.is_finished:
        store.append([Event(time.time(), RunCanceledData("Stopped by the user."), run_id=run_id)])
        run = store.get_run(run_id) or run
    return run


@contextmanager
def _sigterm_stops() -> Generator[None]:
    """While user code runs, SIGTERM ends the run as Ctrl-C does instead of the process at once."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
