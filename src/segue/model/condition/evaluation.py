"""The record of an evaluation: what each node of a condition was asked, and for what it was true."""

from __future__ import annotations

import msgspec

from segue.model.condition.facts import SubsetValue, shown_part
from segue.model.condition.snapshot import AutomationConditionNodeSnapshot
from segue.model.metadata import AnyMetadataValue


class AutomationConditionEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a condition, evaluated.

    Attributes:
        condition_snapshot: the node.
        key: the target it was asked about, as text.
        candidate_subset: which part of it.
        true_subset: for which part it was true.
        metadata: facts that the condition gave along.
        child_evaluations: the nodes inside.
    """

    condition_snapshot: AutomationConditionNodeSnapshot
    key: str
    candidate_subset: SubsetValue
    true_subset: SubsetValue
    metadata: dict[str, AnyMetadataValue] = {}
    child_evaluations: tuple[AutomationConditionEvaluation, ...] = ()

    def pprint(self, indent: int = 0) -> str:
        """The node and those inside it as lines of text, indented: for which part each was true."""
        label = self.condition_snapshot.label or self.condition_snapshot.name or self.condition_snapshot.class_name
        line = f"{'  ' * indent}{label} on {self.key}: {shown_part(self.true_subset)}"
        return "\n".join([line, *(child.pprint(indent + 1) for child in self.child_evaluations)])

    def explain(self) -> str:
        """In one line why nothing, or something, is wanted: the way down to the node that decided it."""
        name = self.condition_snapshot.label or self.condition_snapshot.name or self.condition_snapshot.class_name
        here = f"{name} is {'true' if self.true_subset else 'false'} for {self.key}"
        if self.condition_snapshot.operator_type == "not" and self.child_evaluations:
            return f"{here}, because {self.child_evaluations[0].explain()}"
        deciding = [each for each in self.child_evaluations if bool(each.true_subset) == bool(self.true_subset)]
        if not deciding or (self.condition_snapshot.operator_type == "and" and self.true_subset):
            return here
        return f"{here}, because {deciding[0].explain()}"
