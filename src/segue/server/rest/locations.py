"""`/api/locations`: the code locations, how they stand, and having one loaded anew."""

from __future__ import annotations

from litestar import Router, get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from segue.server.read.locations import LocationDocument, location_document
from segue.server.state import ServerState


@get("/", sync_to_thread=False)
def list_locations(state: State) -> list[LocationDocument]:
    """All code locations."""
    server: ServerState = state["segue"]
    return [location_document(each) for each in server.locations.values()]


@post("/{name:str}/reload", status_code=202, sync_to_thread=False)
def reload_location(name: str, state: State) -> LocationDocument:
    """Has a code location loaded anew, and answers how it stands before that."""
    server: ServerState = state["segue"]
    location = server.locations.get(name)
    if location is None:
        raise NotFoundException(f"There is no code location {name!r}.")
    location.reload()
    return location_document(location)


ROUTES = Router(path="/locations", route_handlers=[list_locations, reload_location])
