"""The server: its routes and what they share, in sight."""

from __future__ import annotations

from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from segue.errors import SegueError
from segue.model.location import LocationStatus
from segue.server.errors import EXCEPTION_HANDLERS
from segue.server.guards import require_host, require_json, require_token
from segue.server.rest import locations, loops, runs
from segue.server.state import ServerState


@get("/readyz", sync_to_thread=True)
def ready(state: State) -> Response[dict[str, str]]:
    """Whether requests are answered in full: the store can be read, and every code location has loaded."""
    server: ServerState = state["segue"]
    try:
        server.store.append(())
    except SegueError as error:
        return Response({"status": "store", "message": str(error)}, status_code=503)
    waiting = [each.name for each in server.locations.values() if each.state.status is LocationStatus.LOADING]
    if waiting:
        return Response({"status": "loading", "message": ", ".join(waiting)}, status_code=503)
    return Response({"status": "ready"})


class _App(Litestar):
    """Litestar without its plugins for pydantic and attrs, whose values no route takes: loading them is a third of its start."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def make_app(state: ServerState) -> Litestar:
    """The server as an ASGI application."""
    api = Router(
        path="/api", route_handlers=[runs.ROUTES, locations.ROUTES, loops.ROUTES], guards=[require_token, require_json]
    )
    return _App(
        route_handlers=[ready, api],
        guards=[require_host],
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"segue": state}),
        openapi_config=None,
        logging_config=None,
    )
