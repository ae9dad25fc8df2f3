"""A loop in its thread: rounds under a lease, woken, told of, and handed over."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue.daemon.loop import Action, Loop, Turn
from segue.errors import InvalidConfigError, StorageUnavailableError
from segue.model.location import LoopState
from segue.storage.sqlite import SqliteStore, open_sqlite
from segue.storage.sqlite.control import control_of

SECONDS = 20.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = open_sqlite(tmp_path / "home")
    yield made
    made.close()


def loop(store: SqliteStore, action: Action) -> Loop:
    return Loop("test", store, control_of(store), action, longest_pause=60.0)


def state(store: SqliteStore) -> LoopState:
    (found,) = control_of(store).loop_states()
    return found


def test_it_goes_round_when_it_is_woken_and_tells_how_it_does(store: SqliteStore) -> None:
    turns: queue.Queue[Turn] = queue.Queue()

    def action(turn: Turn) -> None:
        turns.put(turn)

    made = loop(store, action)
    made.start()
    first = turns.get(timeout=SECONDS)
    made.wake()
    second = turns.get(timeout=SECONDS)
    made.stop()
    made.join(SECONDS)
    assert first.lease == second.lease
    assert first.up_since == second.up_since
    assert (state(store).holder, state(store).error) == (store.worker(), None)
    assert store.leases() == []  # given back


def test_a_round_that_raises_is_told_of_and_the_loop_goes_on(store: SqliteStore) -> None:
    rounds: queue.Queue[str | None] = queue.Queue()
    errors: list[Exception | None] = [InvalidConfigError("no such thing"), RuntimeError("a bug"), None]

    def action(turn: Turn) -> float:
        told = control_of(store).loop_states()
        rounds.put(told[0].error if told else None)
        error = errors.pop(0) if errors else None
        if error is not None:
            raise error
        return turn.now + 60

    made = loop(store, action)
    made.start()
    seen = [rounds.get(timeout=SECONDS)]
    for _ in range(3):
        made.wake()
        seen.append(rounds.get(timeout=SECONDS))
    made.stop()
    made.join(SECONDS)
    assert seen == [None, "no such thing", "RuntimeError: a bug", None]


def test_a_store_that_is_away_from_the_start_to_the_end_ends_no_loop(
    store: SqliteStore, capfd: pytest.CaptureFixture[str]
) -> None:
    worker, acquire, release = store.worker, store.acquire_lease, store.release_lease
    asked: queue.Queue[None] = queue.Queue()
    entered = threading.Event()

    def away(*_: object, **__: object) -> Any:
        asked.put(None)
        raise StorageUnavailableError("The database is away.")

    store.worker = store.acquire_lease = away
    made = loop(store, lambda _turn: entered.set())
    made.start()
    for _ in range(4):  # two rounds, each with the name of who has tried
        asked.get(timeout=SECONDS)
        made.wake()
    store.worker, store.acquire_lease = worker, acquire
    made.wake()
    assert entered.wait(SECONDS)
    store.release_lease = away
    made.stop()
    made.join(SECONDS)
    store.release_lease = release
    assert capfd.readouterr().err == ""


def test_another_one_waits_and_takes_over(store: SqliteStore, tmp_path: Path) -> None:
    other = open_sqlite(tmp_path / "home")
    entered, waiting = threading.Event(), threading.Event()

    def first(turn: Turn) -> None:
        entered.set()

    def second(turn: Turn) -> None:
        waiting.set()

    one, two = loop(store, first), loop(other, second)
    one.start()
    assert entered.wait(SECONDS)
    two.start()
    two.wake()
    assert not waiting.is_set()
    one.stop()
    one.join(SECONDS)
    two.wake()
    assert waiting.wait(SECONDS)
    two.stop()
    two.join(SECONDS)
    other.close()
