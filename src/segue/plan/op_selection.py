"""Selections of steps of a job, in their short form: `a`, `*a`, `a+`, `++a`, `graph.op`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.errors import InvalidSubsetError
from segue.model.steps import StepNode
from segue.plan.op_planner import upstream_paths
from segue.plan.reach import Clause, reach


def select_steps(steps: Sequence[StepNode], selection: Iterable[str]) -> frozenset[str]:
    """The paths of the selected steps.

    Args:
        steps: all steps of the job.
        selection: clauses: `*` for all; or the name of a step or graph, with `*` or `+`s before it for what it depends on (all,
            or so many nodes away), and behind it for what depends on it. A graph of the job is one node, and is selected whole.

    Raises:
        InvalidSubsetError: a clause of another form, or one that names no step.
    """
    upstream = {step.path: set(upstream_paths(step)) for step in steps}
    nodes: dict[str, set[str]] = {}
    for path, sources in upstream.items():
        nodes.setdefault(_node_of(path), set()).update(map(_node_of, sources))
    found: set[str] = set()
    for text in selection:
        if text == "*":
            return frozenset(upstream)
        clause = Clause.parse(text, "op_selection")
        if clause.name in nodes:
            reached = reach([clause.name], nodes, clause)
            found |= {path for path in upstream if _node_of(path) in reached}
            continue
        start = {path for path in upstream if path == clause.name or path.startswith(f"{clause.name}.")}
        if not start:
            known = ", ".join(sorted(upstream)) or "none"
            raise InvalidSubsetError(f"op_selection: step {clause.name!r} was not found; available: {known}.")
        found |= reach(start, upstream, clause)
    return frozenset(found)


def _node_of(path: str) -> str:
    """The node of the job's own graph that a step belongs to."""
    return path.partition(".")[0]
