"""Code locations as the API shows them."""

from __future__ import annotations

import msgspec

from segue.location.base import CodeLocation


class LocationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A code location.

    Attributes:
        name, status: as recorded: loading, ready or broken.
        manifest_hash: the definitions that it serves; null before the first.
        error: the traceback of code that does not load, or a warning about code that does.
        updated_at: since when it stands so, in seconds since 1970, UTC.
        assets, jobs: how many it has.
    """

    name: str
    status: str
    manifest_hash: str | None
    error: str | None
    updated_at: float
    assets: int
    jobs: int


def location_document(location: CodeLocation) -> LocationDocument:
    """A code location as a document."""
    state, graph = location.state, location.graph
    return LocationDocument(
        name=location.name,
        status=state.status.value,
        manifest_hash=state.manifest_hash,
        error=state.error,
        updated_at=state.updated_at,
        assets=0 if graph is None else len(graph.nodes),
        jobs=0 if graph is None else len(graph.jobs),
    )
