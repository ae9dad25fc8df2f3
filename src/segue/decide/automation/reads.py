"""Which targets the condition of each looks at, so that only those are evaluated that may say something else. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from segue.model.condition import leaves, operators, scopes
from segue.model.condition.base import AnyCondition, BuiltinAutomationCondition
from segue.model.graph import AssetGraph
from segue.model.keys import AssetCheckKey, AssetJobKey, AssetKey, EntityKey
from segue.model.ordering import require_acyclic

Step: TypeAlias = str | AssetKey | AssetCheckKey | AssetJobKey
"""From a target to others: DEPS, CHECKS, ROOTS, or one that is named."""
Path: TypeAlias = tuple[Step, ...]
DEPS, CHECKS, ROOTS = "deps", "checks", "roots"
CronTicks: TypeAlias = tuple[str, str]
"""A cron schedule and its time zone."""


class Targets(msgspec.Struct, frozen=True):
    """The targets of one automation, and what their conditions look at.

    Attributes:
        conditions: the condition of each target that has one, evaluated here or not.
        order: the targets to evaluate with their place: each after what it depends on.
        readers: by target, which of those to evaluate look at it.
        always: those that look at what nobody tells of: custom conditions, and those over tags of old runs.
        crons: those that wait for ticks of a cron schedule.
        leaves: the kinds of conditions in use; a custom one stands for all.
        looked_back: the targets of which updates count that are not new.
        freshness: the assets whose freshness policy counts.
    """

    conditions: Mapping[EntityKey, AnyCondition]
    order: Mapping[EntityKey, int]
    readers: Mapping[EntityKey, tuple[EntityKey, ...]]
    always: frozenset[EntityKey]
    crons: Mapping[CronTicks, tuple[EntityKey, ...]]
    leaves: frozenset[type]
    looked_back: frozenset[EntityKey]
    freshness: frozenset[EntityKey]

    def uses(self, *kinds: type) -> bool:
        """Whether a condition of these kinds is in use, or a custom one, which may look at anything."""
        return any(issubclass(each, kinds) or each is AnyLeaf for each in self.leaves)

    def readers_of(self, keys: Iterable[EntityKey]) -> set[EntityKey]:
        """Those that look at any of these."""
        return {reader for key in keys for reader in self.readers.get(key, ())}


class AnyLeaf:
    """Stands among the kinds in use for a custom condition."""


class _Look(msgspec.Struct, frozen=True):
    """What a condition looks at, whatever its target.

    Attributes:
        paths: from the target to all that it looks at.
        crons: the ticks that it waits for.
        leaves: the kinds of conditions in it.
        asks_downstream: whether it stands for conditions downstream as well.
        looks_back: whether it looks at updates that are not new, or at whatever the user's code looks at.
    """

    paths: frozenset[Path]
    crons: frozenset[CronTicks]
    leaves: frozenset[type]
    asks_downstream: bool
    looks_back: bool


def targets_of(
    graph: AssetGraph, conditions: Mapping[EntityKey, AnyCondition], wanted: Collection[EntityKey]
) -> Targets:
    """What the conditions of some targets look at.

    Args:
        graph: what depends on what.
        conditions: the condition of each target that has one.
        wanted: the targets to evaluate; those without a condition are left out.
    """
    known: dict[AnyCondition, _Look] = {}
    looks = {key: _look_of(condition, known) for key, condition in conditions.items()}
    order = {key: place for place, key in enumerate(evaluation_order(graph, [key for key in wanted if key in looks]))}
    below = _below(graph, looks) if any(looks[key].asks_downstream for key in order) else {}
    readers: dict[EntityKey, dict[EntityKey, None]] = {}
    crons: dict[CronTicks, list[EntityKey]] = {}
    always: set[EntityKey] = set()
    back: set[EntityKey] = set()
    fresh: set[EntityKey] = set()
    kinds: set[type] = set()
    for key in order:
        own = looks[key]
        for look in (own, *(below.get(key, ()) if own.asks_downstream else ())):
            read = _reached(graph, key, look.paths)
            for each in read:
                readers.setdefault(each, {})[key] = None
            for cron in look.crons:
                crons.setdefault(cron, []).append(key)
            kinds |= look.leaves
            if look.looks_back:
                always.add(key)
                back |= read
            if leaves.FreshnessResultCondition in look.leaves or AnyLeaf in look.leaves:
                fresh |= {each for each in read if isinstance(each, AssetKey) and graph.nodes[each].freshness_policy}
    return Targets(
        conditions=conditions,
        order=order,
        readers={key: tuple(several) for key, several in readers.items()},
        always=frozenset(always),
        crons={cron: tuple(several) for cron, several in crons.items()},
        leaves=frozenset(kinds),
        looked_back=frozenset(back),
        freshness=frozenset(fresh),
    )


def evaluation_order(graph: AssetGraph, keys: Collection[EntityKey]) -> list[EntityKey]:
    """These targets, each after what it depends on: checks right after the last of the assets that they read, jobs last."""
    texts = {key.to_user_string(): key for key in graph.nodes}
    edges = {
        text: [parent.to_user_string() for parent in graph.parents(key) if parent != key]
        for text, key in sorted(texts.items())
    }
    wanted = set(keys)
    assets = [texts[text] for text in require_acyclic(edges)]
    places = {key: place for place, key in enumerate(assets)}
    checks: dict[int, list[AssetCheckKey]] = {}
    for key in sorted(each for each in wanted if isinstance(each, AssetCheckKey)):
        read = [places[asset] for asset in graph.checks[key].parent_entity_keys if asset in places]
        checks.setdefault(max(read), []).append(key)
    order: list[EntityKey] = []
    for place, asset in enumerate(assets):
        order += [asset] if asset in wanted else []
        order += checks.get(place, [])
    return order + sorted(key for key in wanted if isinstance(key, AssetJobKey))


def _look_of(condition: AnyCondition, known: dict[AnyCondition, _Look]) -> _Look:
    """What a condition looks at; equal ones are looked through once."""
    found = known.get(condition)
    if found is None:
        nodes = list(_nodes_of(condition))
        found = known[condition] = _Look(
            paths=frozenset({(), *_paths(condition)}),
            crons=frozenset(
                (node.cron_schedule, node.cron_timezone)
                for node in nodes
                if isinstance(node, leaves.CronTickPassedCondition)
            ),
            leaves=frozenset(AnyLeaf if _is_own(node) else type(node) for node in nodes),
            asks_downstream=any(isinstance(node, scopes.AnyDownstreamConditionsCondition) for node in nodes),
            looks_back=_looks_back(condition, False),
        )
    return found


def _nodes_of(condition: AnyCondition) -> Iterator[AnyCondition]:
    yield condition
    for child in condition.children:
        yield from _nodes_of(child)


def _is_own(condition: AnyCondition) -> bool:
    """Whether it is the user's code that says what a condition means."""
    says = next(kind for kind in type(condition).__mro__ if "evaluate" in vars(kind))
    return says is not BuiltinAutomationCondition


def _paths(condition: AnyCondition) -> Iterator[Path]:
    """From the target of a condition to all that it looks at besides; a custom one as far as its neighbours."""
    steps: list[Step] = []
    if _is_own(condition):
        steps = [DEPS, CHECKS]
    elif isinstance(condition, scopes.DepsAutomationCondition):
        steps = [DEPS]
    elif isinstance(condition, scopes.ChecksAutomationCondition):
        steps = [CHECKS]
    elif isinstance(condition, scopes.JobRootAssetsAutomationCondition):
        steps = [ROOTS]
    elif isinstance(condition, scopes.EntityMatchesCondition):
        steps = [condition.key]
    inner = {(), *(path for child in condition.children for path in _paths(child))}
    for step in steps:
        yield from ((step, *path) for path in inner)
    if not steps or _is_own(condition):
        yield from inner


def _reached(graph: AssetGraph, key: EntityKey, paths: Iterable[Path]) -> set[EntityKey]:
    """What is at the ends of paths that begin at a target."""
    found: set[EntityKey] = set()
    for path in paths:
        layer: set[EntityKey] = {key}
        for step in path:
            layer = {other for each in layer for other in _across(graph, each, step)}
            found |= layer
        found |= layer
    return found


def _across(graph: AssetGraph, key: EntityKey, step: Step) -> Iterable[EntityKey]:
    if not isinstance(step, str):
        between = graph.views_between(step, key) if isinstance(step, AssetKey) and isinstance(key, AssetKey) else ()
        return (step, *between) if step in graph.nodes else ()
    if isinstance(key, AssetJobKey):
        return graph.jobs[key.job_name].assets if step == ROOTS else ()
    if step == DEPS:
        if isinstance(key, AssetCheckKey):
            return (key.asset_key, *graph.checks[key].dep_keys) if key in graph.checks else (key.asset_key,)
        return {*graph.parents(key), *graph.real_parents(key)} if graph.has_virtual else graph.parents(key)
    return graph.checks_of(key) if step == CHECKS and isinstance(key, AssetKey) else ()


def _looks_back(condition: AnyCondition, is_new: bool) -> bool:
    """Whether the runs of updates count that may not be new. Where `is_new`, it is asked about new ones only."""
    if _is_own(condition):
        return True
    if isinstance(
        condition, leaves.LatestRunExecutedWithRootTargetCondition | leaves.LatestRunExecutedWithTagsCondition
    ):
        return not is_new
    if isinstance(condition, operators.AndAutomationCondition):
        for operand in condition.operands:
            if _looks_back(operand, is_new):
                return True
            is_new |= isinstance(operand, leaves.NewlyUpdatedCondition | leaves.DataVersionChangedCondition)
        return False
    keeps = isinstance(condition, operators.OrAutomationCondition | operators.NotAutomationCondition)
    return any(_looks_back(child, is_new and keeps) for child in condition.children)


def _below(graph: AssetGraph, looks: Mapping[EntityKey, _Look]) -> dict[EntityKey, frozenset[_Look]]:
    """What the conditions of all assets downstream of each look at."""
    found: dict[EntityKey, frozenset[_Look]] = {}
    for key in reversed(evaluation_order(graph, list(graph.nodes))):
        several: set[_Look] = set()
        for child in graph.children(key) if isinstance(key, AssetKey) else ():
            if child == key:
                continue
            several |= found[child]
            look = looks.get(child)
            if look is not None and not look.asks_downstream:
                several.add(look)
        found[key] = frozenset(several)
    return found
