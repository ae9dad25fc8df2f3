"""The methods of a named tuple, for values that are written like one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from segue.errors import WrongValueError
from segue.model.shared import NO_ENTRIES


class _Fields:
    def __get__(self, value: object, kind: type) -> tuple[str, ...]:
        declared: tuple[str, ...] | None = getattr(kind, "__struct_fields__", None)
        if declared is not None:
            return declared
        return tuple(name for each in kind.__mro__ for name in each.__dict__.get("__slots__", ()))


class NamedFields:
    """A value whose fields have the names of the constructor's arguments; `_fields` lists them.

    A class of which an argument has another name says so in `_arguments`, by field.
    """

    __slots__ = ()
    _fields: ClassVar[_Fields] = _Fields()
    _arguments: ClassVar[Mapping[str, str]] = NO_ENTRIES

    def _asdict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._fields}

    def _replace(self, **changes: object) -> Self:
        """A copy with other values, validated like the arguments of the constructor.

        Raises:
            WrongValueError: a name that is not a field.
        """
        unknown = [name for name in changes if name not in self._fields]
        if unknown:
            raise WrongValueError(
                f"{type(self).__name__} has no field {', '.join(map(repr, unknown))}; its fields are "
                f"{', '.join(self._fields)}."
            )
        make: Callable[..., Self] = type(self)
        fields = {**self._asdict(), **changes}
        return make(**{self._arguments.get(name, name): value for name, value in fields.items()})
