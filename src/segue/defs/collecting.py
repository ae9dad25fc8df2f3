"""The garbage collector, while definitions are made."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Generator

_BETWEEN_COUNTS = 1_000
_uncounted = 0  # definitions since what there is was last counted as old
_is_frozen = False


@contextlib.contextmanager
def collector_paused() -> Generator[None]:
    """The garbage collector stands still in the block: what is made there stays, and looking at it again and again takes as
    long as making it. Afterwards it is on as before, and counts what was made as old.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            _count_as_old()
            gc.enable()


def count_definition() -> None:
    """Notes that one more definition was made. After every thousandth, what there is counts as old.

    A module that declares assets makes objects that stay. The collector would look through all of them again each time that
    they are a quarter more: with a hundred thousand assets that takes as long as declaring them.
    """
    global _uncounted
    _uncounted += 1
    if _uncounted >= _BETWEEN_COUNTS:
        _uncounted = 0
        if gc.isenabled():
            _count_as_old()


def freeze() -> None:
    """Keeps the garbage collector off what there is by now, here and in the processes forked from this one, so that they share
    its memory.
    """
    global _is_frozen
    _is_frozen = True
    gc.collect()
    gc.freeze()


def _count_as_old() -> None:
    # What was frozen, here or by others, stays so. To ask for the count walks over all of it, which a run would pay for each time.
    if not _is_frozen and gc.get_freeze_count() == 0:
        gc.freeze()  # and back, which puts all into the oldest generation, and has the collector count anew
        gc.unfreeze()
