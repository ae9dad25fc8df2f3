"""Conditions that ask other targets: dependencies, checks, another asset, the roots of a job, what lies downstream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from segue.model.condition.base import AnyCondition, BuiltinAutomationCondition, EntityT_co
from segue.model.condition.operators import CompoundCondition, SelectiveCondition
from segue.model.condition.snapshot import OperatorType
from segue.model.condition_argument import require_condition
from segue.model.digest import digest
from segue.model.keys import AssetKey, EntityKey
from segue.model.selection import AssetSelection


class NarrowedCondition(SelectiveCondition[EntityT_co]):
    """What asks some of its neighbours: those allowed (None: all) and not ignored."""

    base_name: ClassVar[str]
    operand: AnyCondition
    allow_selection: AssetSelection | None
    ignore_selection: AssetSelection | None

    @property
    def name(self) -> str:
        arguments = ",".join(f"{name}={text}" for name, text in self.arguments())
        return f"{self.base_name}({arguments})" if arguments else self.base_name

    def arguments(self) -> Sequence[tuple[str, str]]:
        selections = (("allow_selection", self.allow_selection), ("ignore_selection", self.ignore_selection))
        return [(name, str(selection)) for name, selection in selections if selection is not None]

    def identity(self) -> str:
        return self.tag  # not the selections: narrowing them must not lose what is remembered

    def _narrowed(self, how: str, selection: AssetSelection) -> Self:
        super()._narrowed(how, selection)
        field = f"{how}_selection"
        known: AssetSelection | None = getattr(self, field)
        return self.with_fields(**{field: selection if known is None else selection | known})


class DepsAutomationCondition(NarrowedCondition[EntityT_co]):
    """What asks the dependencies of its target, each about the partitions that belong to the candidates."""

    fields: ClassVar[tuple[str, ...]] = ("operand", "allow_selection", "ignore_selection", "resolves_virtual_deps")
    resolves_virtual_deps: bool

    def __init__(
        self,
        *,
        label: str | None = None,
        operand: AnyCondition,
        allow_selection: AssetSelection | None = None,
        ignore_selection: AssetSelection | None = None,
        resolves_virtual_deps: bool = False,
    ) -> None:
        super().__init__(
            label=label,
            operand=require_condition(self.tag, operand),
            allow_selection=allow_selection,
            ignore_selection=ignore_selection,
            resolves_virtual_deps=resolves_virtual_deps,
        )

    def resolve_through_virtual(self, value: bool = True) -> Self:
        return self.with_fields(resolves_virtual_deps=value)


class AnyDepsCondition(DepsAutomationCondition[EntityT_co]):
    """True for what has a dependency for which the operand is true."""

    tag: ClassVar[str] = "any_deps_match"
    base_name: ClassVar[str] = "ANY_DEPS_MATCH"

    @property
    def operator_type(self) -> OperatorType:
        return "or"


class AllDepsCondition(DepsAutomationCondition[EntityT_co]):
    """True for what has only dependencies for which the operand is true in some of the partitions needed."""

    tag: ClassVar[str] = "all_deps_match"
    base_name: ClassVar[str] = "ALL_DEPS_MATCH"

    @property
    def operator_type(self) -> OperatorType:
        return "and"


class ChecksAutomationCondition(NarrowedCondition[EntityT_co]):
    """What asks the checks on its target."""

    fields: ClassVar[tuple[str, ...]] = ("operand", "blocking_only", "allow_selection", "ignore_selection")
    blocking_only: bool

    def __init__(
        self,
        *,
        label: str | None = None,
        operand: AnyCondition,
        blocking_only: bool = False,
        allow_selection: AssetSelection | None = None,
        ignore_selection: AssetSelection | None = None,
    ) -> None:
        super().__init__(
            label=label,
            operand=require_condition(self.tag, operand),
            blocking_only=blocking_only,
            allow_selection=allow_selection,
            ignore_selection=ignore_selection,
        )

    def arguments(self) -> Sequence[tuple[str, str]]:
        return [*([("blocking_only", "True")] if self.blocking_only else []), *super().arguments()]

    def identity(self) -> str:
        return f"{self.tag}({'blocking' if self.blocking_only else ''})"

    def resolve_through_virtual(self, value: bool = True) -> Self:
        return self


class AnyChecksCondition(ChecksAutomationCondition[EntityT_co]):
    """True for an asset with a check for which the operand is true."""

    tag: ClassVar[str] = "any_checks_match"
    base_name: ClassVar[str] = "ANY_CHECKS_MATCH"

    @property
    def operator_type(self) -> OperatorType:
        return "or"


class AllChecksCondition(ChecksAutomationCondition[EntityT_co]):
    """True for an asset with only such checks, or none."""

    tag: ClassVar[str] = "all_checks_match"
    base_name: ClassVar[str] = "ALL_CHECKS_MATCH"

    @property
    def operator_type(self) -> OperatorType:
        return "and"


class EntityMatchesCondition(CompoundCondition[EntityT_co]):
    """True for what belongs to the partitions of another target for which the operand is true."""

    tag: ClassVar[str] = "entity_matches"
    fields: ClassVar[tuple[str, ...]] = ("key", "operand")
    key: EntityKey
    operand: AnyCondition

    def __init__(self, *, label: str | None = None, key: EntityKey, operand: AnyCondition) -> None:
        super().__init__(label=label, key=key, operand=require_condition("asset_matches", operand))

    @property
    def name(self) -> str:
        return self.key.to_user_string()

    def identity(self) -> str:
        return f"{self.tag}({self.key.to_user_string()})"


class JobRootAssetsAutomationCondition(CompoundCondition[EntityT_co]):
    """What asks the assets at the roots of a job: those that depend on nothing else in it."""

    fields: ClassVar[tuple[str, ...]] = ("operand",)
    base_name: ClassVar[str]
    operand: AnyCondition

    def __init__(self, *, label: str | None = None, operand: AnyCondition) -> None:
        super().__init__(label=label, operand=require_condition(self.tag, operand))

    @property
    def name(self) -> str:
        return self.base_name


class AnyJobRootAssetsMatchCondition(JobRootAssetsAutomationCondition[EntityT_co]):
    """True for a job with a root asset for which the operand is true."""

    tag: ClassVar[str] = "any_job_root_assets_match"
    base_name: ClassVar[str] = "ANY_JOB_ROOT_ASSETS_MATCH"

    @property
    def operator_type(self) -> OperatorType:
        return "or"


class AllJobRootAssetsMatchCondition(JobRootAssetsAutomationCondition[EntityT_co]):
    """True for a job all of whose root assets the operand is true for."""

    tag: ClassVar[str] = "all_job_root_assets_match"
    base_name: ClassVar[str] = "ALL_JOB_ROOT_ASSETS_MATCH"

    @property
    def operator_type(self) -> OperatorType:
        return "and"


class AnyDownstreamConditionsCondition(BuiltinAutomationCondition[EntityT_co]):
    """True for what the condition of any asset downstream would be true for, if it were its own."""

    tag: ClassVar[str] = "any_downstream_conditions"

    @property
    def name(self) -> str:
        return "ANY_DOWNSTREAM_CONDITIONS"

    @property
    def description(self) -> str:
        return "Any downstream conditions"

    @property
    def has_memory(self) -> bool:
        return True  # the conditions downstream may remember


class DownstreamConditionWrapperCondition(CompoundCondition[EntityT_co]):
    """The condition of assets downstream, asked about an asset upstream of them. Made during an evaluation."""

    tag: ClassVar[str] = "downstream_condition"
    fields: ClassVar[tuple[str, ...]] = ("downstream_keys", "operand")
    downstream_keys: tuple[AssetKey, ...]
    operand: AnyCondition

    @property
    def name(self) -> str:
        return ", ".join(key.to_user_string() for key in self.downstream_keys)

    def identity(self) -> str:
        return f"{self.tag}({digest(self.operand.get_unique_id())})"  # the same when another asset joins or leaves
