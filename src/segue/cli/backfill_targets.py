"""From options to the target of a backfill: which partitions of which assets, or of a job."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

import click
import msgspec

from segue.cli.control import Known, Plane, code_of
from segue.cli.home import instance_of
from segue.cli.launch import selected
from segue.cli.partitions import parse_range
from segue.daemon.backfills import job_partitions
from segue.daemon.listed import listed
from segue.decide.asked_partitions import require_partition
from segue.errors import InvalidSubsetError
from segue.model.backfill import BackfillTarget
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.mapping_choice import downstream_subset
from segue.model.partitions.subset import (
    EMPTY,
    PartitionSubset,
    difference,
    subset_of_keys,
    subset_of_range,
    union,
    whole,
)
from segue.model.questions import Answers, OpaqueAnswer, Question, UnansweredError, with_answers
from segue.model.run import Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.settings import Settings

Decided = TypeVar("Decided")

LOOK_BACK = 10_000  # runs, for what failed


class Wanted(msgspec.Struct, frozen=True):
    """What was asked for on the command line."""

    job: str | None
    select: str | None
    partitions: tuple[str, ...]
    partition_range: str | None
    everything: bool
    all_failed: bool
    all_missing: bool

    def require_clear(self) -> None:
        """Makes sure that it says what, and one way which partitions.

        Raises:
            click.UsageError: it does not.
        """
        if (self.job is None) == (self.select is None):
            raise click.UsageError("Nothing to backfill: pass --select SELECTION, or --job NAME.")
        ways = [
            bool(self.partitions),
            self.partition_range is not None,
            self.everything,
            self.all_failed,
            self.all_missing,
        ]
        if sum(ways) != 1:
            raise click.UsageError(
                "Pass exactly one of --partition, --partition-range, --all, --all-failed and --all-missing."
            )


def answered(
    settings: Settings, plane: Plane, location: Known, now: float, decide: Callable[[Answers], Decided]
) -> Decided:
    """What is decided, with the answers of the user's code to what only that knows.

    Args:
        settings: where the code is.
        plane: who knows dynamic partitions.
        location: whose code it is.
        now: the moment at which partitions are looked up, in seconds since 1970, UTC.
        decide: decides by the answers so far.

    Raises:
        InvalidSubsetError: the code that is here is not the one that was loaded.
    """
    from segue.host.answer import answer_question

    answers: dict[Question, OpaqueAnswer] = {}
    while True:
        try:
            return decide(answers)
        except UnansweredError as error:
            definitions = code_of(settings, location)
            instance = instance_of(settings, plane.store)
            answers[error.question] = answer_question(definitions, instance, error.question, now)


def job_part(plane: Plane, location: Known, wanted: Wanted, now: float, answers: Answers) -> PartitionSubset:
    """The partitions of a job that are meant; `answers` are those of the user's code so far.

    Raises:
        InvalidSubsetError: none, or a job without partitions.
        UnknownPartitionError: a partition that does not exist.
    """
    moment = datetime.fromtimestamp(now, UTC)
    assert wanted.job is not None
    job = location.graph.jobs.get(wanted.job)
    graph = with_answers(location.graph, () if job is None else job.assets, answers, moment)
    definition = job_partitions(graph, wanted.job, plane.store, moment)
    if wanted.all_failed or wanted.all_missing:
        runs = plane.store.list_runs(RunsFilter(job_name=wanted.job), LOOK_BACK, None)
        latest = _latest(runs)
        if wanted.all_failed:
            part = _known(definition, [key for key, run in latest.items() if run.is_failure_or_canceled], moment)
        else:
            made = _known(definition, [run.partition_start or "" for run in runs if run.is_success], moment)
            part = difference(definition, whole(definition, moment), made, moment)
    else:
        part = _named(definition, wanted, moment)
    if not part:
        raise InvalidSubsetError(f"The job {wanted.job!r} has no such partition: there is nothing to backfill.")
    return part


def targets_of(
    plane: Plane, location: Known, wanted: Wanted, now: float, answers: Answers
) -> tuple[BackfillTarget, ...]:
    """What of each asset is meant, upstream first; `answers` are those of the user's code so far.

    Partitions that are named are those of the selected assets that nothing selected stands above; what is downstream of them
    is made as far as it needs them.

    Raises:
        InvalidSubsetError: nothing.
        UnknownPartitionError: a partition that does not exist.
    """
    moment = datetime.fromtimestamp(now, UTC)
    keys = selected(location.graph, wanted.select or "")
    graph = listed(with_answers(location.graph, keys, answers, moment), keys, plane.store, moment)
    if wanted.all_missing:
        found = {key: _missing(plane, graph, key, moment) for key in keys}
    elif wanted.all_failed:
        found = _failed(plane, graph, keys, moment)
    elif wanted.everything:
        found = {key: _all(graph, key, moment) for key in keys}
    else:
        found = _from_roots(graph, keys, wanted, moment)
    targets = [
        BackfillTarget(key, part if graph.nodes[key].partitions is not None else None)
        for key in graph.toposorted_asset_keys
        if (part := found.get(key))
    ]
    if not targets:
        raise InvalidSubsetError("None of the selected assets has such a partition: there is nothing to backfill.")
    return tuple(targets)


_ONE = PartitionSubset((("", ""),))


def _all(graph: AssetGraph, key: AssetKey, now: datetime) -> PartitionSubset:
    definition = graph.nodes[key].partitions
    return _ONE if definition is None else whole(definition, now)


def _missing(plane: Plane, graph: AssetGraph, key: AssetKey, now: datetime) -> PartitionSubset:
    definition = graph.nodes[key].partitions
    if definition is None:
        return EMPTY if key in plane.store.asset_states([key]) else _ONE
    made = _known(definition, plane.store.partition_states(key), now)
    return difference(definition, whole(definition, now), made, now)


def _failed(
    plane: Plane, graph: AssetGraph, keys: tuple[AssetKey, ...], now: datetime
) -> dict[AssetKey, PartitionSubset]:
    """What of each asset a run failed to make since it was made last."""
    statuses = (RunStatus.FAILURE, RunStatus.CANCELED)
    runs = plane.store.list_runs(RunsFilter(statuses=statuses), LOOK_BACK, None)
    found: dict[AssetKey, PartitionSubset] = {}
    for key in keys:
        definition = graph.nodes[key].partitions
        of_key = [run for run in runs if key in run.asset_selection]
        if definition is None:
            state = plane.store.asset_states([key]).get(key)
            since = 0.0 if state is None else state.timestamp
            found[key] = _ONE if any((run.ended_at or 0.0) > since for run in of_key) else EMPTY
            continue
        made = plane.store.partition_states(key)
        part = EMPTY
        for run in of_key:
            if run.partition_start is None or run.partition_end is None:
                continue
            if not all(definition.contains(each, now) for each in (run.partition_start, run.partition_end)):
                continue
            here = subset_of_range(definition, run.partition_start, run.partition_end, now)
            later = [name for name, state in made.items() if state.timestamp >= (run.ended_at or 0.0)]
            part = union(definition, part, difference(definition, here, _known(definition, later, now), now), now)
        found[key] = part
    return found


def _from_roots(
    graph: AssetGraph, keys: tuple[AssetKey, ...], wanted: Wanted, now: datetime
) -> dict[AssetKey, PartitionSubset]:
    found: dict[AssetKey, PartitionSubset] = {}
    chosen = set(keys)
    for key in (each for each in graph.toposorted_asset_keys if each in chosen):
        definition = graph.nodes[key].partitions
        parents = [each for each in graph.real_parents(key) if each in chosen and each != key]
        if definition is None:
            found[key] = _ONE
        elif not any(graph.nodes[parent].partitions is not None for parent in parents):
            found[key] = _named(definition, wanted, now)
        else:
            part = EMPTY
            for parent in parents:
                above = graph.nodes[parent].partitions
                if above is None:
                    continue
                mapping = graph.get_partition_mapping(key, parent)
                part = union(definition, part, downstream_subset(mapping, found[parent], above, definition, now), now)
            found[key] = part
    return found


def _named(definition: PartitionsDefinition, wanted: Wanted, now: datetime) -> PartitionSubset:
    if wanted.everything:
        return whole(definition, now)
    if wanted.partition_range is not None:
        first, last = parse_range(wanted.partition_range)
        for key in (first, last):
            require_partition(definition, key, now)
        return subset_of_range(definition, first, last, now)
    for key in wanted.partitions:
        require_partition(definition, key, now)
    return subset_of_keys(definition, wanted.partitions, now)


def _known(definition: PartitionsDefinition, keys: Iterable[str], now: datetime) -> PartitionSubset:
    names = [each for each in keys if definition.contains(each, now)]
    return subset_of_keys(definition, names, now)


def _latest(runs: Iterable[Run]) -> dict[str, Run]:
    found: dict[str, Run] = {}
    for run in runs:
        if run.partition_start is not None:
            found.setdefault(run.partition_start, run)
    return found
