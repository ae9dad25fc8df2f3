"""From an annotation to two things: the type of what a file may say there, and how the value is made out of it.

One function, `derive`, goes through an annotation from the outside in. A container becomes the same container of what
its elements become; a union takes the first arm that fits what the file says; a `Resolvable` becomes its own model.
"""

from __future__ import annotations

import datetime
import decimal
import types
import uuid
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolver import Resolver
from segue.errors import ResolutionError

Resolve: TypeAlias = Callable[[ResolutionContext, Any], Any]

_PLAIN = (str, int, float, bool, bytes, dict, list, tuple, set, frozenset, type(None), datetime.datetime, datetime.date,
          datetime.time, datetime.timedelta, Path, decimal.Decimal, uuid.UUID)  # fmt: skip
_SEQUENCES: Mapping[Any, type] = {list: list, tuple: tuple, Sequence: list, set: set, frozenset: frozenset}
_BARE = (*_SEQUENCES, dict, Mapping)  # what `typing.List`, `typing.Dict` and the like mean when they say no more
_EXPECTED = """What can be made out of a file:
* plain values: str, int, float, bool, dates, Path, Enum, Literal, and lists, dicts and unions of them
* subclasses of Resolvable
* pydantic models
* Annotated[{name}, Resolver(fn=..., model_field_type=...)]"""


class Derived(NamedTuple):
    """What an annotation comes to.

    Attributes:
        model_type: the type of what a file may say there, for pydantic.
        resolve: makes the value out of it.
        is_plain: whether the value is what the file says, with its templates worked out.
    """

    model_type: Any
    resolve: Resolve
    is_plain: bool = False


class DerivesModel:
    """The side of `Resolvable` that annotations see."""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The pydantic model of what a file says of such an object."""
        raise NotImplementedError

    @classmethod
    def resolve_from_model(cls, context: ResolutionContext, model: BaseModel) -> Any:
        """The object, built from a file."""
        raise NotImplementedError


def split_annotated(annotation: Any) -> tuple[Any, Resolver | None, Sequence[Any]]:
    """The type in an annotation, its resolver, and the other things said about it."""
    if get_origin(annotation) is not Annotated:
        return annotation, None, ()
    kind, *metadata = get_args(annotation)
    resolvers = [each for each in metadata if isinstance(each, Resolver)]
    inner, inner_resolver, said = split_annotated(kind)
    others = [*said, *(each for each in metadata if not isinstance(each, Resolver))]
    if not resolvers:
        return inner, inner_resolver, others
    resolver = resolvers[-1]
    return (
        inner,
        inner_resolver.with_outer_resolver(resolver) if inner_resolver and resolver.is_default else resolver,
        others,
    )


def derive(annotation: Any, field: str, nested: bool = False) -> Derived:
    """What an annotation comes to.

    Args:
        annotation: with its `Annotated` parts.
        field: the name of the field, for errors.
        nested: whether it stands inside of another annotation.

    Raises:
        ResolutionError: there is no way to make such a value out of a file.
    """
    kind, resolver, said = split_annotated(annotation)
    if resolver is not None and not resolver.is_default:
        return _with_function(kind, resolver, field, nested)
    if resolver is not None and resolver.model_field_type is not None:
        return _of_kind(resolver.model_field_type, field)
    found = _of_kind(kind, field)
    words = tuple(each for each in said if not isinstance(each, FieldInfo) or nested)
    return found._replace(model_type=Annotated[(found.model_type, *words)]) if words else found


def _with_function(kind: Any, resolver: Resolver, field: str, nested: bool) -> Derived:
    if resolver.resolves_from_parent_object and nested:
        raise ResolutionError(
            f"Resolver.from_model is nested in the annotation of {field!r}, but it resolves a whole field: make it the "
            f"outermost part, Annotated[..., Resolver.from_model(...)]."
        )
    model_type = resolver.model_field_type or kind
    if isinstance(model_type, type) and issubclass(model_type, DerivesModel) and not resolver.is_passthrough:
        model_type = model_type.model()

    def resolve(context: ResolutionContext, value: Any) -> Any:
        return resolver.resolve(context, value, field, value)

    return Derived(model_type, resolve)


def _of_kind(kind: Any, field: str) -> Derived:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return derive(kind, field, nested=True)
    if origin in (Union, types.UnionType):
        return _of_union(arguments, field)
    if origin in _SEQUENCES and arguments:
        return _of_sequence(origin, arguments, kind, field)
    if origin in (dict, Mapping) and len(arguments) == 2:
        return _of_mapping(arguments, kind, field)
    if origin in _BARE and not arguments:
        return _of_kind(origin, field)
    if kind is Any or origin is Literal or isinstance(kind, TypeVar) or kind in (Sequence, Mapping, object):
        return _as_said(kind)
    if isinstance(kind, type) and issubclass(kind, DerivesModel):
        return Derived(kind.model(), _of_resolvable(kind))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        _require_plain_model(kind, field)
        return _as_said(kind)
    if isinstance(kind, type) and (kind in _PLAIN or issubclass(kind, Enum)):
        return _as_said(kind)
    raise _no_way(kind, field)


def _as_said(kind: Any) -> Derived:
    """The value is what the file says, with templates worked out, and text read as the type where it is one."""
    typed = None if kind in (Any, dict, list, tuple, Sequence, Mapping, object) or isinstance(kind, TypeVar) else kind

    def resolve(context: ResolutionContext, value: Any) -> Any:
        return context.resolve_value(value, as_type=typed)

    return Derived(Any if isinstance(kind, TypeVar) else kind, resolve, is_plain=True)


def _of_resolvable(kind: type[DerivesModel]) -> Resolve:
    def resolve(context: ResolutionContext, value: Any) -> Any:
        if isinstance(value, BaseModel):
            return kind.resolve_from_model(context, value)
        return _injected(context, value, kind.__name__)

    return resolve


def _injected(context: ResolutionContext, value: Any, expected: str) -> Any:
    """What a template gives where the file could have spelled a thing out.

    Raises:
        ResolutionError: it is text, not the thing.
    """
    found = context.resolve_value(value)
    if isinstance(found, str):
        raise context.error(f"{expected} is expected here, or a template that gives one; got {found!r}.")
    return found


def _of_sequence(origin: Any, arguments: Sequence[Any], kind: Any, field: str) -> Derived:
    each_alike = origin is not tuple or arguments[1:] == (Ellipsis,)
    arms = [derive(each, field, nested=True) for each in (arguments[:1] if each_alike else arguments)]
    parts = [arm.model_type for arm in arms]
    model_type = _subscripted(origin, [*parts, ...] if origin is tuple and each_alike else parts)
    if all(arm.is_plain for arm in arms):
        return _as_said(kind)
    container = _SEQUENCES[origin]

    def resolve(context: ResolutionContext, value: Any) -> Any:
        if isinstance(value, str):
            return _injected(context, value, "a list")
        each = arms * len(value) if each_alike else arms
        pairs = zip(each, value, strict=True)
        return container(arm.resolve(context.at_path(index), part) for index, (arm, part) in enumerate(pairs))

    return Derived(model_type, resolve)


def _subscripted(kind: Any, parts: Sequence[Any]) -> Any:
    """A generic type with arguments that are known at run time only."""
    return kind[tuple(parts)]


def _of_mapping(arguments: Sequence[Any], kind: Any, field: str) -> Derived:
    key, below = arguments[0], derive(arguments[1], field, nested=True)
    if below.is_plain:
        return _as_said(kind)
    if key is not str:
        raise ResolutionError(f"{field}: dict key type must be str where the values are made by resolvers, got {kind}.")

    def resolve(context: ResolutionContext, value: Any) -> Any:
        if isinstance(value, str):
            return _injected(context, value, "a mapping")
        items = cast("Mapping[str, Any]", value).items()
        return {name: below.resolve(context.at_path(name), part) for name, part in items}

    model_type = below.model_type
    return Derived(dict[str, model_type], resolve)


def _of_union(arguments: Sequence[Any], field: str) -> Derived:
    arms = [derive(each, field, nested=True) for each in arguments]
    types_said = [arm.model_type for arm in arms]
    model_type: Any = Union[tuple(types_said)]  # noqa: UP007 reason: the arms are known at run time only
    if all(arm.is_plain for arm in arms):
        return _as_said(Union[tuple(arguments)])  # noqa: UP007 reason: as above
    if len([arm for arm in types_said if arm is not type(None)]) == 1:
        return Derived(model_type, _unless_none(next(arm for arm in arms if arm.model_type is not type(None))))
    adapters = [TypeAdapter[Any](arm.model_type) for arm in arms]

    def resolve(context: ResolutionContext, value: Any) -> Any:
        if isinstance(value, str):
            value = context.resolve_value(value)
        return _first_that_fits(list(zip(adapters, arms, strict=True)), context, value)

    return Derived(model_type, resolve)


def _unless_none(arm: Derived) -> Resolve:
    def resolve(context: ResolutionContext, value: Any) -> Any:
        return None if value is None else arm.resolve(context, value)

    return resolve


def _first_that_fits(arms: Sequence[tuple[TypeAdapter[Any], Derived]], context: ResolutionContext, value: Any) -> Any:
    fitting = [arm for adapter, arm in arms if _fits(adapter, value)]
    if not fitting and not isinstance(value, (BaseModel, Mapping, list, tuple)):
        return value  # a template gave the value itself
    if len(fitting) == 1:
        return fitting[0].resolve(context, value)
    said: list[str] = []
    for arm in fitting:
        try:
            return arm.resolve(context, value)
        except ResolutionError as error:
            said.append(f"\n  {error}")
    raise context.error(f"{value!r} does not match any of the accepted forms.{''.join(said)}")


def _fits(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _require_plain_model(kind: type[BaseModel], field: str) -> None:
    """Raises for a pydantic model that is not Resolvable and holds what only a Resolvable can make."""
    for name, info in kind.model_fields.items():
        annotation = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        if any(isinstance(each, Resolver) for each in info.metadata):
            raise ResolutionError(
                f"{kind.__name__}.{name} has a Resolver, but {kind.__name__} is not Resolvable, so the Resolver would never "
                "be used. Subclass Resolvable."
            )
        try:
            derive(annotation, name, nested=True)
        except ResolutionError as error:
            said = str(error).removeprefix("No way to make this field out of a file:\n")
            raise ResolutionError(f"{kind.__name__} includes incompatible field\n{said}") from error
    del field


def _no_way(kind: Any, field: str) -> ResolutionError:
    name = getattr(kind, "__name__", str(kind))
    hint = f"\nAnnotate it as {_KNOWN[name]}, which says how {name} is made." if name in _KNOWN else ""
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        hint += f"\n{name} is a dataclass: make it a Resolvable subclass."
    return ResolutionError(
        f"No way to make this field out of a file:\n  {field}: {kind}\n{_EXPECTED.format(name=name)}{hint}"
    )


_KNOWN = {"AssetKey": "ResolvedAssetKey", "AssetSpec": "ResolvedAssetSpec", "AssetCheckSpec": "ResolvedAssetCheckSpec"}
