"""What stands in a manifest by its name only, asked in the process that has its code: partition mappings and partitions."""

from __future__ import annotations

from datetime import UTC, datetime

from segue.defs.definitions import Definitions
from segue.defs.instance import Instance
from segue.errors import InvalidSubsetError
from segue.execute.failure import error_info
from segue.model.graph import AssetGraph
from segue.model.keys import AssetKey
from segue.model.listing import listed_graph
from segue.model.partitions.mapping_choice import downstream_subset, needed_subset
from segue.model.questions import MappingQuestion, OpaqueAnswer, PartitionsQuestion, Question


def answer_question(definitions: Definitions, instance: Instance, question: Question, now: float) -> OpaqueAnswer:
    """What user code answers; whatever it raises is its answer too.

    Args:
        definitions: what is declared.
        instance: who knows dynamic partitions.
        question: the question.
        now: the moment at which partitions are looked up, in seconds since 1970, UTC.

    Raises:
        KeyboardInterrupt: the process is told to end.
    """
    moment = datetime.fromtimestamp(now, UTC)
    keys = [question.asset] if isinstance(question, PartitionsQuestion) else [question.upstream, question.downstream]
    try:
        graph = listed_graph(definitions.asset_graph, keys, moment, instance)
        if isinstance(question, PartitionsQuestion):
            definition = graph.node(question.asset).partitions
            return OpaqueAnswer(keys=() if definition is None else tuple(definition.get_partition_keys(moment)))
        return _mapped(graph, question, moment)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 reason: user code may raise anything; who asked says so
        return OpaqueAnswer(error=error_info(error))


def _mapped(graph: AssetGraph, question: MappingQuestion, now: datetime) -> OpaqueAnswer:
    mapping = graph.get_partition_mapping(question.downstream, question.upstream)
    above, below = graph.node(question.upstream).partitions, graph.node(question.downstream).partitions
    if above is None:
        raise _changed(question.upstream)
    if question.is_up:
        needed = needed_subset(mapping, question.part, below, above, now)
        missing = () if needed.missing is None else tuple(needed.missing.keys(None))
        return OpaqueAnswer(part=needed.subset, missing=missing)
    if below is None or question.part is None:
        raise _changed(question.downstream)
    return OpaqueAnswer(part=downstream_subset(mapping, question.part, above, below, now))


def _changed(key: AssetKey) -> InvalidSubsetError:
    return InvalidSubsetError(f"{key.to_user_string()!r} is not partitioned in these definitions.")
