"""The place of a value in a config, and the walk over a config that collects what is invalid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import segue.late as late
from segue.errors import ConfigErrorReason, ConfigViolation


class _NoValue:
    """What stands for a value that did not fit, or that is not there."""

    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final[Any] = _NoValue()


class Place:
    """A place in a config: the keys and indexes that lead to it from the root.

    Attributes:
        path: field names, list indexes and keys of maps, from the root.
        text: the same for people: `root:ops:clean:config:columns[2]`.
    """

    __slots__ = ("path", "text")

    def __init__(self, path: tuple[str | int, ...] = (), text: str = "root") -> None:
        self.path = path
        self.text = text

    def field(self, name: str) -> Place:
        """The place of a field."""
        return Place((*self.path, name), f"{self.text}:{name}")

    def item(self, index: int) -> Place:
        """The place of an item of a list."""
        return Place((*self.path, index), f"{self.text}[{index}]")

    def entry(self, key: Any) -> Place:
        """The place of an entry of a map."""
        return Place((*self.path, key), f"{self.text}:{key!r}")

    def below(self, *names: str) -> Place:
        """The place of a field of a field, and so on."""
        return Place((*self.path, *names), ":".join((self.text, *names)))

    @property
    def start(self) -> str:
        """How a sentence about the place begins."""
        return self.text if self.path else "The config"

    def __str__(self) -> str:
        return f"at path {self.text}" if self.path else "at the root"


ROOT: Final = Place()


class Walk:
    """One walk over a config value.

    Attributes:
        violations: what did not fit, in the order in which it was found.
        fill: whether enums are made members of theirs and the environment is read.
        defaults: whether defaults are filled in; where only `fill` is, those that a part of a default brings are
            (`Field.is_inherited`), for a value that is handed to a class which knows its own defaults.
    """

    __slots__ = ("defaults", "fill", "in_class", "violations")

    def __init__(self, fill: bool = True, defaults: bool | None = None) -> None:
        self.fill = fill
        self.defaults = fill if defaults is None else defaults
        self.in_class = False  # whether what is walked over is part of a value that a class judges as a whole
        self.violations: list[ConfigViolation] = []

    def refuse(
        self, place: Place, message: str, reason: ConfigErrorReason = ConfigErrorReason.RUNTIME_TYPE_MISMATCH
    ) -> Any:
        """Takes note of a value that does not fit; what stands for its value then."""
        self.violations.append(ConfigViolation(message, reason, place.path))
        return NO_VALUE


def near_names(name: object, known: Iterable[object]) -> str:
    """A sentence that offers the known names that look like a wrong one; empty where none does."""
    near: list[str] = late.difflib.get_close_matches(str(name), [str(each) for each in known], n=3)
    return f" Did you mean {' or '.join(f'{each!r}' for each in near)}?" if near else ""
