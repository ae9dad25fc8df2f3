"""What is passed as the executor, the loggers and the hooks of runs. Loads none of them where nothing is passed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from segue.defs.bindings import bound
from segue.defs.run_config import RunConfig
from segue.errors import WrongArgumentError, WrongDeclarationError
from segue.model.arguments import require_names

if TYPE_CHECKING:
    from segue.defs.executor import ExecutorDefinition
    from segue.defs.hook import HookDefinition
    from segue.defs.logger import LoggerDefinition


_KINDS: Mapping[str, type] = {
    "partition_key": str,
    "run_id": str,
    **dict.fromkeys(("tags", "resources", "input_values"), Mapping),
}


def require_run_arguments(what: str, **given: object) -> None:
    """Refuses what cannot be an argument of a run in this process.

    Args:
        what: the function that was called.
        given: its arguments, by name.

    Raises:
        WrongArgumentError: one of them is of a wrong type.
    """
    for name, value in given.items():
        if value is not None and not isinstance(value, _KINDS[name]):
            raise WrongArgumentError(f"{what}: {name} must be of type {_KINDS[name].__name__}, got {value!r}.")
        require_names(what, name, cast("Mapping[object, object]", value) if isinstance(value, Mapping) else None)


def executor_of(value: object, where: str) -> ExecutorDefinition | None:
    """The executor that was passed, if any.

    Raises:
        InvalidDefinitionError: it is none.
    """
    return None if value is None else bound("require_executor")(value, where)


def loggers_of(value: object, where: str) -> Mapping[str, LoggerDefinition]:
    """The loggers that were passed, by key.

    Raises:
        InvalidDefinitionError: no mapping, or not of loggers.
    """
    return {} if value is None else bound("require_loggers")(value, where)


def hooks_of(value: object, where: str) -> frozenset[HookDefinition]:
    """The hooks that were passed.

    Raises:
        InvalidDefinitionError: no set of hooks.
    """
    return frozenset() if value is None else bound("require_hooks")(value, where)


def job_config_of(value: Any, where: str) -> Any:
    """The config that was passed for a job: a mapping, a `RunConfig`, a config mapping, or config by partition.

    Raises:
        WrongDeclarationError: something else.
    """
    given: object = value
    if given is None or isinstance(given, (Mapping, RunConfig)) or getattr(type(given), "is_job_config", False):
        return value
    raise WrongDeclarationError(
        f"{where}: config must be a mapping, a RunConfig, a ConfigMapping or a PartitionedConfig, got {value!r}."
    )
