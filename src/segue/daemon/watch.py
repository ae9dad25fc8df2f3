"""Whether what a loop keeps in memory of schedules or sensors still holds."""

from __future__ import annotations

from segue.daemon.loop import Turn
from segue.location.base import Locations
from segue.model.control_stores import InstigatorStore
from segue.model.graph import AssetGraph
from segue.model.instigator import InstigatorKind

_SET_BACK_SECONDS = 1.0  # what is less is the clock being kept right


class Watch:
    """Sees that someone switched a schedule or sensor, that definitions changed, that the lease is a new one, or that the clock
    was set back: what was to be done at a time that had nearly come is then far ahead.

    Args:
        control: where they are switched; asked with one small query each time, where any are declared.
        locations: the code locations.
        kind: schedules or sensors; for what nobody switches, definitions, lease and clock are seen.
    """

    def __init__(self, control: InstigatorStore, locations: Locations, kind: InstigatorKind) -> None:
        self._control = control
        self._locations = locations
        self._kind = kind
        self._seen: tuple[int, str, dict[str, AssetGraph | None]] | None = None
        self._looked_at = 0.0

    def has_changed(self, turn: Turn) -> bool:
        """Whether anything has, since this was asked last; always, where `forget` was called."""
        graphs = {name: location.graph for name, location in self._locations.items()}
        before, token = self._seen, turn.lease.token
        went_back, self._looked_at = turn.now < self._looked_at - _SET_BACK_SECONDS, turn.now
        is_any_declared = any(graph is not None and self._declares(graph) for graph in graphs.values())
        switches = self._control.switches(self._kind) if is_any_declared else ""
        self._seen = (token, switches, graphs)
        if went_back or before is None or before[:2] != (token, switches) or before[2].keys() != graphs.keys():
            return True
        return any(graph is not before[2][name] for name, graph in graphs.items())

    def _declares(self, graph: AssetGraph) -> bool:
        """Whether there is anything in the definitions that could be switched."""
        manifest = graph.manifest
        if self._kind is InstigatorKind.SCHEDULE:
            return bool(manifest.schedules)
        return self._kind is InstigatorKind.SENSOR and bool(manifest.sensors)

    def forget(self) -> None:
        """Has the next question answered with yes."""
        self._seen = None
