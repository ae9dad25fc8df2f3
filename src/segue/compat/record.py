"""`@record`: what libraries for Dagster make their own values with."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from copy import copy as copy_of
from functools import partial
from typing import Any, TypeVar, cast, dataclass_transform, overload

Record = TypeVar("Record")


@overload
def record(cls: type[Record], /) -> type[Record]: ...
@overload
def record(*, checked: bool = True, kw_only: bool = True) -> Callable[[type[Record]], type[Record]]: ...
@dataclass_transform(kw_only_default=True, frozen_default=True)
def record(cls: type[Any] | None = None, /, *, checked: bool = True, kw_only: bool = True) -> object:
    """Makes a class a frozen dataclass whose fields are given by name; each record has its own copy of a list or dict as default.

    Args:
        cls: the class.
        checked: taken for the sake of the form; types are left to the type checker.
        kw_only: whether fields are given by name alone.
    """
    del checked

    def decorate(kind: type[Any]) -> type[Any]:
        for name in inspect.get_annotations(kind):
            default = kind.__dict__.get(name)
            if type(default).__hash__ is None:
                setattr(kind, name, dataclasses.field(default_factory=partial(copy_of, default)))
        return dataclasses.dataclass(frozen=True, kw_only=kw_only)(kind)

    return decorate if cls is None else decorate(cls)


def copy(record: Record, **changes: object) -> Record:
    """The record with some fields changed."""
    return cast("Record", dataclasses.replace(cast("Any", record), **changes))


def as_dict(record: object) -> Mapping[str, object]:
    """The fields by name; records inside of it stay records."""
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(cast("Any", record))}
