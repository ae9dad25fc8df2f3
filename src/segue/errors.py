"""Every error Segue raises, drawn as one tree.

    Exception
    ├── SegueError                              anything Segue itself has to say
    │   ├── InvalidDefinitionError              user code declares something impossible
    │   │   ├── DefinitionErrors                several of them at once, shown together
    │   │   ├── CycleError                      assets that depend on themselves, as a path (also ValueError)
    │   │   ├── InvalidConfigDefinitionError    what stands for a config schema is none
    │   │   ├── UnknownAssetError               a definition was asked for an asset it does not have (also KeyError)
    │   │   ├── WrongDeclarationError           a part of a definition is of a wrong type, or beside another (also WrongTypeError)
    │   │   └── WrongValueError                 a part of a definition has a value it cannot have (also ValueError)
    │   ├── InvalidConfigError                  config does not fit the declared schema
    │   │   └── InvalidVariableError            an environment variable does not hold what is read from it (also ValueError)
    │   ├── InvalidInvocationError              a function of the API was called wrongly
    │   │   ├── UnknownPartitionError           a partition key its definition does not have (also ValueError)
    │   │   └── WrongArgumentError              an argument is of a wrong type (also WrongTypeError)
    │   ├── InvalidPropertyError                asked of a context what it cannot know
    │   ├── InvalidSubsetError                  a selection that names nothing, or too little
    │   │   └── UnresolvedSelectionError        it does not fit the definitions (also InvalidDefinitionError)
    │   ├── InvariantViolationError             a value broke a rule at run time
    │   │   ├── ConflictingDefinitionsError     two things said of the same differ (also InvalidDefinitionError)
    │   │   ├── StepOutputNotFoundError         an output without a value, asked for or required (also FileNotFoundError)
    │   │   └── UnresolvedVariableError         an EnvVar was used as if it were its value (also RuntimeError)
    │   ├── NotSupportedError                   known to the API, not built here; names the alternative
    │   ├── UnknownResourceError                a resource nobody provides (also AttributeError)
    │   ├── WrongTypeError                      an argument of any function is of a wrong type (also TypeError)
    │   ├── TypeCheckDidNotPass                 a value is not of the type that is declared
    │   ├── ResourceBusyError                   others hold what a run or a step claims: a partition, slots of a pool
    │   │   └── CircuitOpenError                what is to be called is out of order, and is left alone
    │   ├── RunNotFoundError                    no run with this id
    │   ├── LocationUnavailableError            a code location cannot do what it is asked now
    │   ├── BackfillNotFoundError               no backfill with this id
    │   ├── ExecutionStepNotFoundError          steps are to be run again that there are not
    │   ├── LoadError                           user code could not be imported
    │   ├── StepTimeoutError                    a step took longer than it may (also TimeoutError)
    │   ├── ResolutionError                     a value of a component's file cannot become what it should be
    │   ├── PipesExecutionError                 an external process of a step failed, or could not be understood
    │   ├── ComponentTreeError                  a folder of definitions could not be loaded; the cause says why
    │   ├── ProcessHostError                    the process that starts step processes is gone
    │   ├── SubprocessError                     a step failed in a process of its own
    │   ├── UnmetExecutorRequirementsError      an executor needs what the job or the instance has not
    │   ├── StorageError                        the home folder or its database
    │   │   ├── LeaseLostError                  another holds what this process wanted to write under
    │   │   ├── StorageUnavailableError         unreadable, read-only, full
    │   │   └── StorageVersionError             a schema newer (or older) than this Segue
    │   ├── UserCodeExecutionError              user code raised; the cause is the user's exception
    │   │   ├── ExecutionStepExecutionError     in a step
    │   │   ├── ExecutionLoadInputError         in a step, while an IO manager loaded an input
    │   │   ├── ExecutionHandleOutputError      in a step, while an IO manager stored an output
    │   │   ├── ResourceFunctionError           while a resource was set up
    │   │   ├── TypeCheckError                  while a value was checked against its type
    │   │   ├── ConfigMappingFunctionError      while a config mapping made config
    │   │   └── ScheduleExecutionError          while a schedule was asked
    │   └── RedactedUserCodeError               stands in events for what user code raised, where that is to be hidden
    └── Failure, RetryRequested                 raised BY user code, see `segue.defs.results`

Two stand beside them:

    BaseException
    ├── KeyboardInterrupt
    │   └── ExecutionInterruptedError           Ctrl-C or SIGTERM came while a run was executed
    └── TimeLimitReached                        raised IN user code whose time is over

and the warnings:

    Warning
    ├── DeprecationWarning (Python's own)       superseded, and gone with Dagster 2
    ├── SupersessionWarning (a FutureWarning)   superseded, and kept
    └── ConfigArgumentWarning (a SyntaxWarning) a parameter takes a Config class and is no config

Messages say what happened, where, and what to do. Data that a caller may want to act on stands in attributes.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence


class SegueError(Exception):
    """Root of everything Segue raises on its own account."""

    @property
    def is_user_code_error(self) -> bool:
        """Whether user code raised, as apart from Segue."""
        return False

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.args, vars(self))


def _again(kind: type[SegueError], arguments: tuple[object, ...], attributes: dict[str, object]) -> SegueError:
    """An error as it was, not made anew: what `__init__` takes differs from error to error."""
    error = kind.__new__(kind)
    error.args = arguments
    vars(error).update(attributes)
    return error


class ExecutionInterruptedError(KeyboardInterrupt):
    """Ctrl-C or SIGTERM arrived while a run was executed. Code of a step may clean up, and must let it propagate."""


class TimeLimitReached(BaseException):
    """The time of a step is over: raised in its code, so that it tidies up and ends. The step fails with a StepTimeoutError."""


class StepTimeoutError(SegueError, TimeoutError):
    """A step took longer than its timeout, or than its run had left; the cause shows where it was."""


class InvalidDefinitionError(SegueError):
    """User code declares something that cannot be: a duplicate key, a missing upstream, a wrong type."""


class DefinitionErrors(InvalidDefinitionError):
    """Several definition errors found in one pass: `errors`, in the order in which they were found."""

    def __init__(self, errors: Sequence[InvalidDefinitionError]) -> None:
        self.errors: tuple[InvalidDefinitionError, ...] = tuple(errors)
        lines = [f"{len(self.errors)} errors in the definitions:"]
        lines.extend(f"  {number}. {error}" for number, error in enumerate(self.errors, start=1))
        super().__init__("\n".join(lines))


class CycleError(InvalidDefinitionError, ValueError):
    """Assets that depend on each other in a circle: `path` has their names, the first repeated at the end."""

    def __init__(self, path: Sequence[str]) -> None:
        self.path: tuple[str, ...] = tuple(path)
        super().__init__(
            f"The assets depend on each other in a cycle: {' -> '.join(self.path)}. "
            "Remove one of these dependencies, or split an asset in two."
        )


class InvalidConfigDefinitionError(InvalidDefinitionError):
    """A value that is not a valid config schema.

    Attributes:
        original_root: the whole schema, as it was written.
        current_value: the part of it that is wrong.
        stack: the field names that lead there.
        reason: what is wrong with that part; empty where the message says it all.
    """

    def __init__(
        self,
        message: str,
        original_root: object = None,
        current_value: object = None,
        stack: Sequence[str] = (),
        reason: str = "",
    ) -> None:
        self.original_root = original_root
        self.current_value = current_value
        self.stack: tuple[str, ...] = tuple(stack)
        self.reason = reason
        super().__init__(message)


class ConfigErrorReason(enum.Enum):
    """In which way a config value does not fit its schema."""

    RUNTIME_TYPE_MISMATCH = "RUNTIME_TYPE_MISMATCH"
    MISSING_REQUIRED_FIELD = "MISSING_REQUIRED_FIELD"
    MISSING_REQUIRED_FIELDS = "MISSING_REQUIRED_FIELDS"
    FIELD_NOT_DEFINED = "FIELD_NOT_DEFINED"
    FIELDS_NOT_DEFINED = "FIELDS_NOT_DEFINED"
    FIELD_ALIAS_COLLISION = "FIELD_ALIAS_COLLISION"
    SELECTOR_FIELD_ERROR = "SELECTOR_FIELD_ERROR"
    FAILED_POST_PROCESSING = "FAILED_POST_PROCESSING"


class ConfigViolation:
    """One thing in a config that does not fit.

    Attributes:
        message: the place, what was expected, what came.
        reason: in which way it does not fit.
        path: field names, list indexes and keys of maps that lead to the place from the root.
    """

    __slots__ = ("message", "path", "reason")

    def __init__(
        self,
        message: str,
        reason: ConfigErrorReason = ConfigErrorReason.FAILED_POST_PROCESSING,
        path: Sequence[str | int] = (),
    ) -> None:
        self.message = message
        self.reason = reason
        self.path: tuple[str | int, ...] = tuple(path)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"ConfigViolation({self.message!r}, {self.reason.name}, {self.path!r})"

    def __reduce__(self) -> tuple[type[ConfigViolation], tuple[str, ConfigErrorReason, tuple[str | int, ...]]]:
        return ConfigViolation, (self.message, self.reason, self.path)


class InvalidConfigError(SegueError):
    """Config does not fit the schema that the code declares.

    Attributes:
        errors: everything that does not fit, each with its place, what was expected and what came.
        config_value: the config, where it is known.
        message: all of it as text.
    """

    def __init__(self, message: str, errors: Sequence[ConfigViolation | str] = (), config_value: object = None) -> None:
        self.preamble = message
        self.errors: tuple[ConfigViolation, ...] = tuple(
            ConfigViolation(each) if isinstance(each, str) else each for each in errors
        )
        self.config_value = config_value
        self.message = "\n".join([message, *(f"  {each.message}" for each in self.errors)])
        super().__init__(self.message)


class InvalidVariableError(InvalidConfigError, ValueError):
    """An environment variable does not hold a value of the type that is read from it."""


class AssetCheckFailedError(SegueError):
    """A blocking check of severity ERROR failed: assets downstream must not be materialized."""


class InvalidInvocationError(SegueError):
    """A function of the API was called in a way it does not allow."""


class WrongTypeError(SegueError, TypeError):
    """A function was handed something of a type that it does not take."""


class WrongArgumentError(InvalidInvocationError, WrongTypeError):
    """An argument of the API is of a type that it cannot be."""


class WrongDeclarationError(InvalidDefinitionError, WrongTypeError):
    """A part of a definition is of a type that it cannot be, or does not go with another part."""


class WrongValueError(InvalidDefinitionError, ValueError):
    """A part of a definition is of the right type, but cannot have this value."""


class UnknownAssetError(InvalidDefinitionError, KeyError):
    """A definition was asked for an asset that it does not have."""

    __str__ = Exception.__str__  # a KeyError would show the message as a quoted string


class InvalidPropertyError(SegueError):
    """A context outside of a run does not have what only a run has."""


class InvalidObservationError(SegueError):
    """The observation of an asset returned no version of its content, or one that does not fit its partitions."""


class InvalidSubsetError(SegueError):
    """A selection names something that does not exist, or leaves out something that must come along."""


class UnresolvedSelectionError(InvalidDefinitionError, InvalidSubsetError):
    """A selection names what the definitions do not have, or a part of what a function makes all at once."""


class InvariantViolationError(SegueError):
    """Something that must always hold did not: a missing output, an unexpected return value."""


class ConflictingDefinitionsError(InvalidDefinitionError, InvariantViolationError):
    """Two things that are said of the same contradict each other: two dependencies on one asset, two resources of one key."""


class UnresolvedVariableError(InvariantViolationError, RuntimeError):
    """An `EnvVar` was used as if it were the value of its variable."""


class NotSupportedError(SegueError):
    """A name or parameter that the compatible API knows and this version does not build; the message names the alternative."""


class UnknownPartitionError(InvalidInvocationError, ValueError):
    """A partition key that its partitions definition does not contain."""


class UnknownResourceError(SegueError, AttributeError):
    """A required resource was not provided; `resource_name` is its key."""

    def __init__(self, resource_name: str, message: str) -> None:
        self.resource_name = resource_name
        super().__init__(message)


class TypeCheckDidNotPass(SegueError):
    """A value is not of the type that its input or output declares.

    Attributes:
        description: which value, which type, and why not.
        metadata: the metadata of the type check.
        dagster_type: the type.
    """

    def __init__(
        self,
        description: str | None = None,
        metadata: Mapping[str, object] | None = None,
        dagster_type: object = None,
    ) -> None:
        super().__init__(description or "")
        self.description = description
        self.metadata: Mapping[str, object] = dict(metadata or {})
        self.dagster_type = dagster_type


class LocationUnavailableError(SegueError):
    """A code location cannot do what it is asked now: it has not loaded, does not load, its process is gone, or its code raised."""


class BackfillNotFoundError(SegueError):
    """No backfill with this id is recorded."""


class RunNotFoundError(SegueError):
    """No run with this id (`invalid_run_id`) is recorded."""

    def __init__(self, message: str, invalid_run_id: str) -> None:
        self.invalid_run_id = invalid_run_id
        super().__init__(message)


class ExecutionStepNotFoundError(SegueError):
    """Steps are to be run again that the job, or the run before, does not have: `step_keys`."""

    def __init__(self, message: str, step_keys: Sequence[str]) -> None:
        self.step_keys = tuple(step_keys)
        super().__init__(message)


class StepOutputNotFoundError(InvariantViolationError, FileNotFoundError):
    """The value of an output (`output_name` of `step_key`) is not there: it was asked for, or had to be given."""

    def __init__(self, message: str, step_key: str, output_name: str) -> None:
        self.step_key = step_key
        self.output_name = output_name
        super().__init__(message)


class LoadError(SegueError):
    """User code could not be loaded; the cause, where there is one, is the exception it raised."""


class PipesExecutionError(SegueError):
    """An external process that a step started failed, or said something that could not be read."""


class ResolutionError(SegueError):
    """A value of a component's attributes cannot become what the component wants: a template, a type, a resolver failed."""


class ComponentTreeError(SegueError):
    """A folder of definitions could not be loaded. The message shows where in the folder; the cause says why."""


class ResourceBusyError(SegueError):
    """Others hold what a run or a step claims: they materialize the same partition, or use all slots of a pool.

    Attributes:
        resources: the names of what there is too little of.
        run_ids: the runs that hold it.
    """

    def __init__(self, message: str, resources: Sequence[str] = (), run_ids: Sequence[str] = ()) -> None:
        self.resources: tuple[str, ...] = tuple(resources)
        self.run_ids: tuple[str, ...] = tuple(run_ids)
        super().__init__(message)


class CircuitOpenError(ResourceBusyError):
    """A resource (`resources`) failed too often, and its circuit breaker lets callers fail: try again after `seconds`."""

    def __init__(self, message: str, resources: Sequence[str] = (), seconds: float = 0.0) -> None:
        self.seconds = seconds
        super().__init__(message, resources)


class ProcessHostError(SegueError):
    """The process that starts step processes could not be started, or is gone."""


class SubprocessError(SegueError):
    """A step failed in its own process; the message is what it raised there, or how its process ended.

    Attributes:
        subprocess_error_infos: the exception as data, with the frames of user code.
        step_key: the step.
    """

    def __init__(
        self, message: str, *, subprocess_error_infos: Sequence[object] = (), step_key: str | None = None
    ) -> None:
        self.subprocess_error_infos = list(subprocess_error_infos)
        self.step_key = step_key
        super().__init__(message)


class UnmetExecutorRequirementsError(SegueError):
    """An executor requires something that the job, its code or its instance does not have."""


class StorageError(SegueError):
    """The home folder, or the database in it, cannot serve."""


class LeaseLostError(StorageError):
    """A lease does not, or no longer, belong to who wanted to write under it; nothing was written.

    Attributes:
        name: what the lease is for: the id of a run, or the name of a lease.
        holder: the worker that has it now, as far as the store knows.
    """

    def __init__(self, message: str, name: str, holder: str | None = None) -> None:
        self.name = name
        self.holder = holder
        super().__init__(message)


class StorageUnavailableError(StorageError):
    """The home folder or its database is unreadable, read-only or full."""


class StorageVersionError(StorageError):
    """The database was written by another schema version than this Segue knows."""


class UserCodeExecutionError(SegueError):
    """User code raised; `__cause__` and `user_exception` are the user's own exception."""

    def __init__(self, message: str, user_exception: BaseException | None = None) -> None:
        self.user_exception = user_exception
        super().__init__(message)

    @property
    def is_user_code_error(self) -> bool:
        """True: user code raised."""
        return True


class ExecutionStepExecutionError(UserCodeExecutionError):
    """User code raised inside a step, which `step_key` names."""

    def __init__(self, message: str, step_key: str, user_exception: BaseException | None = None) -> None:
        self.step_key = step_key
        super().__init__(message, user_exception)


class ExecutionLoadInputError(UserCodeExecutionError):
    """Stands in the events of a step for what an IO manager raised while it loaded an input; a run raises that itself."""


class ExecutionHandleOutputError(UserCodeExecutionError):
    """Stands in the events of a step for what an IO manager raised while it stored an output; a run raises that itself."""


class RedactedUserCodeError(SegueError):
    """Stands in events for what user code raised, where that is to be hidden."""


class ResourceFunctionError(UserCodeExecutionError):
    """User code raised while a resource was set up or torn down."""


class TypeCheckError(UserCodeExecutionError):
    """The check of a type raised; the cause is its exception."""


class ScheduleExecutionError(UserCodeExecutionError):
    """User code raised while a schedule was evaluated."""


class ConfigMappingFunctionError(UserCodeExecutionError):
    """The function of a config mapping or of `configured` raised, or returned no config; the cause is its exception."""


class SupersessionWarning(FutureWarning):
    """Something is used whose place another has taken; it stays, and the message names the other."""


class ConfigArgumentWarning(SyntaxWarning):
    """A parameter is annotated with a Config class and is an input all the same, as it is not called `config`."""
