"""Selections of steps of a job, in their short form: `a`, `*a`, `a+`, `++a`, `graph.op`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from segue.errors import InvalidSubsetError
from segue.model.steps import StepNode
from segue.plan.op_planner import upstream_paths

_CLAUSE = re.compile(r"(\*|\++)?([A-Za-z0-9_.]+)(\*|\++)?")


def select_steps(steps: Sequence[StepNode], selection: Iterable[str]) -> frozenset[str]:
    """The paths of the selected steps.

    Args:
        steps: all steps of the job.
        selection: clauses: the name of a step or graph; `*` or `+`s before it for what it depends on (all, or so many
            steps away), and behind it for what depends on it.

    Raises:
        InvalidSubsetError: a clause of another form, or one that names no step.
    """
    upstream = {step.path: set(upstream_paths(step)) for step in steps}
    downstream: dict[str, set[str]] = {path: set() for path in upstream}
    for path, sources in upstream.items():
        for each in sources:
            downstream[each].add(path)
    found: set[str] = set()
    for clause in selection:
        parts = _CLAUSE.fullmatch(clause.strip())
        if parts is None:
            raise InvalidSubsetError(f"op_selection takes names with * or + before or behind, got {clause!r}.")
        before, name, behind = parts.groups()
        start = {path for path in upstream if path == name or path.startswith(f"{name}.")}
        if not start:
            known = ", ".join(sorted(upstream)) or "none"
            raise InvalidSubsetError(f"op_selection: there is no step {name!r}; there are: {known}.")
        found |= start | _reach(start, upstream, before) | _reach(start, downstream, behind)
    return frozenset(found)


def _reach(start: set[str], edges: Mapping[str, set[str]], mark: str | None) -> set[str]:
    """What is reached from here in so many steps as the mark says; `*` and nothing mean all and none."""
    if not mark:
        return set()
    depth = None if mark == "*" else len(mark)
    reached = set(start)
    border = set(start)
    while border and depth != 0:
        border = {each for path in border for each in edges[path]} - reached
        reached |= border
        depth = None if depth is None else depth - 1
    return reached
