"""Sensors over automation conditions, asked again and again by a control plane: each time only what may have changed."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from segue.decide.automation.evaluate import AutomationDecision, evaluate_automation
from segue.decide.automation.reads import targets_of
from segue.decide.automation.requests import news_of, requests_of
from segue.defs.automation_sensor import AutomationConditionSensorDefinition
from segue.defs.definitions import Definitions
from segue.defs.instance import Instance
from segue.host.automation import LOG, chosen_targets, conditions_of, reached_by_all
from segue.host.automation_facts import RecordedFacts
from segue.host.automation_partitions import Partitions
from segue.model import codec
from segue.model.automation_nodes import DEFAULT_AUTOMATION_SENSOR
from segue.model.condition.facts import AutomationCursor, EntityCursor
from segue.model.condition_record import ConditionCursor
from segue.model.keys import EntityKey
from segue.model.selection import AssetSelection
from segue.model.tick_task import TickAnswer, TickTask

_decode_cursor = codec.decoder(AutomationCursor).decode
_decode_entity = codec.decoder(EntityCursor).decode


class Automations:
    """The automations of one process: what each keeps in memory between its evaluations.

    An evaluation that goes on from what the one before left looks only at what has changed. Whatever else it is given to go on
    from (by another process, after a failure) has it read everything anew.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Automation] = {}

    def answer(self, definitions: Definitions, instance: Instance, task: TickTask, now: float) -> TickAnswer:
        """What a sensor over conditions asks for.

        Args:
            definitions: what is declared.
            instance: the instance with the recorded state.
            task: the question; its cursor is what the evaluation before left.
            now: the time of the evaluation, in seconds since 1970, UTC.
        """
        kept = self._kept.pop(task.name, None)  # kept again where nothing is raised
        if kept is None or not kept.goes_on(definitions, instance, task):
            kept = _Automation(definitions, instance, task)
        # An evaluation makes many small values and no cycles: looking for these meanwhile would take as long again.
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            answer = kept.answer(datetime.fromtimestamp(now, UTC))
        finally:
            if was_enabled:
                gc.enable()
        self._kept[task.name] = kept
        return answer


class _Automation:
    """One sensor over conditions, and what is kept for its next evaluation."""

    def __init__(self, definitions: Definitions, instance: Instance, task: TickTask) -> None:
        self._definitions = definitions
        self._instance = instance
        self._sensor = automation_sensor(definitions, task.name)
        graph = definitions.asset_graph
        conditions = conditions_of(graph)
        chosen = self._sensor.asset_selection
        if self._sensor.default_condition is not None and chosen is not None:
            keys = [key for key in chosen.resolve(graph) if graph.nodes[key].is_materializable]
            conditions = {**dict.fromkeys(keys, self._sensor.default_condition), **conditions}
        jobs = [key for key in self._sensor.asset_job_keys if key in conditions]
        self._targets = targets_of(graph, conditions, {*chosen_targets(graph, conditions, chosen), *jobs})
        self._partitions = Partitions(graph)
        self._recorded: RecordedFacts | None = None
        self._unsettled: frozenset[EntityKey] | None = None
        self._said = task.cursor
        self._stored: Mapping[str, str] = instance.store.condition_cursors(task.location, task.name)
        self._cursor = AutomationCursor()
        if task.cursor is not None:  # else somebody had it begin anew, and nothing of what is stored counts
            whole = _decode_cursor(task.cursor)
            known = {name: _decode_entity(text) for name, text in self._stored.items()}
            self._cursor = msgspec.structs.replace(whole, entities={**whole.entities, **known})

    def goes_on(self, definitions: Definitions, instance: Instance, task: TickTask) -> bool:
        """Whether a task is about the same, and follows on the last answer."""
        same = definitions is self._definitions and instance is self._instance
        return same and task.cursor is not None and task.cursor == self._said

    def answer(self, now: datetime) -> TickAnswer:
        """What is asked for now."""
        before, recorded = self._cursor, self._recorded
        repartitioned = self._partitions.follow(now, self._instance)
        graph = self._partitions.graph
        if recorded is None:
            since = reached_by_all(before, self._targets)
            recorded = self._recorded = RecordedFacts(graph, self._instance.store, self._targets, since, now)
        else:
            recorded.follow(graph, now, repartitioned)
        decision = evaluate_automation(graph, self._targets, recorded.facts, before, LOG, self._unsettled)
        changed = self._all_changed(decision) if self._unsettled is None else _changed(decision, before)
        self._cursor, self._unsettled = decision.cursor, decision.unsettled
        self._said = codec.encode(msgspec.structs.replace(decision.cursor, entities={})).decode()
        sensor = self._sensor
        asked = requests_of(decision.requested, graph, now, tags=sensor.run_tags, may_backfill=sensor.emit_backfills)
        return TickAnswer(
            requests=asked.runs,
            backfills=asked.backfills,
            evaluations=news_of(decision, before),
            skip_reason=None if asked.runs or asked.backfills else self._why_none(decision),
            cursor=self._said,
            condition_cursors=changed,
        )

    def _why_none(self, decision: AutomationDecision) -> str:
        if not decision.results:
            return "Nothing has changed since the last evaluation of the conditions."
        return f"None of the conditions of {len(self._targets.order):,} assets requests anything."

    def _all_changed(self, decision: AutomationDecision) -> tuple[ConditionCursor, ...]:
        """What is not as it is stored: after an evaluation of all targets."""
        after = {name: codec.encode(each).decode() for name, each in decision.cursor.entities.items()}
        changed = [ConditionCursor(name, text) for name, text in after.items() if self._stored.get(name) != text]
        gone = [ConditionCursor(name, None) for name in self._stored if name not in after]
        self._stored = {}
        return (*changed, *gone)


def _changed(decision: AutomationDecision, before: AutomationCursor) -> tuple[ConditionCursor, ...]:
    """What is remembered otherwise than before of the targets that were evaluated."""
    names = [result.key.to_user_string() for result in decision.results]
    after = {name: decision.cursor.entities[name] for name in names}
    return tuple(
        ConditionCursor(name, codec.encode(each).decode())
        for name, each in after.items()
        if before.entities.get(name) != each
    )


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
