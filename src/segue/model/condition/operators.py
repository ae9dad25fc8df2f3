"""Conditions over other conditions of the same target: and, or, not, since, newly true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self, cast

from segue.errors import WrongDeclarationError
from segue.model.condition.base import AnyCondition, BuiltinAutomationCondition, EntityT_co
from segue.model.condition.snapshot import OperatorType
from segue.model.condition_argument import require_condition
from segue.model.digest import digest
from segue.model.keys import EntityKey
from segue.model.selection import AssetSelection


class CompoundCondition(BuiltinAutomationCondition[EntityT_co]):
    """What is made from other conditions, which stand in the fields named by `slots`."""

    slots: ClassVar[tuple[str, ...]] = ("operand",)

    @property
    def children(self) -> Sequence[AnyCondition]:
        return tuple(getattr(self, slot) for slot in self.slots)

    def with_children(self, change: Callable[[AnyCondition], AnyCondition]) -> Self:
        """A copy with each child changed."""
        return self.with_fields(**{slot: change(getattr(self, slot)) for slot in self.slots})

    def replace(self, old: AnyCondition | str, new: AnyCondition) -> Any:  # Any: as in the base
        replaced = super().replace(old, new)
        if replaced is not self:
            return replaced
        return self.with_children(lambda child: child.replace(old, new))


class SelectiveCondition(CompoundCondition[EntityT_co]):
    """What can be told which assets the conditions on dependencies (or checks) inside it look at."""

    def allow(self, selection: AssetSelection) -> Self:
        """The same, where conditions on dependencies look at the selected ones only."""
        return self._narrowed("allow", selection)

    def ignore(self, selection: AssetSelection) -> Self:
        """The same, where conditions on dependencies do not look at the selected ones."""
        return self._narrowed("ignore", selection)

    def resolve_through_virtual(self, value: bool = True) -> Self:
        """The same, where conditions on dependencies see those of a virtual asset instead of the asset itself."""

        def change(child: AnyCondition) -> AnyCondition:
            return child.resolve_through_virtual(value) if isinstance(child, SelectiveCondition) else child

        return self.with_children(change)

    def _narrowed(self, how: str, selection: AssetSelection) -> Self:
        if not isinstance(selection, AssetSelection):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongDeclarationError(f"{how}() expected an AssetSelection, got {selection!r}.")

        def change(child: AnyCondition) -> AnyCondition:
            if not isinstance(child, SelectiveCondition):
                return child
            return cast("AnyCondition", child.allow(selection) if how == "allow" else child.ignore(selection))

        return self.with_children(change)


class NaryCondition(SelectiveCondition[EntityT_co]):
    """What is made from any number of conditions."""

    fields: ClassVar[tuple[str, ...]] = ("operands",)
    operands: tuple[AnyCondition, ...]

    def __init__(self, *, label: str | None = None, operands: Sequence[AnyCondition]) -> None:
        super().__init__(label=label, operands=tuple(require_condition(self.tag, each) for each in operands))

    @property
    def children(self) -> Sequence[AnyCondition]:
        return self.operands

    def with_children(self, change: Callable[[AnyCondition], AnyCondition]) -> Self:
        return self.with_fields(operands=tuple(change(each) for each in self.operands))


class AndAutomationCondition(NaryCondition[EntityT_co]):
    """True for what every operand is true for. Each operand is asked only about what the ones before left."""

    tag: ClassVar[str] = "and"

    @property
    def name(self) -> str:
        return "AND"

    @property
    def description(self) -> str:
        return "All of"

    @property
    def operator_type(self) -> OperatorType:
        return "and"

    def without(self, condition: AnyCondition) -> AndAutomationCondition[EntityT_co]:
        """The same without one of its operands.

        Raises:
            WrongDeclarationError: the condition is not an operand, or fewer than two operands would remain.
        """
        rest = tuple(each for each in self.operands if each != condition)
        if len(rest) == len(self.operands):
            names = ", ".join(each.get_label() or each.name for each in self.operands)
            raise WrongDeclarationError(
                f"without({condition!r}): the condition is not an operand. The operands are: {names}."
            )
        if len(rest) < 2:
            raise WrongDeclarationError(
                "without(): at least two operands must remain; use the remaining condition directly."
            )
        return self.with_fields(operands=rest)


class OrAutomationCondition(NaryCondition[EntityT_co]):
    """True for what any operand is true for."""

    tag: ClassVar[str] = "or"

    @property
    def name(self) -> str:
        return "OR"

    @property
    def description(self) -> str:
        return "Any of"

    @property
    def operator_type(self) -> OperatorType:
        return "or"


class NotAutomationCondition(SelectiveCondition[EntityT_co]):
    """True for the candidates that the operand is not true for."""

    tag: ClassVar[str] = "not"
    fields: ClassVar[tuple[str, ...]] = ("operand",)
    operand: AnyCondition

    def __init__(self, *, label: str | None = None, operand: AnyCondition) -> None:
        super().__init__(label=label, operand=require_condition("not", operand))

    @property
    def name(self) -> str:
        return "NOT"

    @property
    def description(self) -> str:
        return "Not"

    @property
    def operator_type(self) -> OperatorType:
        return "not"


class NewlyTrueCondition(CompoundCondition[EntityT_co]):
    """True for what the operand is true for and was not true for in the evaluation before."""

    tag: ClassVar[str] = "newly_true"
    fields: ClassVar[tuple[str, ...]] = ("operand",)
    operand: AnyCondition

    def __init__(self, *, label: str | None = None, operand: AnyCondition) -> None:
        super().__init__(label=label, operand=require_condition("newly_true", operand))

    @property
    def name(self) -> str:
        return "NEWLY_TRUE"

    @property
    def requires_cursor(self) -> bool:
        return True


class SinceCondition(SelectiveCondition[EntityT_co]):
    """True from when the trigger was true until the reset was; where both are, false, unless their times tell them apart."""

    tag: ClassVar[str] = "since"
    fields: ClassVar[tuple[str, ...]] = ("trigger_condition", "reset_condition")
    slots: ClassVar[tuple[str, ...]] = ("trigger_condition", "reset_condition")
    trigger_condition: AnyCondition
    reset_condition: AnyCondition

    def __init__(
        self, *, label: str | None = None, trigger_condition: AnyCondition, reset_condition: AnyCondition
    ) -> None:
        super().__init__(
            label=label,
            trigger_condition=require_condition("since", trigger_condition),
            reset_condition=require_condition("since", reset_condition),
        )

    @property
    def name(self) -> str:
        return "SINCE"

    def get_node_unique_id(
        self, *, parent_unique_id: str | None, index: int | None, target_key: EntityKey | None = None
    ) -> str:
        """The id of this node: the same wherever it stands, so that what it remembers outlives changes around it."""
        target = "" if target_key is None else target_key.to_user_string()
        return digest(self._content, target)

    @cached_property
    def _content(self) -> str:
        return digest(self.identity(), *(child.get_unique_id(index=at) for at, child in enumerate(self.children)))

    @property
    def requires_cursor(self) -> bool:
        return True
