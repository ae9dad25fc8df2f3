"""What a condition is given when it is evaluated, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

from segue.errors import InvalidInvocationError, NotSupportedError
from segue.model.arguments import require_type
from segue.model.condition.evaluation import AutomationConditionEvaluation
from segue.model.condition.facts import AutomationCursor, AutomationFacts, EntityCursor, NodeCursor, SubsetValue
from segue.model.condition.subset import EntitySubset
from segue.model.condition.view import AssetGraphView
from segue.model.digest import digest
from segue.model.graph import AssetGraph
from segue.model.keys import EntityKey
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.partitions.base import PartitionsDefinition

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition, BuiltinAutomationCondition

Structured = TypeVar("Structured", str, EntitySubset)


class AutomationLog(Protocol):
    """Where conditions write lines: Python's Logger fits."""

    def debug(self, msg: object, *args: object) -> None: ...
    def info(self, msg: object, *args: object) -> None: ...
    def warning(self, msg: object, *args: object) -> None: ...
    def error(self, msg: object, *args: object) -> None: ...


class TemporalContext(NamedTuple):
    """A moment, and how far the log went then."""

    effective_dt: datetime
    last_event_id: int | None


class Evaluation(NamedTuple):
    """What all nodes of one evaluation share.

    Attributes:
        view: the graph at the time of the evaluation.
        facts: what is recorded.
        cursor: what the evaluation before left.
        conditions: the condition of each target, where conditions ask for those of others.
        requested: what was requested so far; grows while targets are evaluated.
        evaluate_builtin: the meaning of the conditions that come with Segue.
        log: where conditions write lines.
    """

    view: AssetGraphView
    facts: AutomationFacts
    cursor: AutomationCursor
    conditions: Mapping[EntityKey, AnyCondition]
    requested: dict[EntityKey, EntitySubset]
    evaluate_builtin: Callable[[AutomationContext, BuiltinAutomationCondition[Any]], AutomationResult]
    log: AutomationLog


class AutomationContext:
    """The evaluation of one node of a condition, and everything it may look at.

    Attributes:
        key: the target: an asset, check or job.
        condition: the node.
        candidate_subset: the subset of the target to evaluate.
        condition_unique_id: the name under which it remembers.
        root_key: the target of the whole condition.
    """

    def __class_getitem__(cls, item: object) -> type[AutomationContext]:
        return cls

    def __init__(
        self,
        evaluation: Evaluation,
        condition: AnyCondition,
        condition_unique_id: str,
        candidate_subset: EntitySubset,
        parent_context: AutomationContext | None,
        entity_cursor: EntityCursor | None,
    ) -> None:
        self.evaluation = evaluation
        self.condition = condition
        self.condition_unique_id = condition_unique_id
        self.candidate_subset = candidate_subset
        self.parent_context = parent_context
        self.root_key: EntityKey = candidate_subset.key if parent_context is None else parent_context.root_key
        self.entity_cursor = entity_cursor

    @property
    def key(self) -> Any:  # Any: custom conditions know which kind of target they are for
        """The target."""
        return self.candidate_subset.key

    @property
    def log(self) -> AutomationLog:
        """Where to write lines."""
        return self.evaluation.log

    @property
    def evaluation_id(self) -> int:
        """The number of this evaluation; the first is 0."""
        return self.evaluation.cursor.evaluation_id

    @property
    def asset_graph_view(self) -> AssetGraphView:
        """The graph at the time of the evaluation, and the parts of targets in it."""
        return self.evaluation.view

    @property
    def asset_graph(self) -> AssetGraph:
        """What depends on what."""
        return self.evaluation.view.asset_graph

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """How the target is cut into partitions."""
        return self.candidate_subset.partitions_def

    @property
    def root_context(self) -> AutomationContext:
        """The context of the whole condition."""
        return self if self.parent_context is None else self.parent_context.root_context

    @property
    def request_subsets_by_key(self) -> Mapping[EntityKey, EntitySubset]:
        """What this evaluation requested so far."""
        return self.evaluation.requested

    @property
    def evaluation_time(self) -> datetime:
        """The time of the evaluation."""
        return self.evaluation.facts.now

    @property
    def max_storage_id(self) -> int | None:
        """How far the log goes; None for an empty one."""
        return self.evaluation.facts.last_storage_id or None

    @property
    def previous_temporal_context(self) -> TemporalContext | None:
        """When the target was evaluated before, and how far the log went; None for the first time."""
        cursor, whole = self.entity_cursor, self.evaluation.cursor
        if cursor is None:
            return None
        timestamp = whole.timestamp if cursor.timestamp is None else cursor.timestamp
        return TemporalContext(datetime.fromtimestamp(timestamp, UTC), reached(whole, cursor) or None)

    @property
    def previous_evaluation_time(self) -> datetime | None:
        """When the target was evaluated before; None for the first time."""
        before = self.previous_temporal_context
        return None if before is None else before.effective_dt

    @property
    def previous_max_storage_id(self) -> int | None:
        """How far the log went then; None for the first time, and for a log that was empty."""
        before = self.previous_temporal_context
        return None if before is None else before.last_event_id

    @property
    def node_cursor(self) -> NodeCursor | None:
        """What this node remembers."""
        cursor = self.entity_cursor
        return None if cursor is None else cursor.nodes.get(self.condition_unique_id)

    @property
    def cursor(self) -> str | None:
        """The text that this node gave as `AutomationResult(cursor=...)` in the evaluation before."""
        node = self.node_cursor
        return None if node is None else node.text

    @property
    def previous_true_subset(self) -> EntitySubset | None:
        """The subset for which this node was true in the previous evaluation; None if unknown."""
        node = self.node_cursor
        return None if node is None else self.restored(node.true)

    @property
    def previous_candidate_subset(self) -> EntitySubset | None:
        """The candidates of this node in the previous evaluation; None if unknown."""
        node = self.node_cursor
        return None if node is None else self.restored(node.candidates)

    @property
    def previous_metadata(self) -> Mapping[str, AnyMetadataValue] | None:
        """The metadata that this node gave in the evaluation before."""
        node = self.node_cursor
        return None if node is None else node.metadata

    def get_structured_cursor(self, as_type: type[Structured]) -> Structured | None:
        """The value that this node gave as `structured_cursor` in the evaluation before, if it is of this type."""
        node = self.node_cursor
        value: object = None if node is None else node.text if node.extra is None else self.restored(node.extra)
        return value if isinstance(value, as_type) else None

    def get_previous_requested_subset(self, key: EntityKey) -> EntitySubset | None:
        """What the previous evaluation requested of a target; None if it was not evaluated."""
        cursor = entity_cursor(self.evaluation.cursor, key)
        return None if cursor is None else self.asset_graph_view.get_subset_of_value(key=key, value=cursor.requested)

    def get_empty_subset(self) -> EntitySubset:
        """Nothing of the target."""
        return self.asset_graph_view.get_empty_subset(key=self.key)

    def get_full_subset(self) -> EntitySubset:
        """All of the target."""
        return self.asset_graph_view.get_full_subset(key=self.key)

    def restored(self, value: SubsetValue | None) -> EntitySubset | None:
        """A part of the target that was written down; None where it no longer fits."""
        return self.asset_graph_view.get_subset_of_value(key=self.key, value=value)

    def for_child_condition(
        self,
        child_condition: AnyCondition,
        child_indices: Sequence[int | None],
        candidate_subset: EntitySubset,
    ) -> AutomationContext:
        """The context of a condition inside this one.

        Args:
            child_condition: it.
            child_indices: its place among the children, the present one first.
            candidate_subset: the subset to evaluate.
        """
        target, root = candidate_subset.key, self.root_key
        unique_id = child_condition.get_node_unique_id(
            parent_unique_id=self.condition_unique_id,
            index=child_indices[0] if child_indices else None,
            target_key=None if target is root or target == root else target,
        )
        return AutomationContext(
            self.evaluation, child_condition, unique_id, candidate_subset, self, self.entity_cursor
        )

    def evaluate(self) -> AutomationResult:
        """The result of the condition.

        Raises:
            InvalidInvocationError: a custom condition returned something else.
        """
        result = cast("object", self.condition.evaluate(self))
        if isinstance(result, CoroutineType):
            result = _result_of(cast("CoroutineType[object, object, object]", result), self.condition)
        if not isinstance(result, AutomationResult):
            raise InvalidInvocationError(
                f"{type(self.condition).__name__}.evaluate must return an AutomationResult, got {result!r}."
            )
        return result

    async def evaluate_async(self) -> AutomationResult:
        """The result of the condition, for conditions that are written as `async def`."""
        return self.evaluate()

    def evaluate_builtin(self, condition: BuiltinAutomationCondition[Any]) -> AutomationResult:
        """The result of a condition that comes with Segue."""
        return self.evaluation.evaluate_builtin(self, condition)

    @staticmethod
    def create(evaluation: Evaluation, condition: AnyCondition, key: EntityKey) -> AutomationContext:
        """The context of a whole condition, evaluated for all of its target."""
        return AutomationContext(
            evaluation,
            condition,
            condition.get_node_unique_id(parent_unique_id=None, index=None),
            evaluation.view.get_full_subset(key=key),
            None,
            entity_cursor(evaluation.cursor, key),
        )


class AutomationResult:
    """The subset for which a condition is true.

    Args:
        context: the context it was evaluated in.
        true_subset: the subset of the target; at the root, anything that is not a candidate is left out.
        cursor: a text to find again as `context.cursor` in the next evaluation.
        child_results: the results of the conditions inside.
        metadata: facts to show beside the result.
        structured_cursor: a text or part of the target, to find again by `context.get_structured_cursor`.
    """

    def __class_getitem__(cls, item: object) -> type[AutomationResult]:
        return cls

    def __init__(
        self,
        context: AutomationContext,
        true_subset: EntitySubset,
        cursor: str | None = None,
        child_results: Sequence[AutomationResult] | None = None,
        *,
        metadata: Mapping[str, object] | None = None,
        structured_cursor: str | EntitySubset | None = None,
    ) -> None:
        require_type(self, "true_subset", true_subset, EntitySubset)
        require_type(self, "cursor", cursor, (str, type(None)))
        require_type(self, "structured_cursor", structured_cursor, (str, EntitySubset, type(None)))
        if true_subset.key is not context.key and true_subset.key != context.key:
            raise InvalidInvocationError(
                f"AutomationResult: true_subset is for {true_subset.key!r}, but the condition was evaluated for "
                f"{context.key!r}."
            )
        self.context = context
        self.true_subset = true_subset
        self.child_results: Sequence[AutomationResult] = tuple(child_results or ())
        self._text = structured_cursor if isinstance(structured_cursor, str) else cursor
        self._extra = structured_cursor.value if isinstance(structured_cursor, EntitySubset) else None
        self.metadata = normalize_metadata(metadata) if metadata else {}

    @property
    def key(self) -> Any:  # Any: as in the context
        """The target."""
        return self.true_subset.key

    @property
    def condition(self) -> AnyCondition:
        """The condition."""
        return self.context.condition

    @property
    def condition_unique_id(self) -> str:
        """The name under which the condition remembers."""
        return self.context.condition_unique_id

    @property
    def node_cursor(self) -> NodeCursor | None:
        """What the condition remembers; None if it needs no memory."""
        if not self.condition.requires_cursor:
            return None
        candidates = self.context.candidate_subset.value
        return NodeCursor(self.true_subset.value, candidates, self._text, self._extra, self.metadata)

    @property
    def value_hash(self) -> str:
        """A text that is equal for equal results of equal conditions."""
        parts = [child.value_hash for child in self.child_results]
        return digest(
            self.condition_unique_id, repr(self.context.candidate_subset.value), repr(self.true_subset.value), *parts
        )

    @property
    def serializable_evaluation(self) -> AutomationConditionEvaluation:
        """The result as data: for each condition inside, its candidates and the subset for which it was true."""
        return AutomationConditionEvaluation(
            condition_snapshot=self.condition.get_node_snapshot(self.condition_unique_id),
            key=self.key.to_user_string(),
            candidate_subset=self.context.candidate_subset.value,
            true_subset=self.true_subset.value,
            metadata=self.metadata,
            child_evaluations=tuple([child.serializable_evaluation for child in self.child_results]),
        )

    def get_child_node_cursors(self) -> Mapping[str, NodeCursor]:
        """What this condition and those inside it remember, by unique id."""
        own = self.node_cursor
        found = {} if own is None else {self.condition_unique_id: own}
        for child in self.child_results:
            found.update(child.get_child_node_cursors())
        return found

    def get_new_cursor(self) -> EntityCursor:
        """What is stored of this evaluation of the target, in addition to its time."""
        nodes = dict(self.get_child_node_cursors())
        return EntityCursor(requested=self.true_subset.value, condition=self.condition.get_unique_id(), nodes=nodes)

    def pprint(self, indent: int = 0) -> str:
        """The result and those inside it as lines of text, indented."""
        return self.serializable_evaluation.pprint(indent)


def entity_cursor(cursor: AutomationCursor, key: EntityKey) -> EntityCursor | None:
    """What is remembered of a target."""
    return cursor.entities.get(key.to_user_string())


def reached(whole: AutomationCursor, cursor: EntityCursor) -> int:
    """How far the log went when a target was evaluated last."""
    return whole.last_storage_id if cursor.timestamp is None else cursor.last_storage_id


def _result_of(coroutine: CoroutineType[object, object, object], condition: AnyCondition) -> object:
    """What an `async def evaluate` returns; it may await other conditions, which never wait."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise NotSupportedError(
        f"{type(condition).__name__}.evaluate can only await other conditions. Read what else it needs synchronously."
    )
