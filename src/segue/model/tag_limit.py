"""How many runs, or steps of one run, with some tag may be in progress at once."""

from __future__ import annotations

import msgspec


class TagLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A limit on what is in progress at once: runs of a deployment, or steps of a run.

    Attributes:
        key: the tag.
        limit: how many; of steps at least 1.
        value: only with this value; None for any.
        is_per_value: whether each value has the limit for itself.
    """

    key: str
    limit: int
    value: str | None = None
    is_per_value: bool = False
