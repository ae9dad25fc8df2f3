"""What automation asks for: conditions and facts in, requests out, and what the next evaluation must remember."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import msgspec

from segue.decide.automation.rules import evaluate_builtin
from segue.model.condition.base import AnyCondition
from segue.model.condition.context import AutomationContext, AutomationLog, AutomationResult, Evaluation
from segue.model.condition.facts import AutomationCursor, AutomationFacts, EntityCursor
from segue.model.condition.subset import EntitySubset
from segue.model.condition.view import AssetGraphView
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetJobKey, AssetKey, EntityKey
from segue.model.ordering import require_acyclic


class AutomationDecision(msgspec.Struct, frozen=True):
    """What an evaluation decided.

    Attributes:
        results: what each condition said, in the order in which they were evaluated: upstream first.
        requested: what is asked for of each target, and of what can only be made together with it.
        cursor: what the next evaluation must be given.
    """

    results: tuple[AutomationResult, ...]
    requested: Mapping[EntityKey, EntitySubset]
    cursor: AutomationCursor


def evaluate_automation(
    graph: AssetGraph,
    conditions: Mapping[EntityKey, AnyCondition],
    wanted: Collection[EntityKey],
    facts: AutomationFacts,
    cursor: AutomationCursor,
    log: AutomationLog,
) -> AutomationDecision:
    """Evaluates conditions, upstream before downstream, so that each sees what is requested before it.

    Args:
        graph: what depends on what.
        conditions: the condition of each target that has one.
        wanted: the targets to evaluate; those without a condition are left out.
        facts: what is recorded, and the time.
        cursor: what the evaluation before left; an empty one for the first.
        log: where conditions write lines.

    What the cursor remembers of targets that are not evaluated stays as it is; of those that have no condition any more,
    nothing is remembered.
    """
    view = AssetGraphView(graph, facts.now)
    evaluation = Evaluation(view, facts, cursor, conditions, {}, evaluate_builtin, log)
    results: list[AutomationResult] = []
    known = {key.to_user_string() for key in conditions}
    entities: dict[str, EntityCursor] = {text: each for text, each in cursor.entities.items() if text in known}
    for key in evaluation_order(graph, [key for key in wanted if key in conditions]):
        result = _evaluate(evaluation, key)
        results.append(result)
        _request(evaluation, key, result.true_subset)
    for result in results:
        requested = evaluation.requested[result.key].value
        entities[result.key.to_user_string()] = msgspec.structs.replace(result.get_new_cursor(), requested=requested)
    return AutomationDecision(
        tuple(results), evaluation.requested, AutomationCursor(cursor.evaluation_id + 1, entities)
    )


def _evaluate(evaluation: Evaluation, key: EntityKey) -> AutomationResult:
    """The result for one target; nothing outside the target's partitions is true."""
    context = AutomationContext.create(evaluation, evaluation.conditions[key], key)
    try:
        return context.evaluate()
    except Exception as error:
        error.add_note(f"While the automation condition of {key.to_user_string()!r} was evaluated.")
        raise


def _request(evaluation: Evaluation, key: EntityKey, part: EntitySubset) -> None:
    """Notes a request, also for the assets and checks that can only be made together with it."""
    view = evaluation.view
    for each in (key, *(_together(view.asset_graph, key) if isinstance(key, AssetKey) else ())):
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


def _together(graph: AssetGraph, key: AssetKey) -> Iterator[EntityKey]:
    """The assets and checks that the step of an asset makes at once, where it cannot make some of them only."""
    computation = graph.nodes[key].computation
    node = None if computation is None else graph.computations[computation]
    if node is None or node.can_subset:
        return
    for output in node.outputs:
        if output.asset_key is not None:
            yield output.asset_key
        elif output.check_asset_key is not None and output.check_name is not None:
            yield AssetCheckKey(output.check_asset_key, output.check_name)


def evaluation_order(graph: AssetGraph, keys: Collection[EntityKey]) -> list[EntityKey]:
    """These targets, each after what it depends on: assets, the checks on an asset right after it, jobs last."""
    texts = {key.to_user_string(): key for key in graph.nodes}
    edges = {
        text: [parent.to_user_string() for parent in graph.parents(key) if parent != key]
        for text, key in sorted(texts.items())
    }
    wanted = set(keys)
    order: list[EntityKey] = []
    for text in require_acyclic(edges):
        key = texts[text]
        order += [each for each in (key, *sorted(graph.checks_of(key))) if each in wanted]
    return order + sorted(key for key in wanted if isinstance(key, AssetJobKey))
