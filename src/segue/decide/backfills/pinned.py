"""What has become of what a backfill makes since it began: the definitions of then beside those of now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

import msgspec

from segue.errors import InvalidSubsetError
from segue.model.backfill import Backfill, BackfillChange, BackfillStatus
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.manifest import AssetNode
from segue.model.partitions.opaque import OpaquePartitionsDefinition
from segue.model.questions import is_opaque_mapping

GONE = "gone"
_SHOWN = 10


def keys_of(backfill: Backfill, graph: AssetGraph) -> Sequence[AssetKey]:
    """The assets that a backfill makes, or its job."""
    if backfill.job_name is None:
        return [target.key for target in backfill.targets]
    job = graph.jobs.get(backfill.job_name)
    return () if job is None else job.assets


def gone_assets(backfill: Backfill, now: AssetGraph) -> Set[AssetKey]:
    """The assets of a backfill that no run can make with the definitions of now."""
    return frozenset(target.key for target in backfill.targets if not _is_made(now.nodes.get(target.key)))


def changes_of(backfill: Backfill, then: AssetGraph, now: AssetGraph) -> tuple[BackfillChange, ...]:
    """How the assets or the job of a backfill differ between two definitions; empty where they do not."""
    found: list[BackfillChange] = []
    if backfill.job_name is not None:
        what = _changes_of_job(backfill.job_name, then, now)
        found += [BackfillChange(f"job {backfill.job_name}", what)] if what else []
    for key in keys_of(backfill, then):
        what = _changes_of_asset(then.nodes.get(key), now.nodes.get(key))
        found += [BackfillChange(key.to_user_string(), what)] if what else []
    return tuple(found)


def _changes_of_job(name: str, then: AssetGraph, now: AssetGraph) -> tuple[str, ...]:
    before, after = then.jobs.get(name), now.jobs.get(name)
    if before is None or after is None:
        return () if before is after else (GONE,)
    differs = {
        "partitions": before.partitions != after.partitions,
        "assets": before.assets != after.assets,
        "steps": [each.path for each in before.steps] != [each.path for each in after.steps],
    }
    return tuple(what for what, is_so in differs.items() if is_so)


def _changes_of_asset(before: AssetNode | None, after: AssetNode | None) -> tuple[str, ...]:
    if before is None or after is None or not _is_made(after):
        return (GONE,) if _is_made(before) else ()
    differs = {
        "code version": before.code_version != after.code_version,
        "partitions": before.partitions != after.partitions,
        "dependencies": before.deps != after.deps,
        "backfill policy": before.backfill_policy != after.backfill_policy,
    }
    return tuple(what for what, is_so in differs.items() if is_so)


def _is_made(node: AssetNode | None) -> bool:
    return node is not None and node.is_executable


def warning_of(location: str, changes: Sequence[BackfillChange]) -> str:
    """What people should know of a backfill that goes on while other code is loaded."""
    said = f"The definitions of {location!r} have changed since this backfill began"
    if not changes:
        return f"{said}, but not those of the assets that it materializes."
    shown = some_of([f"{each.name} ({', '.join(each.what)})" for each in changes])
    return f"{said}: {shown}. The backfill keeps its original plan, and its runs execute the code that is currently loaded."


def require_answerable(backfill: Backfill, then: AssetGraph, now: AssetGraph) -> None:
    """Makes sure that the code of now can be asked what only the code of then knew.

    Raises:
        InvalidSubsetError: it has another partition mapping or other partitions in its place.
    """
    keys = [key for key in keys_of(backfill, then) if key in then.nodes]
    meant = dict.fromkeys([*keys, *(parent for key in keys for parent in then.parents(key))])
    for key in meant:
        before, after = then.nodes[key], now.nodes.get(key)
        if isinstance(before.partitions, OpaquePartitionsDefinition) and (
            after is None or after.partitions != before.partitions
        ):
            raise _unanswerable(f"the partitions of {key.to_user_string()!r}")
    for key in keys:
        after = now.nodes.get(key)
        for parent, mapping in then.nodes[key].partition_mappings.items():
            if is_opaque_mapping(mapping) and (after is None or after.partition_mappings.get(parent) != mapping):
                raise _unanswerable(
                    f"which partitions of {parent.to_user_string()!r} {key.to_user_string()!r} depends on"
                )


def _unanswerable(what: str) -> InvalidSubsetError:
    return InvalidSubsetError(
        f"Only the code that this backfill started with could determine {what}, and the code has changed since. Start a "
        "new backfill, which uses the current code."
    )


def stopped(backfill: Backfill, why: str, unfinished: int) -> Backfill:
    """A backfill that can never be planned any further: it ends with its last run, and what it did not make has failed.

    Args:
        backfill: as it is recorded; it has not ended.
        why: the reason.
        unfinished: how many of its runs have not ended.
    """
    after = msgspec.structs.replace(backfill, error=why)
    if unfinished > 0 or backfill.status is BackfillStatus.PAUSED:
        return after
    if backfill.status is BackfillStatus.CANCELING:
        return msgspec.structs.replace(after, status=BackfillStatus.CANCELED)
    done = {each.key: each for each in backfill.done}
    return msgspec.structs.replace(
        after,
        status=BackfillStatus.COMPLETED_FAILED,
        failed=tuple(each for each in backfill.targets if done.get(each.key) != each),
        failed_job_partitions=backfill.job_partitions,
    )


def some_of(names: Iterable[str]) -> str:
    """The first of many names, and how many more there are."""
    found = list(names)
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
