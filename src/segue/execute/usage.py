"""Measuring what an attempt uses: two looks at the counters of the process, a few microseconds each."""

from __future__ import annotations

import os
import sys
import time

import msgspec

from segue.model.usage import StepUsage

try:
    import resource
except ImportError:  # Windows has none: processor time is all there is
    resource = None

_BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of the peak of memory
_COUNTERS = "/proc/self/io"
_NOT_OPENED, _NOT_THERE = -1, -2
_descriptor = _NOT_OPENED  # kept open: opening costs ten times as much as reading


class Sample(msgspec.Struct, frozen=True, gc=False):
    """The counters at one moment; None for those that the system does not have."""

    wall: float
    cpu: float
    peak: int | None
    read: int | None
    written: int | None


def sample() -> Sample:
    """The counters of this process now."""
    read, written = _bytes_moved()
    if resource is None:
        return Sample(time.perf_counter(), time.process_time(), None, read, written)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Sample(time.perf_counter(), used.ru_utime + used.ru_stime, used.ru_maxrss * _BYTES_PER_UNIT, read, written)


def used_since(before: Sample) -> StepUsage:
    """What was used since a moment."""
    now = sample()
    read = None if now.read is None or before.read is None else max(now.read - before.read, 0)
    written = None if now.written is None or before.written is None else max(now.written - before.written, 0)
    return StepUsage(round(now.wall - before.wall, 6), round(now.cpu - before.cpu, 6), now.peak, read, written)


def _bytes_moved() -> tuple[int | None, int | None]:
    global _descriptor
    if _descriptor == _NOT_THERE:
        return None, None
    try:
        if _descriptor == _NOT_OPENED:
            _descriptor = os.open(_COUNTERS, os.O_RDONLY | os.O_CLOEXEC)
        _, read, _, written, _ = os.pread(_descriptor, 256, 0).split(None, 4)  # rchar: 12 wchar: 34 ...
        return int(read), int(written)
    except FileNotFoundError:
        _descriptor = _NOT_THERE
    except (OSError, ValueError):  # user code has closed it; its number may be that of another file by now
        _descriptor = _NOT_OPENED
    return None, None


def _forget_parent() -> None:
    global _descriptor
    if _descriptor >= 0:  # it tells of the parent
        os.close(_descriptor)
        _descriptor = _NOT_OPENED


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
