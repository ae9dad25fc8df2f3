"""Hooks, executors and loggers as they are declared, and as tests call them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

import segue as sg

# -- hooks

CALLS: list[Any] = []


@sg.success_hook
def tell(context: sg.HookContext) -> None:
    CALLS.append(("tell", context.op.name))


@sg.failure_hook(name="alarm", required_resource_keys={"pager"})
def call_pager(context: sg.HookContext) -> None:
    CALLS.append((context.resources.pager, repr(context.op_exception)))


class Computation:
    name = "step"


def test_a_hook_is_called_with_a_context() -> None:
    CALLS.clear()
    tell(sg.build_hook_context(op=Computation()))
    tell(context=sg.build_hook_context(op=Computation()))
    call_pager(sg.build_hook_context(resources={"pager": 7}, op_exception=ValueError("x")))
    assert CALLS == [("tell", "step"), ("tell", "step"), (7, "ValueError('x')")]
    assert isinstance(sg.success_hook(name="given")(lambda context: context)(None), sg.HookContext)
    assert (tell.name, call_pager.name, call_pager.required_resource_keys) == ("tell", "alarm", {"pager"})
    assert sg.success_hook(name="other")(tell.decorated_fn).name == "other"  # type: ignore[arg-type]
    assert hash(tell) != hash(call_pager)


def test_wrong_calls_of_hooks_say_why() -> None:
    context = sg.build_hook_context()
    for arguments, named in (((), {}), ((5,), {}), ((context, context), {}), ((), {"other": context})):
        with pytest.raises(sg.InvalidInvocationError, match="'tell'"):
            tell(*arguments, **named)
    with pytest.raises(sg.InvalidDefinitionError, match="'pager'"):
        call_pager(context)
    with pytest.raises(sg.InvalidInvocationError, match="not made by"):
        sg.HookDefinition(name="raw", hook_fn=lambda context, events: None)(context)


def test_a_hook_has_a_name_and_takes_a_context() -> None:
    def nothing() -> None:
        """Takes no context."""

    with pytest.raises(sg.InvalidDefinitionError, match="must take a context"):
        sg.success_hook(nothing)
    with pytest.raises(sg.InvalidDefinitionError, match="not a valid name"):
        sg.failure_hook(name="a b")(tell.decorated_fn)  # type: ignore[arg-type]


def test_a_context_of_a_test_knows_what_it_was_given() -> None:
    with sg.Instance.ephemeral() as instance:
        context = sg.build_hook_context({"a": 1}, Computation(), "run", "job", ValueError("x"), instance)
        assert (context.run_id, context.job_name, context.instance, context.op.name) == ("run", "job", instance, "step")
        assert (context.resources.a, str(context.op_exception), context.log.name) == (1, "x", "segue.user")
    empty = sg.build_hook_context()
    assert empty.op_exception is None
    for name in ("run_id", "job_name", "instance", "op", "step_key", "hook_def", "op_config", "op_output_values"):
        with pytest.raises(sg.InvalidPropertyError, match=f"{name} is not available|has no {name}"):
            getattr(empty, name)


# -- executors


def test_executors_are_named_and_configured() -> None:
    names = [each.name for each in (sg.in_process_executor, sg.multiprocess_executor, sg.multi_or_in_process_executor)]
    assert names == ["in_process", "multiprocess", "multi_or_in_process_executor"]
    two = sg.multiprocess_executor.configured({"max_concurrent": 2}, name="two")
    assert (two.name, two.config_schema.resolve_config(), two.get_requirements({})) == (
        "two",
        {"max_concurrent": 2, "retries": {"enabled": {}}},
        sg.multiple_process_executor_requirements(),
    )
    assert sg.in_process_executor.get_requirements({}) == []
    assert sg.multiprocess_executor.__name__ == "multiprocess_executor"


def test_executors_of_the_user() -> None:
    @sg.executor
    def plain(context: sg.InitExecutorContext) -> sg.Executor:
        raise NotImplementedError

    needs = [sg.ExecutorRequirement.PERSISTENT_OUTPUTS]
    named = sg.executor(name="named", config_schema={"n": int}, requirements=lambda config: needs)(
        plain.executor_creation_fn
    )  # type: ignore[arg-type]
    assert (plain.name, named.name, named.config_schema.config_type, named.get_requirements({})) == (
        "plain",
        "named",
        sg.Shape({"n": int}),
        needs,
    )

    class MyExecutor(sg.Executor):
        def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[Any]:
            yield from ()

        @property
        def retries(self) -> Any:
            return None

    made = MyExecutor()
    hard = sg.ExecutorDefinition.hardcoded_executor(made)
    assert hard.executor_creation_fn is not None
    assert (hard.name, hard.executor_creation_fn(None)) == ("my_executor", made)  # type: ignore[arg-type]
    with pytest.raises(sg.InvalidDefinitionError, match="not a valid name"):
        sg.ExecutorDefinition(5)  # type: ignore[arg-type]


# -- loggers


def test_a_logger_is_made_with_its_config() -> None:
    @sg.logger(config_schema={"level": str}, description="mine")
    def mine(context: sg.InitLoggerContext) -> logging.Logger:
        assert isinstance(context.logger_def, sg.LoggerDefinition)
        return logging.Logger(f"{context.run_id} {context.job_def}", context.logger_config["level"])

    made = mine(sg.build_init_logger_context({"level": "INFO"}, job_def="job"))
    assert (made.name, made.level) == ("__EPHEMERAL_RUN_ID job", logging.INFO)
    assert mine.configured({"level": "ERROR"})(sg.build_init_logger_context()).level == logging.ERROR
    by_function = mine.configured(lambda config: {"level": config.upper()})
    assert by_function(sg.build_init_logger_context("debug")).level == logging.DEBUG
    assert (mine.description, mine.config_schema.config_type) == ("mine", sg.Shape({"level": str}))


def test_a_bare_logger_and_wrong_calls() -> None:
    @sg.logger
    def bare() -> logging.Logger:
        return logging.getLogger("bare")

    assert bare(None).name == bare(sg.build_init_logger_context()).name == "bare"
    for arguments in ((), (5,), (None, None)):
        with pytest.raises(sg.InvalidInvocationError):
            bare(*arguments)
    with pytest.raises(sg.InvalidDefinitionError, match="must return a logging"):
        sg.LoggerDefinition(lambda: 5)(None)  # type: ignore[arg-type,return-value]
    with pytest.raises(sg.InvalidDefinitionError, match="must be a function"):
        sg.LoggerDefinition(5)  # type: ignore[arg-type]
    with pytest.raises(sg.InvariantViolationError, match="not bound to a logger yet"):
        _ = sg.build_init_logger_context().logger_def


@pytest.mark.parametrize("definition", [sg.colored_console_logger, sg.json_console_logger])
def test_console_loggers_write_to_standard_error(
    definition: sg.LoggerDefinition, capsys: pytest.CaptureFixture[str]
) -> None:
    made = definition(sg.build_init_logger_context({"log_level": "warning", "name": "shop"}))
    made.info("quiet")
    made.warning("loud %s", "noise")
    text = capsys.readouterr().err
    assert "loud noise" in text
    assert "shop" in text
    assert "quiet" not in text
    if definition is sg.json_console_logger:
        assert json.loads(text)["message"] == "loud noise"
    for config in ({"level": "INFO"}, {"log_level": "LOUD"}):
        with pytest.raises(sg.InvalidConfigError):
            definition(sg.build_init_logger_context(config))
    assert sg.default_loggers() == {"console": sg.colored_console_logger}


def test_json_lines_tell_what_was_raised() -> None:
    try:
        raise ValueError("broken")
    except ValueError as error:
        record = logging.LogRecord("n", logging.ERROR, "f", 1, "oh", (), (ValueError, error, error.__traceback__))
    assert "ValueError: broken" in json.loads(sg.JsonLogFormatter().format(record))["exc_text"]


# -- lines without a context


def lines_of(instance: sg.Instance) -> list[tuple[str | None, int, str]]:
    return [
        (stored.event.step_key, stored.event.payload.level, stored.event.payload.message)  # type: ignore[union-attr]
        for run in instance.get_runs()
        for stored in instance.all_logs(run.run_id, sg.EventType.LOG_MESSAGE)
    ]


def test_lines_of_code_without_context_are_recorded_with_the_step() -> None:
    log = sg.get_logger("loader")

    class Door(sg.ConfigurableResource):
        def setup_for_execution(self, context: sg.InitResourceContext) -> None:
            log.info("opened")

    @sg.asset
    def numbers(context: sg.AssetExecutionContext, door: sg.ResourceParam[Any]) -> int:
        log.debug("low %s", 1)
        logging.getLogger("segue.user.other").warning("other")
        context.log.log("error", "by name")
        assert isinstance(context.log, sg.LogManager)
        return 1

    log.info("before")
    with sg.Instance.ephemeral() as instance:
        sg.materialize([numbers], instance=instance, resources={"door": Door()})
        assert lines_of(instance) == [
            (None, logging.INFO, "opened"),
            ("numbers", logging.DEBUG, "low 1"),
            ("numbers", logging.WARNING, "other"),
            ("numbers", logging.ERROR, "by name"),
        ]
    log.info("after")
    assert (sg.get_logger().name, log.name) == ("segue.user", "segue.user.loader")
