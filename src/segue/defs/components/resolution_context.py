"""`ResolutionContext`: what a value of a component's attributes is worked out in."""

from __future__ import annotations

import linecache
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

from segue.defs.components.positions import SourcePosition, SourcePositionTree
from segue.defs.components.scopes import default_scope
from segue.defs.components.templates import is_template, render
from segue.errors import ResolutionError


class ResolutionContext:
    """The context in which a value is resolved: the names that templates can use, and the value's position.

    Args:
        scope: name -> value.
        path: the keys and indices that lead to the value.
        source_position_tree: the positions of the values in their file.
        stash: facts that one resolver leaves for another.
    """

    def __init__(
        self,
        *,
        scope: Mapping[str, Any],
        path: Sequence[str | int] = (),
        source_position_tree: SourcePositionTree | None = None,
        stash: Mapping[str, Any] | None = None,
    ) -> None:
        self.scope: Mapping[str, Any] = scope
        self.path: list[str | int] = list(path)
        self.source_position_tree = source_position_tree
        self.stash: dict[str, Any] = dict(stash or {})

    @staticmethod
    def default(source_position_tree: SourcePositionTree | None = None) -> ResolutionContext:
        """A context with what every template can speak of: `env`, `dg`, `datetime`."""
        return ResolutionContext(scope=default_scope(), source_position_tree=source_position_tree)

    def at_path(self, path_part: str | int) -> ResolutionContext:
        """The context of a value in the present one."""
        return self._changed(path=[*self.path, path_part])

    def with_scope(self, **additional_scope: Any) -> ResolutionContext:
        """A context whose templates can speak of more."""
        return self._changed(scope={**self.scope, **additional_scope})

    def with_stashed_value(self, key: str, value: Any) -> ResolutionContext:
        """A context that carries one fact more."""
        return self._changed(stash={**self.stash, key: value})

    def with_source_position_tree(self, source_position_tree: SourcePositionTree) -> ResolutionContext:
        """A context for the values of another file, at its beginning."""
        return self._changed(source_position_tree=source_position_tree, path=[])

    def _changed(self, **changes: Any) -> ResolutionContext:
        fields = ("scope", "path", "source_position_tree", "stash")
        return ResolutionContext(**{field: changes.get(field, getattr(self, field)) for field in fields})

    @property
    def position(self) -> SourcePosition | None:
        """The position of the current value in its file."""
        return None if self.source_position_tree is None else self.source_position_tree.lookup(self.path)

    def resolve_value(self, val: Any, as_type: type | None = None) -> Any:
        """A value with all templates in it worked out.

        Mappings and sequences are gone through; everything else, and text without a template, stays as it is.

        Args:
            val: the value.
            as_type: the type that text is to become, where it can: `int` makes 5 out of `"{{ env.N }}"`.

        Raises:
            ResolutionError: a template failed, or its text cannot become the type.
        """
        if isinstance(val, str):
            return self._resolve_text(val, as_type)
        if isinstance(val, Mapping):
            items = cast("Mapping[Any, Any]", val).items()
            return {key: self.at_path(key).resolve_value(each) for key, each in items}
        if isinstance(val, (list, tuple)):
            parts = enumerate(cast("Sequence[Any]", val))
            found = [self.at_path(index).resolve_value(each) for index, each in parts]
            return tuple(found) if isinstance(val, tuple) else found
        return val

    def _resolve_text(self, text: str, as_type: type | None) -> Any:
        if not is_template(text):
            return self._text_as(text, as_type)
        try:
            value = render(text, self.scope, keep_text=as_type is not None)
        except ResolutionError as error:
            raise self.error(str(error)) from error.__cause__
        return self._text_as(value, as_type) if isinstance(value, str) else value

    def _text_as(self, text: str, as_type: Any) -> Any:
        adapter = None if as_type in (None, str) else _adapter(as_type)
        if adapter is None:
            return text
        try:
            return adapter.validate_python(text)
        except ValidationError as error:
            raise self.error(f"{error.errors()[0]['msg']}, got {text!r}.") from error

    def error(self, message: str) -> ResolutionError:
        """An error about the current value, which gives its position and shows the line."""
        path = ".".join(str(part) for part in self.path)
        position = self.position
        if position is None:
            return ResolutionError(f"{path}: {message}" if path else message)
        where = f"{position} - {path}" if path else str(position)
        return ResolutionError(f"{where}: {message}{excerpt(position)}")

    def build_resolve_fn_exc(self, fmt_exc: Sequence[str], field_name: str, model: object) -> ResolutionError:
        """The error of a resolver function that raised.

        Args:
            fmt_exc: the lines of the traceback.
            field_name: the field that it should have produced.
            model: the model from which it was built.
        """
        return self.error(f"the resolver of {field_name!r} of {type(model).__name__} raised.\n{''.join(fmt_exc)}")

    def resolve_source_relative_path(self, value: str) -> Path:
        """A path relative to the folder of the file with the values; relative to the working directory without one."""
        tree = self.source_position_tree
        return Path(tree.position.filename).parent / value if tree is not None else Path(value)


def excerpt(position: SourcePosition) -> str:
    """The line of a file at a position, with a mark under it; nothing where there is no such file."""
    line = linecache.getline(position.filename, position.start.line).rstrip("\n")
    if not line.strip():
        return ""
    number = str(position.start.line)
    return f"\n  {number} | {line}\n  {' ' * len(number)} | {' ' * (position.start.col - 1)}^"


@cache
def _adapter(as_type: Any) -> TypeAdapter[Any] | None:
    """What makes values of a type out of text; None where there is no way to."""
    try:
        return TypeAdapter(as_type)
    except (PydanticSchemaGenerationError, PydanticUserError):
        return None
