"""What every automation condition is: a name, a label, operands, an identity that outlives releases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypeVar, cast

import msgspec

from segue.errors import InvalidDefinitionError
from segue.model.condition.factories import ConditionFactories
from segue.model.condition.kinds import KINDS, build
from segue.model.condition.snapshot import (
    AutomationConditionNodeSnapshot,
    AutomationConditionSnapshot,
    OperatorType,
)
from segue.model.condition_argument import require_condition
from segue.model.digest import digest
from segue.model.keys import EntityKey

if TYPE_CHECKING:
    from segue.model.condition.context import AutomationContext, AutomationResult
    from segue.model.condition.operators import (
        AndAutomationCondition,
        NewlyTrueCondition,
        NotAutomationCondition,
        OrAutomationCondition,
        SinceCondition,
    )

EntityT_co = TypeVar("EntityT_co", bound=EntityKey, covariant=True)
"""What a condition is about: assets, checks, jobs. It says something to type checkers only."""


class AutomationCondition(ConditionFactories, ABC, Generic[EntityT_co]):
    """When to request an asset (or its partitions), a check or a job.

    Made by the static methods and combined with `&`, `|`, `~`, `since` and `newly_true`. Immutable; equal when built
    alike. A condition of your own subclasses this and implements `evaluate(context)`, which returns an
    `AutomationResult` with the true part of `context.candidate_subset`; it may be an `async def`.
    """

    is_automation_condition: ClassVar[bool] = True  # what declares a condition knows it by this, see condition_argument

    @property
    def name(self) -> str:
        """Its name, with arguments."""
        return type(self).__name__

    @property
    def description(self) -> str:
        """For people; may be empty."""
        return ""

    @property
    def children(self) -> Sequence[AnyCondition]:
        """Its operands."""
        return ()

    @property
    def operator_type(self) -> OperatorType:
        """How its children are combined: "and", "or", "not", or "identity" for anything else."""
        return "identity"

    @property
    def requires_cursor(self) -> bool:
        """Whether its result is remembered for the next evaluation."""
        return True

    @property
    def has_memory(self) -> bool:
        """Whether it, or anything in it, may remember: then it is asked even where it is asked about nothing."""
        return True

    @property
    def is_serializable(self) -> bool:
        """Whether it has a stored form: it and everything in it comes with Segue."""
        return False

    @property
    def has_rule_condition(self) -> bool:
        """Whether a legacy rule is part of it."""
        return any(child.has_rule_condition for child in self.children)

    def get_label(self) -> str | None:
        """The name people gave it."""
        return None

    @abstractmethod
    def evaluate(self, context: AutomationContext) -> AutomationResult:
        """The part of `context.candidate_subset` for which it holds. Called by Segue, once per evaluation."""

    def identity(self) -> str:
        """What it is without its children and its label, as a text that stays the same across releases."""
        return f"{type(self).__qualname__}:{self.name}"

    def get_node_unique_id(
        self, *, parent_unique_id: str | None, index: int | None, target_key: EntityKey | None = None
    ) -> str:
        """The id of this node below a parent: the name under which its memory is kept."""
        target = "" if target_key is None else target_key.to_user_string()
        return digest(parent_unique_id or "", "" if index is None else str(index), self.identity(), target)

    def get_node_unique_ids(
        self,
        *,
        parent_unique_ids: Sequence[str | None],
        child_indices: Sequence[int | None],
        target_key: EntityKey | None = None,
    ) -> Sequence[str]:
        """The ids of this node for each parent and each place below it."""
        return [
            self.get_node_unique_id(parent_unique_id=parent, index=index, target_key=target_key)
            for parent in parent_unique_ids
            for index in child_indices
        ]

    def get_backcompat_node_unique_ids(
        self, *, parent_unique_id: str | None = None, index: int | None = None, target_key: EntityKey | None = None
    ) -> Sequence[str]:
        """Ids that earlier releases gave this node; none so far."""
        return ()

    def get_unique_id(self, *, parent_node_unique_id: str | None = None, index: int | None = None) -> str:
        """The id of the whole condition: two conditions share it when they are built alike."""
        own = self.get_node_unique_id(parent_unique_id=parent_node_unique_id, index=index)
        inner = [
            child.get_unique_id(parent_node_unique_id=own, index=place) for place, child in enumerate(self.children)
        ]
        return digest(own, *inner)

    def get_node_snapshot(self, unique_id: str) -> AutomationConditionNodeSnapshot:
        """This node as data."""
        return AutomationConditionNodeSnapshot(
            class_name=type(self).__name__,
            description=self.description,
            unique_id=unique_id,
            label=self.get_label(),
            name=self.name,
            operator_type=self.operator_type,
        )

    def get_snapshot(
        self, *, parent_unique_id: str | None = None, index: int | None = None
    ) -> AutomationConditionSnapshot:
        """This condition and its children as data."""
        own = self.get_node_unique_id(parent_unique_id=parent_unique_id, index=index)
        inner = tuple(
            [child.get_snapshot(parent_unique_id=own, index=place) for place, child in enumerate(self.children)]
        )
        return AutomationConditionSnapshot(self.get_node_snapshot(own), inner)

    def to_wire(self) -> dict[str, object]:
        """The stored form; a custom condition is stored by name and id only."""
        inner = [child.to_wire() for child in self.children]
        return {"kind": "opaque", "class_name": type(self).__name__, "id": self.identity(), "operands": inner}

    def replace(self, old: AnyCondition | str, new: AnyCondition) -> Any:  # Any: what comes out depends on what matched
        """This condition with every occurrence of another (or of a label or name) replaced."""
        matches = old in (self.get_label(), self.name) if isinstance(old, str) else self == old
        return new if matches else self

    def as_auto_materialize_policy(self) -> Self:
        """Itself: superseded, for `auto_materialize_policy=`, which takes conditions."""
        return self

    def to_automation_condition(self) -> Self:
        """Itself, as a policy is asked for what it means."""
        return self

    def since(self, reset_condition: AnyCondition) -> SinceCondition[EntityT_co]:
        """True from when this became true until the other did; where both are true at once, false.

        An update and a tick of a cron schedule (`newly_updated().since(cron_tick_passed(...))`) are told apart by their
        times.
        """
        return build("since", trigger_condition=self, reset_condition=reset_condition)

    def newly_true(self) -> NewlyTrueCondition[EntityT_co]:
        """True in the evaluation in which this becomes true."""
        return build("newly_true", operand=self)

    def since_last_handled(self) -> SinceCondition[EntityT_co]:
        """True from when this became true until the target was requested or updated."""
        requested = AutomationCondition.newly_requested() | AutomationCondition.newly_updated()
        return self.since((requested | AutomationCondition.initial_evaluation()).with_label("handled"))

    def __and__(self, other: AnyCondition) -> AndAutomationCondition[EntityT_co]:
        return build("and", operands=_joined("and", self, require_condition("&", other)))

    def __or__(self, other: AnyCondition) -> OrAutomationCondition[EntityT_co]:
        return build("or", operands=_joined("or", self, require_condition("|", other)))

    def __invert__(self) -> NotAutomationCondition[EntityT_co]:
        return build("not", operand=self)


AnyCondition: TypeAlias = AutomationCondition[Any]
"""A condition about anything: what a condition inside another is about, the one around it decides."""


class BuiltinAutomationCondition(AutomationCondition[EntityT_co]):
    """A condition that comes with Segue: an immutable value of its `fields` and a label."""

    tag: ClassVar[str]  # on the wire, and in the table of kinds; looked for on the class itself
    fields: ClassVar[tuple[str, ...]] = ()
    label: str | None

    def __init_subclass__(cls) -> None:
        if "tag" in vars(cls):
            KINDS[cls.tag] = cls

    def __init__(self, *, label: str | None = None, **fields: object) -> None:
        unknown = [name for name in fields if name not in self.fields]
        if unknown:
            raise InvalidDefinitionError(
                f"{type(self).__name__}: unknown argument {unknown}; expected {self.fields or 'no arguments'}."
            )
        object.__setattr__(self, "label", label)
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be deleted.")

    def __getstate__(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("label", *self.fields)}

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AutomationCondition):
            return NotImplemented
        twin = cast("BuiltinAutomationCondition[Any]", other)
        return type(twin) is type(self) and self.__getstate__() == twin.__getstate__()

    def __hash__(self) -> int:
        return hash((type(self), self.get_unique_id()))

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.fields]
        return f"{type(self).__name__}({', '.join([f'label={self.label!r}', *shown])})"

    @property
    def name(self) -> str:
        arguments = ", ".join(f"{name}={text}" for name, text in self.arguments())
        return f"{self.tag}({arguments})" if arguments else self.tag

    def arguments(self) -> Sequence[tuple[str, str]]:
        """The arguments that the name shows."""
        return ()

    @property
    def requires_cursor(self) -> bool:
        return False

    @property
    def has_memory(self) -> bool:
        return self._has_memory

    @cached_property
    def _has_memory(self) -> bool:
        is_own = next(kind for kind in type(self).__mro__ if "evaluate" in vars(kind)) is not BuiltinAutomationCondition
        return is_own or self.requires_cursor or any(child.has_memory for child in self.children)

    @property
    def is_serializable(self) -> bool:
        return "tag" in vars(type(self)) and all(child.is_serializable for child in self.children)

    def get_label(self) -> str | None:
        return self.label

    def with_label(self, label: str | None) -> Self:
        """The same under a name of your own, by which `replace` finds it."""
        return self.with_fields(label=label)

    def with_fields(self, **fields: object) -> Self:
        """A copy in which these fields are others."""
        return type(self)(**cast("dict[str, Any]", {**self.__getstate__(), **fields}))

    def identity(self) -> str:
        return self._identity

    @cached_property
    def _identity(self) -> str:
        return f"{self.tag}({', '.join(f'{name}={text}' for name, text in self.arguments())})"

    def get_unique_id(self, *, parent_node_unique_id: str | None = None, index: int | None = None) -> str:
        """The id of the whole condition: two conditions share it when they are built alike."""
        if parent_node_unique_id is None and index is None:
            return self._whole_id
        return super().get_unique_id(parent_node_unique_id=parent_node_unique_id, index=index)

    @cached_property
    def _whole_id(self) -> str:
        return super().get_unique_id()

    def get_node_snapshot(self, unique_id: str) -> AutomationConditionNodeSnapshot:
        """This node as data."""
        return msgspec.structs.replace(self._snapshot, unique_id=unique_id)

    @cached_property
    def _snapshot(self) -> AutomationConditionNodeSnapshot:
        return super().get_node_snapshot("")

    def evaluate(self, context: AutomationContext) -> AutomationResult:
        return context.evaluate_builtin(self)

    def to_wire(self) -> dict[str, object]:
        if "tag" not in vars(type(self)):
            return super().to_wire()
        plain = {name: to_plain(value) for name in self.fields if (value := getattr(self, name)) is not None}
        return {"kind": self.tag, **({} if self.label is None else {"label": self.label}), **plain}


def _joined(tag: str, one: AnyCondition, other: AnyCondition) -> tuple[AnyCondition, ...]:
    """The operands of both in a row, where they are of this kind and have no label."""
    found: list[AnyCondition] = []
    for each in (one, other):
        same = isinstance(each, KINDS[tag]) and each.get_label() is None
        found.extend(each.children if same else (each,))
    return tuple(found)


def to_plain(value: object) -> object:
    """A field as JSON values: conditions by their own wire form, sets sorted, spans of time in seconds."""
    for kind, convert in PLAIN:
        if isinstance(value, kind):
            return convert(value)
    return msgspec.to_builtins(value)


PLAIN: list[tuple[type, Callable[[Any], object]]] = [
    (AutomationCondition, lambda condition: condition.to_wire()),
    (tuple, lambda values: [to_plain(value) for value in values]),
    (frozenset, sorted),
]
