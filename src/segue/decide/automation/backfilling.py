"""What backfills are still going to ask runs for. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from segue.model.backfill import Backfill, BackfillTarget
from segue.model.condition.facts import SubsetValue
from segue.model.condition.subset import EntitySubset
from segue.model.condition.view import AssetGraphView
from segue.model.keys import AssetKey

Share: TypeAlias = tuple[BackfillTarget, tuple[BackfillTarget, ...]]
"""What one backfill is to make of an asset, and what of that it has asked runs for or given up."""


def shares_of(backfills: Iterable[Backfill], keys: Container[AssetKey]) -> Mapping[AssetKey, Sequence[Share]]:
    """What backfills that will ask for more runs are to make of each of some assets."""
    found: dict[AssetKey, list[Share]] = {}
    for backfill in backfills:
        settled: dict[AssetKey, tuple[BackfillTarget, ...]] = {}
        for each in (*backfill.requested, *backfill.failed):
            settled[each.key] = (*settled.get(each.key, ()), each)
        for target in backfill.targets:
            if target.key in keys:
                found.setdefault(target.key, []).append((target, settled.get(target.key, ())))
    return found


def part_to_ask_for(view: AssetGraphView, key: AssetKey, shares: Iterable[Share]) -> SubsetValue:
    """What of an asset backfills have neither asked a run for nor given up.

    What no longer fits the asset, since it is cut into other partitions now, is left out.
    """
    found = view.get_empty_subset(key=key)
    for target, settled in shares:
        part = _part(view, target)
        if part is None:
            continue
        for each in settled:
            gone = _part(view, each)
            part = part if gone is None else part.compute_difference(gone)
        found = found.compute_union(part)
    return found.value


def _part(view: AssetGraphView, target: BackfillTarget) -> EntitySubset | None:
    return view.get_subset_of_value(key=target.key, value=True if target.partitions is None else target.partitions)
