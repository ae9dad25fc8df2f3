"""The checks of arguments that projects take from `dagster._check`: each gives the value back, or says what is wrong with it.

An optional check (`opt_...`) of None gives the default: an empty collection for collections, else what it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

from segue.errors import WrongTypeError as CheckError

T = TypeVar("T")
Kinds: TypeAlias = type | tuple[type, ...]
ParameterCheckError = ElementCheckError = NotImplementedCheckError = CheckError


def failed(desc: str) -> NoReturn:
    """Raises CheckError with this text."""
    raise CheckError(desc)


def invariant(condition: object, desc: str | None = None) -> bool:
    """True, if the condition holds; raises CheckError otherwise."""
    return bool(condition) or failed(desc or "An invariant does not hold.")


def param_invariant(condition: object, param_name: str, desc: str | None = None) -> None:
    """Raises CheckError that names the parameter, unless the condition holds."""
    if not condition:
        failed(f"The argument {param_name!r} is invalid. {desc or ''}".strip())


def not_none(value: T | None, additional_message: str | None = None) -> T:
    """The value, which is not None."""
    return _refuse("A value", value, "something other than None", additional_message) if value is None else value


def not_none_param(obj: T | None, param_name: str, additional_message: str | None = None) -> T:
    """The argument, which is not None."""
    return not_none(obj, f"It is the argument {param_name!r}. {additional_message or ''}".strip())


def inst(obj: object, ttype: Kinds, additional_message: str | None = None) -> Any:
    """The value, which is an instance of the class, or of one of several."""
    return obj if isinstance(obj, ttype) else _refuse("A value", obj, _said(ttype), additional_message)


def opt_inst(obj: object, ttype: Kinds, additional_message: str | None = None) -> Any:
    """As `inst`, or None."""
    return None if obj is None else inst(obj, ttype, additional_message)


def inst_param(obj: object, param_name: str, ttype: Kinds, additional_message: str | None = None) -> Any:
    """The argument, which is an instance of the class, or of one of several."""
    return obj if isinstance(obj, ttype) else _refuse(_argument(param_name), obj, _said(ttype), additional_message)


def opt_inst_param(
    obj: object, param_name: str, ttype: Kinds, default: Any = None, additional_message: str | None = None
) -> Any:
    """As `inst_param`; the default for None."""
    return default if obj is None else inst_param(obj, param_name, ttype, additional_message)


def callable_param(obj: object, param_name: str, additional_message: str | None = None) -> Any:
    """The argument, which can be called."""
    return obj if callable(obj) else _refuse(_argument(param_name), obj, "something to call", additional_message)


def opt_callable_param(obj: object, param_name: str, default: Any = None, additional_message: str | None = None) -> Any:
    """As `callable_param`; the default for None."""
    return default if obj is None else callable_param(obj, param_name, additional_message)


def _scalar(kinds: Kinds) -> Callable[..., Any]:
    def check(obj: object, param_name: str, additional_message: str | None = None) -> Any:
        return inst_param(obj, param_name, kinds, additional_message)

    return check


def _optional_scalar(kinds: Kinds) -> Callable[..., Any]:
    def check(obj: object, param_name: str, default: Any = None, additional_message: str | None = None) -> Any:
        return opt_inst_param(obj, param_name, kinds, default, additional_message)

    return check


def _several(kinds: Kinds, when_none: Callable[[], Any] | None = None) -> Callable[..., Any]:
    """The check of a collection, and of its elements where their type is said."""

    def check(obj: object, param_name: str, of_type: Kinds | None = None, additional_message: str | None = None) -> Any:
        if obj is None and when_none is not None:
            return when_none()
        found = cast("Iterable[object]", inst_param(obj, param_name, kinds, additional_message))
        for each in found if of_type is not None else ():
            inst_param(each, f"{param_name} (an element)", of_type or object, additional_message)
        return found

    return check


def _by_key(kinds: Kinds, when_none: Callable[[], Any] | None = None) -> Callable[..., Any]:
    """The check of a mapping, and of its keys and values where their types are said."""

    def check(
        obj: object,
        param_name: str,
        key_type: Kinds | None = None,
        value_type: Kinds | None = None,
        additional_message: str | None = None,
    ) -> Any:
        if obj is None and when_none is not None:
            return when_none()
        found = cast("Mapping[object, object]", inst_param(obj, param_name, kinds, additional_message))
        for key, value in found.items():
            inst_param(key, f"{param_name} (a key)", key_type or object, additional_message)
            inst_param(value, f"{param_name} (a value)", value_type or object, additional_message)
        return found

    return check


str_param, opt_str_param = _scalar(str), _optional_scalar(str)
int_param, opt_int_param = _scalar(int), _optional_scalar(int)
bool_param, opt_bool_param = _scalar(bool), _optional_scalar(bool)
float_param, opt_float_param = _scalar(float), _optional_scalar(float)
list_param, opt_list_param, opt_nullable_list_param = (_several(list, none) for none in (None, list, lambda: None))
sequence_param, opt_sequence_param = _several(Sequence), _several(Sequence, list)
set_param, opt_set_param = _several((set, frozenset)), _several((set, frozenset), set)
tuple_param, opt_tuple_param = _several(tuple), _several(tuple, tuple)
iterable_param = _several(Iterable)
dict_param, opt_dict_param, opt_nullable_dict_param = (_by_key(dict, none) for none in (None, dict, lambda: None))
mapping_param, opt_mapping_param = _by_key(Mapping), _by_key(Mapping, dict)


def _argument(name: str) -> str:
    return f"The argument {name!r}"


def _said(kinds: Kinds) -> str:
    return " or ".join(each.__name__ for each in (kinds if isinstance(kinds, tuple) else (kinds,)))


def _refuse(what: str, value: object, wanted: str, more: str | None) -> NoReturn:
    text = f"{what} must be {wanted}, got {value!r} of type {type(value).__qualname__}."
    raise CheckError(text if more is None else f"{text} {more}")
