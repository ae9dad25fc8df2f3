"""What only the user's code can answer: questions that stand in the way of a decision, and their answers.

A partition mapping or a partitions definition of the user's own class is but a name in a manifest. `with_answers` puts what
is known of each in its place; a decision that meets one of which something is not known yet raises `UnansweredError` with the
question. Who called it asks the code location (`host/answer.py`), adds the answer to what is known, and calls again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec

from segue.errors import LocationUnavailableError, NotSupportedError
from segue.model.digest import digest
from segue.model.error_info import ErrorInfo
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.partitions.base import ListedPartitions, PartitionsDefinition
from segue.model.partitions.mapping_base import Needed, PartitionMapping, Sides, ValueMapping, missing_of
from segue.model.partitions.multi_mapping import MultiPartitionMapping
from segue.model.partitions.opaque import OpaquePartitionMapping, OpaquePartitionsDefinition
from segue.model.partitions.subset import PartitionSubset

PARTITIONS_HOLD_SECONDS = 60.0
"""For how long the partitions that user code has named are taken to be all there are."""


class MappingQuestion(msgspec.Struct, frozen=True, tag_field="about", tag="mapping"):
    """Which partitions of two assets belong together.

    Attributes:
        upstream, downstream: the assets.
        is_up: whether it asks what is needed upstream; else what is fed downstream.
        part: of which partitions of the other asset; None of one without partitions.
        extent: a name for all partitions that both have, as which the answer holds.
    """

    upstream: AssetKey
    downstream: AssetKey
    is_up: bool
    part: PartitionSubset | None
    extent: str


class PartitionsQuestion(msgspec.Struct, frozen=True, tag_field="about", tag="partitions"):
    """Which partitions an asset has; `since` (in seconds since 1970, UTC) is from when on the answer holds."""

    asset: AssetKey
    since: float


Question: TypeAlias = MappingQuestion | PartitionsQuestion


class OpaqueAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What user code answers.

    Attributes:
        part: the partitions that belong to those of the question.
        missing: the keys of those that are needed and do not exist.
        keys: all partitions, where that was asked.
        error: what it raised; nothing else counts then.
    """

    part: PartitionSubset = PartitionSubset()
    missing: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    error: ErrorInfo | None = None


Answers: TypeAlias = Mapping[Question, OpaqueAnswer]


class UnansweredError(Exception):
    """A decision needs the answer to a question first."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"Only user code can answer this: {question!r}.")
        self.question = question


class _AnsweredMapping(ValueMapping):
    """A custom mapping between two assets, as far as it is known what it says."""

    __slots__ = ("answers", "downstream", "upstream")
    fields = ("upstream", "downstream")
    upstream: AssetKey
    downstream: AssetKey
    answers: Answers

    def __init__(self, upstream: AssetKey, downstream: AssetKey, answers: Answers) -> None:
        object.__setattr__(self, "upstream", upstream)
        object.__setattr__(self, "downstream", downstream)
        object.__setattr__(self, "answers", answers)

    def needs(self, downstream: PartitionSubset | None, sides: Sides) -> Needed:
        answer = self._answer(True, downstream, sides)
        return Needed(answer.part, missing_of(answer.missing) if answer.missing else None)

    def feeds(self, upstream: PartitionSubset, sides: Sides) -> PartitionSubset:
        return self._answer(False, upstream, sides).part

    def _answer(self, is_up: bool, part: PartitionSubset | None, sides: Sides) -> OpaqueAnswer:
        extent = digest(_extent(sides.upstream, sides.now), _extent(sides.downstream, sides.now))
        return _known(self.answers, MappingQuestion(self.upstream, self.downstream, is_up, part, extent))


def _extent(definition: PartitionsDefinition | None, now: datetime) -> str:
    """A name for all partitions of a definition; more of those that follow from the definition alone come only at the end."""
    if definition is None:
        return ""
    if definition.is_listed and not isinstance(definition, ListedPartitions):
        return str([axis.count(now) for axis in definition.axes])
    return digest(*definition.get_partition_keys(now))


def _known(answers: Answers, question: Question) -> OpaqueAnswer:
    """The answer.

    Raises:
        UnansweredError: the question has not been answered yet.
        LocationUnavailableError: user code raised, or could not be asked.
    """
    answer = answers.get(question)
    if answer is None:
        raise UnansweredError(question)
    if answer.error is not None:
        of = question.asset if isinstance(question, PartitionsQuestion) else question.downstream
        raise LocationUnavailableError(
            f"The code of {of.to_user_string()!r} could not determine the partitions: {answer.error.message}"
        )
    return answer


def with_answers(graph: AssetGraph, keys: Iterable[AssetKey], answers: Answers, now: datetime) -> AssetGraph:
    """The graph, in which some assets and what they depend on are known as far as user code has answered for them.

    Raises:
        UnansweredError: the partitions of one of them are not known yet.
        LocationUnavailableError: user code raised, or could not be asked.
        NotSupportedError: a dimension of an asset is a partitions definition of the user's own.
    """
    meant = {key for key in keys if key in graph.nodes}
    meant |= {parent for key in meant for parent in (*graph.parents(key), *graph.real_parents(key))}
    mappings = {
        (key, dep.key): _AnsweredMapping(dep.key, key, answers)
        for key in meant
        for dep in graph.nodes[key].deps
        if dep.mapping is not None and is_opaque_mapping(dep.mapping)
    }
    definitions: dict[AssetKey, PartitionsDefinition] = {}
    for key in meant:
        definition = graph.nodes[key].partitions
        if isinstance(definition, OpaquePartitionsDefinition):
            since = now.timestamp() - now.timestamp() % PARTITIONS_HOLD_SECONDS
            answer = _known(answers, PartitionsQuestion(key, since))
            definitions[key] = ListedPartitions(definition, answer.keys)
        elif definition is not None and any(isinstance(axis, OpaquePartitionsDefinition) for axis in definition.axes):
            raise NotSupportedError(
                f"{key.to_user_string()!r} has a dimension of a custom partitions class, whose partition keys only your "
                "code knows: use dynamic partitions for it, or start runs of single partitions."
            )
    graph = graph.with_partitions(definitions) if definitions else graph
    return graph.with_mappings(mappings) if mappings else graph


def is_opaque_mapping(mapping: PartitionMapping) -> bool:
    """Whether it is of the user's own class, or any in it is."""
    if isinstance(mapping, MultiPartitionMapping):
        inner = mapping.downstream_mappings_by_upstream_dimension.values()
        return any(is_opaque_mapping(each.partition_mapping) for each in inner)
    return isinstance(mapping, OpaquePartitionMapping)
