"""Leases: who may do something now, and how one that came too late is told from one that may.

Each lease that a store gives has a fencing token, a number greater than that of any lease before it. Who writes shows
the token; what was leased anew meanwhile has a greater one, and the write is refused.
"""

from __future__ import annotations

import msgspec


class Fence(msgspec.Struct, frozen=True):
    """What a worker shows with each write: its lease of a run, or of one attempt of a step.

    Attributes:
        run_id: the run.
        token: the fencing token of the lease.
        step_key, attempt: the attempt that is leased; None for a lease of the whole run.
    """

    run_id: str
    token: int
    step_key: str | None = None
    attempt: int | None = None


class Lease(msgspec.Struct, frozen=True):
    """A lease by name, as the store has it: the right to do something that only one may do at a time.

    Attributes:
        name: what may be done.
        holder: the worker that may.
        token: its fencing token.
        is_held: whether it still holds; one that does not goes to whoever asks next.
    """

    name: str
    holder: str
    token: int
    is_held: bool
