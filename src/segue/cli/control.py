"""What commands about the control plane need: its store, and the recorded code locations."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import msgspec

from segue.cli.home import open_store
from segue.cli.options import CodeOptions, load, names_locations
from segue.deployment import control_of
from segue.errors import InvalidSubsetError, LoadError
from segue.model.content_hash import content_hash
from segue.model.control_stores import ControlStore
from segue.model.graph import AssetGraph
from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorState
from segue.model.location import LocationState, LocationStatus
from segue.model.manifest import decode_manifest
from segue.model.selection import AssetSelection
from segue.model.stores import Store
from segue.settings import Settings

if TYPE_CHECKING:
    from segue.defs.definitions import Definitions
    from segue.model.automation_nodes import ScheduleNode, SensorNode


class Known(msgspec.Struct, frozen=True):
    """A code location, as far as a command knows it."""

    name: str
    graph: AssetGraph
    manifest_hash: str
    definitions: Definitions | None = None


class Plane(msgspec.Struct, frozen=True):
    """The stores of a deployment, and its code locations by name."""

    store: Store
    control: ControlStore
    locations: Mapping[str, Known]


@contextmanager
def open_plane(settings: Settings, code: CodeOptions | None = None) -> Generator[Plane]:
    """What is on record of a deployment.

    The code that the options or the settings name is loaded where a command needs it, or where no code location is on
    record (all of them, where the settings name several). It is put on record then, so that the control plane finds what was
    asked for.

    Args:
        settings: in force.
        code: where the code is, for a command that needs user code; None for one that only needs definitions.
    """
    with open_store(settings) as store:
        control = control_of(store)
        states = {state.name: state for state in control.location_states()}
        known: dict[str, Known] = {}
        for state in states.values():
            manifest = None if state.manifest_hash is None else control.get_manifest(state.manifest_hash)
            if manifest is not None and state.manifest_hash is not None:
                known[state.name] = Known(state.name, AssetGraph(decode_manifest(manifest)), state.manifest_hash)
        if code is not None or not known:
            for loaded, manifest in _loaded_where_it_is(settings, is_needed_here=code is not None):
                if loaded.name not in states:
                    recorded = LocationState(
                        name=loaded.name,
                        status=LocationStatus.LOADING,
                        manifest_hash=loaded.manifest_hash,
                        updated_at=time.time(),
                    )
                    control.put_location(recorded, manifest)
                known[loaded.name] = loaded
        yield Plane(store, control, known)


def _loaded_where_it_is(settings: Settings, *, is_needed_here: bool) -> Iterator[tuple[Known, bytes]]:
    """The code locations of the settings, with what they declare as it is put on record: in this process where there is one, or
    where a command needs the code itself; else each in its own, in its own environment.

    Raises:
        LoadError: none of them loads, or nothing says where they are.
    """
    from segue.cli.locations import targets_in_force

    if is_needed_here or settings.file is not None or settings.module is not None or not names_locations(settings):
        loaded = _loaded(settings)
        assert loaded.definitions is not None
        yield loaded, loaded.definitions.encoded_manifest
        return
    from segue.cli.loading_once import load_once

    broken: list[str] = []
    for target in targets_in_force(settings):
        once = load_once(settings, target)
        if once.manifest is None or once.state.manifest_hash is None:
            broken.append(target.name)
            reason = (once.state.error or once.state.status.value).strip().splitlines()[-1]
            click.echo(f"The code location {target.name} failed to load and is left out: {reason}", err=True)
            continue
        yield Known(target.name, AssetGraph(decode_manifest(once.manifest)), once.state.manifest_hash), once.manifest
    if len(broken) == len(targets_in_force(settings)):
        raise LoadError("No code location could be loaded. 'segue location check' shows why.")


def _loaded(settings: Settings) -> Known:
    definitions, graph = load(settings)
    return Known(settings.location_name, graph, content_hash(definitions.encoded_manifest), definitions)


def code_of(settings: Settings, location: Known) -> Definitions:
    """The code of a code location, loaded here.

    Raises:
        InvalidSubsetError: the code that the settings name is not the one that was loaded there.
    """
    from segue.cli.locations import settings_at

    loaded = location if location.definitions is not None else _loaded(settings_at(settings, location.name))
    if loaded.definitions is None or loaded.manifest_hash != location.manifest_hash:
        raise InvalidSubsetError(
            f"Only the code of {location.name!r} can say which partitions are meant, but the code in the settings "
            "here defines something else. Run this where that code is, or reload the location."
        )
    return loaded.definitions


def location_of(plane: Plane, name: str | None) -> Known:
    """The code location with a name, or the only one.

    Raises:
        InvalidSubsetError: there is none, or several and none is named.
    """
    shown = ", ".join(sorted(plane.locations)) or "none"
    if name is None:
        if len(plane.locations) == 1:
            return next(iter(plane.locations.values()))
        raise InvalidSubsetError(f"Several code locations are available: {shown}. Choose one with --location.")
    if name not in plane.locations:
        raise InvalidSubsetError(f"There is no code location {name!r}; available: {shown}.")
    return plane.locations[name]


def location_with(plane: Plane, name: str | None, job: str | None, select: str | None) -> Known:
    """The code location with a name; without one, the only one that has a job and anything that a selection may make.

    Raises:
        InvalidSubsetError: there is none, or several and none is named.
    """
    if name is not None or len(plane.locations) == 1:
        return location_of(plane, name)
    fitting = [each for each in plane.locations.values() if _has(each.graph, job, select)]
    if len(fitting) == 1:
        return fitting[0]
    what = " and ".join(repr(each) for each in (job, select) if each is not None)
    if not fitting:
        raise InvalidSubsetError(
            f"{what} is not in any code location; available: {', '.join(sorted(plane.locations)) or 'none'}."
        )
    names = ", ".join(sorted(each.name for each in fitting))
    raise InvalidSubsetError(f"{what} is in several code locations: {names}. Choose one with --location.")


def _has(graph: AssetGraph, job: str | None, select: str | None) -> bool:
    if job is not None and job not in graph.jobs:
        return False
    if select is None:
        return True
    try:
        found = AssetSelection.from_string(select).resolve(graph)
    except InvalidSubsetError:
        return False
    return not found.isdisjoint(graph.materializable_keys)


class Found(msgspec.Struct, frozen=True):
    """A schedule or sensor with its location and what is recorded of it."""

    location: Known
    node: ScheduleNode | SensorNode
    state: InstigatorState

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.state.is_running(by_default=self.node.runs_by_default)


def instigators(plane: Plane, kind: InstigatorKind) -> Sequence[Found]:
    """All schedules, or all sensors, by location and name."""
    states = plane.control.instigator_states()
    found: list[Found] = []
    for name in sorted(plane.locations):
        location = plane.locations[name]
        manifest = location.graph.manifest
        nodes = manifest.schedules if kind is InstigatorKind.SCHEDULE else manifest.sensors
        for node in sorted(nodes, key=lambda each: each.name):
            which = InstigatorId(name, kind, node.name)
            found.append(Found(location, node, states.get(which) or InstigatorState(id=which)))
    return found


def settings_of_instigator(settings: Settings, kind: InstigatorKind, name: str, location: str | None) -> Settings:
    """The settings with the code that has a schedule or sensor, where there are several code locations.

    Raises:
        InvalidSubsetError: there is none, or several locations have one.
        NotSupportedError: as of `settings_at`.
    """
    if settings.file is not None or settings.module is not None:
        return settings
    from segue.cli.locations import settings_at

    with open_plane(settings) as plane:
        return settings_at(settings, find_instigator(plane, kind, name, location).location.name)


def find_instigator(plane: Plane, kind: InstigatorKind, name: str, location: str | None) -> Found:
    """The schedule or sensor with a name.

    Raises:
        InvalidSubsetError: there is none, or several locations have one.
    """
    every = instigators(plane, kind)
    found = [each for each in every if each.node.name == name and location in (None, each.location.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidSubsetError(
            f"The {kind.value} {name!r} is in several code locations: "
            f"{', '.join(each.location.name for each in found)}. Choose one with --location."
        )
    shown = ", ".join(sorted({each.node.name for each in every})) or "none"
    raise InvalidSubsetError(f"There is no {kind.value} {name!r}; available: {shown}.")


def confirm(question: str, *, yes: bool) -> None:
    """Asks before something is done that cannot be undone.

    Raises:
        click.UsageError: there is nobody to ask, and no --yes.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} This requires confirmation, but there is no terminal. Add --yes.")
    click.confirm(question, abort=True, err=True)
