"""`In`, `Out` and their kin: what is said of the inputs and outputs of ops and graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Self

from segue.defs.io_definitions import InputDefinition, OutputDefinition, type_of
from segue.defs.io_marks import NO_DEFAULT, NO_TYPE, is_nothing
from segue.defs.types.resolve import resolve_type
from segue.errors import InvalidDefinitionError
from segue.model.arguments import require_kind
from segue.model.keys import DEFAULT_IO_MANAGER_KEY, AssetKey, CoercibleToAssetKey
from segue.model.named_fields import NamedFields


class In:
    """An input of an op.

    Args:
        dagster_type: its type; the parameter's annotation when left out. `Nothing` for an input that only orders steps.
        description: for people.
        default_value: the value if nothing is connected; the parameter's own default when left out.
        metadata: facts for the IO manager that loads it.
        asset_key: the asset that its value is, for lineage.
        asset_partitions: the partitions of that asset.
        input_manager_key: the resource that loads it.
    """

    __slots__ = (
        "asset_key",
        "asset_partitions",
        "dagster_type",
        "default_value",
        "description",
        "input_manager_key",
        "metadata",
    )

    def __init__(
        self,
        dagster_type: object = NO_TYPE,
        description: str | None = None,
        default_value: Any = NO_DEFAULT,
        metadata: Mapping[str, object] | None = None,
        asset_key: CoercibleToAssetKey | Callable[..., AssetKey] | None = None,
        asset_partitions: object = None,
        input_manager_key: str | None = None,
    ) -> None:
        require_kind("In", "description", description, str)
        require_kind("In", "metadata", metadata, Mapping)
        require_kind("In", "input_manager_key", input_manager_key, str)
        if not callable(asset_key):
            require_kind("In", "asset_key", asset_key, (AssetKey, str, Sequence))
        if not callable(asset_partitions):
            require_kind("In", "asset_partitions", asset_partitions, Set)
        if asset_partitions is not None and asset_key is None:
            raise InvalidDefinitionError(
                "In(asset_partitions=...) requires asset_key: the partitions belong to that asset."
            )
        if is_nothing(dagster_type) and default_value is not NO_DEFAULT:
            raise InvalidDefinitionError("In(Nothing) cannot have a default_value, because it never carries a value.")
        self.dagster_type: object = dagster_type if dagster_type is NO_TYPE else resolve_type(dagster_type)
        self.description = description
        self.default_value = default_value
        self.metadata: Mapping[str, object] = dict(metadata or {})
        self.asset_key = asset_key
        self.asset_partitions = asset_partitions
        self.input_manager_key = input_manager_key

    @property
    def has_default_value(self) -> bool:
        """Whether there is a default."""
        return self.default_value is not NO_DEFAULT

    def to_definition(self, name: str) -> InputDefinition:
        """The same with the name of the input."""
        return InputDefinition(
            name,
            type_of(self.dagster_type),
            self.description,
            self.default_value,
            self.metadata,
            self.asset_key,
            self.asset_partitions,
            self.input_manager_key,
        )

    @classmethod
    def from_definition(cls, input_def: InputDefinition) -> Self:
        """The input without its name."""
        return cls(
            input_def.dagster_type,
            input_def.description,
            input_def.default_value,
            input_def.metadata,
            input_def.asset_key,
            input_def.asset_partitions,
            input_def.input_manager_key,
        )

    def replaced(self, **changes: Any) -> In:
        """A copy with other attributes."""
        return type(self)(**{**{name: getattr(self, name) for name in In.__slots__}, **changes})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, In) and all(getattr(self, name) == getattr(other, name) for name in In.__slots__)

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds the user's default, which may not be hashable

    def __repr__(self) -> str:
        return f"In({self.dagster_type!r})"


class Out(NamedFields):
    """An output of an op.

    Args:
        dagster_type: its type; the return annotation of the function when left out.
        description: for people.
        is_required: whether the function must return it.
        io_manager_key: the key of the IO manager that stores its value.
        metadata: facts for the IO manager.
        code_version: the version of the code that computes it.
    """

    __slots__ = ("code_version", "dagster_type", "description", "io_manager_key", "is_required", "metadata")

    def __init__(
        self,
        dagster_type: object = NO_TYPE,
        description: str | None = None,
        is_required: bool = True,
        io_manager_key: str | None = None,
        metadata: Mapping[str, object] | None = None,
        code_version: str | None = None,
    ) -> None:
        require_kind("Out", "description", description, str)
        require_kind("Out", "is_required", is_required, bool)
        require_kind("Out", "io_manager_key", io_manager_key, str)
        require_kind("Out", "metadata", metadata, Mapping)
        require_kind("Out", "code_version", code_version, str)
        self.dagster_type: object = dagster_type if dagster_type is NO_TYPE else resolve_type(dagster_type)
        self.description = description
        self.is_required = is_required
        self.io_manager_key = io_manager_key or DEFAULT_IO_MANAGER_KEY
        self.metadata: Mapping[str, object] = dict(metadata or {})
        self.code_version = code_version

    @property
    def is_dynamic(self) -> bool:
        """Whether it has any number of values, each with a mapping key."""
        return False

    def to_definition(
        self, annotation_type: object, name: str | None, description: str | None, code_version: str | None
    ) -> OutputDefinition:
        """The same with the name of the output.

        Args:
            annotation_type: its type where it names none itself.
            name: of the output; `result` when None.
            description: for people, where it has none itself.
            code_version: that of its op, where it has none itself.
        """
        return OutputDefinition(
            name or "result",
            type_of(annotation_type if self.dagster_type is NO_TYPE else self.dagster_type),
            self.description or description,
            self.is_required,
            self.io_manager_key,
            self.metadata,
            self.code_version or code_version,
            self.is_dynamic,
        )

    @classmethod
    def from_definition(cls, output_def: OutputDefinition) -> Self:
        """The output without its name."""
        return cls(
            output_def.dagster_type,
            output_def.description,
            output_def.is_required,
            output_def.io_manager_key,
            output_def.metadata,
            output_def.code_version,
        )

    def replaced(self, **changes: Any) -> Out:
        """A copy with other attributes."""
        return type(self)(**{**{name: getattr(self, name) for name in Out.__slots__}, **changes})

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, name) == getattr(other, name) for name in Out.__slots__)

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds metadata, which may not be hashable

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dagster_type!r})"


class DynamicOut(Out):
    """An output with any number of values, each a `DynamicOutput` with a mapping key.

    Declare what follows with `.map(...)` on the invocation; it runs once for each value. `.collect()` gives a list.
    """

    __slots__ = ()

    @property
    def is_dynamic(self) -> bool:
        """True."""
        return True


class GraphIn:
    """An input of a graph.

    Args:
        description: for people.
    """

    __slots__ = ("description",)

    def __init__(self, *, description: str | None = None) -> None:
        self.description = description

    def to_definition(self, name: str) -> InputDefinition:
        """The same with the name of the input; any type, as that of the op behind it is not known here."""
        return InputDefinition(name, description=self.description)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GraphIn) and other.description == self.description

    def __repr__(self) -> str:
        return f"GraphIn(description={self.description!r})"

    def __hash__(self) -> int:
        return hash(self.description)


class GraphOut(NamedFields):
    """An output of a graph.

    Args:
        description: for people.
    """

    __slots__ = ("description",)

    def __init__(self, description: str | None = None) -> None:
        self.description = description

    def to_definition(self, name: str | None) -> OutputDefinition:
        """The same with the name of the output, `result` when None; any type, as that of the op behind it is not known here."""
        return OutputDefinition(name or "result", description=self.description)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GraphOut) and other.description == self.description

    def __repr__(self) -> str:
        return f"GraphOut(description={self.description!r})"

    def __hash__(self) -> int:
        return hash(self.description)
