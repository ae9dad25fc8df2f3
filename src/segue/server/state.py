"""What all routes share."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from segue.location.base import Locations
from segue.model.control_stores import ControlStore
from segue.model.stores import Store


class ServerState(msgspec.Struct, frozen=True):
    """What the routes work on.

    Attributes:
        store, control: what is recorded.
        locations: the code locations.
        token: what a request must bear to be answered; None where only this machine can ask.
        hosts: the names under which this server may be asked; empty for any.
        enqueued: called when a run was put in the queue.
    """

    store: Store
    control: ControlStore
    locations: Locations
    token: str | None
    hosts: frozenset[str]
    enqueued: Callable[[], None]
