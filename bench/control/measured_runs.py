"""The user code of the throughput run: assets that do nothing, in processes that say what of their CPU time went where.

Each process of a run appends one line to the file that RUN_COSTS names: seconds of CPU before its task began, connecting,
reading and writing the store, all the rest of its task, and in all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import segue as sg
from segue.host import tasks

COSTS = os.environ["RUN_COSTS"]
spent = {"fork": 0.0, "connect": 0.0, "record": 0.0}
inside: list[str] = []
task = tasks.run_worker
leave = os._exit


def counted(what: str, action: Callable[[], Any]) -> Any:
    """Does something, and adds the CPU time of it, less that of what is counted inside."""
    before, others = time.process_time(), sum(spent.values())
    try:
        return action()
    finally:
        spent[what] += time.process_time() - before - (sum(spent.values()) - others)


class Writing:
    """`Database.write`, counted from the entry to the exit."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager

    def __enter__(self) -> Any:
        self.before, self.others = time.process_time(), sum(spent.values())
        return self.manager.__enter__()

    def __exit__(self, *error: Any) -> Any:
        try:
            return self.manager.__exit__(*error)
        finally:
            spent["record"] += time.process_time() - self.before - (sum(spent.values()) - self.others)


def run(*arguments: Any) -> None:
    """The task of the process of a run."""
    spent["fork"] = time.process_time()
    os._exit = exit_and_tell
    count_database()  # here, so that importing what speaks to it counts unless the zygote has done so
    task(*arguments)


def count_database() -> None:
    """Has the use of the database counted from now on."""
    from segue.storage.postgres.database import Database

    connect, read, write = Database._connect, Database.read, Database.write
    counting: dict[str, Callable[..., Any]] = {
        "_connect": lambda self: counted("connect", lambda: connect(self)),
        "read": lambda self, *given: counted("record", lambda: read(self, *given)),
        "write": lambda self, **options: Writing(write(self, **options)),
    }
    for name, action in counting.items():
        setattr(Database, name, action)


def exit_and_tell(code: int) -> None:
    """Says what it took, at the very end."""
    total = time.process_time()
    execute = total - sum(spent.values())
    line = " ".join(f"{each:.6f}" for each in (spent["fork"], spent["connect"], spent["record"], execute, total))
    file = os.open(COSTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line} {time.time():.3f}\n".encode())
    leave(code)


tasks.run_worker = run


def nothing(name: str) -> sg.AssetsDefinition:
    @sg.asset(name=name)
    def made() -> None: ...

    return made


# Runs of one asset wait for each other, so there are as many as runs that may go on at once.
assets = [nothing(f"nothing_{number}") for number in range(int(os.environ["RUN_ASSETS"]))]
defs = sg.Definitions(
    assets=assets, jobs=[sg.define_asset_job(f"noop_{number}", [each]) for number, each in enumerate(assets)]
)
