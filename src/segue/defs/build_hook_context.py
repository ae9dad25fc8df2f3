"""`build_hook_context`: a context to call a hook with in a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from segue.defs.hook import HookContext
from segue.defs.instance import Instance
from segue.defs.log import get_logger
from segue.defs.resource_context import Resources
from segue.defs.tick_context import TickContext
from segue.errors import InvalidPropertyError


class UnboundHookContext(HookContext, TickContext):
    """What `build_hook_context` makes: a context outside of any run, which knows only what it was given."""

    builder: ClassVar[str] = "build_hook_context"
    _GIVEN: ClassVar[tuple[str, ...]] = ("op", "run_id", "job_name", "instance")

    def __init__(self, resources: Mapping[str, object] | None, instance: Instance | None, **facts: Any) -> None:
        HookContext.__init__(self, **facts)
        TickContext.__init__(self, instance=instance, resources=resources)

    def _fact(self, name: str) -> Any:
        if name in self._GIVEN:
            value = self._instance if name == "instance" else self._facts[name]
            if value is None:
                raise InvalidPropertyError(f"This context has no {name}. Pass one to build_hook_context({name}=...).")
            return value
        if name in self._facts:
            return self._facts[name]
        raise InvalidPropertyError(
            f"{name} is not available in a context made by build_hook_context; it exists only in a run."
        )

    def require_resources(self, keys: Iterable[str]) -> None:
        for key in sorted(keys):
            self.require_resource(key)

    @property
    def instance(self) -> Instance:
        """The instance it was given."""
        return self._fact("instance")

    @property
    def resources(self) -> Any:
        """The resources it was given, as attributes; they are set up on first use."""
        return Resources(self.opened())

    @property
    def log(self) -> Any:
        """A standard logger."""
        return get_logger()


def build_hook_context(
    resources: Mapping[str, Any] | None = None,
    op: Any = None,
    run_id: str | None = None,
    job_name: str | None = None,
    op_exception: Exception | None = None,
    instance: Instance | None = None,
) -> UnboundHookContext:
    """A context to call a hook with in a test.

    Args:
        resources: by key: objects, or resources that are set up on first use.
        op: the computation of the step that is said to have ended.
        run_id, job_name: the run and the job.
        op_exception: what the step is said to have raised.
        instance: the instance that records runs and assets.
    """
    return UnboundHookContext(resources, instance, op=op, run_id=run_id, job_name=job_name, op_exception=op_exception)
