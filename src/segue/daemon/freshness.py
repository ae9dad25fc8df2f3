"""Freshness: how assets stand against their policies, looked at when that may change; each change is an event, once."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count

import msgspec

from segue.daemon.loop import Turn
from segue.daemon.news import LogReader
from segue.daemon.watch import Watch
from segue.decide.freshness import freshness_state, next_change
from segue.decide.sensors import ASSET_EVENTS
from segue.location.base import Locations
from segue.model import codec
from segue.model.control_stores import ControlStore
from segue.model.event import Event, FreshnessChangedData
from segue.model.freshness import FreshnessPolicy, FreshnessState
from segue.model.instigator import InstigatorId, InstigatorKind
from segue.model.keys import AssetKey
from segue.model.stores import Store
from segue.model.tick_record import Tick, TickCommit, TickStatus

_FEW = 64


class _States(msgspec.Struct, frozen=True):
    """How the assets of a location stand, as it is on record; those that were never made are left out."""

    states: dict[str, FreshnessState] = {}


_decode = codec.decoder(_States).decode


class _Watched:
    """An asset with a policy; `due` is when it is looked at next by itself."""

    __slots__ = ("due", "key", "last_updated", "location", "policy", "state")

    def __init__(self, location: str, key: AssetKey, policy: FreshnessPolicy, state: FreshnessState) -> None:
        self.location = location
        self.key = key
        self.policy = policy
        self.state = state
        self.last_updated: float | None = None
        self.due: float | None = None


class Freshness:
    """The loop over freshness policies.

    It looks at an asset when it was made, and when its state may become another by itself. The states of the assets of a
    location are the cursor of its state, which is written with the events.

    Args:
        store: when assets were made.
        control: where states are.
        locations: the code locations, for the policies.
    """

    def __init__(self, store: Store, control: ControlStore, locations: Locations) -> None:
        self._store = store
        self._control = control
        self._locations = locations
        self._watch = Watch(control, locations, InstigatorKind.LOOP)
        self._log = LogReader(store)
        self._watched: dict[tuple[str, AssetKey], _Watched] = {}
        self._due: list[tuple[float, int, _Watched]] = []
        self._numbers = count()

    def round(self, turn: Turn) -> float | None:
        """Looks at what was made and at what is due."""
        try:
            is_new = self._watch.has_changed(turn)
            if is_new:
                self._load()
            # Where nothing is watched the log is left alone: this is asked with all that happens.
            news = self._log.news() if self._watched else ()
            if is_new:
                looked = list(self._watched.values())
            else:
                made = {each.asset for each in news if each.kind in ASSET_EVENTS}
                looked = [each for each in self._watched.values() if each.key in made]
            if looked:
                self._read(looked)
            while (due := self._next_due()) is not None and due <= turn.now:
                _, _, watched = heapq.heappop(self._due)
                watched.due = None
                looked.append(watched)
            self._judge(looked, turn)
        except BaseException:
            self._watch.forget()
            raise
        return self._next_due()

    def _next_due(self) -> float | None:
        """When the next one is to be looked at; what is planned no more, since the asset was made again, is dropped."""
        while self._due and self._due[0][0] != self._due[0][2].due:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _load(self) -> None:
        """Reads which assets have policies, and how they stood; when they were made is to be read behind the place from which the
        log is followed.
        """
        self._watched, self._due, self._log = {}, [], LogReader(self._store)
        for name, location in self._locations.items():
            graph = location.graph
            cursor = self._control.instigator_state(state_id(name)).cursor
            known = {} if cursor is None else _decode(cursor).states
            for key, node in () if graph is None else graph.nodes.items():
                if node.freshness_policy is not None:
                    state = known.get(key.to_user_string(), FreshnessState.UNKNOWN)
                    self._watched[name, key] = _Watched(name, key, node.freshness_policy, state)

    def _read(self, watched: Iterable[_Watched]) -> None:
        """Reads when assets were made last."""
        found = list(watched)
        states = self._store.asset_states([each.key for each in found])
        for each in found:
            state = states.get(each.key)
            each.last_updated = None if state is None else state.timestamp

    def _judge(self, looked: Iterable[_Watched], turn: Turn) -> None:
        """Records what has become another, and plans when to look again."""
        now = datetime.fromtimestamp(turn.now, UTC)
        events: dict[str, list[Event]] = {}
        for each in dict.fromkeys(looked):
            state = freshness_state(each.policy, each.last_updated, now)
            if state is not each.state:
                change = FreshnessChangedData(each.key, state, each.state, each.last_updated)
                events.setdefault(each.location, []).append(Event(turn.now, change))
                each.state = state
            due = next_change(each.policy, each.last_updated, now)
            if due != each.due and due is not None:
                heapq.heappush(self._due, (due, next(self._numbers), each))
            each.due = due
        if len(self._due) > 2 * len(self._watched) + _FEW:  # assets that are made again and again
            self._due = [each for each in self._due if each[0] == each[2].due]
            heapq.heapify(self._due)
        commits = [TickCommit(tick=self._tick(name, turn.now), events=tuple(each)) for name, each in events.items()]
        if commits:
            self._control.commit_ticks(commits, turn.lease)

    def _tick(self, location: str, now: float) -> Tick:
        states = {
            each.key.to_user_string(): each.state
            for each in self._watched.values()
            if each.location == location and each.state is not FreshnessState.UNKNOWN
        }
        return Tick(
            instigator=state_id(location),
            status=TickStatus.SUCCESS,
            started_at=now,
            ended_at=now,
            cursor=codec.encode(_States(states)).decode(),
        )


def state_id(location: str) -> InstigatorId:
    """Under which name the states of a location are on record."""
    return InstigatorId(location, InstigatorKind.LOOP, "freshness")
