"""From Python's types and annotations to types of values."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AnySet
from typing import (
    Annotated,
    Any,
    Final,
    ForwardRef,
    Literal,
    NewType,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    overload,
)

from segue.defs.results import MaterializeResult, Output
from segue.defs.types.base import (
    ANY_TYPE,
    BOOL_TYPE,
    FLOAT_TYPE,
    INT_TYPE,
    NOTHING_TYPE,
    STRING_TYPE,
    PythonObjectType,
    SegueType,
)
from segue.defs.types.forms import (
    DICT_TYPE,
    LIST_TYPE,
    SEQUENCE_TYPE,
    SET_TYPE,
    TUPLE_TYPE,
    callable_type,
    class_type,
    dict_type,
    endless_tuple_type,
    list_type,
    literal_type,
    optional_type,
    set_type,
    tuple_type,
    union_type,
)
from segue.defs.types.loader import TypeLoader
from segue.errors import InvalidDefinitionError, WrongDeclarationError
from segue.model.arguments import require_kind

T = TypeVar("T")
_KNOWN: dict[Any, SegueType] = {
    Any: ANY_TYPE,
    int: INT_TYPE,
    float: FLOAT_TYPE,
    str: STRING_TYPE,
    bool: BOOL_TYPE,
    type(None): NOTHING_TYPE,
    dict: DICT_TYPE,
    list: LIST_TYPE,
    set: SET_TYPE,
    tuple: TUPLE_TYPE,
    typing.Dict: DICT_TYPE,  # noqa: UP006 reason: users write it
    typing.List: LIST_TYPE,  # noqa: UP006 reason: users write it
    typing.Set: SET_TYPE,  # noqa: UP006 reason: users write it
    typing.Tuple: TUPLE_TYPE,  # noqa: UP006 reason: users write it
    typing.Mapping: DICT_TYPE,
    typing.Sequence: SEQUENCE_TYPE,
    collections.abc.Sequence: SEQUENCE_TYPE,
    cast("Any", collections.abc).Callable: callable_type(Any),
    cast("Any", typing).Callable: callable_type(Any),
}
_REGISTERED: dict[type, SegueType] = {}  # what users registered
_INFERRED: dict[type, SegueType] = {}  # made for a class that was met in an annotation
_STREAMS = (
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.Generator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
    collections.abc.Awaitable,
    collections.abc.Coroutine,
)


class NoSuchType(WrongDeclarationError):
    """Something that is not a type was given as one."""


def resolve_type(given: object) -> SegueType:
    """The type that is meant by a Python type, a form of `typing`, a `SegueType`, or None (any value).

    Raises:
        InvalidDefinitionError: no type.
    """
    if isinstance(given, SegueType):
        return given
    if isinstance(given, TypeForm):
        return given.plain
    found = _known(given)
    if found is not None:
        return found
    if isinstance(given, type) and get_origin(given) is None:
        return _of_class(given)
    found = _of_form(given)
    if found is None:
        raise NoSuchType(f"{given!r} is not a valid type: use a Python type, a typing annotation or a SegueType.")
    return found


def _known(given: object) -> SegueType | None:
    if given is None:
        return ANY_TYPE
    try:
        return (_REGISTERED.get(given) if isinstance(given, type) else None) or _KNOWN.get(given)
    except TypeError:  # not hashable: an Annotated with a list in it, say
        return None


def _of_class(given: type) -> SegueType:
    found = _INFERRED.get(given)
    if found is None:
        found = _INFERRED[given] = _inferred(given)
    return found


def _inferred(given: type) -> SegueType:
    if typing.is_typeddict(given):
        return DICT_TYPE
    if getattr(given, "_is_protocol", False):
        return ANY_TYPE  # a shape, which only a type checker can check
    return InferredType(given)


class InferredType(PythonObjectType):
    """The type of a class that nobody registered one for."""

    def __init__(self, python_type: type) -> None:
        super().__init__(python_type, f"_TypeHintInferred[{python_type.__module__}.{python_type.__name__}]")

    @property
    def display_name(self) -> str:
        """The name of the class."""
        return self.type_str


def _of_form(given: Any) -> SegueType | None:
    """The type that a form of `typing` stands for; None for what stands for none."""
    origin = get_origin(given)
    arguments = get_args(given)
    if origin is Annotated:
        return resolve_type(arguments[0])
    if origin is Union or origin is types.UnionType:
        return _of_union(arguments)
    if origin is Literal:
        return literal_type(arguments, given)
    if isinstance(given, NewType):
        return resolve_type(given.__supertype__)
    if isinstance(given, TypeVar):
        return resolve_type(given.__bound__)
    if origin in (Output, MaterializeResult):
        return resolve_type(arguments[0])
    if origin is cast("Any", collections.abc.Callable):
        return callable_type(given)
    if origin is type:
        return class_type(arguments[0] if arguments else Any, given)
    if hasattr(given, "__value__"):  # `type Name = ...`
        return resolve_type(given.__value__)
    return _of_generic(origin, arguments)


def _of_union(members: Sequence[Any]) -> SegueType:
    others = [resolve_type(each) for each in members if each is not type(None)]
    inner = others[0] if len(others) == 1 else union_type(others)
    return inner if len(others) == len(members) else optional_type(inner)


def _of_generic(origin: Any, arguments: Sequence[Any]) -> SegueType | None:
    if origin in _STREAMS:
        return ANY_TYPE  # looking at the elements would use them up
    if not isinstance(origin, type):
        return None
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return endless_tuple_type(resolve_type(arguments[0]))
        return tuple_type([] if arguments == ((),) else [resolve_type(each) for each in arguments])
    if origin is list and len(arguments) == 1:
        return list_type(resolve_type(arguments[0]))
    if issubclass(origin, AnySet) and origin.__module__ in _OWN_MODULES and len(arguments) == 1:
        return set_type(resolve_type(arguments[0]))
    if issubclass(origin, Mapping) and origin.__module__ in _OWN_MODULES and len(arguments) == 2:
        return dict_type(resolve_type(arguments[0]), resolve_type(arguments[1]))
    if origin in (collections.abc.Sequence, collections.abc.MutableSequence) and len(arguments) == 1:
        return list_type(resolve_type(arguments[0]), Sequence)
    return resolve_type(cast("object", origin))


_OWN_MODULES = frozenset({"builtins", "collections", "collections.abc"})


class TypeForm:
    """One of the names `List`, `Dict`, `Set`, `Tuple` and `Optional`: takes types in brackets.

    Args:
        name: how it is called.
        plain: the type without brackets; None where brackets are needed.
        make: the type for what stands in the brackets.
        count: how many types stand in the brackets; None for any number.
    """

    __slots__ = ("_count", "_make", "_name", "_plain")

    def __init__(
        self, name: str, plain: SegueType | None, make: Callable[[Sequence[SegueType]], SegueType], count: int | None
    ) -> None:
        self._name = name
        self._plain = plain
        self._make = make
        self._count = count

    @property
    def plain(self) -> SegueType:
        """The type without brackets.

        Raises:
            InvalidDefinitionError: the name needs brackets.
        """
        if self._plain is None:
            raise NoSuchType(f"{self._name} requires a type in brackets: {self._name}[int].")
        return self._plain

    def __getitem__(self, given: Any) -> SegueType:
        arguments = cast("tuple[Any, ...]", given) if isinstance(given, tuple) else (given,)
        if self._count is not None and len(arguments) != self._count:
            raise NoSuchType(f"{self._name} requires {self._count} types in brackets, got {len(arguments)}.")
        return self._make([resolve_type(each) for each in arguments])

    def __call__(self, *given: Any) -> SegueType:
        """The type for these types; the same as brackets."""
        return self[given]

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:
        return self._name


List: Final = TypeForm("List", LIST_TYPE, lambda inner: list_type(inner[0]), 1)
Dict: Final = TypeForm("Dict", DICT_TYPE, lambda inner: dict_type(inner[0], inner[1]), 2)
Set: Final = TypeForm("Set", SET_TYPE, lambda inner: set_type(inner[0]), 1)
Tuple: Final = TypeForm("Tuple", TUPLE_TYPE, tuple_type, None)
Optional: Final = TypeForm("Optional", None, lambda inner: optional_type(inner[0]), 1)


def infer_type(annotation: object, what: str = "an annotation") -> SegueType:
    """The type of an annotation, for an input or output whose type nobody names; any value where nothing stands for one.

    Raises:
        InvalidDefinitionError: not even an annotation: a value, or text that names nothing.
    """
    try:
        return resolve_type(annotation)
    except NoSuchType as error:
        if isinstance(annotation, (str, ForwardRef)) or getattr(annotation, "text", None) is not None:
            raise InvalidDefinitionError(
                f"{what}: the annotation {annotation!r} cannot be resolved at run time; import it outside "
                "TYPE_CHECKING, define it at module level, or specify the type with In(...) or Out(...)."
            ) from error
        raise InvalidDefinitionError(
            f"{what}: the annotation {annotation!r} is not a valid type. Correct it, or specify the type with "
            "In(...) or Out(...)."
        ) from error


def make_python_type_usable_as_type(python_type: type, dagster_type: SegueType) -> None:
    """Lets a class stand for a type wherever types are named or annotated.

    Raises:
        InvalidDefinitionError: it stands for another one already, given by hand or made when the class was met in an annotation.
    """
    require_kind("make_python_type_usable_as_type", "python_type", python_type, type)
    require_kind("make_python_type_usable_as_type", "dagster_type", dagster_type, SegueType)
    before = _REGISTERED.get(python_type)
    if before is dagster_type:
        return
    if before is not None:
        raise InvalidDefinitionError(
            f"{python_type.__qualname__} is already registered for the type {before.display_name!r}; a class "
            "can have only one type."
        )
    if python_type in _INFERRED:
        raise InvalidDefinitionError(
            f"{python_type.__qualname__} was used in an annotation before the type "
            f"{dagster_type.display_name!r} was registered for it: call make_python_type_usable_as_type right "
            "after the class definition."
        )
    _REGISTERED[python_type] = dagster_type


@overload
def usable_as_type(name: type[T], description: None = None, loader: None = None) -> type[T]: ...
@overload
def usable_as_type(
    name: str | None = None, description: str | None = None, loader: TypeLoader | None = None
) -> Callable[[type[T]], type[T]]: ...
def usable_as_type(
    name: str | type[T] | None = None, description: str | None = None, loader: TypeLoader | None = None
) -> type[T] | Callable[[type[T]], type[T]]:
    """Gives a class a type of its own, with a name, a description and a loader. A decorator, with or without arguments.

    Raises:
        InvalidDefinitionError: the class already has a type.
    """
    if isinstance(name, type):
        make_python_type_usable_as_type(name, PythonObjectType(name))
        return name

    def decorate(python_type: type[T]) -> type[T]:
        made = PythonObjectType(python_type, name=name or python_type.__name__, description=description, loader=loader)
        make_python_type_usable_as_type(python_type, made)
        return python_type

    return decorate
