"""Several control planes on one database: what each decides at the same moment is written once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from segue.errors import LeaseLostError
from segue.model.control_stores import ControlStore, LoopLease
from segue.model.run_records import RunsFilter
from segue.model.stores import Store
from segue.model.tick_record import CommittedTick
from segue.storage.postgres import control as postgres_control
from segue.storage.postgres import open_postgres
from segue.storage.sqlite import control as sqlite_control
from segue.storage.sqlite import open_sqlite
from segue.testing.control_contract.builders import SCHEDULE, SENSOR, schedule_tick, sensor_tick, wanted

Pair = tuple[Store, ControlStore]
PROCESSES = 3
ROUNDS = 20


@pytest.fixture(params=["sqlite", "postgres"])
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Pair]]:
    """The stores of several control planes, each with a connection of its own."""
    with ExitStack() as stack:
        found: list[Pair] = []
        url: str = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
        for _ in range(PROCESSES):
            if url:
                postgres = open_postgres(url)
                stack.callback(postgres.close)
                found.append((postgres, postgres_control.control_of(postgres)))
            else:
                sqlite = open_sqlite(tmp_path / "home")
                stack.callback(sqlite.close)
                found.append((sqlite, sqlite_control.control_of(sqlite)))
        yield found


def together(replicas: list[Pair], action: Callable[[int, Pair], list[CommittedTick]]) -> list[CommittedTick]:
    """What each replica answers, all at once."""
    barrier = threading.Barrier(len(replicas))

    def act(number: int) -> list[CommittedTick]:
        barrier.wait()
        return action(number, replicas[number])

    with ThreadPoolExecutor(len(replicas)) as pool:
        return [each for answers in pool.map(act, range(len(replicas))) for each in answers]


def test_each_time_of_a_schedule_is_decided_once(replicas: list[Pair]) -> None:
    def decide(number: int, pair: Pair) -> list[CommittedTick]:
        return [
            done
            for at in range(ROUNDS)
            for done in pair[1].commit_ticks([schedule_tick(float(at), wanted(f"{number}-{at}"))])
        ]

    answers = together(replicas, decide)
    assert sum(not each.is_repeated for each in answers) == len(replicas[0][1].ticks(SCHEDULE, 1_000))
    decided = [entry.tick.scheduled_at for entry in replicas[0][1].ticks(SCHEDULE, 1_000)]
    assert len(decided) == len(set(decided))
    assert decided[0] == ROUNDS - 1
    assert len(replicas[0][0].list_runs(RunsFilter(), None, None)) == len(decided)


def test_each_run_key_makes_one_run_and_the_cursor_is_never_behind(replicas: list[Pair]) -> None:
    def ask(number: int, pair: Pair) -> list[CommittedTick]:
        found: list[CommittedTick] = []
        for at in range(ROUNDS):
            runs = (wanted(f"{number}-{at}", f"file {at}"), wanted(f"{number}-{at}-b", f"file {at} b"))
            found += pair[1].commit_ticks([sensor_tick(float(at), *runs, cursor=str(at))])
        return found

    answers = together(replicas, ask)
    created = [run_id for each in answers for run_id in each.created]
    assert len(created) == 2 * ROUNDS
    assert {run.run_id for run in replicas[0][0].list_runs(RunsFilter(), None, None)} == set(created)
    assert replicas[0][1].instigator_state(SENSOR).cursor == str(ROUNDS - 1)


def test_a_run_leaves_the_queue_for_one_of_them(replicas: list[Pair]) -> None:
    names = [f"run {number}" for number in range(ROUNDS)]
    for name in names:
        replicas[0][1].enqueue(wanted(name))
    taken: list[str] = []
    lock = threading.Lock()

    def take(number: int, pair: Pair) -> list[CommittedTick]:
        for name in names if number % 2 else names[::-1]:
            found = pair[1].dequeue([name], 2.0)
            with lock:
                taken.extend(found)
        return []

    together(replicas, take)
    assert sorted(taken) == sorted(names)


def test_a_lease_that_was_taken_over_meanwhile_writes_nothing(replicas: list[Pair]) -> None:
    (old, old_control), (new, _), *_ = replicas
    token = old.acquire_lease("loop/schedules", 0.0 if old.lease_seconds is None else 60.0)
    assert token is not None
    late = LoopLease("loop/schedules", token)
    assert old.release_lease(late.name, late.token)  # what another sees once it has run out
    following = new.acquire_lease("loop/schedules", 60.0)
    assert following is not None
    assert following > token
    with pytest.raises(LeaseLostError):
        old_control.commit_ticks([schedule_tick(1.0, wanted("late"))], late)
    assert old.get_run("late") is None
    replicas[1][1].commit_ticks([schedule_tick(1.0, wanted("new"))], msgspec.structs.replace(late, token=following))
    assert old.get_run("new") is not None
