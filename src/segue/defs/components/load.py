"""Definitions out of a folder of them, and out of single components."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from segue.defs.components.component import Component
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.tree import ComponentTree
from segue.defs.definitions import Definitions
from segue.errors import InvalidInvocationError


def load_from_defs_folder(*, path_within_project: Path | None = None, project_root: Path | None = None) -> Definitions:
    """The definitions of a project's folder of definitions: of every Python file, `defs.yaml` and folder in it.

    The folder is the package that `pyproject.toml` names, as `root_module` of `[tool.dg.project]`, with `.defs` after it,
    unless `defs_module` names another.

    Args:
        path_within_project: any path in the project, such as `Path(__file__).parent`.
        project_root: superseded by `path_within_project`.

    Raises:
        InvalidInvocationError: no path is given.
        LoadError: there is no such project, or its package is not installed.
        ComponentTreeError: something in the folder could not be loaded; the cause says why.
    """
    path = path_within_project or project_root
    if path is None:
        raise InvalidInvocationError(
            "load_from_defs_folder(path_within_project=Path(__file__).parent) names the project."
        )
    return ComponentTree.for_project(Path(path)).build_defs()


def load_defs(
    defs_root: ModuleType, project_root: Path | None = None, terminate_autoloading_on_keyword_files: bool = True
) -> Definitions:
    """The definitions of a package that is a folder of definitions; superseded by `load_from_defs_folder`.

    Args:
        defs_root: the package.
        project_root: the folder of the project; that of the package when None.
        terminate_autoloading_on_keyword_files: whether a folder with a `definitions.py` is that file alone.

    Raises:
        ComponentTreeError: something in the folder could not be loaded; the cause says why.
    """
    tree = ComponentTree(
        defs_module=defs_root,
        project_root=project_root or Path(next(iter(getattr(defs_root, "__path__", ["."])))),
        terminate_autoloading_on_keyword_files=terminate_autoloading_on_keyword_files,
    )
    return tree.build_defs()


def load_context_for_test() -> ComponentLoadContext:
    """The context of a component that stands in no folder."""
    return ComponentTree.for_test().load_context


def build_defs_for_component(component: Component) -> Definitions:
    """The definitions of a component that stands in no folder.

    Args:
        component: the component.
    """
    return component.build_defs(load_context_for_test())


def component_defs(
    *, component: Component, resources: Mapping[str, Any] | None = None, context: ComponentLoadContext | None = None
) -> Definitions:
    """The definitions of a component, with resources.

    Args:
        component: the component.
        resources: by key.
        context: where it stands; in an empty project when None.
    """
    made = component.build_defs(context or load_context_for_test())
    return Definitions.merge(made, Definitions(resources=resources))
