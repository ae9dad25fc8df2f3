"""What automation asks for: conditions and facts in, requests out, and what the next evaluation must remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush

import msgspec

from segue.decide.automation.reads import Targets
from segue.decide.automation.rules import evaluate_builtin
from segue.decide.cron import tick_between
from segue.model.condition.context import AutomationContext, AutomationLog, AutomationResult, Evaluation
from segue.model.condition.facts import AutomationCursor, AutomationFacts, EntityCursor
from segue.model.condition.subset import EntitySubset
from segue.model.condition.view import AssetGraphView
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetKey, EntityKey


class AutomationDecision(msgspec.Struct, frozen=True):
    """What an evaluation decided.

    Attributes:
        results: what each condition said that was evaluated, in that order: upstream first.
        requested: what is asked for of each target, and of what can only be made together with it.
        cursor: the cursor to pass to the next evaluation.
        unsettled: the targets that may say something else next time even if nothing happens until then.
    """

    results: tuple[AutomationResult, ...]
    requested: Mapping[EntityKey, EntitySubset]
    cursor: AutomationCursor
    unsettled: frozenset[EntityKey]


def evaluate_automation(
    graph: AssetGraph,
    targets: Targets,
    facts: AutomationFacts,
    cursor: AutomationCursor,
    log: AutomationLog,
    unsettled: AbstractSet[EntityKey] | None = None,
) -> AutomationDecision:
    """Evaluates conditions, upstream before downstream, so that each sees what is requested before it.

    Args:
        graph: what depends on what.
        targets: what to evaluate, and what it looks at.
        facts: what is recorded, and the time.
        cursor: what the evaluation before left; an empty one for the first.
        log: where conditions write lines.
        unsettled: what the evaluation before said of itself, where it was one of the same targets: then only those are
            evaluated that may say something else than in that one, and the others are taken to say the same. None
            evaluates all.

    A condition is a function of what it looks at and of what it remembers. So a target is evaluated if any of that is not
    what it was the last time: the log speaks of it, or spoke of it then, so that what was new is not any more; another request
    was made; its memory changed; a tick of a cron schedule passed, or has just passed. One that asks for something is
    evaluated again, until it does not.
    """
    view = AssetGraphView(graph, facts.now)
    evaluation = Evaluation(view, facts, cursor, targets.conditions, {}, evaluate_builtin, log)
    ticked = _ticked(targets, facts, cursor)
    due = targets.order.keys() if unsettled is None else _due(targets, facts, unsettled) | ticked
    waiting = [(targets.order[key], key) for key in due]
    heapify(waiting)
    results: dict[EntityKey, AutomationResult] = {}
    entities = _remembered(targets, cursor) if unsettled is None else dict(cursor.entities)
    restless = {*ticked, *targets.readers_of(facts.updated)}
    while waiting:
        place, key = heappop(waiting)
        if key in results:
            continue
        result = results[key] = _evaluate(evaluation, key)
        _request(evaluation, key, result.true_subset)
        name = key.to_user_string()
        before = cursor.entities.get(name)
        after = entities[name] = msgspec.structs.replace(result.get_new_cursor(), requested=result.true_subset.value)
        if before != after or not result.true_subset.is_empty:
            restless.add(key)
        if before is None or before.requested != after.requested:
            readers = targets.readers_of(_together(graph, key))
            restless |= readers
            for reader in readers:
                if targets.order[reader] > place and reader not in results:
                    heappush(waiting, (targets.order[reader], reader))
    following = AutomationCursor(cursor.evaluation_id + 1, entities, facts.now.timestamp(), facts.last_storage_id)
    return AutomationDecision(tuple(results.values()), evaluation.requested, following, frozenset(restless))


def _due(targets: Targets, facts: AutomationFacts, unsettled: AbstractSet[EntityKey]) -> set[EntityKey]:
    """The targets that may say something else than in the evaluation before."""
    return {*unsettled, *targets.always, *targets.readers_of(facts.updated | facts.changed)}


def _ticked(targets: Targets, facts: AutomationFacts, cursor: AutomationCursor) -> set[EntityKey]:
    """Those that wait for a tick of a cron schedule that passed since the evaluation before."""
    if not cursor.timestamp:
        return set()
    before = datetime.fromtimestamp(cursor.timestamp, UTC)
    passed = [keys for cron, keys in targets.crons.items() if tick_between(*cron, before, facts.now)]
    return {key for keys in passed for key in keys}


def _remembered(targets: Targets, cursor: AutomationCursor) -> dict[str, EntityCursor]:
    """What is remembered, without those that have no condition any more. Of those that are not evaluated it is as of when they
    were.
    """
    known = {key.to_user_string(): key in targets.order for key in targets.conditions}
    return {
        name: each
        if known[name] or each.timestamp is not None
        else msgspec.structs.replace(each, timestamp=cursor.timestamp, last_storage_id=cursor.last_storage_id)
        for name, each in cursor.entities.items()
        if name in known
    }


def _evaluate(evaluation: Evaluation, key: EntityKey) -> AutomationResult:
    """The result for one target; nothing outside the target's partitions is true."""
    context = AutomationContext.create(evaluation, evaluation.conditions[key], key)
    try:
        return context.evaluate()
    except Exception as error:
        error.add_note(f"Raised while evaluating the automation condition of {key.to_user_string()!r}.")
        raise


def _request(evaluation: Evaluation, key: EntityKey, part: EntitySubset) -> None:
    """Notes a request, also for the assets and checks that can only be made together with it."""
    view = evaluation.view
    for each in _together(view.asset_graph, key):
        known = evaluation.requested.get(each)
        definition = view.partitions_def(each)
        if each == key:
            same = part
        elif definition == view.partitions_def(key):
            same = EntitySubset(view, each, part.value)
        elif definition is None:
            same = EntitySubset(view, each, not part.is_empty)
        else:
            continue
        evaluation.requested[each] = same if known is None else known.compute_union(same)


def _together(graph: AssetGraph, key: EntityKey) -> Sequence[EntityKey]:
    """A target and the assets and checks that the step of an asset makes at once, where it cannot make some of them only."""
    computation = graph.nodes[key].computation if isinstance(key, AssetKey) else None
    node = None if computation is None else graph.computations[computation]
    found: dict[EntityKey, None] = {key: None}
    for output in () if node is None or node.can_subset else node.outputs:
        if output.asset_key is not None:
            found[output.asset_key] = None
        elif output.check_asset_key is not None and output.check_name is not None:
            found[AssetCheckKey(output.check_asset_key, output.check_name)] = None
    return tuple(found)
