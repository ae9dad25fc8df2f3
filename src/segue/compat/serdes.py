"""`@whitelist_for_serdes`: how libraries for Dagster let `serialize_value` write values of their own classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, TypeVar, overload

from segue.model import serialized_classes

Value = TypeVar("Value")


@overload
def whitelist_for_serdes(cls: type[Value], /) -> type[Value]: ...
@overload
def whitelist_for_serdes(
    *,
    storage_name: str | None = ...,
    old_storage_names: Set[str] | None = ...,
    storage_field_names: Mapping[str, str] | None = ...,
) -> Callable[[type[Value]], type[Value]]: ...
def whitelist_for_serdes(
    cls: type[Any] | None = None,
    /,
    *,
    storage_name: str | None = None,
    old_storage_names: Set[str] | None = None,
    storage_field_names: Mapping[str, str] | None = None,
) -> object:
    """Lets `serialize_value` write values of a class, and `deserialize_value` read them, in the form that Dagster gives them.

    Args:
        cls: a dataclass, a NamedTuple, a pydantic model or an Enum.
        storage_name: what stands for the class in a text; its name when None.
        old_storage_names: what stood for it before; read, and no longer written.
        storage_field_names: what a field is called in a text, where it is not called as in the class.

    Raises:
        InvalidDefinitionError: another sort of class, no field of that name, or a name that another class has.
    """

    def decorate(kind: type[Any]) -> type[Any]:
        serialized_classes.enter(
            kind, storage_name or kind.__name__, sorted(old_storage_names or ()), storage_field_names or {}
        )
        return kind

    return decorate if cls is None else decorate(cls)
