"""The names for components, in one module: `from segue.components import Component`, or `dg.components.load_defs`."""

from segue.defs.components.asset_attributes import (
    AssetAttributesModel,
    ResolvedAssetCheckSpec,
    ResolvedAssetKey,
    ResolvedAssetSpec,
)
from segue.defs.components.component import Component, ComponentTypeSpec, component_instance
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.executable import DefinitionsComponent
from segue.defs.components.form_config import ComponentFormConfig
from segue.defs.components.function_component import FunctionComponent
from segue.defs.components.load import (
    build_component_defs,
    build_defs_for_component,
    component_defs,
    get_all_components_defs_within_project,
    get_component_defs_within_project,
    load_defs,
    load_from_defs_folder,
)
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolvable import Resolvable
from segue.defs.components.resolver import Injected, Model, Resolver
from segue.defs.components.scaffold import Scaffolder, ScaffoldRequest, scaffold_component, scaffold_with
from segue.defs.components.script_component import PythonScriptComponent, UvRunComponent
from segue.defs.components.sql_component import SqlComponent, TemplatedSqlComponent
from segue.defs.components.state_backed import StateBackedComponent
from segue.defs.components.structure import DefsFolderComponent
from segue.defs.components.template_vars import template_var
from segue.defs.components.tree import ComponentTree
from segue.defs.lazy_definitions import definitions

__all__ = [
    "AssetAttributesModel",
    "Component",
    "ComponentFormConfig",
    "ComponentLoadContext",
    "ComponentTree",
    "ComponentTypeSpec",
    "DefinitionsComponent",
    "DefsFolderComponent",
    "FunctionComponent",
    "Injected",
    "Model",
    "PythonScriptComponent",
    "ResolutionContext",
    "Resolvable",
    "ResolvedAssetCheckSpec",
    "ResolvedAssetKey",
    "ResolvedAssetSpec",
    "Resolver",
    "ScaffoldRequest",
    "Scaffolder",
    "SqlComponent",
    "StateBackedComponent",
    "TemplatedSqlComponent",
    "UvRunComponent",
    "build_component_defs",
    "build_defs_for_component",
    "component_defs",
    "component_instance",
    "definitions",
    "get_all_components_defs_within_project",
    "get_component_defs_within_project",
    "load_defs",
    "load_from_defs_folder",
    "scaffold_component",
    "scaffold_with",
    "template_var",
]
