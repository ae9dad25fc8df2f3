"""Freshness on time: states on record, and each change an event, once."""

from __future__ import annotations

from datetime import timedelta

from plane import NOON, Plane

import segue as sg
from segue.daemon.freshness import Freshness
from segue.model.event import AssetObservationData, Event, EventType, FreshnessChangedData, StepMaterializationData
from segue.model.stores import EventFilter

MINUTE, HOUR = 60.0, 3600.0
WINDOW = sg.FreshnessPolicy.time_window(fail_window=timedelta(hours=2), warn_window=timedelta(hours=1))
DEADLINE = sg.FreshnessPolicy.cron("0 * * * *", timedelta(minutes=30))


@sg.asset(freshness_policy=WINDOW)
def window() -> None: ...


@sg.asset(freshness_policy=DEADLINE)
def deadline() -> None: ...


@sg.asset
def free() -> None: ...


class Case:
    """The loop over a plane, and what it recorded."""

    def __init__(self) -> None:
        self.plane = Plane(sg.Definitions(assets=[window, deadline, free]))
        self.restart()

    def restart(self) -> None:
        """Another process takes over."""
        self.loop = Freshness(self.plane.store, self.plane.control, self.plane.locations)

    def make(self, asset: sg.AssetsDefinition, at: float) -> None:
        self.plane.store.append([Event(at, StepMaterializationData(sg.AssetMaterialization(asset.key)))])

    def round(self, at: float) -> float | None:
        return self.loop.round(self.plane.turn(at))

    def changes(self) -> list[tuple[str, str, str]]:
        which = EventFilter(types=(EventType.FRESHNESS_STATE_CHANGE,))
        found: list[FreshnessChangedData] = [
            record.event.asset_freshness_state_change_data for record in self.plane.store.events(which, None)
        ]
        return [(each.asset_key.to_user_string(), each.previous_state.value, each.state.value) for each in found]


def test_an_asset_gets_old_on_time_and_is_fresh_again_when_it_is_made() -> None:
    case = Case()
    assert case.round(NOON) is None  # nothing was made, and nothing changes by itself
    case.make(window, NOON)
    assert case.round(NOON) == NOON + HOUR + 0.001
    assert case.changes() == [("window", "UNKNOWN", "PASS")]
    case.round(NOON + HOUR)
    assert len(case.changes()) == 1
    assert case.round(NOON + HOUR + 1) == NOON + 2 * HOUR + 0.001
    case.round(NOON + 2 * HOUR + 1)
    case.make(window, NOON + 3 * HOUR)
    case.round(NOON + 3 * HOUR)
    assert case.changes()[1:] == [("window", "PASS", "WARN"), ("window", "WARN", "FAIL"), ("window", "FAIL", "PASS")]


def test_what_is_looked_at_is_not_made() -> None:
    case = Case()
    case.round(NOON)
    case.plane.store.append([Event(NOON, AssetObservationData(sg.AssetObservation(window.key)))])
    assert case.round(NOON) is None
    case.make(window, NOON)
    case.round(NOON + MINUTE)
    case.plane.store.append([Event(NOON + HOUR, AssetObservationData(sg.AssetObservation(window.key)))])
    case.round(NOON + HOUR + 1)
    assert case.changes() == [("window", "UNKNOWN", "PASS"), ("window", "PASS", "WARN")]


def test_a_deadline_that_passes_is_noticed_when_it_passes() -> None:
    case = Case()
    case.make(deadline, NOON - 10 * MINUTE)
    assert case.round(NOON + MINUTE) == NOON + HOUR
    case.round(NOON + HOUR)
    case.make(deadline, NOON + HOUR + MINUTE)
    case.round(NOON + HOUR + MINUTE)
    assert case.changes() == [
        ("deadline", "UNKNOWN", "PASS"),
        ("deadline", "PASS", "FAIL"),
        ("deadline", "FAIL", "PASS"),
    ]


def test_a_restart_neither_forgets_nor_repeats_a_change() -> None:
    case = Case()
    case.make(window, NOON)
    case.round(NOON)
    case.restart()
    case.round(NOON + MINUTE)
    assert len(case.changes()) == 1
    case.restart()
    case.round(NOON + 3 * HOUR)  # nobody looked meanwhile
    assert case.changes()[1:] == [("window", "PASS", "FAIL")]


def test_a_round_in_which_nothing_happened_reads_no_asset() -> None:
    case = Case()
    case.make(window, NOON)
    case.round(NOON)
    case.round(NOON)
    asked: list[object] = []
    read = case.plane.store.asset_states
    case.plane.store.asset_states = lambda keys=None: asked.append(keys) or read(keys)
    case.round(NOON + MINUTE)
    assert asked == []
    case.make(free, NOON + MINUTE)
    case.round(NOON + MINUTE)
    assert asked == []


def test_what_is_wiped_is_unknown_again() -> None:
    case = Case()
    case.make(window, NOON)
    case.round(NOON)
    case.plane.store.wipe(window.key, None, NOON)
    case.round(NOON + MINUTE)
    assert case.changes()[-1] == ("window", "PASS", "UNKNOWN")


def test_what_is_made_again_is_next_looked_at_when_that_gets_old_and_nothing_piles_up() -> None:
    case = Case()
    for number in range(300):
        case.make(window, NOON + number)
        assert case.round(NOON + number) == NOON + number + HOUR + 0.001
    assert case.round(NOON + HOUR + 100) == NOON + 299 + HOUR + 0.001
    assert case.changes() == [("window", "UNKNOWN", "PASS")]
    case.round(NOON + HOUR + 300)
    assert case.changes()[1:] == [("window", "PASS", "WARN")]
