"""Conditions from their stored form: which field holds what, and which tag belongs to which class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from segue.errors import NotSupportedError
from segue.model.condition.base import PLAIN, AnyCondition
from segue.model.condition.kinds import KINDS, build
from segue.model.keys import AssetKey
from segue.model.selection import AssetSelection


def condition_from_wire(data: Mapping[str, Any]) -> AnyCondition:
    """The condition that `AutomationCondition.to_wire` wrote; a custom one comes back as `OpaqueCondition`.

    Raises:
        NotSupportedError: a tag that this version does not know.
    """
    kind = data.get("kind")
    if kind not in KINDS:
        raise NotSupportedError(
            f"The stored automation condition {kind!r} was written by a newer version of Segue: upgrade Segue."
        )
    fields = {name: value for name, value in data.items() if name != "kind"}
    return build(kind, **{name: _READ.get(name, lambda value: value)(value) for name, value in fields.items()})


_READ: Mapping[str, Callable[[Any], object]] = {
    "operand": condition_from_wire,
    "trigger_condition": condition_from_wire,
    "reset_condition": condition_from_wire,
    "operands": lambda values: tuple(map(condition_from_wire, values)),
    "key": AssetKey,
    "downstream_keys": lambda values: tuple(map(AssetKey, values)),
    "allow_selection": AssetSelection.from_string,
    "ignore_selection": AssetSelection.from_string,
    "lookback_delta": lambda seconds: timedelta(seconds=seconds),
    "tag_keys": frozenset,
}
PLAIN.extend(
    [
        (AssetKey, lambda key: list(key.parts)),
        (AssetSelection, AssetSelection.to_selection_str),
        (timedelta, timedelta.total_seconds),
    ]
)
