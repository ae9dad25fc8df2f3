"""What constructors of public values, and declarations, say when they are handed the wrong thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from segue.errors import WrongArgumentError, WrongDeclarationError
from segue.model.keys import AssetKey


def wrong_argument(owner: object, name: str, value: object, expected: str) -> WrongArgumentError:
    """The error for an argument of the wrong type: class, argument, what was expected, what came."""
    return WrongArgumentError(
        f"{type(owner).__name__}: {name} must be {expected}, got {value!r} of type {type(value).__qualname__}."
    )


def require_type(owner: object, name: str, value: object, kind: type | tuple[type, ...]) -> None:
    """Do nothing if the argument is of this type.

    Raises:
        WrongArgumentError: it is not.
    """
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise wrong_argument(owner, name, value, "of type " + " or ".join(each.__name__ for each in kinds))


def require_sequence(owner: object, name: str, values: Sequence[object], kind: type | tuple[type, ...]) -> list[object]:
    """The elements as a new list, if all are of this type.

    Raises:
        WrongArgumentError: not a sequence, or an element of another type.
    """
    if isinstance(values, str) or not isinstance(values, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise wrong_argument(owner, name, values, "a sequence")
    for index, value in enumerate(values):
        require_type(owner, f"{name}[{index}]", value, kind)
    return list(values)


def require_kind(where: str, name: str, value: object, kind: type | tuple[type, ...]) -> None:
    """Do nothing if an argument is of this type, or None.

    Raises:
        WrongDeclarationError: it is not.
    """
    if value is not None and not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(each.__name__ for each in kinds)
        raise WrongDeclarationError(f"{where}: {name} must be of type {names}, got {value!r}.")


def require_each(where: str, name: str, value: object, kind: type) -> None:
    """Do nothing if an element of an argument is of this type; unlike an argument, it cannot be None.

    Raises:
        WrongDeclarationError: it is not.
    """
    if not isinstance(value, kind):
        raise WrongDeclarationError(f"{where}: {name} must be of type {kind.__name__}, got {value!r}.")


def require_names(where: str, name: str, values: Mapping[object, object] | Mapping[str, object] | None) -> None:
    """Do nothing if an argument that takes values by name has names for keys, or is None.

    Raises:
        WrongDeclarationError: a key is something else.
    """
    strange = [key for key in values if not isinstance(key, str)] if values else []
    if strange:
        raise WrongDeclarationError(
            f"{where}: the keys of {name} must be strings, got {strange[0]!r}; write {str(strange[0])!r}."
        )


def require_list(where: str, name: str, values: object) -> list[object]:
    """The elements of an argument that takes several.

    Raises:
        WrongDeclarationError: a single text, key or other thing that has no elements.
    """
    if isinstance(values, list):
        return values.copy()  # pyright: ignore[reportUnknownVariableType] reason: elements of any type
    if isinstance(values, (str, AssetKey, Mapping)) or not isinstance(values, Iterable):
        raise WrongDeclarationError(f"{where}: {name} must be a list, got {values!r}; write [{values!r}].")
    return list(values)  # pyright: ignore[reportUnknownArgumentType] reason: elements of any type
