"""Types of values at run time: what a value must be to go into a function, or to come out of it."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from segue.errors import InvariantViolationError, WrongDeclarationError
from segue.model.arguments import require_kind
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.named_fields import NamedFields

if TYPE_CHECKING:
    from logging import Logger

    from segue.defs.types.loader import TypeLoader

Classes: TypeAlias = type | tuple[type, ...]
TypeCheckFn: TypeAlias = "Callable[[TypeCheckContext, Any], TypeCheck | bool]"


class TypeKind(enum.Enum):
    """What sort of type it is."""

    ANY = "ANY"
    SCALAR = "SCALAR"
    LIST = "LIST"
    NOTHING = "NOTHING"
    NULLABLE = "NULLABLE"
    REGULAR = "REGULAR"


class TypeCheck(NamedFields):
    """What came of checking a value against a type.

    Args:
        success: whether the value is of the type.
        description: why not, or what else there is to say.
        metadata: facts about the value, recorded with the check.
    """

    __slots__ = ("description", "metadata", "success")

    def __init__(
        self, success: bool, description: str | None = None, metadata: Mapping[str, object] | None = None
    ) -> None:
        if not isinstance(success, bool):  # pyright: ignore[reportUnnecessaryIsInstance] reason: user code passes what it likes
            raise WrongDeclarationError(f"TypeCheck: success must be a bool, got {success!r}.")
        require_kind("TypeCheck", "description", description, str)
        self.success = success
        self.description = description
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TypeCheck)
            and self.success == other.success
            and self.description == other.description
            and self.metadata == other.metadata
        )

    def __hash__(self) -> int:
        return hash((self.success, self.description))

    def __repr__(self) -> str:
        return f"TypeCheck(success={self.success!r}, description={self.description!r}, metadata={self.metadata!r})"


PASSED: Final = TypeCheck(True)


def _takes_two(function: Callable[..., object]) -> bool:
    """Whether a function can be called with two arguments, as far as its code tells."""
    code = getattr(function, "__code__", None)
    if code is None:
        return True
    most = code.co_argcount - (getattr(function, "__self__", None) is not None)
    least = most - len(getattr(function, "__defaults__", None) or ())
    return least <= 2 and (most >= 2 or bool(code.co_flags & _TAKES_ANY))


_TAKES_ANY: Final = 0x04  # the flag of a function with *args, as `inspect.CO_VARARGS` has it


class TypeCheckContext:
    """What the check of a type is told.

    Attributes:
        run_id: the run; `EPHEMERAL` outside of one.
        log: the log of the step.
        resources: the resources that the type asks for, as attributes.
    """

    __slots__ = ("log", "resources", "run_id")

    def __init__(self, run_id: str, log: Logger, resources: Any) -> None:
        self.run_id = run_id
        self.log = log
        self.resources = resources


class SegueType:
    """A type of values, as a check.

    Args:
        type_check_fn: takes a `TypeCheckContext` and the value, gives a bool or a `TypeCheck`.
        key: what tells the type from others; the name when None.
        name: what people call it; needed when there is no key.
        is_builtin: whether it comes with the library.
        description: for people.
        loader: makes a value out of run config, for an input that nothing else feeds.
        required_resource_keys: the resources that the check takes from its context.
        kind: what sort of type it is.
        typing_type: the Python type that comes closest; what IO managers are asked for.
        metadata: facts for people.

    Raises:
        InvalidDefinitionError: neither key nor name, or a check that cannot be called.
    """

    def __init__(
        self,
        type_check_fn: TypeCheckFn,
        key: str | None = None,
        name: str | None = None,
        is_builtin: bool = False,
        description: str | None = None,
        loader: TypeLoader | None = None,
        required_resource_keys: Set[str] | None = None,
        kind: TypeKind = TypeKind.REGULAR,
        typing_type: Any = typing.Any,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        if key is None and name is None:
            raise WrongDeclarationError("SegueType requires a name or a key.")
        what = f"SegueType {name or key!r}"
        if not callable(type_check_fn):
            raise WrongDeclarationError(f"{what}: type_check_fn must be a function, got {type_check_fn!r}.")
        if not _takes_two(type_check_fn):
            raise WrongDeclarationError(f"{what}: type_check_fn must take two arguments, a context and the value.")
        if loader is not None and not hasattr(loader, "construct_from_config_value"):
            raise WrongDeclarationError(
                f"{what}: loader must be a function decorated with @type_loader, got {loader!r}."
            )
        require_kind(what, "name", name, str)
        require_kind(what, "key", key, str)
        require_kind(what, "description", description, str)
        if not isinstance(kind, TypeKind):  # pyright: ignore[reportUnnecessaryIsInstance] reason: user code passes what it likes
            raise WrongDeclarationError(f"{what}: kind must be a member of TypeKind, got {kind!r}.")
        require_kind(what, "required_resource_keys", required_resource_keys, Set)
        self._type_check_fn = type_check_fn
        self.key: str = key or name or ""
        self._name = name
        self.is_builtin = is_builtin
        self.description = description
        self.loader = loader
        self.required_resource_keys: Set[str] = frozenset(required_resource_keys or ())
        self.kind = kind
        self.typing_type = typing_type
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)

    accepts_instances_of: Classes | None = None  # instances of these pass without asking the check

    @property
    def display_name(self) -> str:
        """What people call it."""
        return self._name or self.key

    @property
    def has_unique_name(self) -> bool:
        """Whether it was given a name, as apart from one put together from its parts."""
        return self._name is not None

    @property
    def unique_name(self) -> str | None:
        """The name it was given.

        Raises:
            InvariantViolationError: it was given none.
        """
        if self._name is None:
            raise InvariantViolationError(
                f"The type {self.display_name!r} has no name of its own: check has_unique_name first."
            )
        return self._name

    @property
    def is_any(self) -> bool:
        """Whether every value is of it."""
        return self.kind is TypeKind.ANY

    @property
    def is_nothing(self) -> bool:
        """Whether it is the type of no value."""
        return self.kind is TypeKind.NOTHING

    @property
    def inner_types(self) -> Sequence[SegueType]:
        """The types it is put together from, and theirs."""
        return ()

    @property
    def type_params(self) -> Sequence[SegueType]:
        """The types in its brackets: `Int` of `[Int]`."""
        return ()

    @property
    def supports_fan_in(self) -> bool:
        """Whether an input of it takes the outputs of several steps."""
        return self.kind in (TypeKind.ANY, TypeKind.LIST, TypeKind.NOTHING)

    def get_inner_type_for_fan_in(self) -> SegueType:
        """The type of each of the outputs that an input of this type takes together.

        Raises:
            InvariantViolationError: it takes one value.
        """
        if not self.supports_fan_in:
            raise InvariantViolationError(
                f"The type {self.display_name!r} accepts a single value, not a list of outputs."
            )
        return self

    def type_check(self, context: TypeCheckContext, value: object) -> TypeCheck:
        """Checks a value.

        Raises:
            InvariantViolationError: the check gave something else than a bool or a `TypeCheck`.
            Exception: whatever the check raises.
        """
        result = self._type_check_fn(context, value)
        if isinstance(result, TypeCheck):
            return result
        if result is True:
            return PASSED
        if result is False:
            return TypeCheck(False)
        raise InvariantViolationError(
            f"The check of the type {self.display_name!r} returned {result!r} ({type(result).__name__}): it "
            "must return a bool or a TypeCheck."
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.display_name!r})"


class PythonObjectType(SegueType):
    """The type of the instances of a Python class, or of one of several.

    Args:
        python_type: the class, or a tuple of them.
        key, name: as for `SegueType`; the name of the class when left out.
        is_builtin, description, loader, required_resource_keys, kind, typing_type, metadata: as for `SegueType`.

    Raises:
        InvalidDefinitionError: no class.
    """

    def __init__(
        self,
        python_type: Classes,
        key: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        classes = python_type if isinstance(python_type, tuple) else (python_type,)
        if not classes or not all(isinstance(each, type) for each in classes):  # pyright: ignore[reportUnnecessaryIsInstance] reason: as above
            raise WrongDeclarationError(
                f"PythonObjectType must be given a class or a tuple of classes, got {python_type!r}."
            )
        shown = python_type.__name__ if isinstance(python_type, type) else _union_text(classes)
        if key is None and name is None:
            name = shown
        kwargs.setdefault("typing_type", typing.Union[classes])  # noqa: UP007 reason: the classes are known at run time only
        super().__init__(_any_check, key, name, **kwargs)  # type_check below answers by itself
        self.python_type = python_type
        self.type_str = shown
        self.accepts_instances_of = python_type

    def type_check(self, context: TypeCheckContext, value: object) -> TypeCheck:
        """Checks a value: whether it is an instance."""
        return PASSED if isinstance(value, self.python_type) else mismatch(self.type_str, value)


def _union_text(classes: Iterable[type]) -> str:
    return f"Union[{', '.join(each.__name__ for each in classes)}]"


def mismatch(expected: str, value: object) -> TypeCheck:
    """That a value is not what was expected."""
    shown = repr(value)
    if len(shown) > 80:
        shown = f"{shown[:77]}..."
    return TypeCheck(False, f"Expected {expected}, got {shown} of type {type(value).__name__}.")


def _scalar(name: str, python_type: type) -> PythonObjectType:
    return PythonObjectType(python_type, name, name, is_builtin=True, kind=TypeKind.SCALAR)


def _any_check(_context: TypeCheckContext, _value: object) -> bool:
    return True


def _nothing_check(_context: TypeCheckContext, value: object) -> TypeCheck:
    return PASSED if value is None else mismatch("no value (None)", value)


ANY_TYPE: Final = SegueType(_any_check, "Any", "Any", is_builtin=True, kind=TypeKind.ANY)
NOTHING_TYPE: Final = SegueType(
    _nothing_check, "Nothing", "Nothing", is_builtin=True, kind=TypeKind.NOTHING, typing_type=type(None)
)
INT_TYPE: Final = _scalar("Int", int)
FLOAT_TYPE: Final = _scalar("Float", float)
STRING_TYPE: Final = _scalar("String", str)
BOOL_TYPE: Final = _scalar("Bool", bool)


def passes_at_once(kind: SegueType, value: object) -> bool:
    """Whether a value is of a type for sure, without calling its check."""
    if kind.kind is TypeKind.ANY:
        return True
    classes = kind.accepts_instances_of
    return classes is not None and isinstance(value, classes)


def check_value(kind: SegueType, value: object, context: TypeCheckContext) -> TypeCheck:
    """Checks a value against a type.

    Raises:
        Exception: whatever the check of the type raises.
    """
    return PASSED if passes_at_once(kind, value) else kind.type_check(context, value)


BUILTIN_TYPES: Final = (ANY_TYPE, BOOL_TYPE, FLOAT_TYPE, INT_TYPE, STRING_TYPE, NOTHING_TYPE)  # what every job knows
