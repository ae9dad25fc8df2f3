"""`Component`: a class that makes definitions out of what a file says of it."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import msgspec
from pydantic import BaseModel, TypeAdapter

from segue.defs.bindings import bound
from segue.defs.components.positions import SourcePosition
from segue.defs.components.resolvable import Resolvable
from segue.defs.components.resolver import Model
from segue.errors import InvalidDefinitionError
from segue.model.code_reference import CodeReference, LocalFileCodeReference

if TYPE_CHECKING:  # they hold components, so they are imported the other way round
    from segue.defs.components.context import ComponentLoadContext
    from segue.defs.definitions import Definitions

AnyComponent = TypeVar("AnyComponent", bound="Component")
_INSTANCE_MARK = "__segue_component_instance__"


class ComponentTypeSpec(msgspec.Struct, frozen=True):
    """The description of a component class.

    Attributes:
        description: for people.
        tags: words to find it by.
        owners: e-mail addresses or `team:name`.
        metadata: facts about it.
        produces: what its definitions are, such as `assets`.
    """

    description: str | None = None
    tags: Sequence[str] | None = ()
    owners: Sequence[str] | None = ()
    metadata: Mapping[str, Any] | None = msgspec.field(default_factory=dict[str, Any])
    produces: Sequence[str] | None = ()

    def __post_init__(self) -> None:
        for name in ("tags", "owners", "produces"):
            msgspec.structs.force_setattr(self, name, tuple(getattr(self, name) or ()))
        msgspec.structs.force_setattr(self, "metadata", dict(self.metadata or {}))


class EmptyAttributesModel(Model):
    """What a file says of a component that takes no attributes: nothing."""


class Component(abc.ABC):
    """A class whose objects build definitions. A file names the class and sets the attributes.

    With `Resolvable`, its fields are what the attributes say:

        class Tables(dg.Component, dg.Resolvable, dg.Model):
            schema_name: str
            tables: list[str]

            def build_defs(self, context):
                return dg.Definitions(assets=[dg.AssetSpec([self.schema_name, table]) for table in self.tables])

    and a `defs.yaml` with `type: my_package.Tables` and `attributes: {schema_name: raw, tables: [orders]}` makes one.
    """

    @classmethod
    def get_schema(cls) -> type[BaseModel] | None:
        """Superseded by `get_model_cls`: the pydantic model of the attributes."""
        return None

    @classmethod
    def get_model_cls(cls) -> type[BaseModel] | None:
        """The pydantic model of the attributes: that of a `Resolvable`, or one without fields."""
        if issubclass(cls, Resolvable):
            return cls.model()
        return cls.get_schema() or EmptyAttributesModel

    @classmethod
    def get_spec(cls) -> ComponentTypeSpec:
        """The description of the class."""
        return ComponentTypeSpec()

    @classmethod
    def get_description(cls) -> str | None:
        """A description: that of the spec, or the docstring of the class."""
        return cls.get_spec().description or inspect.getdoc(cls)

    @classmethod
    def get_additional_scope(cls) -> Mapping[str, Any]:
        """What templates in the attributes can speak of besides the usual."""
        return {}

    @classmethod
    def get_code_references_for_yaml(
        cls, yaml_path: Path, source_position: SourcePosition, context: ComponentLoadContext
    ) -> Sequence[CodeReference]:
        """Where the assets of a component are declared that a YAML file describes: the place in that file.

        Args:
            yaml_path: the file.
            source_position: where in it the component begins.
            context: of the component.
        """
        label = context.component_path.get_relative_key(context.defs_module_path)
        return [LocalFileCodeReference(file_path=str(yaml_path), line_number=source_position.start.line, label=label)]

    @classmethod
    def load(cls, attributes: BaseModel | None, context: ComponentLoadContext) -> Self:
        """The component that a file describes.

        Args:
            attributes: the attributes in the file, of the class that `get_model_cls` returns.
            context: the location of the file.

        Raises:
            ResolutionError: a template or a resolver failed.
        """
        if attributes is not None and issubclass(cls, Resolvable):
            return cls.resolve_from_model(context.resolution_context.at_path("attributes"), attributes)
        return cls()

    @abc.abstractmethod
    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """The definitions.

        Args:
            context: the location of the component.
        """

    @classmethod
    def from_attributes_dict(cls, *, attributes: dict[str, Any], context: ComponentLoadContext | None = None) -> Self:
        """The component with these attributes, in a test say.

        Args:
            attributes: as a file would say them.
            context: the location of the file; in an empty project when None.

        Raises:
            pydantic.ValidationError: an attribute of another type, or one that is not known.
            ResolutionError: a template or a resolver failed.
        """
        here: ComponentLoadContext = context or bound("load_context_for_test")()
        model = cls.get_model_cls()
        said = TypeAdapter(model).validate_python(attributes) if model is not None else None
        return cls.load(said, here.with_component_scope(cls))

    @classmethod
    def from_yaml_path(cls, yaml_path: Path, context: ComponentLoadContext | None = None) -> Component:
        """The component that a YAML file describes; the first, where it describes several.

        Args:
            yaml_path: the file.
            context: its location; in an empty project when None.

        Raises:
            InvalidDefinitionError: it describes another class than this one.
        """
        here: ComponentLoadContext = context or bound("load_context_for_test")()
        found = bound("load_yaml_components")(here.for_path(yaml_path.parent), yaml_path)[0].component
        if not isinstance(found, cls):
            raise InvalidDefinitionError(f"{yaml_path} describes a {type(found).__name__}, not a {cls.__name__}.")
        return found


def component_instance(
    fn: Callable[[ComponentLoadContext], AnyComponent],
) -> Callable[[ComponentLoadContext], AnyComponent]:
    """Marks a function in a folder of definitions that creates a component; the folder's definitions are then those
    of that component.

    Args:
        fn: takes the context.
    """
    setattr(fn, _INSTANCE_MARK, True)
    return fn


def component_instances(module: object) -> Mapping[str, Callable[..., Component]]:
    """The functions in a module that are marked with `@component_instance`, by name."""
    found = {name: value for name, value in vars(module).items() if callable(value) and hasattr(value, _INSTANCE_MARK)}
    return cast("Mapping[str, Callable[..., Component]]", found)
