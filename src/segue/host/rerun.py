"""What of an earlier run is to be run again, beside what it left undone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from segue.errors import InvalidSubsetError
from segue.model.graph import AssetGraph
from segue.model.selection import AssetSelection
from segue.plan.instructions import FinishedStep
from segue.plan.plan import Plan
from segue.plan.resume import StepsAgain, select_again


class RunAgain(msgspec.Struct, frozen=True):
    """What to run again: everything, or what one of the others names.

    Attributes:
        steps: clauses over the keys of steps, as `ReexecutionOptions` takes them.
        selection: of a run of assets: which of its assets, as text; of a job of ops, clauses as for steps, with commas.
    """

    steps: tuple[str, ...] = ()
    selection: str | None = None


def steps_again(again: RunAgain, plan: Plan, done: Mapping[str, FinishedStep], graph: AssetGraph) -> StepsAgain:
    """The steps of a plan that are to be run again, built on what earlier runs left of the others.

    Args:
        again: what was asked for.
        plan: that of the earlier run.
        done: the steps that earlier runs brought to a good end.
        graph: the assets there are now.

    Raises:
        ExecutionStepNotFoundError: a step that there is not, or that a dynamic output makes anew.
        InvalidSubsetError: a selection that names nothing of the run; or a step takes what no run left.
    """
    steps = [*again.steps, *_of_selection(again.selection, plan, graph)]
    return select_again(plan, done, steps) if steps else StepsAgain(plan, {})


def _of_selection(selection: str | None, plan: Plan, graph: AssetGraph) -> list[str]:
    if selection is None:
        return []
    if not plan.asset_keys and not plan.check_keys:
        return [each.strip() for each in selection.split(",") if each.strip()]
    keys = AssetSelection.from_string(selection).resolve(graph) & set(plan.asset_keys)
    if not keys:
        known = ", ".join(sorted(key.to_user_string() for key in plan.asset_keys)) or "none"
        raise InvalidSubsetError(
            f"The selection {selection!r} does not match any asset of this run; available: {known}."
        )
    carrying = [step for step in plan.steps if any(each.asset_key in keys for each in step.outputs)]
    graphs = {step.graph for step in carrying if step.graph is not None}
    return [step.key for step in plan.steps if step in carrying or step.graph in graphs]
