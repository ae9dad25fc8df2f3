"""Calling the function of an op without a run, as tests do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segue.defs.op import OpDefinition


def invoke(op: OpDefinition, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
    """Calls the function as it stands."""
    return op.function(*args, **kwargs)
