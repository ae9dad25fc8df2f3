"""`segue asset why`: the evaluations of an asset's automation condition."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec

from segue.cli.control import Plane, open_plane
from segue.cli.find import find_asset
from segue.cli.options import home_option, json_option, settings_in_force
from segue.cli.output import moment, print_json, stdout_for_json
from segue.daemon.listed import listed
from segue.decide.asked_partitions import require_partition
from segue.errors import InvalidSubsetError
from segue.model.condition.evaluation import AutomationConditionEvaluation
from segue.model.condition.facts import SubsetValue, shown_part
from segue.model.condition_record import ConditionRecord
from segue.model.keys import AssetKey
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.subset import subset_contains


class NodeDocument(msgspec.Struct, frozen=True):
    """A node of a condition: whether it was true (of the partition that was asked for), or for which partitions."""

    condition: str
    is_true: bool
    partitions: tuple[tuple[str, str], ...] | None
    inside: tuple[NodeDocument, ...]


class WhyDocument(msgspec.Struct, frozen=True):
    """An evaluation; `requested` counts partitions."""

    asset: str
    partition: str | None
    evaluated_at: float
    requested: int
    explanation: str
    condition: NodeDocument


@click.command("why")
@click.argument("key", metavar="KEY")
@click.argument("partition", metavar="[PARTITION]", required=False)
@click.option("--history", type=click.IntRange(1), default=1, show_default=True, help="Number of evaluations to show.")
@home_option
@json_option
def why(key: str, partition: str | None, history: int, home: str | None, as_json: bool) -> None:
    """Say why the automation condition of the asset KEY (or of one PARTITION) requested it, or did not.

    Only evaluations whose result differs from the one before are stored.

    With --json: {"evaluations": [...]}.
    """
    with stdout_for_json(as_json), open_plane(settings_in_force(home=home)) as plane:
        found, definition = _find(plane, key)
        if partition is not None:
            if definition is None:
                raise InvalidSubsetError(f"{found.to_user_string()} is not partitioned: remove the partition.")
            require_partition(definition, partition, datetime.now(UTC))
        entries = plane.control.condition_evaluations(found.to_user_string(), history)
    documents = [_document(found, partition, entry.record, definition) for entry in entries]
    if as_json:
        print_json({"evaluations": documents})
        return
    if not documents:
        click.echo(
            f"No evaluation of {found.to_user_string()} is recorded: it has no automation condition, or its sensor "
            "is stopped ('segue sensor list')."
        )
    for entry, document in zip(entries, documents, strict=True):
        click.echo(f"{moment(document.evaluated_at)}  {document.explanation}")
        _print(document.condition, entry.record.evaluation, 1)


def _find(plane: Plane, text: str) -> tuple[AssetKey, PartitionsDefinition | None]:
    """The asset that is meant, with its partitions as they are now."""
    nodes = {key: location for location in plane.locations.values() for key in location.graph.nodes}
    found = find_asset(text, nodes, "in these definitions")
    graph = listed(nodes[found].graph, [found], plane.store, datetime.now(UTC))
    return found, graph.nodes[found].partitions


def _document(
    key: AssetKey, partition: str | None, record: ConditionRecord, definition: PartitionsDefinition | None
) -> WhyDocument:
    now = datetime.now(UTC)

    def is_true(value: SubsetValue) -> bool:
        if partition is None or definition is None or isinstance(value, bool):
            return bool(value) if isinstance(value, bool) else bool(value.ranges)
        return subset_contains(definition, value, partition, now)

    def node(evaluation: AutomationConditionEvaluation) -> NodeDocument:
        value = evaluation.true_subset
        return NodeDocument(
            condition=_name(evaluation),
            is_true=is_true(value),
            partitions=None if isinstance(value, bool) else value.ranges,
            inside=tuple(map(node, evaluation.child_evaluations)),
        )

    top = node(record.evaluation)
    return WhyDocument(
        asset=key.to_user_string(),
        partition=partition,
        evaluated_at=record.timestamp,
        requested=record.requested,
        explanation=_explained(top),
        condition=top,
    )


def _explained(node: NodeDocument) -> str:
    """The way down to the node that decided it."""
    here = f"{node.condition} is {'true' if node.is_true else 'false'}"
    deciding = [each for each in node.inside if each.is_true == node.is_true] or list(node.inside[:1])
    return here if not deciding or node.is_true else f"{here}, because {_explained(deciding[0])}"


def _print(node: NodeDocument, evaluation: AutomationConditionEvaluation, indent: int) -> None:
    mark = "yes" if node.is_true else "no "
    part = "" if node.partitions is None or not node.partitions else f"  ({shown_part(evaluation.true_subset)})"
    click.echo(f"{'  ' * indent}{mark} {node.condition}{part}")
    for child, inside in zip(node.inside, evaluation.child_evaluations, strict=True):
        _print(child, inside, indent + 1)


def _name(evaluation: AutomationConditionEvaluation) -> str:
    snapshot = evaluation.condition_snapshot
    return snapshot.label or snapshot.name or snapshot.class_name
