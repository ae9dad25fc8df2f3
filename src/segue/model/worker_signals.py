"""What some stores can do beyond the storage protocols: reach the processes that execute runs."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class WorkerSignals(Protocol):
    """What stores can do whose workers are processes of this machine."""

    def signal_worker(self, worker: str, number: int) -> bool:
        """Sends a signal to a worker, if it is certain that the process is that worker.

        Returns:
            Whether it was sent; not to one that is gone, is another machine's, or belongs to another user.
        """
        ...
