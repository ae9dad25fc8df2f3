"""A limit on the memory of a step's process."""

from __future__ import annotations

import resource
from pathlib import Path

_STATM = Path("/proc/self/statm")


def limit_memory(limit: int) -> None:
    """Keeps this process, and each that it starts, from taking more memory than it has now and `limit` bytes.

    What the process already holds when a step begins (the interpreter, the imported code) does not count.
    """
    pages = int(_STATM.read_text().split()[0]) if _STATM.exists() else 0
    most = pages * resource.getpagesize() + limit
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def explained(error: MemoryError, limit: int) -> MemoryError:
    """A MemoryError that names the limit which it met."""
    error.add_note(
        f"The step may use {limit} bytes of memory (its memory limit) in addition to the memory used by importing "
        "the code."
    )
    return error
