"""The few places where both libraries differ, and the clock; all else in a workload is the same code for both.

Nothing is imported at the top that a library would have to import itself: the time for it belongs to the library.
"""

from __future__ import annotations

import os
import time
import warnings
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NAME = os.environ["BENCH_LIBRARY"]


def load() -> Any:
    """The library; its warnings about beta features are no part of what is measured."""
    warnings.simplefilter("ignore")
    return import_module(NAME)


def size(usual: int) -> int:
    """How much to do: as usual, or what the caller asks for."""
    return int(os.environ.get("BENCH_SIZE", usual))


def folder(name: str) -> str:
    """A new empty folder that is deleted after the run."""
    path = os.path.join(os.environ["BENCH_FOLDER"], name)
    os.mkdir(path)
    return path


def stored_instance(name: str) -> Any:
    """An instance that records runs and events in SQLite files in a folder of its own, with all defaults on."""
    library = load()
    instance = library.DagsterInstance if NAME == "dagster" else library.Instance
    return instance.local_temp(folder(name))


def survive_crashes_of_the_process_only() -> None:
    """Has Dagster's SQLite not wait for the disk at each commit, as Segue's does not: what is lost is lost with the machine."""
    if NAME != "dagster":
        return
    sqlalchemy = import_module("sqlalchemy")

    @sqlalchemy.event.listens_for(import_module("sqlalchemy.engine").Engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")


def plan(definitions: Any) -> int:
    """Resolve the graph and plan a run of all assets; the number of steps."""
    if NAME == "dagster":
        job = definitions.resolve_implicit_global_asset_job_def()
        return len(import_module("dagster._core.execution.api").create_execution_plan(job).steps)
    graph = definitions.resolve_asset_graph()
    now = import_module("datetime").datetime.now().astimezone()
    planned = import_module("segue.host.planning").planned
    return len(planned(graph, set(graph.materializable_keys), set(), now=now, job_name="__ASSET_JOB").steps)


def report(count: int, work: Callable[[], object]) -> None:
    """Do the work once and print what it took: wall clock and CPU of this process, in seconds, for `count` things."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f'{{"library": "{NAME}", "count": {count}, "seconds": {wall}, "cpu": {cpu}}}')
