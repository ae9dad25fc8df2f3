"""`Resolver`: how one field of a component is made out of what its file says."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, PydanticSchemaGenerationError
from pydantic_core import CoreSchema, core_schema

from segue.defs.components.form_config import ComponentFormConfig
from segue.defs.components.resolution_context import ResolutionContext
from segue.errors import ResolutionError, WrongDeclarationError

T = TypeVar("T")
ResolveFn: TypeAlias = Callable[[ResolutionContext, Any], Any]


class Model(BaseModel):
    """A pydantic model that refuses fields it does not know: the base of attributes and of components.

    Fields may be of any class; those that pydantic does not know are only checked to be instances.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Resolver:
    """Says, in an annotation, how to build a field from its value in the file: `Annotated[Thing,
    Resolver(make_thing)]`.

    Args:
        fn: `(context, value)`, the value as the file has it; what it returns is the field.
        model_field_name: the name of the field in the file; as in the class when None.
        model_field_type: the type of the value in the file; the annotated type when None.
        description, examples: what documentation and editors say of the field.
        inject_before_resolve: whether templates in a text are worked out before `fn` gets it. One that gives something
            else than text is the field itself then, and `fn` is not called.
        json_schema_extra: additions to the field in the JSON schema.
        form_config: how a form shows the field, see `ComponentFormConfig`.
    """

    def __init__(
        self,
        fn: ResolveFn | None,
        *,
        model_field_name: str | None = None,
        model_field_type: Any = None,
        description: str | None = None,
        examples: list[Any] | None = None,
        inject_before_resolve: bool = True,
        json_schema_extra: dict[str, Any] | None = None,
        form_config: ComponentFormConfig | None = None,
    ) -> None:
        if fn is not None and not callable(fn):
            raise WrongDeclarationError(f"Resolver(fn=...) takes a function (context, value), got {fn!r}.")
        self.fn = fn
        self.model_field_name = model_field_name
        self.model_field_type = model_field_type
        self.description = description
        self.examples = examples
        self.inject_before_resolve = inject_before_resolve
        extra: dict[str, Any] = dict(json_schema_extra or {})
        if form_config is not None:
            extra.update(form_config.to_field_json_schema_extra())
        self.json_schema_extra: dict[str, Any] | None = extra or None
        self.resolves_from_parent_object = False
        self.is_passthrough = False

    @staticmethod
    def from_model(fn: ResolveFn, **kwargs: Any) -> Resolver:
        """A resolver whose function gets the whole object that the file describes, not only this field's part.

        Args:
            fn: `(context, model)`.
            kwargs: as for `Resolver`.
        """
        made = Resolver(fn, **kwargs)
        made.resolves_from_parent_object = True
        return made

    @staticmethod
    def default(
        *,
        model_field_name: str | None = None,
        model_field_type: Any = None,
        description: str | None = None,
        examples: list[Any] | None = None,
        json_schema_extra: dict[str, Any] | None = None,
        form_config: ComponentFormConfig | None = None,
    ) -> Resolver:
        """The default way to build a field, with another description: arguments as for `Resolver`."""
        return Resolver(
            None,
            model_field_name=model_field_name,
            model_field_type=model_field_type,
            description=description,
            examples=examples,
            json_schema_extra=json_schema_extra,
            form_config=form_config,
        )

    @staticmethod
    def passthrough(description: str | None = None, examples: list[Any] | None = None) -> Resolver:
        """The field is the unchanged value in the file: templates stay strings, nested resolvers are not called."""
        made = Resolver(_untouched, description=description, examples=examples, inject_before_resolve=False)
        made.is_passthrough = True
        return made

    @staticmethod
    def union(arg_resolver_pairs: Sequence[tuple[type, Resolver]]) -> Resolver:
        """A field that is built in one of several ways, depending on the value in the file.

        Args:
            arg_resolver_pairs: (annotated type, resolver) of each way; the first whose type fits is taken.
        """
        arms = [Annotated[kind, resolver] for kind, resolver in arg_resolver_pairs]
        return Resolver.default(model_field_type=_union_of(arms))

    @property
    def is_default(self) -> bool:
        """Whether there is no function, so that the annotated type says how to build the field."""
        return self.fn is None

    def with_outer_resolver(self, outer: Resolver) -> Resolver:
        """This resolver, under the name and the words of one around it."""
        made = Resolver(
            self.fn,
            model_field_name=outer.model_field_name or self.model_field_name,
            model_field_type=outer.model_field_type or self.model_field_type,
            description=outer.description or self.description,
            examples=outer.examples or self.examples,
            inject_before_resolve=self.inject_before_resolve,
            json_schema_extra={**(self.json_schema_extra or {}), **(outer.json_schema_extra or {})},
        )
        made.resolves_from_parent_object = self.resolves_from_parent_object
        made.is_passthrough = self.is_passthrough
        return made

    def execute(self, context: ResolutionContext, model: BaseModel, field_name: str) -> Any:
        """The field of this name, out of the object that the file describes.

        Raises:
            ResolutionError: the function raised; the cause is what it raised.
        """
        name = self.model_field_name or field_name
        if self.resolves_from_parent_object:
            return self.call(context.at_path(name), model, field_name, model, around=context)
        return self.resolve(context.at_path(name), getattr(model, name), field_name, model)

    def resolve(self, context: ResolutionContext, value: Any, field_name: str, model: object) -> Any:
        """The field, built from its own part of the file."""
        if self.inject_before_resolve and isinstance(value, str):
            value = context.resolve_value(value, as_type=str)
            if not isinstance(value, str):
                return value
        kind = self.model_field_type
        if isinstance(value, str) and isinstance(kind, type) and issubclass(kind, BaseModel):
            raise context.error(
                f"a mapping of attributes is expected here, or a template that gives the object; got {value!r}."
            )
        return self.call(context, value, field_name, model)

    def call(
        self,
        context: ResolutionContext,
        value: Any,
        field_name: str,
        model: object,
        around: ResolutionContext | None = None,
    ) -> Any:
        """The result of the function for a value.

        Args:
            context: of the field, for errors.
            value: the argument of the function.
            field_name, model: what errors speak of.
            around: the context that the function gets; the field's own when None.
        """
        if self.fn is None:
            return context.resolve_value(value)
        try:
            return self.fn(around or context, value)
        except ResolutionError:
            raise
        except Exception as error:
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            raise context.build_resolve_fn_exc(lines, field_name, model) from error

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In a pydantic class the annotated type is checked as pydantic does, or by class where it knows no way."""
        try:
            return handler(source)
        except PydanticSchemaGenerationError:
            return core_schema.is_instance_schema(source) if isinstance(source, type) else core_schema.any_schema()

    def __repr__(self) -> str:
        return f"Resolver({getattr(self.fn, '__name__', self.fn)!s})"


def _untouched(context: ResolutionContext, value: Any) -> Any:
    del context
    return value


def _union_of(kinds: Sequence[Any]) -> Any:
    made = kinds[0]
    for kind in kinds[1:]:
        made = made | kind
    return made


def _require_value(context: ResolutionContext, text: str) -> Any:
    return context.resolve_value(text)


Injected: TypeAlias = Annotated[T, Resolver(_require_value, model_field_type=str, inject_before_resolve=False)]
"""A field that the file gives as a template only: `Injected[Thing]` is `{{ something }}` there."""
