"""Which threads of a process stand in the way of a fork: each is judged by where it comes from, not counted.

A fork copies the thread that forks and no other. Most libraries with threads of their own do not survive that in the
child: locks that another thread held are held for ever. Some prepare for it; these stand in the table, and a test forks
and works in the child for each row.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import msgspec

_TASKS = "/proc/self/task"


class ForkSafeThreads(msgspec.Struct, frozen=True):
    """Threads that a fork does no harm to.

    Attributes:
        library: what starts them.
        started_by: the module whose import starts them, or the beginning of its name; empty for any.
        name: the name that they bear; empty for that of the process.
        needs: modules of which one must be loaded.
        why: why the child can work.
    """

    library: str
    started_by: str
    name: str
    needs: tuple[str, ...]
    why: str


FORK_SAFE = (
    ForkSafeThreads(
        "OpenBLAS in numpy",
        "numpy.",
        "",
        ("numpy",),
        "its pool is shut down before a fork and restarted on first use, in the parent and in the child (pthread_atfork)",
    ),
    ForkSafeThreads(
        "jemalloc in polars and pyarrow",
        "",
        "jemalloc_bg_thd",
        ("polars", "pyarrow"),
        "it only gives memory back; jemalloc holds its locks across a fork and works in the child without this thread",
    ),
    ForkSafeThreads(
        "the cleaner of polars",
        "",
        "polars-ooc-clea",
        ("polars",),
        "it waits for files to remove that queries larger than memory have left; no query waits for it",
    ),
)


class ThreadWatch:
    """Notes which import brings which native thread, from its making on.

    It listens to imports; Python offers no way to stop listening, so after `judge` it does nothing any more.
    """

    def __init__(self) -> None:
        self._is_watching = os.path.isdir(_TASKS)
        self._importing = ""
        self._seen: dict[str, str] = {}
        self._note()
        sys.addaudithook(self._hear)

    def judge(self) -> str | None:
        """Why this process must not be forked; None where it may be.

        A Python thread, or a native one of no library in the table: a pool that was used at import, a CUDA context, a gRPC
        channel.
        """
        self._note()
        self._is_watching = False
        python = {
            str(thread.native_id): thread for thread in threading.enumerate() if thread is not threading.main_thread()
        }
        for thread in python.values():
            return f"the Python thread {thread.name!r} was started while the code was imported"
        for task, importing in self._seen.items():
            name = _name_of(task)
            if name is None or task == str(os.getpid()) or _is_safe(name, importing):
                continue
            where = f" (it appeared while {importing!r} was imported)" if importing else ""
            return f"the native thread {name!r} was started while the code was imported{where}"
        return None

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "import" and self._is_watching:
            self._note()
            self._importing = str(arguments[0])

    def _note(self) -> None:
        if self._is_watching:
            for task in os.listdir(_TASKS):
                self._seen.setdefault(task, self._importing)


def _is_safe(name: str, importing: str) -> bool:
    return any(_is_of(each, name, importing) for each in FORK_SAFE)


def _is_of(row: ForkSafeThreads, name: str, importing: str) -> bool:
    """Whether a thread is one of those that a row speaks of."""
    is_named = name == row.name if row.name else name == _name_of(str(os.getpid()))
    is_loaded = any(module in sys.modules for module in row.needs)
    return is_named and is_loaded and importing.startswith(row.started_by)


def _name_of(task: str) -> str | None:
    """The name of a thread; None when it is gone."""
    try:
        return Path(_TASKS, task, "comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    except (FileNotFoundError, ProcessLookupError):
        return None
