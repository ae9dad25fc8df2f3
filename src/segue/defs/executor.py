"""Executors as they are declared: who runs the steps of a job."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import msgspec

from segue.defs.config_schema.declared import ANY_CONFIG, DefinitionConfigSchema, declared_schema
from segue.defs.config_schema.elements import Noneable
from segue.defs.config_schema.shapes import Field, Permissive, Selector, Shape
from segue.defs.configurable import NamedConfigurable
from segue.defs.signature import function_name
from segue.errors import NotSupportedError, WrongDeclarationError
from segue.model.keys import require_text

if TYPE_CHECKING:
    from segue.defs.instance import Instance


class ExecutorRequirement(enum.Enum):
    """The requirements of an executor on its job.

    RECONSTRUCTABLE_PIPELINE: the code can be loaded again in another process. NON_EPHEMERAL_INSTANCE: other processes can
    read what is recorded. PERSISTENT_OUTPUTS: other processes can read the values of outputs.
    """

    RECONSTRUCTABLE_PIPELINE = "RECONSTRUCTABLE_PIPELINE"
    RECONSTRUCTABLE_JOB = "RECONSTRUCTABLE_PIPELINE"  # two names of one requirement
    NON_EPHEMERAL_INSTANCE = "NON_EPHEMERAL_INSTANCE"
    PERSISTENT_OUTPUTS = "PERSISTENT_OUTPUTS"


class Executor(ABC):
    """Base of what runs the steps of a plan, for executors of the user's own."""

    @abstractmethod
    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[Any]:
        """Runs the steps, and yields their events."""

    @property
    @abstractmethod
    def retries(self) -> Any:
        """Whether steps are tried again."""


class InitExecutorContext(msgspec.Struct, frozen=True, kw_only=True):
    """The context of a function that creates an executor.

    Attributes:
        job: the job it shall run.
        executor_def: its definition.
        executor_config: its config.
        instance: the instance that records the run.
    """

    job: Any
    executor_def: ExecutorDefinition
    executor_config: Mapping[str, object]
    instance: Instance


CreateExecutor: TypeAlias = Callable[[InitExecutorContext], Executor]
Requirements: TypeAlias = (
    Callable[[Mapping[str, object]], Sequence[ExecutorRequirement]] | Sequence[ExecutorRequirement]
)


class ExecutorDefinition(NamedConfigurable):
    """How the steps of a job are run.

    Args:
        name: for people and run config.
        config_schema: what config it takes.
        requirements: its requirements on the job, as a list or by a function of the config.
        executor_creation_fn: creates the executor.
        description: for people.

    Raises:
        InvalidDefinitionError: a bad name.
    """

    built_in: str | None = None
    """Which of the executors that the engine knows it is, with whatever config; None for one of the user's own."""

    def __init__(
        self,
        name: str,
        config_schema: object = None,
        requirements: Requirements | None = None,
        executor_creation_fn: CreateExecutor | None = None,
        description: str | None = None,
    ) -> None:
        require_text(name, "an executor", "ExecutorDefinition")
        self.name = name
        self._config_schema = declared_schema(config_schema, f"executor {name!r}") or ANY_CONFIG
        self.description = description
        self.executor_creation_fn = executor_creation_fn
        self._requirements = requirements
        self.__name__: str = getattr(executor_creation_fn, "__name__", name)

    def __repr__(self) -> str:
        return f"ExecutorDefinition({self.name!r})"

    def get_requirements(self, executor_config: Mapping[str, object]) -> Sequence[ExecutorRequirement]:
        """Its requirements on a job, with this config."""
        found = self._requirements
        if found is None:
            return []
        return found(executor_config) if callable(found) else list(found)

    @property
    def config_schema(self) -> DefinitionConfigSchema:
        """What config it takes."""
        return self._config_schema

    @property
    def configured_name(self) -> str:
        """The name of one with fixed config, where none is given: the same."""
        return self.name

    def copy_for_configured(self, name: str, description: str | None, config_schema: Any) -> ExecutorDefinition:
        """The same executor under another name, with another config schema."""
        made = ExecutorDefinition(
            name=name,
            config_schema=config_schema,
            requirements=self._requirements,
            executor_creation_fn=self.executor_creation_fn,
            description=description or self.description,
        )
        made.built_in = self.built_in
        return made

    @staticmethod
    def hardcoded_executor(executor: Executor) -> ExecutorDefinition:
        """The definition of an executor that exists already."""
        return ExecutorDefinition(
            name=_snake_case(type(executor).__name__), executor_creation_fn=lambda _: executor, requirements=[]
        )


def _snake_case(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


@overload
def executor(name: CreateExecutor) -> ExecutorDefinition: ...
@overload
def executor(
    name: str | None = None, config_schema: object = None, requirements: Requirements | None = None
) -> Callable[[CreateExecutor], ExecutorDefinition]: ...
def executor(
    name: CreateExecutor | str | None = None, config_schema: object = None, requirements: Requirements | None = None
) -> ExecutorDefinition | Callable[[CreateExecutor], ExecutorDefinition]:
    """Declares an executor by a function that creates it.

    Args:
        name: the function's name when None; bare, without arguments, it takes the function.
        config_schema: what config it takes.
        requirements: its requirements on the job, as a list or by a function of the config.

    Raises:
        InvalidDefinitionError: a bad name.
    """

    def decorate(function: CreateExecutor) -> ExecutorDefinition:
        own_name = name if isinstance(name, str) else function_name(function, "executor")
        return ExecutorDefinition(own_name, config_schema, requirements, function, function.__doc__)

    return decorate if name is None or isinstance(name, str) else decorate(name)


def multiple_process_executor_requirements() -> Sequence[ExecutorRequirement]:
    """What executors need that run steps in other processes."""
    return [
        ExecutorRequirement.RECONSTRUCTABLE_JOB,
        ExecutorRequirement.NON_EPHEMERAL_INSTANCE,
        ExecutorRequirement.PERSISTENT_OUTPUTS,
    ]


TAG_LIMITS = Field(Noneable([Permissive({"key": str, "limit": int})]), is_required=False)
RETRIES = Field(Selector({"enabled": {}, "disabled": {}}), default_value={"enabled": {}})
_DEPENDENCIES = Field({"require_upstream_step_success": Field(bool, default_value=True)}, is_required=False)
_IN_PROCESS = Shape({"retries": RETRIES, "step_dependency_config": _DEPENDENCIES})
_MULTIPROCESS = Shape(
    {
        "max_concurrent": Noneable(int),
        "retries": RETRIES,
        "step_dependency_config": _DEPENDENCIES,
        "start_method": Field(Selector({"spawn": {}, "forkserver": Permissive()}), is_required=False),
        "tag_concurrency_limits": TAG_LIMITS,
    }
)


def _built_in(name: str, description: str, config_schema: object, requirements: Requirements) -> ExecutorDefinition:
    """One of the executors that the engine knows by name; it is never made by a function."""

    def create(context: InitExecutorContext) -> Executor:
        raise NotSupportedError(f"The executor {context.executor_def.name!r} is built in and cannot be instantiated.")

    create.__name__ = create.__qualname__ = name if name.endswith("_executor") else f"{name}_executor"
    create.__doc__ = description
    made = ExecutorDefinition(name, config_schema, requirements, create, description)
    made.built_in = name
    return made


in_process_executor = _built_in(
    "in_process", "Runs the steps one after another in the process of the run.", _IN_PROCESS, []
)
multiprocess_executor = _built_in(
    "multiprocess",
    "Runs each step in a process of its own.",
    _MULTIPROCESS,
    multiple_process_executor_requirements(),
)
multi_or_in_process_executor = _built_in(
    "multi_or_in_process_executor",
    "Runs each step in a process of its own, or all of them in the process of the run, as the run config says.",
    Field(Selector({"multiprocess": _MULTIPROCESS, "in_process": _IN_PROCESS}), default_value={"multiprocess": {}}),
    multiple_process_executor_requirements(),
)


def default_executor() -> ExecutorDefinition:
    """The executor of a job that names none, where neither its definitions nor the deployment do."""
    return multi_or_in_process_executor


_THREADS = Shape(
    {
        "max_concurrent": Noneable(int),
        "retries": RETRIES,
        "step_dependency_config": _DEPENDENCIES,
        "tag_concurrency_limits": TAG_LIMITS,
    }
)
threads_executor = _built_in("threads", "Runs each step in a thread of the process of the run.", _THREADS, [])
async_executor = _built_in(
    "async",
    "Runs async functions on one event loop in the process of the run, side by side, and other steps one after another.",
    _THREADS,
    [],
)


def require_executor(value: object, where: str) -> ExecutorDefinition | None:
    """The executor that a definition was given.

    Raises:
        InvalidDefinitionError: something else.
    """
    if value is None or isinstance(value, ExecutorDefinition):
        return value
    if isinstance(value, Executor):
        return ExecutorDefinition.hardcoded_executor(value)
    raise WrongDeclarationError(
        f"{where}: {value!r} is not an executor; use in_process_executor or a function decorated with @executor."
    )


def require_built_in(value: object, where: str) -> ExecutorDefinition | None:
    """The executor that a definition was given, if it is one that the engine knows.

    Raises:
        InvalidDefinitionError: something else.
        NotSupportedError: an executor of the user's own.
    """
    found = require_executor(value, where)
    if found is not None and found.built_in is None:
        raise NotSupportedError(
            f"{where}: custom executors ({found.name!r}) are not supported yet: use multiprocess_executor or "
            "in_process_executor, or remove it."
        )
    return found
