"""Classes of users whose values `serialize_value` writes: those that were entered by a name of their own.

Entered when the module that defines them is imported, and never again taken away: a text names the class that reads it.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongDeclarationError

ENUM_FIELD: Final = "__enum__"


class SerializedClass(NamedTuple):
    """How values of a class of users are written.

    Attributes:
        kind: the class.
        name: what stands for it in a text.
        stored_names: what a field is called in a text, where it is not called as in the class.
    """

    kind: type[Any]
    name: str
    stored_names: Mapping[str, str]

    def fields(self, value: object) -> dict[str, object]:
        """The fields of a value, by their names in a text."""
        return {self.stored_names.get(name, name): getattr(value, name) for name in field_names(self.kind)}

    def value(self, fields: Mapping[str, Any]) -> object:
        """The value with these fields; what the class has no field for is left out: another version of it may have had one.

        Raises:
            TypeError: a field is missing that has no default.
        """
        stored = {name: self.stored_names.get(name, name) for name in field_names(self.kind)}
        return self.kind(**{name: fields[at] for name, at in stored.items() if at in fields})


_BY_NAME: dict[str, SerializedClass] = {}
_BY_CLASS: dict[type, SerializedClass] = {}


def enter(kind: type[Any], name: str, old_names: Sequence[str], stored_names: Mapping[str, str]) -> None:
    """Lets `serialize_value` write values of a class, and `deserialize_value` read them.

    Args:
        kind: a dataclass, a NamedTuple, a pydantic model or an Enum.
        name: what stands for the class in a text.
        old_names: what stood for it before.
        stored_names: what a field is called in a text, where it is not called as in the class.

    Raises:
        InvalidDefinitionError: another sort of class, no field of that name, or a name that another class has.
    """
    is_enum: bool = issubclass(kind, enum.Enum)
    if not is_enum and _declared_fields(kind) is None:
        raise WrongDeclarationError(
            f"whitelist_for_serdes: expected a dataclass, a NamedTuple, a pydantic model or an Enum, got {kind.__qualname__}. "
            "Apply it above @dataclass."
        )
    unknown = sorted(set(stored_names) - set(field_names(kind)))
    if unknown:
        raise InvalidDefinitionError(
            f"whitelist_for_serdes: storage_field_names includes {', '.join(map(repr, unknown))}, not found among the fields "
            f"of {kind.__qualname__}: {', '.join(field_names(kind)) or 'none'}."
        )
    entry = SerializedClass(kind, name, stored_names)
    for each in (name, *old_names):
        known = _BY_NAME.get(each)
        if known is not None and _place(known.kind) != _place(kind):
            raise InvalidDefinitionError(
                f"whitelist_for_serdes: the name {each!r} of {_place(kind)} already stands for {_place(known.kind)}. Give one "
                "of them another storage_name."
            )
        _BY_NAME[each] = entry
    _BY_CLASS[kind] = entry


def of_value(value: object) -> SerializedClass | None:
    """What was entered of the class of a value."""
    return _BY_CLASS.get(type(value))


def named(name: object) -> SerializedClass:
    """What was entered by a name.

    Raises:
        InvalidInvocationError: nothing was.
    """
    found = _BY_NAME.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(sorted(_BY_NAME)) or "none"
        raise InvalidInvocationError(
            f"The text holds a value of the class {name!r}, which is not decorated with @whitelist_for_serdes in any module "
            f"that was imported; decorated: {known}."
        )
    return found


def member(text: str) -> object:
    """The member of an Enum, of `Class.MEMBER`.

    Raises:
        InvalidInvocationError: there is no such Enum.
        LookupError: it has no such member.
    """
    name, _, own_name = text.rpartition(".")
    return cast("type[enum.Enum]", named(name).kind)[own_name]


def field_names(kind: type[Any]) -> list[str]:
    """The fields of a class that a value is made with."""
    return _declared_fields(kind) or []


def _declared_fields(kind: Any) -> list[str] | None:
    """The fields of a dataclass, a NamedTuple or a pydantic model; None of another class."""
    if dataclasses.is_dataclass(kind):
        return [each.name for each in dataclasses.fields(kind) if each.init]
    fields: Iterable[str] | None = getattr(kind, "_fields", None) or getattr(kind, "model_fields", None)
    return None if fields is None else [*fields]


def _place(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
