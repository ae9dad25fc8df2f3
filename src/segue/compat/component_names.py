"""Names below `dagster.components`, in whatever module there, that `dagster` does not export -> where they stand here."""

from __future__ import annotations

from collections.abc import Mapping

_HERE = "segue.defs.components"

COMPONENT_NAMES: Mapping[str, str] = {
    "AssetPostProcessor": f"{_HERE}.post_processing:AssetPostProcessor",
    "AssetPostProcessorModel": f"{_HERE}.post_processing:AssetPostProcessorModel",
    "AssetSpecKwargs": f"{_HERE}.asset_attributes:AssetSpecKwargs",
    "ComponentPath": f"{_HERE}.paths:ComponentPath",
    "ComponentTranslator": f"{_HERE}.component_translator:ComponentTranslator",
    "ComponentTreeException": "segue.errors:ComponentTreeError",
    "CompositeYamlComponent": f"{_HERE}.structure:YamlFileComponent",
    "DefsFolderSandbox": "segue.testing.components:DefsFolderSandbox",
    "DefsFolderDecl": f"{_HERE}.paths:DefsFolderDecl",
    "DefsStateConfig": f"{_HERE}.state_backed:DefsStateConfig",
    "DefsStateConfigArgs": f"{_HERE}.state_backed:DefsStateConfigArgs",
    "DefsStateManagementType": f"{_HERE}.state_backed:DefsStateManagementType",
    "ExecutableComponent": f"{_HERE}.executable:ExecutableComponent",
    "FormWidget": f"{_HERE}.form_config:FormWidget",
    "FunctionSpec": f"{_HERE}.function_component:FunctionSpec",
    "LazyDefinitions": "segue.defs.lazy_definitions:LazyDefinitions",
    "NoParams": f"{_HERE}.scaffold:NoParams",
    "OpSpec": f"{_HERE}.executable:OpSpec",
    "PythonFileComponent": f"{_HERE}.structure:PythonFileComponent",
    "PythonFileDecl": f"{_HERE}.paths:PythonFileDecl",
    "ResolutionException": "segue.errors:ResolutionError",
    "ResolvedAssetAttributes": f"{_HERE}.asset_attributes:ResolvedAssetAttributes",
    "SQLClient": f"{_HERE}.sql_component:SQLClient",
    "ResolvedDefsStateConfig": f"{_HERE}.state_backed:ResolvedDefsStateConfig",
    "ScriptSpec": f"{_HERE}.script_component:ScriptSpec",
    "SharedAssetKwargs": f"{_HERE}.asset_attributes:SharedAssetKwargs",
    "SourcePosition": f"{_HERE}.positions:SourcePosition",
    "SourcePositionTree": f"{_HERE}.positions:SourcePositionTree",
    "TranslationFn": f"{_HERE}.translation:TranslationFn",
    "TranslationFnResolver": f"{_HERE}.translation:TranslationFnResolver",
    "TranslatorResolvingInfo": f"{_HERE}.translation:TranslatorResolvingInfo",
    "YamlFileDecl": f"{_HERE}.paths:YamlFileDecl",
    "apply_post_processor_to_defs": f"{_HERE}.post_processing:apply_post_processor_to_defs",
    "copy_code_to_file": "segue.testing.components:copy_code_to_file",
    "create_component_translator_cls": f"{_HERE}.component_translator:create_component_translator_cls",
    "create_defs_folder_sandbox": "segue.testing.components:create_defs_folder_sandbox",
    "find_defs_or_component_yaml": f"{_HERE}.paths:find_defs_or_component_yaml",
    "get_local_state_path": f"{_HERE}.state_backed:get_local_state_path",
    "get_scaffolder": f"{_HERE}.scaffold:get_scaffolder",
    "is_template_var": f"{_HERE}.template_vars:is_template_var",
    "post_process_defs": f"{_HERE}.post_processing:post_process_defs",
    "resolve_asset_key": f"{_HERE}.asset_attributes:resolve_asset_key",
    "resolve_asset_spec": f"{_HERE}.asset_attributes:resolve_asset_spec",
    "resolve_fields": f"{_HERE}.resolvable:resolve_fields",
}
