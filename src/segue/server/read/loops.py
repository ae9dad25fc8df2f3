"""The loops of the control plane as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.model.control_stores import DeploymentStore
from segue.model.stores import Store


class LoopDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A loop.

    Attributes:
        name: which.
        holder: the process that ran it last.
        is_held: whether a process runs it now.
        heartbeat_at: when it last went round, in seconds since 1970, UTC.
        lag: how late it was at most in the second before, in seconds.
        error: what went wrong in that round; null when nothing did.
        last_error, failed_at: what went wrong last, and when.
    """

    name: str
    holder: str
    is_held: bool
    heartbeat_at: float
    lag: float
    error: str | None
    last_error: str | None
    failed_at: float | None


def loop_documents(store: Store, control: DeploymentStore) -> Sequence[LoopDocument]:
    """All loops, by name."""
    held = {lease.name for lease in store.leases() if lease.is_held}
    return [
        LoopDocument(
            name=each.name,
            holder=each.holder,
            is_held=f"loop/{each.name}" in held,
            heartbeat_at=each.heartbeat_at,
            lag=each.lag,
            error=each.error,
            last_error=each.last_error,
            failed_at=each.failed_at,
        )
        for each in control.loop_states()
    ]
