"""Scaffolding: how a component class writes the files of a new component."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import msgspec
from pydantic import BaseModel

from segue.defs.bindings import extra_module
from segue.defs.components.resolver import Model
from segue.errors import InvalidInvocationError

Params = TypeVar("Params")
AnyClass = TypeVar("AnyClass", bound=type)
_MARK = "__segue_scaffolder__"


class NoParams(Model):
    """For scaffolders that ask nothing."""


class ScaffoldRequest(msgspec.Struct, Generic[Params]):
    """A request to a scaffolder.

    Attributes:
        type_name: the name of the component class, as written in a file.
        target_path: the folder for the new component.
        scaffold_format: whether to write a `defs.yaml` or a `component.py`.
        project_root: the folder of the project.
        params: the parameters that the scaffolder declares.
        append: whether a file that is there is added to.
    """

    type_name: str
    target_path: Path
    scaffold_format: Literal["yaml", "python"]
    project_root: Path | None
    params: Params
    append: bool = False


class Scaffolder(abc.ABC, Generic[Params]):
    """Writes the files of a new component. `@scaffold_with(MyScaffolder)` above a component class makes it the class's own."""

    @classmethod
    def get_scaffold_params(cls) -> type[BaseModel]:
        """Its parameters, as a pydantic model."""
        return NoParams

    @abc.abstractmethod
    def scaffold(self, request: ScaffoldRequest[Params]) -> None:
        """Writes the files.

        Args:
            request: where, and how.
        """


class DefaultScaffolder(Scaffolder[Any]):
    """Writes a file that names the class and gives no attributes."""

    def scaffold(self, request: ScaffoldRequest[Any]) -> None:
        """Writes the file."""
        scaffold_component(request)


def scaffold_with(scaffolder_cls: type[Scaffolder[Any]]) -> Callable[[AnyClass], AnyClass]:
    """Says what writes the files of new components of a class.

    Args:
        scaffolder_cls: a subclass of `Scaffolder`.
    """

    def mark(cls: AnyClass) -> AnyClass:
        setattr(cls, _MARK, scaffolder_cls)
        return cls

    return mark


def get_scaffolder(cls: type) -> type[Scaffolder[Any]]:
    """What writes the files of new components of a class."""
    return getattr(cls, _MARK, DefaultScaffolder)


def scaffold_component(request: ScaffoldRequest[Any], yaml_attributes: Mapping[str, Any] | None = None) -> None:
    """Writes the file of a new component.

    Args:
        request: where, and how.
        yaml_attributes: its attributes in the file.

    Raises:
        InvalidInvocationError: there is such a file already, and it is not to be added to.
    """
    request.target_path.mkdir(parents=True, exist_ok=True)
    if request.scaffold_format == "python":
        _write_new(request.target_path / "component.py", _python(request.type_name, yaml_attributes or {}))
        return
    said = {"type": request.type_name, "attributes": dict(yaml_attributes or {})}
    text = extra_module("yaml").safe_dump(said, sort_keys=False)
    file = request.target_path / "defs.yaml"
    if request.append and file.exists():
        file.write_text(f"{file.read_text(encoding='utf-8').rstrip()}\n---\n{text}", encoding="utf-8")
    else:
        _write_new(file, text)


def _write_new(file: Path, text: str) -> None:
    if file.exists():
        raise InvalidInvocationError(f"{file} is there already: choose another folder, or add to it with append=True.")
    file.write_text(text, encoding="utf-8")


def _python(type_name: str, attributes: Mapping[str, Any]) -> str:
    module, _, name = type_name.rpartition(".")
    given = ", ".join(f"{key}={value!r}" for key, value in attributes.items())
    return (
        f"import segue as dg\nfrom {module} import {name}\n\n\n@dg.component_instance\n"
        f"def load(context: dg.ComponentLoadContext) -> {name}:\n    return {name}({given})\n"
    )
