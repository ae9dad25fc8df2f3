"""Components whose step is a script, run in a process of its own that may report with pipes."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from segue.defs.bindings import bound
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.executable import ExecutableComponent, OpSpec


class ScriptSpec(OpSpec):
    """A step that is a script.

    Attributes:
        path: the script, as seen from the folder of the `defs.yaml`.
        args: what it is called with: a list, or one text that is split as a shell does.
    """

    type: Literal["script"] = "script"
    path: str
    args: list[str] | str | None = None

    @property
    def arguments(self) -> list[str]:
        """What the script is called with."""
        return shlex.split(self.args) if isinstance(self.args, str) else list(self.args or ())


class ScriptComponent(ExecutableComponent):
    """Assets and checks that a script makes.

    Attributes:
        assets, checks: what the script makes; an asset that it reports nothing of counts as made when it ends well.
        execution: the script.
    """

    execution: ScriptSpec

    @property
    def op_spec(self) -> OpSpec:
        """What there is to say of the step; it is called as the script."""
        own = re.sub(r"\W", "_", Path(self.execution.path).stem)
        return self.execution.model_copy(update={"name": self.execution.name or own})

    def command(self, script: str) -> list[str]:
        """The program that runs a script, with its arguments."""
        raise NotImplementedError

    def invoke_execute_fn(self, context: Any, component_load_context: ComponentLoadContext) -> Iterable[Any]:
        """Runs the script, and gives what it reported."""
        here = component_load_context.path
        script = Path(here if here.is_dir() else here.parent, self.execution.path)
        done = bound("pipes_subprocess_client")().run(context=context, command=self.command(str(script)))
        return done.get_results()


class PythonScriptComponent(ScriptComponent):
    """Assets and checks computed by a Python script, run by the same Python interpreter."""

    def command(self, script: str) -> list[str]:
        """Python, the script and its arguments."""
        return [sys.executable, script, *self.execution.arguments]


class UvRunComponent(ScriptComponent):
    """Assets and checks computed by a Python script, run by `uv run`, which installs its dependencies."""

    def command(self, script: str) -> list[str]:
        """uv, the script and its arguments."""
        return ["uv", "run", script, *self.execution.arguments]
