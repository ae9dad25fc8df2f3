"""Components whose step is SQL, which a connection executes."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol, runtime_checkable

from pydantic import Field

from segue.defs.bindings import extra_module
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.executable import ExecutableComponent, OpSpec
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolver import Model, Resolver
from segue.defs.results import MaterializeResult


@runtime_checkable
class SQLClient(Protocol):
    """What executes SQL: any object with this method."""

    def connect_and_execute(self, sql: str) -> None:
        """Executes SQL on a connection of its own."""
        ...


def _resolve_connection(context: ResolutionContext, value: Any) -> Any:
    if isinstance(value, str):
        raise context.error(f"a template that gives a connection is expected here, got {value!r}.")
    return value


class SqlComponent(ExecutableComponent, abc.ABC):
    """Assets computed by SQL.

    Attributes:
        assets, checks: the assets and checks of the SQL.
        connection: what executes it; in a file, a template such as `{{ context.load_component('connection') }}`.
        execution: the attributes of the step.
    """

    connection: Annotated[
        SQLClient,
        Resolver(
            _resolve_connection, model_field_type=str, description="What executes the SQL: a template that gives it."
        ),
    ]
    execution: OpSpec | None = None

    @abc.abstractmethod
    def get_sql_content(self, context: Any, component_load_context: ComponentLoadContext) -> str:
        """The SQL.

        Args:
            context: of the step.
            component_load_context: of the component.
        """

    @abc.abstractmethod
    def get_unique_name(self) -> str:
        """The name of the step, if `execution` has none."""

    @property
    def op_spec(self) -> OpSpec:
        """The attributes of the step."""
        spec = self.execution or OpSpec()
        return spec.model_copy(update={"name": spec.name or self.get_unique_name()})

    def execute(self, context: Any, component_load_context: ComponentLoadContext) -> None:
        """Executes the SQL."""
        self.connection.connect_and_execute(self.get_sql_content(context, component_load_context))

    def invoke_execute_fn(self, context: Any, component_load_context: ComponentLoadContext) -> Iterable[Any]:
        """Executes the SQL, and reports a materialization of each asset."""
        self.execute(context, component_load_context)
        return [MaterializeResult(asset_key=spec.key) for spec in self.assets or []]


class SqlFile(Model):
    """SQL that stands in a file.

    Attributes:
        path: as seen from the folder of the `defs.yaml`.
    """

    path: str


class TemplatedSqlComponent(SqlComponent):
    """Assets computed by SQL, written as a template.

    Attributes:
        sql_template: the template, or the file that contains it.
        sql_template_vars: variables for the template, in addition to the `context` of the step and its `partition_key`.
    """

    sql_template: Annotated[
        str | SqlFile,
        Resolver.passthrough(
            description="The SQL as a template, or {path: FILE}.", examples=["select 1", {"path": "a.sql"}]
        ),
    ]
    sql_template_vars: Mapping[str, Any] | None = Field(None, description="What the template can speak of.")

    def get_sql_content(self, context: Any, component_load_context: ComponentLoadContext) -> str:
        """The SQL, with the template worked out."""
        text = self.sql_template
        if isinstance(text, SqlFile):
            folder = component_load_context.path
            text = Path(folder if folder.is_dir() else folder.parent, text.path).read_text(encoding="utf-8")
        jinja = extra_module("jinja2")
        sandbox = extra_module("jinja2.sandbox").SandboxedEnvironment(undefined=jinja.StrictUndefined)
        return sandbox.from_string(text).render(context=context, **(self.sql_template_vars or {}))

    def get_unique_name(self) -> str:
        """The names of the assets, joined."""
        names = [spec.key.to_python_identifier() for spec in self.assets or []]
        return "_".join(["sql", *names])
