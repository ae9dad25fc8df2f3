"""The garbage collector, while definitions are made."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Generator


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
            if gc.get_freeze_count() == 0:  # what others froze stays frozen
                gc.freeze()  # and back, which puts all into the oldest generation: three rounds over everything less
                gc.unfreeze()
            gc.enable()
