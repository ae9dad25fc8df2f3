"""`Resolvable`: a class whose objects are made out of what a file says of them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, Self, TypeVar, cast, get_type_hints

from pydantic import AliasChoices, BaseModel, ConfigDict, TypeAdapter, create_model
from pydantic.fields import Field, FieldInfo

from segue.defs.components.derive import DerivesModel, Resolve, derive, split_annotated
from segue.defs.components.form_config import ComponentFormConfig
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolver import Model, Resolver
from segue.defs.components.validation import validate_at
from segue.defs.components.yaml_source import parse_yaml
from segue.errors import ResolutionError

AnyClass = TypeVar("AnyClass")
_UNSET: Any = "__UNSET__"  # the default of a model field whose class makes the default anew each time
_PLAIN_DEFAULTS = (str, int, float, bool, type(None))


class Resolvable(DerivesModel):
    """A class whose objects a file can describe, field by field: a dataclass, a pydantic model, or any class with an
    annotated `__init__`.

    Plain types, lists, dicts and unions of them, other `Resolvable`s and pydantic models need no more than their
    annotation; for other classes `Annotated[Thing, Resolver(...)]` says how they are made.
    """

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The pydantic model of such an object in a file: one field each, which may also be a template.

        Raises:
            ResolutionError: one of the fields cannot be built from a file.
        """
        return _model_of(cls)

    @classmethod
    def get_form_config(cls) -> ComponentFormConfig | None:
        """How a form shows such an object; None for the usual way."""
        return None

    @classmethod
    def resolve_from_model(cls, context: ResolutionContext, model: BaseModel) -> Self:
        """The object, built from a file.

        Args:
            context: the names that templates can use, and the position of the model in its file.
            model: an object of the class that `model()` returns.

        Raises:
            ResolutionError: a template or a resolver failed.
        """
        return cls(**resolve_fields(model, cls, context))

    @classmethod
    def resolve_from_yaml(cls, yaml: str, *, scope: Mapping[str, Any] | None = None) -> Self:
        """The object that a YAML text describes.

        Args:
            yaml: the text.
            scope: what templates in it can speak of besides the usual.

        Raises:
            pydantic.ValidationError: the text says something of another type, with the place of each such value.
            ResolutionError: a template or a resolver failed.
        """
        source = parse_yaml(yaml)
        context = ResolutionContext.default(source.source_position_tree).with_scope(**(scope or {}))
        model = validate_at(cls.model(), {} if source.value is None else source.value, source.source_position_tree)
        return cls.resolve_from_model(context, model)

    @classmethod
    def resolve_from_dict(cls, dictionary: dict[str, Any]) -> Self:
        """The object that plain data describes.

        Raises:
            pydantic.ValidationError: the data says something of another type.
            ResolutionError: a template or a resolver failed.
        """
        model = TypeAdapter(cls.model()).validate_python(dictionary)
        return cls.resolve_from_model(ResolutionContext.default(), model)


class _Declared(NamedTuple):
    """A field as its class declares it."""

    name: str
    annotation: Any
    info: FieldInfo  # the default and the words, as pydantic writes them
    argument: str  # what the class takes it as: the alias, where it has one


class _FieldPlan(NamedTuple):
    """How one field of a class is made."""

    name: str
    argument: str  # what the class takes it as
    attribute: str  # of the model
    said: str  # what the file calls it
    model_type: Any
    info: FieldInfo
    resolve: Resolve
    resolver: Resolver | None  # one that has a function


def resolve_fields(model: BaseModel, cls: type, context: ResolutionContext) -> dict[str, Any]:
    """The arguments for a class, made out of what a file says. What the file leaves out keeps the default of the class.

    Args:
        model: of the class that `cls.model()` gives.
        cls: the class, a `Resolvable`.
        context: as for `Resolvable.resolve_from_model`.

    Raises:
        ResolutionError: a template or a resolver failed.
    """
    found: dict[str, Any] = {}
    for plan in _plans_of(cls):
        if plan.attribute not in model.model_fields_set and not plan.info.is_required():
            continue
        if plan.resolver is not None:
            found[plan.argument] = plan.resolver.execute(context, model, plan.name)
        else:
            found[plan.argument] = plan.resolve(context.at_path(plan.said), getattr(model, plan.attribute))
    return found


@cache
def _model_of(cls: type[Resolvable]) -> type[BaseModel]:
    plans = _plans_of(cls)
    fields: dict[str, Any] = {plan.attribute: (plan.model_type, _said_info(plan)) for plan in plans}
    name = f"{cls.__name__}Model"
    shown: ComponentFormConfig | None = cls.get_form_config()
    order: dict[str, Any] = {"ui:order": [plan.said for plan in plans]} if plans else {}
    extra = {**order, **(shown.to_component_json_schema_extra() if shown is not None else {})}
    base = type(name, (Model,), {"model_config": ConfigDict(json_schema_extra=extra), "__module__": cls.__module__})
    return create_model(name, __base__=base, __doc__=inspect.getdoc(cls), __module__=cls.__module__, **fields)


def _said_info(plan: _FieldPlan) -> Any:
    info, default = plan.info, cast("Any", ...)
    if not info.is_required():
        default = info.default if isinstance(info.default, _PLAIN_DEFAULTS) else _UNSET
    return Field(
        default,
        alias=plan.said if plan.said != plan.attribute else None,
        description=info.description,
        examples=info.examples,
        json_schema_extra=_extra(info) or None,
    )


def _extra(info: FieldInfo) -> dict[str, Any]:
    """What a class adds to a field of its own in the JSON schema."""
    said: object = info.json_schema_extra
    return dict(cast("dict[str, Any]", said)) if isinstance(said, dict) else {}


@cache
def _plans_of(cls: type) -> tuple[_FieldPlan, ...]:
    return tuple(_plan(each) for each in _declared(cls))


def _plan(declared: _Declared) -> _FieldPlan:
    _, resolver, _ = split_annotated(declared.annotation)
    derived = derive(declared.annotation, declared.name)
    info = declared.info
    if resolver is not None and (resolver.description or resolver.examples or resolver.json_schema_extra):
        info = FieldInfo(
            default=info.default,
            default_factory=info.default_factory,
            description=resolver.description or info.description,
            examples=resolver.examples or info.examples,
            json_schema_extra={**_extra(info), **(resolver.json_schema_extra or {})} or None,
        )
    renamed = resolver and resolver.model_field_name
    return _FieldPlan(
        name=declared.name,
        argument=declared.argument,
        attribute=renamed or declared.name,
        said=renamed or declared.argument,
        model_type=derived.model_type | str,  # each may be a template
        info=info,
        resolve=derived.resolve,
        resolver=resolver if resolver is not None and not resolver.is_default else None,
    )


def _declared(cls: type[Any]) -> Iterator[_Declared]:
    """The fields of a class, whichever of the kinds it is.

    Raises:
        ResolutionError: it is none of them.
    """
    if issubclass(cls, BaseModel):
        return _of_pydantic(cls)
    if dataclasses.is_dataclass(cls):
        return _of_dataclass(cls)
    if issubclass(cls, tuple):
        raise ResolutionError(
            f"Invalid Resolvable type: {cls.__name__} is a named tuple. Make it a dataclass or a pydantic model."
        )
    if "__init__" not in vars(cls) and cls.__init__ is object.__init__:
        raise ResolutionError(
            f"Invalid Resolvable type: {cls.__name__} must be a pydantic model, a dataclass or a class with __init__ that "
            "has annotations."
        )
    return _of_init(cls)


def _of_pydantic(cls: type[BaseModel]) -> Iterator[_Declared]:
    for name, info in cls.model_fields.items():
        annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        yield _Declared(name, annotation, info, _alias(info) or name)


def _alias(info: FieldInfo) -> str | None:
    """What a pydantic class takes a field as; where it has several names for it, the first."""
    alias = info.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return next((each for each in choices if isinstance(each, str)), None)


def _of_dataclass(cls: type[Any]) -> Iterator[_Declared]:
    hints = _hints(cls, cls)
    for each in dataclasses.fields(cls):
        if not each.init:
            continue
        _, _, said = split_annotated(hints[each.name])
        info = next((one for one in said if isinstance(one, FieldInfo)), None)
        default: Any = ... if each.default is dataclasses.MISSING else each.default
        if each.default_factory is not dataclasses.MISSING:
            default = _UNSET
        yield _Declared(each.name, hints[each.name], _with_default(info, default), each.name)


def _hints(of: Any, cls: type[Any]) -> Mapping[str, Any]:
    try:
        return get_type_hints(of, include_extras=True)
    except NameError as error:
        raise ResolutionError(
            f"Invalid Resolvable type: an annotation of {cls.__name__} names {error.name!r}, which its module does not have. "
            "Define it at the top of the module, or leave out `from __future__ import annotations`."
        ) from error


def _of_init(cls: type[Any]) -> Iterator[_Declared]:
    init = cls.__init__
    hints = _hints(init, cls)
    for parameter in list(inspect.signature(init).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise ResolutionError(
                f"Invalid Resolvable type: {cls.__name__}.__init__ has the positional only parameter {parameter.name!r}; "
                "fields are passed by name."
            )
        default: Any = ... if parameter.default is parameter.empty else parameter.default
        yield _Declared(parameter.name, hints.get(parameter.name, Any), _with_default(None, default), parameter.name)


def _with_default(info: FieldInfo | None, default: Any) -> FieldInfo:
    if info is None:
        return FieldInfo(default=default) if default is not ... else FieldInfo()
    return Field(default, description=info.description, examples=info.examples)
