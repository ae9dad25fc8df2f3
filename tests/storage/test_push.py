"""Whoever listens hears what others write, at once; and those who write pay nothing for nobody."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue.model.instigator import InstigatorId, InstigatorKind, InstigatorStatus
from segue.model.location import LoopState
from segue.model.run import Run
from segue.model.stores import Store
from segue.model.tick_record import WantedRun
from segue.storage.opening import Listener, open_control, open_listener, open_store
from segue.storage.sqlite.push import Poker, SocketListener
from segue.testing.storage_contract.builders import add_run, events_of, logged, made, started

LONG = 30.0
NOTHING = 0.05


class Place:
    """A database, and what hears of it."""

    def __init__(self, home: Path, database: str | None) -> None:
        self.home, self.database = home, database
        self.store: Store = open_store(home, database)
        self.store.append(())  # makes it
        self.listener: Listener = open_listener(home, database)
        while self.listener.wait(NOTHING):  # it may have missed what was before
            pass


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    database = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    place = Place(tmp_path / "home", database)
    yield place
    place.listener.close()
    place.store.close()


def _switch(store: Store) -> None:
    which = InstigatorId("here", InstigatorKind.SENSOR, "s")
    open_control(store).set_instigator(which, InstigatorStatus.RUNNING, 1.0)


def _enqueue(store: Store) -> None:
    open_control(store).enqueue(WantedRun(Run(run_id="r9", job_name="daily", created_at=1.0), ()))


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.append(events_of("r1", [started()])),
        lambda store: store.append(events_of(None, [made("a")])),
        lambda store: store.start_run("r1", events_of("r1", [started()])),
        _switch,
        _enqueue,
    ],
    ids=["a run begins", "an asset is made", "a run is leased", "a sensor is switched", "a run is enqueued"],
)
def test_news_is_heard(place: Place, write: Callable[[Store], object]) -> None:
    add_run(place.store, "r1")
    other = open_store(place.home, place.database)
    write(other)
    assert place.listener.wait(LONG)
    other.close()


def test_what_nobody_waits_for_is_not_told(place: Place) -> None:
    add_run(place.store, "r1")
    place.store.append(events_of("r1", [logged("a line")]))
    open_control(place.store).put_loop(LoopState(name="queue", holder="h", heartbeat_at=1.0))
    assert not place.listener.wait(NOTHING)


def test_a_write_that_was_rolled_back_is_not_told(place: Place) -> None:
    with pytest.raises(Exception, match="nobody"):
        place.store.append(events_of("nobody", [started()]))
    assert not place.listener.wait(NOTHING)


def test_one_that_died_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "listeners"
    pid = os.fork()
    if pid == 0:
        SocketListener(folder)
        os._exit(0)
    os.waitpid(pid, 0)
    living = SocketListener(folder)
    assert len(list(folder.iterdir())) == 2
    poker = Poker(folder)
    poker.poke()
    assert living.wait(LONG)
    assert len(list(folder.iterdir())) == 1
    poker.poke()
    assert living.wait(LONG)
    living.close()


def test_a_listener_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    listener, poker = SocketListener(tmp_path), Poker(tmp_path)
    for _ in range(10_000):
        poker.poke()
    assert listener.wait(LONG)
    assert not listener.wait(0)
    listener.close()


def test_a_home_with_a_long_path_is_heard_of(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    listener, poker = SocketListener(folder), Poker(folder)
    poker.poke()
    assert listener.wait(LONG)
    listener.close()


def test_telling_nobody_costs_next_to_nothing(tmp_path: Path) -> None:
    def seconds() -> float:
        began = time.process_time()
        for _ in range(1_000):
            poker.poke()
        return (time.process_time() - began) / 1_000

    poker = Poker(tmp_path / "listeners")
    never = min(seconds() for _ in range(5))
    SocketListener(tmp_path / "listeners").close()
    no_more = min(seconds() for _ in range(5))
    assert max(never, no_more) < 20e-6
