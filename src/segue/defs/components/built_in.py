"""The components that come with Segue, by the names that files use."""

from __future__ import annotations

from segue.defs.components.component import Component
from segue.defs.components.executable import DefinitionsComponent
from segue.defs.components.function_component import FunctionComponent
from segue.defs.components.script_component import PythonScriptComponent, UvRunComponent
from segue.defs.components.sql_component import TemplatedSqlComponent
from segue.defs.components.structure import DefsFolderComponent

_BUILT_IN: tuple[type[Component], ...] = (
    DefinitionsComponent,
    DefsFolderComponent,
    FunctionComponent,
    PythonScriptComponent,
    TemplatedSqlComponent,
    UvRunComponent,
)


def built_in_components() -> dict[str, type[Component]]:
    """The classes, by name."""
    return {cls.__name__: cls for cls in _BUILT_IN}
