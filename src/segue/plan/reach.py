"""The clauses of selections of steps: a name, and how far to go from there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from segue.errors import InvalidSubsetError

_CLAUSE = re.compile(r"(\*|\++)?([A-Za-z0-9_.]+(?:\[[^\]]+\])?)(\*|\++)?")


class Clause(msgspec.Struct, frozen=True):
    """One clause: a name; `*` or `+`s before it for what it depends on, and behind it for what depends on it.

    Attributes:
        name: what is selected.
        before, behind: the marks; `*` for all, a `+` for each step away.
    """

    name: str
    before: str | None = None
    behind: str | None = None

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """The clause that a text says.

        Raises:
            InvalidSubsetError: it is of another form.
        """
        parts = _CLAUSE.fullmatch(text.strip())
        if parts is None:
            raise InvalidSubsetError(f"{where} must be names with * or + before or after them, got {text!r}.")
        before, name, behind = parts.groups()
        return cls(name, before, behind)


def reach(start: Iterable[str], upstream: Mapping[str, Iterable[str]], clause: Clause) -> set[str]:
    """What a clause selects that starts from these steps.

    Args:
        start: the steps that its name stands for.
        upstream: what each step depends on.
        clause: the clause.
    """
    found = set(start)
    downstream: dict[str, set[str]] = {name: set() for name in upstream}
    for name, sources in upstream.items():
        for each in sources:
            downstream[each].add(name)
    return found | _follow(found, upstream, clause.before) | _follow(found, downstream, clause.behind)


def _follow(start: set[str], edges: Mapping[str, Iterable[str]], mark: str | None) -> set[str]:
    """What is reached from here in so many steps as the mark says; `*` and nothing mean all and none."""
    if not mark:
        return set()
    depth = None if mark == "*" else len(mark)
    reached = set(start)
    border = set(start)
    while border and depth != 0:
        border = {each for name in border for each in edges[name]} - reached
        reached |= border
        depth = None if depth is None else depth - 1
    return reached
