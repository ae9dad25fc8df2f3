"""Loggers of runs: each gets the lines and events of the runs whose config names it, as records of Python's logging."""

from __future__ import annotations

import inspect
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast, overload

import msgspec

from segue.defs.config_schema.declared import ANY_CONFIG, DefinitionConfigSchema, declared_schema
from segue.defs.config_schema.place import NO_VALUE
from segue.defs.config_schema.shapes import Field
from segue.defs.configurable import Configurable
from segue.defs.run_loggers import EVENT_ATTRIBUTE
from segue.errors import (
    InvalidConfigError,
    InvalidDefinitionError,
    InvalidInvocationError,
    InvariantViolationError,
    WrongDeclarationError,
)
from segue.model import codec
from segue.model.event import Event

EPHEMERAL_RUN_ID = "__EPHEMERAL_RUN_ID"
_CONSOLE = {
    "log_level": Field(str, default_value="INFO", description="lowest level that is written"),
    "name": Field(str, default_value="segue", description="the name of the logger"),
}
_LINE = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
_NOT_IN_JSON = ("args", "exc_info", EVENT_ATTRIBUTE)  # the event stands in the facts of the run
_COLORS = {"DEBUG": 34, "WARNING": 33, "ERROR": 31, "CRITICAL": 31}


class InitLoggerContext:
    """The context of a function that creates a logger.

    Attributes:
        logger_config: its config.
        logger_def: its definition.
        job_def: the job of the run.
        run_id: the run.
    """

    def __init__(
        self,
        logger_config: Any,
        logger_def: LoggerDefinition | None = None,
        job_def: Any = None,
        run_id: str | None = None,
    ) -> None:
        self.logger_config = logger_config
        self.job_def = job_def
        self._logger_def = logger_def
        self._run_id = run_id

    @property
    def logger_def(self) -> LoggerDefinition | None:
        """The definition of the logger."""
        return self._logger_def

    @property
    def run_id(self) -> str | None:
        """The run."""
        return self._run_id


class UnboundInitLoggerContext(InitLoggerContext):
    """What `build_init_logger_context` makes: a context outside of any run."""

    @property
    def logger_def(self) -> LoggerDefinition | None:
        """Raises InvariantViolationError: no logger is being made yet."""
        raise InvariantViolationError("This context is not bound to a logger yet. Call a logger definition with it.")

    @property
    def run_id(self) -> str | None:
        """A stand-in for the id of a run."""
        return EPHEMERAL_RUN_ID


LoggerFunction: TypeAlias = Callable[[InitLoggerContext], logging.Logger]


class LoggerDefinition(Configurable):
    """The definition of a logger.

    Args:
        logger_fn: creates the logger of one run.
        config_schema: what config it takes; any when None.
        description: for people.
    """

    def __init__(
        self, logger_fn: Callable[..., logging.Logger], config_schema: Any = None, description: str | None = None
    ) -> None:
        if not callable(logger_fn):
            raise WrongDeclarationError(
                f"LoggerDefinition: logger_fn must be a function that returns a logger, got {logger_fn!r}."
            )
        self.logger_fn = logger_fn
        self._config_schema = (
            declared_schema(config_schema, f"logger {getattr(logger_fn, '__name__', '')!r}") or ANY_CONFIG
        )
        self.description = description

    @property
    def config_schema(self) -> DefinitionConfigSchema:
        """What config it takes."""
        return self._config_schema

    def __call__(self, *args: object, **kwargs: object) -> logging.Logger:
        """The logger for a context, as a test makes it with `build_init_logger_context`.

        Raises:
            InvalidInvocationError: not one argument, the context.
            InvalidConfigError: the config is invalid.
        """
        if len(args) + len(kwargs) != 1:
            raise InvalidInvocationError(
                "A logger definition must be called with one argument, its context. Use "
                "build_init_logger_context() to create one."
            )
        context = next(iter((*args, *kwargs.values())))
        if context is not None and not isinstance(context, InitLoggerContext):
            raise InvalidInvocationError(
                f"A logger definition must be called with an InitLoggerContext, got {context!r}."
            )
        config = None if context is None else context.logger_config
        job = None if context is None else context.job_def
        return self.make(config, job, EPHEMERAL_RUN_ID)

    def __repr__(self) -> str:
        return f"LoggerDefinition({getattr(self.logger_fn, '__name__', self.logger_fn)!r})"

    def make(self, config: object, job_def: object, run_id: str | None) -> logging.Logger:
        """The logger of one run.

        Raises:
            InvalidConfigError: the config is invalid.
            InvalidDefinitionError: the function gave no logger.
        """
        context = InitLoggerContext(self._config(config), self, job_def, run_id)
        takes_context = bool(inspect.signature(self.logger_fn).parameters)
        made = self.logger_fn(context) if takes_context else self.logger_fn()
        if not isinstance(made, logging.Logger):  # pyright: ignore[reportUnnecessaryIsInstance] reason: the user's function
            raise InvalidDefinitionError(
                f"The logger function {self.logger_fn!r} must return a logging.Logger, got {made!r}."
            )
        return made

    def _config(self, config: object) -> object:
        return self._config_schema.resolve_config(NO_VALUE if config is None else config)

    def copy_for_configured(self, description: str | None, config_schema: Any) -> LoggerDefinition:
        """The same logger with another config schema."""
        return LoggerDefinition(self.logger_fn, config_schema, description or self.description)


@overload
def logger(config_schema: LoggerFunction) -> LoggerDefinition: ...
@overload
def logger(
    config_schema: Mapping[str, Any] | type | None = None, description: str | None = None
) -> Callable[[Callable[..., logging.Logger]], LoggerDefinition]: ...
def logger(
    config_schema: Any = None, description: str | None = None
) -> LoggerDefinition | Callable[[Callable[..., logging.Logger]], LoggerDefinition]:
    """Declares a logger by a function that creates it.

    Args:
        config_schema: what config it takes; bare, without arguments, it takes the function.
        description: for people.
    """
    if inspect.isfunction(config_schema):
        return LoggerDefinition(config_schema)
    return lambda function: LoggerDefinition(function, config_schema, description)


def build_init_logger_context(logger_config: Any = None, job_def: Any = None) -> UnboundInitLoggerContext:
    """A context for creating a logger in a test.

    Args:
        logger_config: its config.
        job_def: the job of the run.
    """
    return UnboundInitLoggerContext(logger_config, job_def=job_def)


class JsonLogFormatter(logging.Formatter):
    """Writes each record as one line of JSON: its attributes, and details of the run under `dagster_meta`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        fields = {key: value for key, value in vars(record).items() if key not in _NOT_IN_JSON}
        fields["message"] = record.getMessage()
        if record.exc_info:
            fields["exc_text"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=_json_form, sort_keys=True)


def _json_form(value: object) -> object:
    """An event as it is stored; anything else as its text."""
    return msgspec.json.decode(codec.encode(value)) if isinstance(value, Event) else str(value)


class _ColoredFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        color = _COLORS.get(record.levelname)
        line = super().format(record)
        return line if color is None else f"\x1b[{color}m{line}\x1b[0m"


def _console(context: InitLoggerContext, formatter: logging.Formatter) -> logging.Logger:
    """A logger that writes to standard error."""
    config = cast("Mapping[str, str]", context.logger_config)
    level = logging.getLevelNamesMapping().get(config["log_level"].upper())
    if level is None:
        raise InvalidConfigError(
            "The config of the console logger is invalid:",
            [f"log_level: {config['log_level']!r} is not a valid level: use one of {', '.join(_COLORS)} or INFO."],
        )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    made = logging.Logger(config["name"], level)
    made.addHandler(handler)
    return made


def _colored(context: InitLoggerContext) -> logging.Logger:
    return _console(context, _ColoredFormatter(_LINE))


def _json(context: InitLoggerContext) -> logging.Logger:
    return _console(context, JsonLogFormatter())


colored_console_logger = LoggerDefinition(_colored, _CONSOLE, "Writes lines in color to standard error.")
json_console_logger = LoggerDefinition(_json, _CONSOLE, "Writes lines of JSON to standard error.")


def default_loggers() -> Mapping[str, LoggerDefinition]:
    """The loggers of a job that names none."""
    return {"console": colored_console_logger}


def default_system_loggers(instance: object = None) -> Sequence[tuple[LoggerDefinition, Mapping[str, object]]]:
    """The loggers of what happens outside of a job, each with its config.

    Args:
        instance: takes nothing: they are the same for each.
    """
    del instance  # a parameter of the compatible API
    return [(colored_console_logger, {"name": "segue", "log_level": "DEBUG"})]


def require_loggers(loggers: object, where: str) -> dict[str, LoggerDefinition]:
    """The loggers that a definition was given, by key.

    Raises:
        InvalidDefinitionError: something else.
    """
    if loggers is None:
        return {}
    if not isinstance(loggers, Mapping):
        raise WrongDeclarationError(f"{where}: loggers must be a mapping of logger keys to loggers, got {loggers!r}.")
    found = cast("Mapping[str, object]", loggers)
    for key, value in found.items():
        if not isinstance(value, LoggerDefinition):
            raise WrongDeclarationError(
                f"{where}: the logger {key!r} must be a LoggerDefinition, got {value!r}. Declare it with @logger."
            )
    return dict(cast("Mapping[str, LoggerDefinition]", found))
