"""`/api/runs`: start runs, and see what became of them."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from litestar import Router, get, post
from litestar.datastructures import State

from segue.decide.asked_partitions import require_run_partitions
from segue.decide.requests import wanted_run
from segue.errors import InvalidInvocationError, LocationUnavailableError, RunNotFoundError
from segue.location.base import CodeLocation
from segue.model.keys import AssetKey
from segue.model.listing import StoredKeys
from segue.model.partitions.loading import partition_loading_context
from segue.model.run import RunStatus
from segue.model.tick_task import RequestedRun
from segue.server.read.runs import RunDocument, read_run, run_document
from segue.server.state import ServerState
from segue.storage.ids import new_id


class NewRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A run to start: of a job, or of assets.

    Attributes:
        job: the job.
        assets: the assets to make, as `a/b`; of a job, those of it.
        partition, partition_end: the partition to make, or the first and last of a range.
        tags, run_config: of the run.
        location: the code location; may be left out where there is one that has the job or the assets.
    """

    job: str | None = None
    assets: list[str] | None = None
    partition: str | None = None
    partition_end: str | None = None
    tags: dict[str, str] = {}
    run_config: dict[str, object] = {}
    location: str | None = None


@post("/", status_code=201, sync_to_thread=True)
def start_run(data: NewRun, state: State) -> RunDocument:
    """Puts a run in the queue."""
    server: ServerState = state["segue"]
    if data.job is None and not data.assets:
        raise InvalidInvocationError('Nothing to run: send {"job": NAME} or {"assets": [NAME, ...]}.')
    keys = None if data.assets is None else tuple(map(AssetKey.from_user_string, data.assets))
    location = _location_with(server, data, keys)
    graph = location.graph
    if graph is None:
        raise LocationUnavailableError(f"The code location {location.name!r} is not loaded yet, or failed to load.")
    request = RequestedRun(
        job_name=data.job,
        asset_selection=keys,
        partition_start=data.partition,
        partition_end=data.partition_end or data.partition,
        tags=data.tags,
        run_config=data.run_config,
    )
    now = datetime.now(UTC)
    wanted = wanted_run(
        request,
        graph,
        run_id=new_id(),
        now=now.timestamp(),
        location=location.name,
        manifest_hash=location.state.manifest_hash,
        tags={},
    )
    with partition_loading_context(dynamic_partitions_store=StoredKeys(server.store)):
        require_run_partitions(graph, wanted.run, now)
    server.control.enqueue(wanted)
    server.enqueued()
    return run_document(msgspec.structs.replace(wanted.run, status=RunStatus.QUEUED))


@get("/{run_id:str}", sync_to_thread=True)
def show_run(run_id: str, state: State) -> RunDocument:
    """A run as it stands."""
    server: ServerState = state["segue"]
    found = read_run(server.store, run_id)
    if found is None:
        raise RunNotFoundError(f"There is no run {run_id!r}.", run_id)
    return found


def _location_with(server: ServerState, data: NewRun, keys: tuple[AssetKey, ...] | None) -> CodeLocation:
    """The code location that has what is asked for.

    Raises:
        InvalidInvocationError: none has, or several have.
    """
    if data.location is not None:
        found = server.locations.get(data.location)
        if found is None:
            known = ", ".join(sorted(server.locations)) or "none"
            raise InvalidInvocationError(f"There is no code location {data.location!r}; available: {known}.")
        return found
    matching = [
        location
        for location in server.locations.values()
        if (graph := location.graph) is not None
        and (data.job is None or data.job in graph.jobs)
        and all(key in graph.nodes for key in keys or ())
    ]
    if len(matching) == 1:
        return matching[0]
    if len(server.locations) == 1:  # the error then says what it lacks
        return next(iter(server.locations.values()))
    what = f"the job {data.job!r}" if data.job is not None else "all of these assets"
    if not matching:
        raise InvalidInvocationError(f"No code location has {what}.")
    names = ", ".join(sorted(location.name for location in matching))
    raise InvalidInvocationError(f"{what} is in several code locations: {names}. Choose one with `location`.")


ROUTES = Router(path="/runs", route_handlers=[start_run, show_run])
