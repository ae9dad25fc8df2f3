"""Automation where user code runs: the facts are read, the conditions evaluated, the answer handed to the user."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import msgspec

from segue.decide.automation.evaluate import AutomationDecision, evaluate_automation
from segue.decide.automation.requests import news_of, requests_of
from segue.defs.assets_definition import AssetsDefinition
from segue.defs.automation_sensor import AutomationConditionSensorDefinition
from segue.defs.definitions import Definitions
from segue.defs.instance import Instance
from segue.errors import InvalidInvocationError
from segue.host.automation_facts import gather_facts, uses
from segue.model import codec
from segue.model.arguments import require_kind
from segue.model.automation_nodes import DEFAULT_AUTOMATION_SENSOR
from segue.model.condition import leaves
from segue.model.condition.base import AnyCondition
from segue.model.condition.context import AutomationResult
from segue.model.condition.facts import AutomationCursor
from segue.model.condition.subset import EntitySubset
from segue.model.graph import AssetGraph
from segue.model.keys import AssetJobKey, AssetKey, EntityKey
from segue.model.listing import listed_graph
from segue.model.manifest import content_hash
from segue.model.selection import AssetSelection
from segue.model.stores import EventFilter
from segue.model.tick_task import TickAnswer, TickTask

_decode_cursor = codec.decoder(AutomationCursor).decode
LOG = logging.getLogger("segue.automation")


class EvaluateAutomationConditionsResult:
    """What automation asks for.

    Attributes:
        cursor: what the next evaluation must be given.
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
        """How many partitions, assets without partitions, checks and jobs their own conditions ask for.

        What is asked for only because it is made together with something else is not counted.
        """
        return sum(result.true_subset.size for result in self.results)

    def explain(self, key: EntityKey) -> str:
        """In one line why a target is asked for, or why not: the way down to the condition that decided it.

        Raises:
            InvalidInvocationError: the target was not evaluated.
        """
        for result in self.results:
            if result.key == key:
                return result.serializable_evaluation.explain()
        raise InvalidInvocationError(
            f"{key.to_user_string()!r} was not evaluated: it has no automation condition here, or was not selected."
        )

    def get_num_requested(self, asset_key: EntityKey) -> int:
        """How many partitions of a target are asked for; 1 or 0 for one without partitions."""
        part = self._requested.get(asset_key)
        return 0 if part is None else part.size

    def get_requested_partitions(self, asset_key: AssetKey) -> AbstractSet[str | None]:
        """The partitions of an asset that are asked for; None stands for an asset without partitions."""
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
    """What automation would ask for now. Nothing is launched or recorded.

    Args:
        defs: the definitions, or a list of assets.
        instance: what is recorded.
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
    wanted = _wanted(definitions.asset_graph, conditions, asset_selection)
    before = AutomationCursor() if cursor is None else cursor
    now = datetime.now(UTC) if evaluation_time is None else evaluation_time
    now = now if now.tzinfo is not None else now.replace(tzinfo=UTC)
    _, decision = _evaluated(definitions.asset_graph, instance, conditions, wanted, before, now)
    return EvaluateAutomationConditionsResult(decision)


def answer_automation(definitions: Definitions, instance: Instance, task: TickTask, now: float) -> TickAnswer:
    """What a sensor over conditions asks for.

    Args:
        definitions: what is declared.
        instance: what is recorded.
        task: the question; its cursor is what the evaluation before left.
        now: the time of the evaluation, in seconds since 1970, UTC.
    """
    sensor = automation_sensor(definitions, task.name)
    graph = definitions.asset_graph
    conditions = conditions_of(graph)
    chosen = sensor.asset_selection
    if sensor.default_condition is not None and chosen is not None:
        keys = [key for key in chosen.resolve(graph) if graph.nodes[key].is_materializable]
        conditions = {**dict.fromkeys(keys, sensor.default_condition), **conditions}
    wanted = {*_wanted(graph, conditions, chosen), *(key for key in sensor.asset_job_keys if key in conditions)}
    before = AutomationCursor() if task.cursor is None else _decode_cursor(task.cursor)
    moment = datetime.fromtimestamp(now, UTC)
    stands_on = _stands_on(definitions, conditions, instance, moment)
    if stands_on is not None and stands_on == before.settled:
        return TickAnswer(skip_reason="Nothing has happened since the conditions were evaluated last.")
    graph, decision = _evaluated(graph, instance, conditions, sorted(wanted, key=str), before, moment)
    asked = requests_of(decision.requested, graph, moment, tags=sensor.run_tags, may_backfill=sensor.emit_backfills)
    news = news_of(decision, before)
    cursor = msgspec.structs.replace(decision.cursor, settled=None if news else stands_on)
    return TickAnswer(
        requests=asked.runs,
        backfills=asked.backfills,
        evaluations=news,
        skip_reason=None if asked.runs or asked.backfills else f"No condition of {len(wanted):,} asks for anything.",
        cursor=codec.encode(cursor).decode(),
    )


def _stands_on(
    definitions: Definitions, conditions: Mapping[EntityKey, AnyCondition], instance: Instance, now: datetime
) -> str | None:
    """A name for all that an evaluation looks at: the definitions, the log, the partitions there are.

    None where conditions look at something else, as at the time.
    """
    kinds = (leaves.CronTickPassedCondition, leaves.FreshnessResultCondition)
    if uses(conditions.values(), *kinds):
        return None
    graph = definitions.asset_graph
    partitions = dict.fromkeys(node.partitions for node in graph.nodes.values() if node.partitions is not None)
    counted: list[object] = []
    for each in partitions:
        listed = each.listed(now, instance)
        counted.append(listed.count(now) if each.is_listed else listed.get_partition_keys(now))
    newest = instance.store.events(EventFilter(ascending=False), 1)
    place = newest[0].storage_id if newest else 0
    return content_hash(codec.encode([definitions.manifest_hash, place, counted]))


def automation_sensor(definitions: Definitions, name: str) -> AutomationConditionSensorDefinition:
    """A sensor over conditions: one that is declared, or the one that is there for conditions which none of those evaluates.

    Raises:
        InvariantViolationError: there is none of this name.
    """
    if name == DEFAULT_AUTOMATION_SENSOR and all(each.name != name for each in definitions.sensors or ()):
        nodes = definitions.asset_graph.manifest.sensors
        keys = next((node.asset_selection for node in nodes if node.name == name), None)
        return AutomationConditionSensorDefinition(name, target=AssetSelection.assets(*(keys or ())))
    found = definitions.get_sensor_def(name)
    assert isinstance(found, AutomationConditionSensorDefinition)  # its type says so
    return found


def _evaluated(
    graph: AssetGraph,
    instance: Instance,
    conditions: Mapping[EntityKey, AnyCondition],
    wanted: Collection[EntityKey],
    before: AutomationCursor,
    now: datetime,
) -> tuple[AssetGraph, AutomationDecision]:
    """The decision, and the graph with its partitions as they were then."""
    graph = listed_graph(graph, graph.nodes, now, instance)
    facts = gather_facts(graph, instance.store, conditions, wanted, before, now)
    return graph, evaluate_automation(graph, conditions, wanted, facts, before, LOG)


def conditions_of(graph: AssetGraph) -> dict[EntityKey, AnyCondition]:
    """The condition of each asset, check and job that has one."""
    found: dict[EntityKey, AnyCondition] = {}
    for key, node in [*graph.nodes.items(), *graph.checks.items()]:
        if node.automation_condition is not None:
            found[key] = node.automation_condition
    for name, job in graph.jobs.items():
        if job.automation_condition is not None:
            found[AssetJobKey(name)] = job.automation_condition
    return found


def _wanted(
    graph: AssetGraph, conditions: Mapping[EntityKey, AnyCondition], selection: AssetSelection | None
) -> Collection[EntityKey]:
    """The targets to evaluate; a selection names assets and checks, so jobs are evaluated only without one."""
    if selection is None:
        return list(conditions)
    chosen = {*selection.resolve(graph), *selection.resolve_checks(graph)}
    return [key for key in conditions if key in chosen]
