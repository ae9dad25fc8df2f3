"""Removing what is too old: `decide/retention` says what and how, a store and a folder lose it, a little at a time.

The command line and the control plane share this. Whoever goes through `prune` decides how fast: between two removals others
write, and it may rest as long as it likes, or go on another day.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from segue.decide import retention as decide
from segue.decide.retention import PartAction
from segue.model.backfill import BackfillStatus
from segue.model.control_stores import ControlStore
from segue.model.retention import KeptArtifacts, LogPart, Retention, RetentionStore
from segue.model.tick_record import TickStatus
from segue.output_copies import CopiesOfRuns, is_output

_EXAMINED_AT_ONCE = 1_000
_CONTENT_AT_ONCE = 100
_FOLDERS_AT_ONCE = 200
_OPEN_BACKFILLS = (BackfillStatus.REQUESTED, BackfillStatus.PAUSED, BackfillStatus.CANCELING)
_MOST_BACKFILLS = 10_000
_UNDER_WAY = 3_600.0
"""Seconds within which an event is on record whose metadata was put beside the log."""
_ALL = 2**31


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How much was removed, or would be.

    Attributes:
        events: from the log; `parts` of it went whole.
        output: folders with what the steps of a run wrote.
        output_copies: the same at the URL to which it is copied.
        ticks, evaluations: of schedules and sensors, of conditions.
        content: plans and manifests.
        artifacts: files with metadata that nothing refers to any more.
        seconds: how long it took; whoever removes more may rest as long as that.
    """

    events: int = 0
    parts: int = 0
    output: int = 0
    output_copies: int = 0
    ticks: int = 0
    evaluations: int = 0
    content: int = 0
    artifacts: int = 0
    seconds: float = 0.0

    def plus(self, other: Removed) -> Removed:
        """Both together."""
        return Removed(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


def prune(
    store: RetentionStore,
    control: ControlStore,
    policy: Retention,
    now: float,
    *,
    output_folder: Path | None,
    output_copies: CopiesOfRuns | None = None,
    artifacts: KeptArtifacts | None = None,
    is_asked: bool = False,
    is_trial: bool = False,
) -> Iterator[Removed]:
    """Removes what is too old, one short transaction after the other, and tells of each.

    Events go up to where open backfills have read the log.

    Args:
        store: what loses it.
        control: where backfills stand.
        policy: for how long what is kept.
        now: seconds since 1970, UTC.
        output_folder: where the output of steps is kept, one folder for each run.
        output_copies: where copies of it are kept; None for nowhere.
        artifacts: what is kept beside the log; None where it stays for ever.
        is_asked: whether somebody asks for the space, so that it is not waited for a whole month of the log to become old.
        is_trial: only counts.

    Raises:
        StorageError: the store cannot be read or written.
        StorageUnavailableError: the copies cannot be read or removed.
        OSError: a folder cannot be removed.
    """
    if not is_trial:
        store.make_parts()
    before = decide.cutoff(policy.events, now)
    if before is not None:
        open_backfills = control.backfills(_OPEN_BACKFILLS, _MOST_BACKFILLS)
        yield from _prune_log(store, before, decide.held_until(open_backfills, before), is_asked, is_trial)
    yield from _prune_records(store, policy, now, is_trial)
    before = decide.cutoff(policy.output, now)
    if before is not None and output_folder is not None:
        yield from _prune_output(store, output_folder, before, is_trial)
    before = decide.cutoff(policy.events, now)
    if before is not None:
        started = time.monotonic()
        removed = store.delete_content(before, _CONTENT_AT_ONCE, is_trial)
        yield Removed(content=removed, seconds=time.monotonic() - started)
        if artifacts is not None:
            yield from _prune_artifacts(store, artifacts, min(before, now - _UNDER_WAY), is_trial)
    before = decide.cutoff(policy.output, now)
    if before is not None and output_copies is not None:  # last: that place may be away
        yield from _prune_copies(store, output_copies, before, is_trial)


def _prune_log(
    store: RetentionStore, before: float, until: int | None, is_asked: bool, is_trial: bool
) -> Iterator[Removed]:
    for part in store.log_parts(before):
        action = decide.part_action(part, before, is_asked=is_asked)
        if action is PartAction.DROP and not is_trial:
            started = time.monotonic()
            dropped = store.drop_part(part, before, until)
            if dropped is not None:
                yield Removed(events=dropped, parts=1, seconds=time.monotonic() - started)
                continue
        if action is not PartAction.KEEP:
            yield from _prune_part(store, part, before, until, is_trial)


def _prune_part(
    store: RetentionStore, part: LogPart, before: float, until: int | None, is_trial: bool
) -> Iterator[Removed]:
    """Goes through a part from its beginning up to where all is too young: there the rest is younger still."""
    place, size = 0, decide.SMALLEST_BATCH
    while True:
        found = store.examine(part, place, _EXAMINED_AT_ONCE, before, until)
        place = found.place
        old: Sequence[int] = found.old
        if is_trial:
            yield Removed(events=len(old))
            old = ()
        while old:
            batch, old = old[:size], old[size:]
            started = time.monotonic()
            removed = store.delete_events(part, batch)
            seconds = time.monotonic() - started
            size = decide.next_batch(size, seconds)
            yield Removed(events=removed, seconds=seconds)
        if found.count < _EXAMINED_AT_ONCE or found.is_young:
            return


def _prune_records(store: RetentionStore, policy: Retention, now: float, is_trial: bool) -> Iterator[Removed]:
    """Removes what the control plane wrote down of its work."""
    for kept_seconds, statuses in (
        (policy.ticks, (TickStatus.SUCCESS, TickStatus.SKIPPED)),
        (policy.failed_ticks, (TickStatus.FAILURE,)),
    ):
        before = decide.cutoff(kept_seconds, now)
        if before is None:
            continue
        delete = partial(store.delete_ticks, before, statuses, is_trial=is_trial)
        if is_trial:
            yield Removed(ticks=delete(_ALL))
        else:
            yield from _in_batches(delete, lambda count, seconds: Removed(ticks=count, seconds=seconds))
    before = decide.cutoff(policy.evaluations, now)
    if before is not None:
        delete = partial(store.delete_evaluations, before, is_trial=is_trial)
        if is_trial:
            yield Removed(evaluations=delete(_ALL))
        else:
            yield from _in_batches(delete, lambda count, seconds: Removed(evaluations=count, seconds=seconds))


def _in_batches(delete: Callable[[int], int], removed_of: Callable[[int, float], Removed]) -> Iterator[Removed]:
    """Removes the oldest until none are left; `delete` takes how many at most, and gives back how many there were."""
    size = decide.SMALLEST_BATCH
    while True:
        started = time.monotonic()
        removed = delete(size)
        seconds = time.monotonic() - started
        yield removed_of(removed, seconds)
        if removed < size:
            return
        size = decide.next_batch(size, seconds)


def _prune_output(store: RetentionStore, folder: Path, before: float, is_trial: bool) -> Iterator[Removed]:
    """Removes the output of runs that ended long ago, or that are not recorded any more."""
    names = _untouched_folders(folder, before)
    for start in range(0, len(names), _FOLDERS_AT_ONCE):
        for name in store.ended_before(names[start : start + _FOLDERS_AT_ONCE], before):
            started = time.monotonic()
            if not is_trial:
                shutil.rmtree(folder / name)
            yield Removed(output=1, seconds=time.monotonic() - started)


def _prune_copies(store: RetentionStore, copies: CopiesOfRuns, before: float, is_trial: bool) -> Iterator[Removed]:
    """The same for copies, which say nothing of a run before something is in them."""
    started = time.monotonic()
    names = copies.runs()
    yield Removed(seconds=time.monotonic() - started)
    for start in range(0, len(names), _FOLDERS_AT_ONCE):
        for name in store.ended_before(names[start : start + _FOLDERS_AT_ONCE], before):
            started = time.monotonic()
            is_old = copies.is_untouched(name, before)
            if is_old and not is_trial:
                copies.remove(name)
            yield Removed(output_copies=int(is_old), seconds=time.monotonic() - started)


def _prune_artifacts(
    store: RetentionStore, artifacts: KeptArtifacts, before: float, is_trial: bool
) -> Iterator[Removed]:
    """Removes what nothing refers to and nobody has written for long: what is being written now is not on record yet."""
    started = time.monotonic()
    old = artifacts.untouched(before)
    used = store.artifact_hashes() if old else set[str]()
    yield Removed(seconds=time.monotonic() - started)
    for name in old:
        if name not in used:
            started = time.monotonic()
            is_gone = is_trial or artifacts.remove(name, before)
            yield Removed(artifacts=int(is_gone), seconds=0.0 if is_trial else time.monotonic() - started)


def _untouched_folders(folder: Path, before: float) -> list[str]:
    """The folders of output in which nothing was made since."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        old = [each for each in entries if each.is_dir(follow_symlinks=False) and each.stat().st_mtime < before]
    return [each.name for each in old if _holds_output(each.path)]


def _holds_output(folder: str) -> bool:
    """Whether there is output in it and nothing else: what others have put beside it is not ours to remove."""
    with os.scandir(folder) as entries:
        files = [each.is_file(follow_symlinks=False) and is_output(each.name) for each in entries]
    return bool(files) and all(files)
