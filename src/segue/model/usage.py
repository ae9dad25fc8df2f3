"""What an attempt of a step used, as the operating system tells it."""

from __future__ import annotations

import msgspec


class StepUsage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an attempt used, from its start to its end.

    The numbers are those of its process: where other steps, or threads that outlive their step, run in it at the same
    time, they count too. Child processes do not.

    Attributes:
        wall_seconds: time that passed.
        cpu_seconds: time of processors, of all threads, in user code and in the kernel.
        peak_memory_bytes: the most physical memory that the process has held since it began. In a process of its own that
            is what the step needed, with the code it imported; in the process of the run, what any step so far needed.
        bytes_read, bytes_written: what went through the system's calls for reading and writing: files, cached or not,
            pipes and, mostly, sockets. None where the system does not tell.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int | None = None
    bytes_read: int | None = None
    bytes_written: int | None = None
