"""Automation conditions evaluated where user code runs, for the user: the facts are read, and nothing is recorded."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

from segue.decide.automation.evaluate import AutomationDecision, evaluate_automation
from segue.decide.automation.reads import Targets, targets_of
from segue.defs.assets_definition import AssetsDefinition
from segue.defs.definitions import Definitions
from segue.defs.instance import Instance
from segue.errors import InvalidInvocationError
from segue.host.automation_facts import RecordedFacts
from segue.model.arguments import require_kind
from segue.model.condition.base import AnyCondition
from segue.model.condition.context import AutomationResult, reached
from segue.model.condition.facts import AutomationCursor
from segue.model.condition.subset import EntitySubset
from segue.model.graph import AssetGraph
from segue.model.keys import AssetJobKey, AssetKey, EntityKey
from segue.model.listing import listed_graph
from segue.model.selection import AssetSelection

LOG = logging.getLogger("segue.automation")


class EvaluateAutomationConditionsResult:
    """The requests of automation conditions.

    Attributes:
        cursor: the cursor to pass to the next evaluation.
        results: what each condition said, upstream first.
    """

    def __init__(self, decision: AutomationDecision) -> None:
        self.cursor: AutomationCursor = decision.cursor
        self.results: Sequence[AutomationResult] = decision.results
        evaluated = {result.key for result in decision.results}
        self._requested: Mapping[EntityKey, EntitySubset] = {
            key: part for key, part in decision.requested.items() if key in evaluated
        }

    @property
    def total_requested(self) -> int:
        """How many partitions, unpartitioned assets, checks and jobs are requested by their own conditions.

        Anything requested only because it is materialized together with something else is not counted.
        """
        return sum(result.true_subset.size for result in self.results)

    def explain(self, key: EntityKey) -> str:
        """One line that says why a target is requested, or not: the path to the condition that decided it.

        Raises:
            InvalidInvocationError: the target was not evaluated.
        """
        for result in self.results:
            if result.key == key:
                return result.serializable_evaluation.explain()
        raise InvalidInvocationError(
            f"{key.to_user_string()!r} was not evaluated: it has no automation condition in these definitions, "
            "or was not selected."
        )

    def get_num_requested(self, asset_key: EntityKey) -> int:
        """How many partitions of a target are requested; 1 or 0 for an unpartitioned one."""
        part = self._requested.get(asset_key)
        return 0 if part is None else part.size

    def get_requested_partitions(self, asset_key: AssetKey) -> AbstractSet[str | None]:
        """The requested partitions of an asset; None stands for an unpartitioned asset."""
        part = self._requested.get(asset_key)
        if part is None or part.is_empty:
            return set()
        return set(part.expensively_compute_partition_keys()) if part.is_partitioned else {None}


def evaluate_automation_conditions(
    defs: Definitions | Iterable[AssetsDefinition],
    instance: Instance,
    asset_selection: AssetSelection | None = None,
    evaluation_time: datetime | None = None,
    cursor: AutomationCursor | None = None,
) -> EvaluateAutomationConditionsResult:
    """What automation conditions would request now. Nothing is launched or recorded.

    Args:
        defs: the definitions, or a list of assets.
        instance: the instance with the recorded state.
        asset_selection: whose conditions to evaluate; all when None.
        evaluation_time: the time that conditions see; now when None, in UTC where it has no time zone.
        cursor: `result.cursor` of the evaluation before; None for the first.

    Raises:
        InvalidDefinitionError: something of a wrong type.
    """
    definitions = defs if isinstance(defs, Definitions) else Definitions(assets=list(defs))
    require_kind("evaluate_automation_conditions", "asset_selection", asset_selection, AssetSelection)
    require_kind("evaluate_automation_conditions", "cursor", cursor, AutomationCursor)
    conditions = conditions_of(definitions.asset_graph)
    wanted = chosen_targets(definitions.asset_graph, conditions, asset_selection)
    before = AutomationCursor() if cursor is None else cursor
    now = datetime.now(UTC) if evaluation_time is None else evaluation_time
    now = now if now.tzinfo is not None else now.replace(tzinfo=UTC)
    graph = listed_graph(definitions.asset_graph, definitions.asset_graph.nodes, now, instance)
    targets = targets_of(graph, conditions, wanted)
    facts = RecordedFacts(graph, instance.store, targets, reached_by_all(before, targets), now).facts
    return EvaluateAutomationConditionsResult(evaluate_automation(graph, targets, facts, before, LOG))


def reached_by_all(cursor: AutomationCursor, targets: Targets) -> int | None:
    """How far the log went when the last of these targets had been evaluated; None before the first time."""
    names = (key.to_user_string() for key in targets.order)
    return min((reached(cursor, each) for name in names if (each := cursor.entities.get(name))), default=None)


def conditions_of(graph: AssetGraph) -> dict[EntityKey, AnyCondition]:
    """The condition of each asset, check and job that has one; where equal ones are declared, the first of them.

    So what is worked out of a condition alone, such as the ids of its nodes, is worked out once.
    """
    found: dict[EntityKey, AnyCondition] = {}
    for key, node in [*graph.nodes.items(), *graph.checks.items()]:
        if node.automation_condition is not None:
            found[key] = node.automation_condition
    for name, job in graph.jobs.items():
        if job.automation_condition is not None:
            found[AssetJobKey(name)] = job.automation_condition
    first: dict[AnyCondition, AnyCondition] = {}
    return {key: first.setdefault(condition, condition) for key, condition in found.items()}


def chosen_targets(
    graph: AssetGraph, conditions: Mapping[EntityKey, AnyCondition], selection: AssetSelection | None
) -> Collection[EntityKey]:
    """The targets to evaluate; a selection names assets and checks, so jobs are evaluated only without one."""
    if selection is None:
        return list(conditions)
    chosen = {*selection.resolve(graph), *selection.resolve_checks(graph)}
    return [key for key in conditions if key in chosen]
