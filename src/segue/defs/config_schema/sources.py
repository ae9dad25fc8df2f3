"""Scalars that are given as they are, or as the name of an environment variable that holds them: `{"env": NAME}`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from segue.defs.config_schema.elements import ScalarUnion
from segue.defs.config_schema.place import NO_VALUE, Place, Walk
from segue.defs.config_schema.shapes import Selector
from segue.defs.config_schema.types import BOOL, FLOAT, INT, STRING, ScalarType
from segue.defs.environment import EnvVar, IntEnvVar
from segue.errors import ConfigErrorReason


class Source(ScalarUnion):
    """A scalar, or `{"env": NAME}`, which is read when a run needs it.

    What is shown and stored is the name, never the value of the variable.

    Args:
        scalar: what the value is.
        key: tells it from other types.
        read: makes the scalar out of the variable's text; None where it is none.
        form: what the text must be, for errors.
    """

    def __init__(self, scalar: ScalarType, key: str, read: Callable[[str], Any], form: str) -> None:
        super().__init__(scalar, Selector({"env": str}), key)
        self._read = read
        self._form = form

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        if isinstance(value, (EnvVar, IntEnvVar)):
            value = {"env": value.env_var_name}
        before = len(walk.violations)
        found = super().evaluate(value, place, walk)
        if not walk.fill or not isinstance(value, Mapping) or len(walk.violations) > before:
            return found
        name = cast("Mapping[str, str]", value)["env"]
        text = read_variable(name, place, walk)
        if text is NO_VALUE:
            return NO_VALUE
        made = self._read(text)
        if made is None:  # without the text, which may be a secret
            message = f"{place.start}: the value of the environment variable {name!r} is not {self._form}."
            return walk.refuse(place, message, ConfigErrorReason.FAILED_POST_PROCESSING)
        return made


def read_variable(name: str, place: Place, walk: Walk) -> Any:
    """The text of a variable; `NO_VALUE`, and something among the walk's violations, if it is not set."""
    text = os.environ.get(name)
    if text is not None:
        return text
    message = f"{place.start}: the environment variable {name!r} is not set. Set it where the run is executed."
    return walk.refuse(place, message, ConfigErrorReason.FAILED_POST_PROCESSING)


def _whole_number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


_TRUE, _FALSE = frozenset({"true", "t", "1", "yes", "y", "on"}), frozenset({"false", "0", ""})


def _truth(text: str) -> bool | None:
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


StringSource: Final = Source(STRING, "StringSourceType", str, "a text")
IntSource: Final = Source(INT, "IntSourceType", _whole_number, "an int")
FloatSource: Final = Source(FLOAT, "FloatSourceType", _number, "a float")
BoolSource: Final = Source(BOOL, "BoolSourceType", _truth, "a bool (true or false)")
