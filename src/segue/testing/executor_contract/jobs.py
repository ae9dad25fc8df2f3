"""The jobs of the contract: what steps do to the process they run in."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import segue as sg

EXECUTORS = {
    "in_process": sg.in_process_executor,
    "threads": sg.threads_executor,
    "async": sg.async_executor,
    "multiprocess": sg.multiprocess_executor,
}
MUCH = 128 * 2**20
"""How many bytes the largest value has."""
MARKS = "SEGUE_CONTRACT_MARKS"
"""The environment variable that names a folder in which steps leave marks."""
COORDINATOR = "SEGUE_CONTRACT_COORDINATOR"
"""The environment variable with the process id of the coordinator."""


def mark(name: str) -> Path:
    """The place of a mark."""
    return Path(os.environ[MARKS], name)


@sg.op
def gives() -> int:
    return 20


@sg.op
async def gives_async() -> int:
    return 22


@sg.op
def adds(one: int, other: int) -> int:
    return one + other


@sg.op
def raises() -> None:
    raise ValueError("on purpose")


@sg.op
def raises_base() -> None:
    raise BaseException("at the base")


@sg.op
def exits() -> None:
    sys.exit(3)


@sg.op(ins={"before": sg.In(sg.Nothing)})
def after() -> str:
    return "after"


@sg.op(retry_policy=sg.RetryPolicy(max_retries=2))
def flaky() -> str:
    place = mark("flaky")
    if len(place.read_text() if place.exists() else "") < 2:
        with place.open("a") as file:
            file.write("x")
        raise ValueError("not yet")
    return "third time"


@sg.op(out=sg.DynamicOut())
def parts(count: int) -> Iterator[sg.DynamicOutput[int]]:
    for each in range(count):
        yield sg.DynamicOutput(each, mapping_key=f"p{each}")


@sg.op
def three() -> int:
    return 3


@sg.op
def thousand() -> int:
    return 1_000


@sg.op
def double(part: int) -> int:
    return 2 * part


@sg.op
def total(values: list[int]) -> int:
    return sum(values)


@sg.op(out=sg.Out(is_required=False))
def gives_nothing() -> Iterator[sg.Output[int]]:
    yield from ()


@sg.op
def closes_streams() -> str:
    sys.stdout.write("before\n")
    sys.stdout.close()
    sys.stderr.close()
    return "closed"


@sg.op
def starts_a_thread() -> str:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return "started"


@sg.op
def forks() -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return "forked"


@sg.op
def gives_a_lock() -> object:
    return threading.Lock()


def _refuse() -> object:
    raise EOFError("the value breaks off")


class Unreadable:
    """Can be stored, and not be loaded."""

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return _refuse, ()


@sg.op
def gives_unreadable() -> Unreadable:
    return Unreadable()


@sg.op
def takes_unreadable(value: Unreadable) -> None:
    del value  # it never comes


@sg.op
def gives_another_type() -> int:
    return cast("int", "text")


@sg.op
def gives_much() -> bytes:
    return b"x" * MUCH


@sg.op
def takes_much(value: bytes) -> int:
    return len(value)


@sg.op
def stops_the_run() -> None:
    try:
        os.kill(int(os.environ[COORDINATOR]), signal.SIGINT)
        while True:
            time.sleep(0.01)
    finally:
        mark("tidied").touch()


@sg.op
def leaves_at_once() -> None:
    os._exit(3)


@sg.op
def kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


@sg.op
def changes_its_surroundings() -> None:
    os.environ["SEGUE_CONTRACT_CHANGED"] = "yes"
    os.chdir("/")


@sg.op(ins={"before": sg.In(sg.Nothing)})
def looks_around() -> list[str | None]:
    return [os.environ.get("SEGUE_CONTRACT_CHANGED"), os.getcwd()]


@sg.graph
def success() -> None:
    adds(gives(), gives_async())


@sg.graph
def failure() -> None:
    after(before=raises())
    gives()


@sg.graph
def base_exception() -> None:
    raises_base()
    exits()
    gives()


@sg.graph
def retry() -> None:
    flaky()


@sg.graph
def dynamic() -> None:
    total(parts(three()).map(double).collect())


@sg.graph
def fan_out() -> None:
    total(parts(thousand()).map(double).collect())


@sg.graph
def skip() -> None:
    double(gives_nothing())


@sg.graph
def streams() -> None:
    after(before=closes_streams())


@sg.graph
def thread() -> None:
    after(before=starts_a_thread())


@sg.graph
def fork() -> None:
    after(before=forks())


@sg.graph
def unpicklable() -> None:
    gives_a_lock()
    gives()


@sg.graph
def bad_values() -> None:
    takes_unreadable(gives_unreadable())
    gives_another_type()
    takes_much(gives_much())


@sg.graph
def stopped() -> None:
    stops_the_run()


@sg.graph
def exit_at_once() -> None:
    leaves_at_once()
    gives()


@sg.graph
def crash() -> None:
    kills_itself()
    gives()


@sg.graph
def surroundings() -> None:
    looks_around(before=changes_its_surroundings())


GRAPHS = {
    each.name: each
    for each in (
        success,
        failure,
        base_exception,
        retry,
        dynamic,
        fan_out,
        skip,
        streams,
        thread,
        fork,
        unpicklable,
        bad_values,
        stopped,
        exit_at_once,
        crash,
        surroundings,
    )
}


def job_of(graph: str, executor: str) -> sg.JobDefinition:
    """The job of a graph with an executor, both by name."""
    return GRAPHS[graph].to_job(name=graph, executor_def=EXECUTORS[executor])
