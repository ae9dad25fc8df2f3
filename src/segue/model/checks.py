"""Checks on assets: what they are called, what they found."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, ClassVar

import msgspec

from segue.errors import InvariantViolationError, WrongArgumentError, WrongValueError
from segue.model.arguments import require_kind, require_list
from segue.model.asset_deps import AssetDep, CoercibleToAssetDep, coerce_asset_key, unique_deps
from segue.model.condition_argument import optional_condition
from segue.model.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey, require_word
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.named_fields import NamedFields
from segue.model.partitions.base import PartitionsDefinition

if TYPE_CHECKING:
    from segue.model.condition.base import AnyCondition


class AssetCheckSeverity(enum.Enum):
    """The severity of a failed check. WARN: needs a look. ERROR: the asset is wrong; only this one can block."""

    WARN = "WARN"
    ERROR = "ERROR"


class AssetCheckSpec(NamedFields):
    """The description of a check, without its function.

    Args:
        name: unique on the asset; letters, digits, underscores, dots.
        asset: the asset it looks at (key or definition).
        description: for people.
        additional_deps: other assets it reads.
        blocking: whether its failure (of severity ERROR) stops everything downstream of the asset.
        metadata: facts about the check.
        automation_condition: when to request it.
        partitions_def: the partitions of the asset, where the check judges each of them by itself; a check without looks at
            what a run makes, or at all that is stored, as a whole.

    Raises:
        InvalidDefinitionError: a bad name, or (a WrongValueError) the asset itself among `additional_deps`.
    """

    __slots__ = (
        "additional_deps",
        "asset_key",
        "automation_condition",
        "blocking",
        "description",
        "metadata",
        "name",
        "partitions_def",
    )
    _arguments: ClassVar[Mapping[str, str]] = {"asset_key": "asset"}
    name: str
    asset_key: AssetKey
    description: str | None
    additional_deps: Sequence[AssetDep]
    blocking: bool
    metadata: Mapping[str, object]
    automation_condition: AnyCondition | None
    partitions_def: PartitionsDefinition | None

    def __init__(
        self,
        name: str,
        *,
        asset: object,
        description: str | None = None,
        additional_deps: Iterable[CoercibleToAssetDep] | None = None,
        blocking: bool = False,
        metadata: Mapping[str, object] | None = None,
        automation_condition: AnyCondition | None = None,
        partitions_def: PartitionsDefinition | None = None,
    ) -> None:
        require_kind("AssetCheckSpec", "partitions_def", partitions_def, PartitionsDefinition)
        require_kind("AssetCheckSpec", "description", description, str)
        require_kind("AssetCheckSpec", "metadata", metadata, Mapping)
        require_kind("AssetCheckSpec", "blocking", blocking, bool)
        write = object.__setattr__
        write(self, "name", require_word(name, "a check", "AssetCheckSpec", "."))
        write(self, "asset_key", coerce_asset_key(asset))
        write(self, "description", description)
        write(self, "additional_deps", _other_deps(additional_deps, self.key))
        write(self, "blocking", blocking)
        write(self, "metadata", dict(metadata or {}))
        write(self, "automation_condition", optional_condition(f"check {name!r}", automation_condition))
        write(self, "partitions_def", partitions_def)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"AssetCheckSpec is immutable: {name!r} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetCheckSpec) and all(
            getattr(self, field) == getattr(other, field) for field in self.__slots__
        )

    def __hash__(self) -> int:
        return hash((self.asset_key, self.name))

    def __repr__(self) -> str:
        return f"AssetCheckSpec({self.name!r}, asset={self.asset_key!r}, blocking={self.blocking})"

    def __getstate__(self) -> dict[str, object]:
        return {field: getattr(self, field) for field in self.__slots__}

    def __setstate__(self, state: dict[str, object]) -> None:
        for field, value in state.items():
            object.__setattr__(self, field, value)

    @property
    def key(self) -> AssetCheckKey:
        """Asset and name."""
        return AssetCheckKey(self.asset_key, self.name)

    def get_python_identifier(self) -> str:
        """The name of the output or step that carries the check: `asset__key_check_name`."""
        return self.key.to_python_identifier()

    def replace_key(self, key: AssetCheckKey) -> AssetCheckSpec:
        """The same check under another key."""
        return self._replace(name=key.name, asset_key=key.asset_key)

    def with_metadata(self, metadata: Mapping[str, object]) -> AssetCheckSpec:
        """The same check with other metadata."""
        return self._replace(metadata=metadata)


def _other_deps(deps: Iterable[CoercibleToAssetDep] | None, check: AssetCheckKey) -> Sequence[AssetDep]:
    """The other assets that a check reads."""
    where = f"check {check.to_user_string()!r}"
    found = [] if deps is None else unique_deps(require_list(where, "additional_deps", deps), where)
    if any(dep.asset_key == check.asset_key for dep in found):
        raise WrongValueError(
            f"{where}: additional_deps must not include the checked asset itself; remove {check.asset_key.to_user_string()!r}."
        )
    return found


class AssetCheckResult(NamedFields):
    """The result of a check, as returned by user code.

    Args:
        passed: whether all is well.
        asset_key: needed only if the function has checks of several assets.
        check_name: needed only if the function has several checks of the asset.
        metadata: facts that show why.
        severity: the severity of a failure.
        description: one line for people.

    Raises:
        WrongArgumentError: `passed` is not a bool (numpy's and polars' booleans are taken by their value).
    """

    __slots__ = ("asset_key", "check_name", "description", "metadata", "passed", "severity")
    passed: bool
    asset_key: AssetKey | None
    check_name: str | None
    metadata: Mapping[str, AnyMetadataValue]
    severity: AssetCheckSeverity
    description: str | None

    def __init__(
        self,
        *,
        passed: bool,
        asset_key: CoercibleToAssetKey | None = None,
        check_name: str | None = None,
        metadata: Mapping[str, object] | None = None,
        severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
        description: str | None = None,
    ) -> None:
        if passed is not True and passed is not False and type(passed).__name__ not in ("bool_", "bool"):
            raise WrongArgumentError(f"AssetCheckResult: passed must be a bool, got {passed!r}.")
        require_kind("AssetCheckResult", "severity", severity, AssetCheckSeverity)
        require_kind("AssetCheckResult", "description", description, str)
        write = object.__setattr__
        write(self, "passed", bool(passed))
        write(self, "asset_key", None if asset_key is None else AssetKey.from_coercible(asset_key))
        write(self, "check_name", check_name)
        write(self, "metadata", normalize_metadata(metadata))
        write(self, "severity", severity)
        write(self, "description", description)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"AssetCheckResult is immutable: {name!r} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetCheckResult) and all(
            getattr(self, field) == getattr(other, field) for field in self.__slots__
        )

    def __hash__(self) -> int:
        return hash((self.passed, self.asset_key, self.check_name))

    def __repr__(self) -> str:
        return f"AssetCheckResult(passed={self.passed}, asset_key={self.asset_key!r}, check_name={self.check_name!r})"

    def __getstate__(self) -> dict[str, object]:
        return {field: getattr(self, field) for field in self.__slots__}

    def __setstate__(self, state: dict[str, object]) -> None:
        for field, value in state.items():
            object.__setattr__(self, field, value)

    def resolve_target_check_key(
        self, check_names_by_asset_key: Mapping[AssetKey, Set[str]] | None = None
    ) -> AssetCheckKey:
        """The check that the result means, where it may be one of these.

        Raises:
            InvariantViolationError: it means none of them, or could mean several.
        """
        known = [
            AssetCheckKey(asset, name) for asset, names in (check_names_by_asset_key or {}).items() for name in names
        ]
        meant = [
            key for key in known if self.asset_key in (None, key.asset_key) and self.check_name in (None, key.name)
        ]
        if not known and self.asset_key is not None and self.check_name is not None:
            return AssetCheckKey(self.asset_key, self.check_name)
        if len(meant) == 1:
            return meant[0]
        shown = ", ".join(key.to_user_string() for key in sorted(known)) or "none"
        raise InvariantViolationError(
            f"An AssetCheckResult (asset_key={self.asset_key!r}, check_name={self.check_name!r}) must identify exactly "
            f"one of the checks: {shown}."
        )

    def with_metadata(self, metadata: Mapping[str, object]) -> AssetCheckResult:
        """The same result with other metadata."""
        return AssetCheckResult(
            passed=self.passed,
            asset_key=self.asset_key,
            check_name=self.check_name,
            metadata=metadata,
            severity=self.severity,
            description=self.description,
        )


class AssetCheckEvaluationTargetMaterializationData(msgspec.Struct, frozen=True):
    """The materialization that was checked: its position in the log, its run, and its time (seconds since 1970)."""

    storage_id: int
    run_id: str | None
    timestamp: float


_EVALUATION_KINDS: tuple[tuple[str, type], ...] = (
    ("asset_key", AssetKey),
    ("check_name", str),
    ("passed", bool),
    ("severity", AssetCheckSeverity),
    ("description", str),
)


class AssetCheckEvaluation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The recorded result of a check.

    Attributes:
        asset_key, check_name: which check.
        passed: whether all is well.
        metadata: facts that show why; raw values become `MetadataValue`s.
        target_materialization_data: the materialization that was checked, if any.
        severity: the severity of a failure.
        description: one line for people.
        blocking: whether a failure of severity ERROR keeps downstream assets from being materialized.
        partition: the partition that was looked at, of a check with partitions.
    """

    asset_key: AssetKey
    check_name: str
    passed: bool
    metadata: Mapping[str, AnyMetadataValue] = {}
    target_materialization_data: AssetCheckEvaluationTargetMaterializationData | None = None
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR
    description: str | None = None
    blocking: bool | None = False
    partition: str | None = None

    def __post_init__(self) -> None:
        for name, kind in _EVALUATION_KINDS:
            require_kind("AssetCheckEvaluation", name, getattr(self, name), kind)
        msgspec.structs.force_setattr(self, "metadata", normalize_metadata(self.metadata))

    @property
    def asset_check_key(self) -> AssetCheckKey:
        """Asset and name."""
        return AssetCheckKey(self.asset_key, self.check_name)

    def with_metadata(self, metadata: Mapping[str, object]) -> AssetCheckEvaluation:
        """The same evaluation with other metadata."""
        return msgspec.structs.replace(self, metadata=normalize_metadata(metadata))
