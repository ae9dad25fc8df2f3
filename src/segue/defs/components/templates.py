"""Templates in attributes: `{{ ... }}` is worked out in a sandbox, and a template that is one expression gives its value."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any

from segue.defs.bindings import extra_module
from segue.errors import ResolutionError

_UNKNOWN = "UnknownName"
_MARKS = ("{{", "{%", "{#")


def is_template(text: str) -> bool:
    """Whether a text holds anything to work out."""
    return any(mark in text for mark in _MARKS)


def render(text: str, scope: Mapping[str, object], keep_text: bool) -> object:
    """What a template stands for.

    Args:
        text: the template.
        scope: what it can speak of.
        keep_text: whether a result that is text stays text; else one that reads like a number or a list becomes one.

    Raises:
        LoadError: the extra `segue[components]` is not installed.
        ResolutionError: it is no template, speaks of something unknown, or what it calls failed.
    """
    environment = _environment(keep_text)
    jinja = extra_module("jinja2")
    try:
        return environment.from_string(text).render(**scope)
    except jinja.UndefinedError as error:
        raise ResolutionError(
            f"{error.message}: {text.strip()!r} cannot be evaluated; available scope is: {', '.join(scope)}."
        ) from error
    except jinja.TemplateError as error:
        raise ResolutionError(f"{text.strip()!r} is not a template: {error.message}.") from error
    except ResolutionError:
        raise
    except Exception as error:
        raise ResolutionError(f"{text.strip()!r} failed: {type(error).__name__}: {error}") from error


@cache
def _environment(keep_text: bool) -> Any:
    jinja, native = extra_module("jinja2"), extra_module("jinja2.nativetypes")
    sandbox = extra_module("jinja2.sandbox")
    kinds = (sandbox.SandboxedEnvironment, native.NativeEnvironment)
    members = {"concat": staticmethod(_joined if keep_text else _joined_and_read)}
    # A finalizer that wants the context keeps the engine from turning constants (`{{ none }}`) into text beforehand.
    sandboxed = type("Templates", kinds, members)(undefined=_known_scope(jinja), finalize=jinja.pass_context(_as_it_is))
    sandboxed.template_class = type("Template", (native.NativeTemplate,), {"environment_class": type(sandboxed)})
    return sandboxed


def _known_scope(jinja: Any) -> Any:
    """Jinja's strict kind of undefined, which says that a name is not in scope."""

    def message(self: Any) -> str:
        if self._undefined_hint is None and self._undefined_obj is jinja.runtime.missing:
            return f"'{self._undefined_name}' not found in scope"
        return jinja.StrictUndefined._undefined_message.fget(self)

    return type(_UNKNOWN, (jinja.StrictUndefined,), {"_undefined_message": property(message), "__slots__": ()})


def _as_it_is(context: object, value: object) -> object:
    del context
    return value


def _joined(values: Any) -> object:
    parts = list(values)
    if len(parts) == 1:
        return str(parts[0]) if type(parts[0]).__name__ == _UNKNOWN else parts[0]  # str: says that it is unknown
    return "".join(str(part) for part in parts) if parts else None


def _joined_and_read(values: Any) -> object:
    joined = _joined(values)
    if not isinstance(joined, str):
        return joined
    try:
        return ast.literal_eval(joined.strip() if joined.strip() != joined else joined)
    except (ValueError, SyntaxError, MemoryError):
        return joined
