"""What is wrong with the fields of a mapping: which are missing, which are not defined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from segue.defs.config_schema.place import Place, Walk, near_names
from segue.errors import ConfigErrorReason

_SHOWN = 20


class FieldLike(Protocol):
    """What is asked of a field here."""

    @property
    def is_required(self) -> bool:
        """Whether it is required."""
        ...

    @property
    def label(self) -> str:
        """What it takes."""
        ...

    @property
    def sample(self) -> Any:
        """A value for it."""
        ...


def fields_label(fields: Mapping[str, FieldLike]) -> str:
    """Fields for errors: `{ columns: [String] limit?: Int }`; of many, the first."""
    shown = [f"{name}{'' if each.is_required else '?'}: {each.label}" for name, each in _first(fields.items())]
    if len(fields) > _SHOWN:
        shown.append(f"and {len(fields) - _SHOWN} more")
    return f"{{ {' '.join(shown)} }}" if shown else "{ }"


def fields_sample(fields: Mapping[str, FieldLike]) -> dict[str, Any]:
    """Values for the fields that must be given."""
    return {name: each.sample for name, each in fields.items() if each.is_required}


def refuse_missing(fields: Mapping[str, FieldLike], names: Sequence[str], place: Place, walk: Walk) -> None:
    """Takes note of fields that must be given and are not."""
    if not names:
        return
    sample = {name: fields[name].sample for name in _first(names)}
    if len(names) == 1:
        what, reason = f'entry "{names[0]}"', ConfigErrorReason.MISSING_REQUIRED_FIELD
    else:
        what, reason = f"entries {sorted(names)}", ConfigErrorReason.MISSING_REQUIRED_FIELDS
    walk.refuse(place, f"Missing required {what} {place}. Example: {sample}", reason)


def refuse_unknown(
    fields: Mapping[str, FieldLike], names: Sequence[Any], place: Place, walk: Walk, expected: str
) -> None:
    """Takes note of fields that are given and that nothing defines."""
    if not names:
        return
    if len(names) == 1:
        near = near_names(names[0], fields)
        text = f'Unknown entry "{names[0]}" {place}. Expected: {expected}.{near}'
        walk.refuse(place, text, ConfigErrorReason.FIELD_NOT_DEFINED)
        return
    wrong = sorted(map(str, names))
    near = "".join(f" For {name!r}:{hint}" for name in wrong if (hint := near_names(name, fields)))
    text = f"Unknown entries {wrong} {place}. Expected: {expected}.{near}"
    walk.refuse(place, text, ConfigErrorReason.FIELDS_NOT_DEFINED)


def _first(entries: Iterable[Any]) -> list[Any]:
    return [each for each, _ in zip(entries, range(_SHOWN), strict=False)]
