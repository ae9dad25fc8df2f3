"""Types put together from others: lists, dicts, sets, tuples, optionals, unions, literals."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, Final, cast

from segue.defs.types.base import (
    ANY_TYPE,
    PASSED,
    Classes,
    PythonObjectType,
    SegueType,
    TypeCheck,
    TypeCheckContext,
    TypeKind,
    mismatch,
    passes_at_once,
)

# `typing_type` is written with the forms of `typing`, which are unequal to those of the classes: `List[int] != list[int]`.
_LIST: Final[Any] = typing.List  # noqa: UP006 reason: users compare with it
_SET: Final[Any] = typing.Set  # noqa: UP006 reason: users compare with it
_DICT: Final[Any] = typing.Dict  # noqa: UP006 reason: users compare with it
_TUPLE: Final[Any] = typing.Tuple  # noqa: UP006 reason: users compare with it


class FormType(SegueType):
    """A type with a display name of its own and types inside."""

    def __init__(
        self,
        check: Callable[[TypeCheckContext, Any], TypeCheck],
        key: str,
        display: str,
        typing_type: Any,
        inner: Sequence[SegueType] = (),
        kind: TypeKind = TypeKind.REGULAR,
    ) -> None:
        super().__init__(check, key, kind=kind, typing_type=typing_type)
        self._display = display
        self._inner = tuple(inner)
        self.required_resource_keys = frozenset(key for each in inner for key in each.required_resource_keys)

    @property
    def display_name(self) -> str:
        """What people call it."""
        return self._display

    @property
    def type_params(self) -> Sequence[SegueType]:
        """The types in its brackets."""
        return list(self._inner)

    @property
    def inner_types(self) -> Sequence[SegueType]:
        """The types it is put together from, and theirs."""
        return [*self._inner, *(deeper for each in self._inner for deeper in each.inner_types)]

    @property
    def supports_fan_in(self) -> bool:
        """Whether an input of it takes the outputs of several steps."""
        return self.kind is TypeKind.LIST or (self.kind is TypeKind.NULLABLE and self._inner[0].supports_fan_in)

    def get_inner_type_for_fan_in(self) -> SegueType:
        """The type of each of the outputs that an input of this type takes together."""
        super().get_inner_type_for_fan_in()
        return self._inner[0] if self.kind is TypeKind.LIST else self._inner[0].get_inner_type_for_fan_in()


def list_type(inner: SegueType, accepts: Classes = list) -> SegueType:
    """Lists (or what `accepts` says) of elements of a type."""

    def check(context: TypeCheckContext, value: Any) -> TypeCheck:
        if not isinstance(value, accepts) or isinstance(value, (str, bytes)):
            return mismatch("a list" if accepts is list else "a sequence", value)
        return _first_failure(inner, value, context)

    return FormType(
        check,
        f"List.{inner.key}" if accepts is list else f"Sequence.{inner.key}",
        f"[{inner.display_name}]",
        _LIST[inner.typing_type],
        (inner,),
        TypeKind.LIST,
    )


def set_type(inner: SegueType) -> SegueType:
    """Sets of elements of a type."""

    def check(context: TypeCheckContext, value: Any) -> TypeCheck:
        if not isinstance(value, Set):
            return mismatch("a set", value)
        return _first_failure(inner, cast("Set[Any]", value), context)

    return FormType(
        check, f"TypedPythonSet.{inner.key}", f"Set[{inner.display_name}]", _SET[inner.typing_type], (inner,)
    )


def dict_type(key: SegueType, inner: SegueType) -> SegueType:
    """Mappings from keys of one type to values of another."""

    def check(context: TypeCheckContext, value: Any) -> TypeCheck:
        if not isinstance(value, Mapping):
            return mismatch("a dict", value)
        mapping = cast("Mapping[Any, Any]", value)
        found = _first_failure(key, mapping.keys(), context)
        return _first_failure(inner, mapping.values(), context) if found.success else found

    return FormType(
        check,
        f"TypedPythonDict.{key.key}.{inner.key}",
        f"Dict[{key.display_name},{inner.display_name}]",
        _DICT[key.typing_type, inner.typing_type],
        (key, inner),
    )


def tuple_type(parts: Sequence[SegueType]) -> SegueType:
    """Tuples with one element of each type."""

    def check(context: TypeCheckContext, value: Any) -> TypeCheck:
        if not isinstance(value, tuple):
            return mismatch("a tuple", value)
        values = cast("tuple[Any, ...]", value)
        if len(values) != len(parts):
            return TypeCheck(False, f"Expected a tuple with {len(parts)} elements, got {len(values)}.")
        for part, each in zip(parts, values, strict=True):
            found = _first_failure(part, (each,), context)
            if not found.success:
                return found
        return PASSED

    return FormType(
        check,
        f"TypedPythonTuple{'.'.join(part.key for part in parts)}",
        f"Tuple[{','.join(part.display_name for part in parts)}]",
        _TUPLE[tuple(part.typing_type for part in parts)],
        parts,
    )


def endless_tuple_type(inner: SegueType) -> SegueType:
    """Tuples of any length, with elements of one type."""

    def check(context: TypeCheckContext, value: Any) -> TypeCheck:
        if not isinstance(value, tuple):
            return mismatch("a tuple", value)
        return _first_failure(inner, cast("tuple[Any, ...]", value), context)

    return FormType(
        check,
        f"TypedPythonTuple{inner.key}...",
        f"Tuple[{inner.display_name},...]",
        _TUPLE[inner.typing_type, ...],
        (inner,),
    )


def optional_type(inner: SegueType) -> SegueType:
    """None, or a value of a type."""
    if inner.kind is TypeKind.NULLABLE:
        return inner

    def check(context: TypeCheckContext, value: Any) -> TypeCheck:
        return PASSED if value is None else inner.type_check(context, value)

    return FormType(
        check,
        f"Optional.{inner.key}",
        f"{inner.display_name}?",
        inner.typing_type | None if inner.typing_type is not Any else typing.Optional[Any],  # noqa: UP045 reason: Any has no `|`
        (inner,),
        TypeKind.NULLABLE,
    )


def union_type(members: Sequence[SegueType]) -> SegueType:
    """A value of one of several types."""
    if any(member.is_any for member in members):
        return ANY_TYPE
    shown = f"Union[{','.join(member.display_name for member in members)}]"

    def check(context: TypeCheckContext, value: Any) -> TypeCheck:
        passed = any(passes_at_once(each, value) or each.type_check(context, value).success for each in members)
        return PASSED if passed else mismatch(shown, value)

    return FormType(
        check,
        f"Union.{'.'.join(member.key for member in members)}",
        shown,
        typing.Union[tuple(member.typing_type for member in members)],  # noqa: UP007 reason: built at run time
        members,
    )


def literal_type(values: Sequence[object], annotation: Any) -> SegueType:
    """One of the named values."""
    shown = f"Literal[{', '.join(map(repr, values))}]"

    def check(_context: TypeCheckContext, value: Any) -> TypeCheck:
        return PASSED if any(value == each and type(value) is type(each) for each in values) else mismatch(shown, value)

    return FormType(check, shown, shown, annotation)


def callable_type(annotation: Any) -> SegueType:
    """What can be called."""

    def check(_context: TypeCheckContext, value: Any) -> TypeCheck:
        return PASSED if callable(value) else mismatch("a callable", value)

    return FormType(check, "Callable", "Callable", annotation)


def class_type(bound: Any, annotation: Any) -> SegueType:
    """A class, below another one where that is known."""

    def check(_context: TypeCheckContext, value: Any) -> TypeCheck:
        fits = isinstance(value, type) and (bound is Any or not isinstance(bound, type) or issubclass(value, bound))
        return PASSED if fits else mismatch(str(annotation), value)

    return FormType(check, str(annotation), str(annotation), annotation)


def _first_failure(inner: SegueType, values: Iterable[object], context: TypeCheckContext) -> TypeCheck:
    if inner.is_any:
        return PASSED
    for each in values:
        if not passes_at_once(inner, each):
            found = inner.type_check(context, each)
            if not found.success:
                return found
    return PASSED


DICT_TYPE: Final = PythonObjectType(dict, "PythonDict", "dict", typing_type=dict)
SET_TYPE: Final = PythonObjectType(set, "PythonSet", "set", typing_type=set)
TUPLE_TYPE: Final = PythonObjectType(tuple, "PythonTuple", "tuple", typing_type=tuple)
LIST_TYPE: Final = list_type(ANY_TYPE)
SEQUENCE_TYPE: Final = list_type(ANY_TYPE, Sequence)
