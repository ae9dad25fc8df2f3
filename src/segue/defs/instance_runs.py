"""What an instance answers about runs."""

from __future__ import annotations

from collections.abc import Sequence

from segue.model.run import Run
from segue.model.stores import RunFilter, Store


class InstanceRuns:
    """The queries over runs."""

    store: Store

    def get_run_by_id(self, run_id: str) -> Run | None:
        """The run, or None."""
        return self.store.get_run(run_id)

    def has_run(self, run_id: str) -> bool:
        """Whether the run is recorded."""
        return self.store.get_run(run_id) is not None

    def get_runs(
        self, filters: RunFilter | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Sequence[Run]:
        """Runs, newest first.

        Args:
            filters: which.
            limit: at most so many.
            cursor: the run id to go on from.
        """
        return self.store.list_runs(filters or RunFilter(), limit, cursor)
