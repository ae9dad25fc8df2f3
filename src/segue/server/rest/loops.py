"""`/api/loops`: the loops of the control plane, and how they do."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Router, get
from litestar.datastructures import State

from segue.server.read.loops import LoopDocument, loop_documents
from segue.server.state import ServerState


@get("/", sync_to_thread=True)
def list_loops(state: State) -> Sequence[LoopDocument]:
    """All loops."""
    server: ServerState = state["segue"]
    return loop_documents(server.store, server.control)


ROUTES = Router(path="/loops", route_handlers=[list_loops])
