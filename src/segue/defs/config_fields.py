"""From the fields of a `Config` class to a config schema.

This module loads pydantic; the schema form does without.
"""

from __future__ import annotations

import contextlib
import enum
import types
import typing
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from collections.abc import Set as AnySet
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.config_schema.elements import Array, Map, Noneable
from segue.defs.config_schema.place import NO_VALUE, Place, Walk
from segue.defs.config_schema.shapes import Field, InheritedField, Permissive, Selector, Shape
from segue.defs.config_schema.sources import BoolSource, FloatSource, IntSource, StringSource, read_variable
from segue.defs.config_schema.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    ConfigType,
    ConfigTypeKind,
    Enum,
    EnumValue,
)
from segue.defs.config_values import stored_value
from segue.errors import InvalidConfigDefinitionError, InvalidConfigError, InvalidDefinitionError

_SCALARS: Final[Mapping[Any, ConfigType]] = {
    str: StringSource,
    int: IntSource,
    bool: BoolSource,
    float: FloatSource,
    Any: ANY,
    dict: Permissive(),
    list: Array(ANY),
}
_KEYS: Final[Mapping[Any, ConfigType]] = {str: STRING, int: INT, float: FLOAT, bool: BOOL}
_MAPPINGS = (dict, Mapping, typing.Dict)  # noqa: UP006 reason: what users write
_LISTS = (list, Sequence, tuple, set, frozenset, AnySet)
_CACHE = "__segue_config_schema__"
_RESOURCE_CACHE = "__segue_resource_fields__"


def schema_of_model(model: type[BaseModel]) -> DefinitionConfigSchema:
    """The config that a `Config` class takes.

    Raises:
        InvalidConfigDefinitionError: a field of a type that no config can hold.
    """
    found = vars(model).get(_CACHE)
    if found is None:
        found = DefinitionConfigSchema(Field(_model_type(model)))
        setattr(model, _CACHE, found)
    return found


def fields_of_model(model: type[BaseModel], given: BaseModel | None = None) -> dict[str, Field]:
    """The fields of a `Config` class, by the names they have in a config.

    Args:
        model: the class.
        given: an instance that is the default of a field of this class, whose values are the defaults then.

    Raises:
        InvalidConfigDefinitionError: a field of a type that no config can hold.
    """
    found: dict[str, Field] = {}
    for name, info in model.model_fields.items():
        if getattr(info.annotation, "segue_parameter_kind", None) == "resource":
            continue  # given by definitions, not by config
        found[info.alias or name] = _field(model, name, info, given)
    return found


def resource_config_field(model: type[BaseModel], known: Collection[str] | None = None) -> Field:
    """The config that a resource takes in a run.

    Args:
        model: the class of the resource.
        known: the fields that have a value already, by name or alias, so that config may leave them out; all when None.
    """
    fields = vars(model).get(_RESOURCE_CACHE)
    if fields is None:
        fields = dict(_resource_fields(model))
        setattr(model, _RESOURCE_CACHE, fields)
    aliases = {name: info.alias or name for name, info in model.model_fields.items()}
    has_value = fields.keys() if known is None else {aliases.get(name, name) for name in known}
    given = {name: Field(each.config_type, is_required=False) for name, each in fields.items() if name in has_value}
    kind = Permissive if model.model_config.get("extra") == "allow" else Shape
    return Field(kind({**fields, **given}))


def _resource_fields(model: type[BaseModel]) -> Iterator[tuple[str, Field]]:
    """The fields of a resource but those for other resources; of what no config describes (objects of any class) any value."""
    for name, info in model.model_fields.items():
        if getattr(info.annotation, "segue_parameter_kind", None) == "resource":
            continue
        try:
            field = _field(model, name, info, None)
        except InvalidDefinitionError:  # its default, or who makes the resource, gives it a value
            field = Field(ANY, is_required=False)
        yield info.alias or name, field


def type_of_annotation(annotation: Any, where: str) -> ConfigType:
    """The config type of an annotation outside of a `Config` class: of a `config` parameter.

    Args:
        annotation: what is annotated.
        where: the parameter, for errors.

    Raises:
        InvalidConfigDefinitionError: a type that no config can hold.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not _is_config(annotation):
        raise _unsupported(
            annotation, (f"{where}: a BaseModel cannot be used for config. Derive the class from Config instead.")
        )
    return _type(annotation, None, where)


class _OfClass:
    """The config of a class, which judges it as a whole when it fits the schema."""

    model: Any

    def judged(self, found: Any, value: Any, place: Place, walk: Walk) -> Any:
        """What the walk found; `NO_VALUE` if the class refuses it."""
        try:
            self.model.from_run_config(value, place)
        except InvalidConfigError as error:
            walk.violations.extend(error.errors)
            return NO_VALUE
        return found


class ClassShape(Shape, _OfClass):
    """The config of a class that takes its own fields only."""

    def __init__(self, model: Any, fields: Mapping[str, Field], description: str | None) -> None:
        super().__init__(fields, description)
        self.model = model

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        with _whole(walk) as is_outermost:
            found = super().evaluate(value, place, walk)
        return self.judged(found, value, place, walk) if is_outermost() else found


class ClassPermissive(Permissive, _OfClass):
    """The config of a class that takes other fields as well."""

    def __init__(self, model: Any, fields: Mapping[str, Field], description: str | None) -> None:
        super().__init__(fields, description)
        self.model = model

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        with _whole(walk) as is_outermost:
            found = super().evaluate(value, place, walk)
        return self.judged(found, value, place, walk) if is_outermost() else found


@contextlib.contextmanager
def _whole(walk: Walk) -> Generator[Callable[[], bool]]:
    """Marks what is walked over as part of a class's value; tells whether that class is to judge it, once it is done."""
    inside, before = walk.in_class, len(walk.violations)
    walk.in_class = True
    try:
        yield lambda: walk.fill and walk.defaults and not inside and len(walk.violations) == before
    finally:
        walk.in_class = inside


def _model_type(model: type[BaseModel], given: BaseModel | None = None) -> ConfigType:
    fields = fields_of_model(model, given)
    description = model.__doc__.strip() if model.__doc__ else None
    permissive = model.model_config.get("extra") == "allow"
    if not _is_config(model):
        return Permissive(fields, description) if permissive else Shape(fields, description)
    return (ClassPermissive if permissive else ClassShape)(model, fields, description)


def _field(model: type[BaseModel], name: str, info: FieldInfo, given: BaseModel | None) -> Field:
    where = f"the field {name!r} of {model.__qualname__}"
    default: Any = info.default
    if isinstance(default, Field):
        raise InvalidDefinitionError(
            f"{where}: the default must not be a segue.Field, which belongs in a config_schema. Use pydantic.Field "
            "in a class."
        )
    kind = _type(info.annotation, info.discriminator, where)
    if default is PydanticUndefined and info.default_factory is not None and kind.kind is ConfigTypeKind.SELECTOR:
        default = cast("Any", info.default_factory)()
    make: type[Field] = Field
    if given is not None:
        default = getattr(given, name)
        make = InheritedField if name in given.model_fields_set else Field
    if default is PydanticUndefined:
        return _without_default(kind, info, make)
    if default is None and kind.has_implicit_default:
        return make(kind, description=info.description)
    if default is None:
        takes_none = kind if kind is ANY else Noneable(kind)
        return make(takes_none, default_value=None, description=info.description)
    if isinstance(default, BaseModel) and ConfigTypeKind.is_shape(kind.kind):
        return make(_model_type(type(default), default), description=info.description)
    stored = stored_value(default, info.annotation, info.discriminator, where)
    return make(kind, default_value=stored, description=info.description)


def _without_default(kind: ConfigType, info: FieldInfo, make: type[Field]) -> Field:
    """A field that its class gives no default. One that holds another class may be left out where all fields of that class
    have defaults.
    """
    if info.default_factory is not None:
        return make(kind, is_required=False, description=info.description)
    if isinstance(kind, _OfClass) and kind.has_implicit_default:
        return InheritedField(kind, description=info.description)
    is_any_dict = type(kind) is Permissive and not kind.fields
    return make(kind, is_required=True if is_any_dict else None, description=info.description)


def _type(annotation: Any, discriminator: object, where: str) -> ConfigType:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *notes = get_args(annotation)
        named = next((each.discriminator for each in notes if isinstance(each, FieldInfo)), None)
        return _type(inner, discriminator or named, where)
    if _is_hashable(annotation) and annotation in _SCALARS:
        return _SCALARS[annotation]
    if origin in (Union, types.UnionType):
        return _union(annotation, discriminator, where)
    if origin is Literal:
        values = get_args(annotation)
        if all(isinstance(each, str) for each in values):
            return Enum(str(annotation).removeprefix("typing."), [EnumValue(each) for each in values])
    if annotation in _MAPPINGS or origin in (dict, Mapping):
        return _mapping(annotation, where)
    if annotation in _LISTS or origin in _LISTS:
        return _list(annotation, where)
    if isinstance(annotation, type):
        if issubclass(annotation, enum.Enum):
            return Enum.from_python_enum_direct_values(annotation)
        if _is_config(cast("object", annotation)):
            return schema_of_model(cast("type[BaseModel]", annotation)).config_type
    return ValidatedType(annotation, where)


def _union(annotation: Any, discriminator: object, where: str) -> ConfigType:
    members = [each for each in get_args(annotation) if each is not type(None)]
    if len(members) < len(get_args(annotation)):
        rest = members[0] if len(members) == 1 else Union[tuple(members)]  # noqa: UP007 reason: known at run time only
        return Noneable(_type(rest, discriminator, where))
    if isinstance(discriminator, str):
        return Selector(
            {str(tag): _choice(each, discriminator) for each in members for tag in _tags(each, discriminator)}
        )
    return ValidatedType(annotation, where)


def _tags(model: type[BaseModel], discriminator: str) -> Sequence[object]:
    return get_args(model.model_fields[discriminator].annotation)


def _choice(model: type[BaseModel], discriminator: str) -> ConfigType:
    """What is given besides the choice itself."""
    alias = model.model_fields[discriminator].alias or discriminator
    fields = {name: each for name, each in fields_of_model(model).items() if name != alias}
    return Permissive(fields) if model.model_config.get("extra") == "allow" else Shape(fields)


def _mapping(annotation: Any, where: str) -> ConfigType:
    arguments = get_args(annotation)
    if not arguments:
        return Permissive()
    key_type = _KEYS.get(arguments[0])
    return ValidatedType(annotation, where) if key_type is None else Map(key_type, _type(arguments[1], None, where))


def _list(annotation: Any, where: str) -> ConfigType:
    arguments = [each for each in get_args(annotation) if each is not Ellipsis]
    if len(arguments) > 1:
        return ValidatedType(annotation, where)
    return Array(_type(arguments[0], None, where) if arguments else ANY)


def _is_config(annotation: object) -> bool:
    return getattr(annotation, "segue_parameter_kind", None) == "config"


def _is_hashable(annotation: object) -> bool:
    return getattr(type(annotation), "__hash__", None) is not None


class ValidatedType(ConfigType):
    """A type that pydantic makes of JSON values: a date, a path, one of several."""

    kind = ConfigTypeKind.ANY

    def __init__(self, annotation: Any, where: str) -> None:
        self._annotation = annotation
        if annotation is object:
            raise _unsupported(annotation, where)
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)
            self._adapter.json_schema()
        except (PydanticUserError, PydanticSchemaGenerationError, TypeError, AttributeError) as error:
            raise _unsupported(annotation, where) from error

    @property
    def key(self) -> str:
        return f"Validated.{self.label}"

    @property
    def label(self) -> str:
        named = isinstance(self._annotation, type) and not get_args(self._annotation)
        return self._annotation.__name__ if named else str(self._annotation)

    @property
    def sample(self) -> Any:
        return "..."

    def evaluate(self, value: Any, place: Place, walk: Walk) -> Any:
        variable = _variable(value)
        if variable is not None:
            if not walk.fill:
                return value
            value = read_variable(variable, place, walk)
            if value is NO_VALUE:
                return NO_VALUE
        try:
            self._adapter.validate_python(value)
        except ValidationError as error:
            shown = f"{{'env': {variable!r}}}" if variable is not None else f"{value!r}"
            why = "" if variable is not None else f" {'; '.join(each['msg'] for each in error.errors())}."
            return walk.refuse(place, f"{place.start} must be a {self.label}, got {shown}.{why}")
        return value


def _variable(value: Any) -> str | None:
    """The variable that `{"env": NAME}` names; None for other values."""
    if not isinstance(value, Mapping):
        return None
    entries = cast("Mapping[Any, Any]", value)
    name = entries.get("env")
    return name if set(entries) == {"env"} and isinstance(name, str) else None


def _unsupported(annotation: object, where: str) -> InvalidConfigDefinitionError:
    return InvalidConfigDefinitionError(
        f"{where}: {annotation!r} is not a valid type for a config field. Use int, float, bool, str, an enum, a "
        "Literal, a list or dict of these, a Config class, a discriminated union of Config classes, Optional of any "
        "of these, or another type that pydantic can parse from JSON.",
        None,
        annotation,
    )
