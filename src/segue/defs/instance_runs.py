"""What an instance answers about runs, and how they are marked and removed."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from segue.defs.bindings import bound
from segue.errors import InvalidInvocationError, RunNotFoundError
from segue.model.arguments import require_kind
from segue.model.event import EventType
from segue.model.keys import AssetKey
from segue.model.run import Run
from segue.model.run_records import RunOrder, RunRecord, RunsFilter
from segue.model.run_stats import COUNTED, RUN_TIMES, STEP_STATS_TYPES, RunStats, RunStepStats, run_stats, step_stats
from segue.model.stores import EventFilter, Store
from segue.model.tags import ROOT_RUN_ID_TAG

_ANY_RUN = RunsFilter()
_BETWEEN_LOOKS = 1.0  # seconds


class InstanceRuns:
    """The queries over runs. Every page is served from an index, however many runs there are."""

    store: Store
    _looked_at = -math.inf  # when runs without worker were looked for last, monotonic

    def get_run_by_id(self, run_id: str) -> Run | None:
        """The run, or None."""
        return self._runs().get_run(run_id)

    def get_run_record_by_id(self, run_id: str) -> RunRecord | None:
        """The run with its place in the store, or None."""
        found = self.get_run_records(RunsFilter(run_ids=[run_id]))
        return found[0] if found else None

    def has_run(self, run_id: str) -> bool:
        """Whether the run is recorded."""
        return self.store.get_run(run_id) is not None

    def get_runs(
        self,
        filters: RunsFilter | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        *,
        ascending: bool = False,
    ) -> Sequence[Run]:
        """Runs, newest first.

        Args:
            filters: which; all when None.
            cursor: the id of the run to go on from.
            limit: at most so many.
            ascending: oldest first.

        Raises:
            RunNotFoundError: the cursor is not the id of a recorded run.
        """
        records = self.get_run_records(filters, limit, cursor=cursor, ascending=ascending)
        return [record.dagster_run for record in records]

    def get_run_ids(
        self, filters: RunsFilter | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Sequence[str]:
        """The ids of runs, newest first; the arguments are those of `get_runs`."""
        return [run.run_id for run in self.get_runs(filters, cursor, limit)]

    def get_run_records(
        self,
        filters: RunsFilter | None = None,
        limit: int | None = None,
        order_by: str | None = None,
        ascending: bool = False,
        cursor: str | None = None,
    ) -> Sequence[RunRecord]:
        """Runs with their places in the store and their times, newest first.

        Args:
            filters: which; all when None.
            limit: at most so many.
            order_by: `id` (the order of creation), `create_timestamp` or `update_timestamp`.
            ascending: oldest first.
            cursor: the id of the run to go on from.

        Raises:
            RunNotFoundError: the cursor is not the id of a recorded run.
            InvalidInvocationError: another order.
        """
        require_kind("Instance", "filters", filters, RunsFilter)
        return self._runs().run_records(filters or _ANY_RUN, limit, cursor, _order(order_by), ascending)

    def get_runs_count(self, filters: RunsFilter | None = None) -> int:
        """How many runs there are."""
        return self._runs().count_runs(filters or _ANY_RUN)

    def get_run_group(self, run_id: str) -> tuple[str, Sequence[Run]] | None:
        """The chain of retries that a run belongs to: the id of the first, and all of them, oldest first.

        Raises:
            RunNotFoundError: the run, or the first run of its group, was not found.
        """
        run = self._run(run_id)
        root = self._run(run.root_run_id or run_id)
        retries = self.get_runs(RunsFilter(tags={ROOT_RUN_ID_TAG: root.run_id}), ascending=True)
        return root.run_id, [root, *retries]

    def add_run_tags(self, run_id: str, new_tags: Mapping[str, str]) -> None:
        """Gives a run more tags; one that it has gets the new value.

        Raises:
            RunNotFoundError: run not found.
        """
        self.store.add_run_tags(run_id, new_tags, time.time())

    def cancel_run(self, run_id: str, grace_seconds: float = 10.0) -> Run:
        """Cancels a run and waits until it has ended: at once where it has not started; else its process is told to end
        (SIGTERM), interrupts what its steps do and tears resources down, and is killed after the grace period.

        Args:
            run_id: the run.
            grace_seconds: how long its process may take.

        Returns:
            The run as it ended. A run of this very process is only asked to end, and given back as it stands: it stops
            between two of its steps.

        Raises:
            RunNotFoundError: run not found.
            InvalidInvocationError: it has ended already, or its process cannot be ended from here.
        """
        return bound("cancel_run")(self.store, run_id, grace_seconds)

    def delete_run(self, run_id: str) -> None:
        """Removes a run with its events; the state of the assets that it made stays. Nothing happens where there is none."""
        self.store.delete_run(run_id)

    def get_run_tag_keys(self) -> Sequence[str]:
        """The keys of the tags of all runs, sorted."""
        return self.store.run_tag_keys()

    def get_run_tags(
        self, tag_keys: Sequence[str], value_prefix: str | None = None, limit: int | None = None
    ) -> Sequence[tuple[str, set[str]]]:
        """The values that runs have for each of these tags, for those that any run has.

        Args:
            tag_keys: which tags.
            value_prefix: only values that begin so.
            limit: at most so many values for each.
        """
        values = {key: set(self.store.run_tag_values(key, value_prefix or "", limit)) for key in sorted(set(tag_keys))}
        return [(key, each) for key, each in values.items() if each]

    def get_run_stats(self, run_id: str) -> RunStats:
        """What a run came to: steps, materializations, times."""
        types = tuple({**RUN_TIMES, **COUNTED})
        records = self.store.events(EventFilter(run_id=run_id, types=types), None)
        return run_stats(run_id, [record.event for record in records])

    def get_run_step_stats(self, run_id: str, step_keys: Sequence[str] | None = None) -> Sequence[RunStepStats]:
        """How each step of a run went, in the order in which they began.

        Args:
            run_id: the run.
            step_keys: only these steps.
        """
        records = self.store.events(EventFilter(run_id=run_id, types=tuple(STEP_STATS_TYPES)), None)
        return step_stats(run_id, [record.event for record in records], step_keys)

    def get_asset_keys_for_run(
        self, run_id: str, of_type: EventType = EventType.ASSET_MATERIALIZATION
    ) -> frozenset[AssetKey]:
        """The assets that the events of one kind in a run are about."""
        return frozenset(self.get_asset_partitions_for_run(run_id, of_type))

    def get_asset_partitions_for_run(
        self, run_id: str, of_type: EventType = EventType.ASSET_MATERIALIZATION
    ) -> Mapping[AssetKey, set[str | None]]:
        """The assets and partitions that the events of one kind in a run are about; None stands for no partition."""
        found: dict[AssetKey, set[str | None]] = {}
        for record in self.store.events(EventFilter(run_id=run_id, types=(of_type,)), None):
            if record.asset_key is not None:
                found.setdefault(record.asset_key, set()).add(record.partition_key)
        return found

    def _runs(self) -> Store:
        """The store, after runs whose worker is gone were recorded as interrupted: looked for every second at most, since
        an instance may live long.
        """
        now = time.monotonic()
        if now - self._looked_at > _BETWEEN_LOOKS:
            self._looked_at = now
            bound("monitor_if_possible")(self.store)
        return self.store

    def _run(self, run_id: str) -> Run:
        found = self._runs().get_run(run_id)
        if found is None:
            raise RunNotFoundError(f"There is no run {run_id!r}.", run_id)
        return found


def _order(order_by: str | None) -> RunOrder:
    try:
        return RunOrder.ID if order_by is None else RunOrder(order_by)
    except ValueError:
        known = ", ".join(order.value for order in RunOrder)
        raise InvalidInvocationError(f"order_by must be one of {known}, got {order_by!r}.") from None
