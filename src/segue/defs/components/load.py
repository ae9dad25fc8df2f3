"""Definitions out of a folder of them, and out of single components."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from segue.defs.bindings import bound
from segue.defs.components.component import Component
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.structure import components_with_definitions
from segue.defs.components.tree import ComponentTree
from segue.defs.definitions import Definitions
from segue.defs.superseded import renamed, warn_superseded
from segue.errors import ComponentTreeError, InvalidInvocationError


def load_from_defs_folder(*, path_within_project: Path | None = None, project_root: Path | None = None) -> Definitions:
    """The definitions of a project's folder of definitions: of every Python file, `defs.yaml` and folder in it.

    The folder is the package that `pyproject.toml` names, as `root_module` of `[tool.dg.project]`, with `.defs` after it,
    unless `defs_module` names another.

    Args:
        path_within_project: any path in the project, such as `Path(__file__).parent`.
        project_root: superseded by `path_within_project`.

    Raises:
        InvalidInvocationError: no path was provided.
        LoadError: there is no such project, or its package is not installed.
        ComponentTreeError: something in the folder could not be loaded; the cause says why.
    """
    path = renamed("load_from_defs_folder", "path_within_project", path_within_project, "project_root", project_root)
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
    warn_superseded("load_defs", "call load_from_defs_folder")
    return _definitions_of(defs_root, project_root, terminate_autoloading_on_keyword_files)


def _definitions_of(
    defs_root: ModuleType, project_root: Path | None, terminate_autoloading_on_keyword_files: bool
) -> Definitions:
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
    """The definitions of a component outside of a folder of definitions.

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
        context: its location; in an empty project when None.
    """
    made = component.build_defs(context or load_context_for_test())
    return Definitions.merge(made, Definitions(resources=resources))


def get_component_defs_within_project(
    *, project_root: str | Path, component_path: str | Path, instance_key: int = 0
) -> tuple[Component, Definitions]:
    """One component of a project, and its definitions; superseded by `ComponentTree.for_project`.

    Args:
        project_root: the folder of the project.
        component_path: of the component, as seen from the folder of definitions.
        instance_key: which of the components there.

    Raises:
        ComponentTreeError: there is none.
    """
    warn_superseded("get_component_defs_within_project", "ask ComponentTree.for_project")
    found = _components_at(project_root, component_path)
    if not 0 <= instance_key < len(found):
        raise ComponentTreeError(
            f"{component_path} has {len(found)} components; there is no component with index {instance_key}."
        )
    return found[instance_key]


def get_all_components_defs_within_project(
    *, project_root: str | Path, component_path: str | Path
) -> list[tuple[Component, Definitions]]:
    """The components that a file of a project describes, each with its definitions; superseded by `ComponentTree`.

    Args:
        project_root: the folder of the project.
        component_path: of the file or its folder, as seen from the folder of definitions.

    Raises:
        ComponentTreeError: there is nothing at the path.
    """
    warn_superseded("get_all_components_defs_within_project", "ask ComponentTree.for_project")
    return _components_at(project_root, component_path)


def _components_at(project_root: str | Path, component_path: str | Path) -> list[tuple[Component, Definitions]]:
    structural = ComponentTree.for_project(Path(project_root)).load_structural_component_at_loc(Path(component_path))
    return list(components_with_definitions(structural))


def build_component_defs(components_root: Path) -> Definitions:
    """The definitions of a folder by its path; superseded by `load_from_defs_folder`.

    Args:
        components_root: the folder; the folder that holds its package must be on the import path, or lie in a project.

    Raises:
        ComponentTreeError: something in the folder could not be loaded.
    """
    warn_superseded("build_component_defs", "call load_from_defs_folder")
    root = Path(components_root)
    return _definitions_of(bound("module_named")(f"{root.parent.name}.{root.name}"), root.parent.parent, True)
