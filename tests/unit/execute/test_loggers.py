"""Loggers of runs: which are on, what they are given, and what becomes of those that fail."""

from __future__ import annotations

import json
import logging

import pytest

import segue as sg


class Keeps(logging.Handler):
    """Keeps what it is given, and raises where it is told to."""

    def __init__(self, fails_on: str = "\0") -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.fails_on = fails_on

    def emit(self, record: logging.LogRecord) -> None:
        if self.fails_on in record.msg:
            raise OSError("disk full")
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        return [each.dagster_meta["orig_message"] for each in self.records]  # type: ignore[attr-defined]


def keeping(handler: Keeps, level: int = logging.DEBUG) -> sg.LoggerDefinition:
    @sg.logger(config_schema={"name": sg.Field(str, default_value="kept")})
    def kept(context: sg.InitLoggerContext) -> logging.Logger:
        made = logging.Logger(context.logger_config["name"], level)
        made.addHandler(handler)
        return made

    return kept


@sg.op
def roast(context: sg.OpExecutionContext) -> None:
    context.log.info("%d beans at 100%%", 5, extra={"batch": 7})
    try:
        raise ValueError("burnt")
    except ValueError:
        context.log.exception("too hot")
    sg.get_logger("oven").warning("off")


def roastery(**loggers: sg.LoggerDefinition) -> sg.JobDefinition:
    @sg.job(logger_defs=loggers, tags={"owner": "ada"})
    def roastery() -> None:
        roast()

    return roastery


def test_a_logger_that_is_on_gets_lines_and_events_with_what_is_known_of_them() -> None:
    handler = Keeps()
    job = roastery(kept=keeping(handler))
    result = job.execute_in_process(run_config={"loggers": {"kept": {"config": {"name": "mine"}}}})

    assert handler.lines == [event.message for event in result.all_logs]
    assert {each.name for each in handler.records} == {"mine"}
    started = next(each for each in handler.records if " - STEP_START - " in each.msg)
    assert started.levelno == logging.DEBUG
    assert started.dagster_event.event_type is sg.EventType.STEP_START  # type: ignore[attr-defined]
    line, hot, _ = [each for each in handler.records if each.levelno >= logging.INFO]
    assert line.getMessage() == f"roastery - {result.run_id} - roast - 5 beans at 100%"
    assert line.batch == 7  # type: ignore[attr-defined]
    facts = line.dagster_meta  # type: ignore[attr-defined]
    assert (facts["run_id"], facts["job_name"], facts["op_name"], facts["step_key"]) == (
        result.run_id,
        "roastery",
        "roast",
        "roast",
    )
    assert (facts["job_tags"], facts["dagster_event"]) == ({"owner": "ada"}, None)
    assert hot.exc_info is not None
    assert isinstance(hot.exc_info[1], ValueError)


def test_only_loggers_that_the_config_names_are_on_and_each_keeps_its_level() -> None:
    on, off, loud = Keeps(), Keeps(), Keeps()
    job = roastery(on=keeping(on), off=keeping(off), loud=keeping(loud, logging.ERROR))
    job.execute_in_process(run_config={"loggers": {"on": {}, "loud": {}}})
    assert on.lines[0].startswith("Started execution")
    assert off.records == []
    assert loud.lines == ["too hot"]


def test_failures_reach_loggers_as_errors_with_their_traceback() -> None:
    @sg.op
    def spill() -> None:
        raise RuntimeError("wet floor")

    handler = Keeps()

    @sg.job(logger_defs={"kept": keeping(handler, logging.ERROR)}, config={"loggers": {"kept": {}}})
    def spilling() -> None:
        spill()

    assert not spilling.execute_in_process(raise_on_error=False).success
    step, run = handler.records
    assert (step.dagster_event.event_type, run.dagster_event.event_type) == (  # type: ignore[attr-defined]
        sg.EventType.STEP_FAILURE,
        sg.EventType.RUN_FAILURE,
    )
    assert "RuntimeError: wet floor" in step.msg
    assert "in spill" in step.msg


def test_a_logger_that_raises_is_given_no_more_and_the_log_says_why() -> None:
    broken, whole = Keeps(fails_on="beans"), Keeps()
    instance = sg.Instance.ephemeral()
    job = roastery(broken=keeping(broken), whole=keeping(whole))
    result = job.execute_in_process(run_config={"loggers": {"broken": {}, "whole": {}}}, instance=instance)
    assert result.success
    assert not any("too hot" in line for line in broken.lines)
    assert "too hot" in whole.lines
    warnings = [each for each in instance.all_logs(result.run_id) if "disk full" in each.message]
    assert [(each.level, each.step_key) for each in warnings] == [(logging.WARNING, "roast")]
    assert warnings[0].error_info is not None
    assert warnings[0].error_info.cls_name == "OSError"


def test_a_logger_that_cannot_be_made_fails_the_run() -> None:
    @sg.logger
    def unmade(_context: sg.InitLoggerContext) -> logging.Logger:
        raise OSError("no such socket")

    instance = sg.Instance.ephemeral()
    with pytest.raises(OSError, match="no such socket"):
        roastery(unmade=unmade).execute_in_process(run_config={"loggers": {"unmade": {}}}, instance=instance)
    (run,) = instance.get_runs()
    assert run.status is sg.RunStatus.FAILURE


def test_lines_go_to_python_logging_unless_loggers_are_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    job = roastery(kept=keeping(Keeps()))
    job.execute_in_process()
    assert "5 beans at 100%" in caplog.messages
    caplog.clear()
    job.execute_in_process(run_config={"loggers": {"kept": {}}})
    assert "5 beans at 100%" not in caplog.messages


def test_the_console_of_a_job_that_names_no_loggers(capsys: pytest.CaptureFixture[str]) -> None:
    job = roastery()
    job.execute_in_process(run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}})
    written = capsys.readouterr().err
    assert "ERROR - roastery - " in written
    assert "ValueError: burnt" in written
    assert "beans" not in written


def test_the_json_console_writes_lines_and_events(capsys: pytest.CaptureFixture[str]) -> None:
    job = roastery(lines=sg.json_console_logger)
    job.execute_in_process(run_config={"loggers": {"lines": {"config": {"log_level": "DEBUG"}}}})
    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    line = next(each for each in written if each["levelname"] == "INFO")
    assert (line["dagster_meta"]["orig_message"], line["batch"]) == ("5 beans at 100%", 7)
    kinds = [each["dagster_meta"]["dagster_event"]["payload"]["type"] for each in written if each["levelno"] == 10]
    assert "STEP_SUCCESS" in kinds


@sg.asset
def beans(context: sg.AssetExecutionContext) -> None:
    context.log.info("picked")


def test_loggers_and_executor_of_definitions_are_those_of_jobs_that_name_none() -> None:
    ours, own = Keeps(), Keeps()
    named = roastery(own=keeping(own)).with_executor_def(sg.multiprocess_executor)
    plain = roastery().replaced(name="plain")
    picking = sg.define_asset_job("picking", "*")
    defs = sg.Definitions(
        [beans], jobs=[named, plain, picking], loggers={"ours": keeping(ours)}, executor=sg.in_process_executor
    )
    found = {name: defs.resolve_job_def(name) for name in ("roastery", "plain", "picking", "__ASSET_JOB")}
    assert {name: sorted(job.loggers) for name, job in found.items()} == {
        "roastery": ["own"],
        "plain": ["ours"],
        "picking": ["ours"],
        "__ASSET_JOB": ["ours"],
    }
    assert found["roastery"].executor_def is sg.multiprocess_executor
    assert {found[name].executor_def for name in ("plain", "picking", "__ASSET_JOB")} == {sg.in_process_executor}
    for name in ("plain", "picking"):
        ours.records.clear()
        found[name].execute_in_process(run_config={"loggers": {"ours": {}}})
        assert any(each.levelno == logging.INFO for each in ours.records), name
    with pytest.raises(sg.InvalidConfigError, match="Expected: ours"):
        found["picking"].execute_in_process(run_config={"loggers": {"console": {}}})
    with pytest.raises(sg.InvalidConfigError, match="max_concurrent"):
        found["picking"].execute_in_process(run_config={"execution": {"config": {"max_concurrent": 2}}})


def test_definitions_keep_loggers_and_executor_when_merged() -> None:
    kept = keeping(Keeps())
    one, two = sg.Definitions(loggers={"a": kept}, executor=sg.in_process_executor), sg.Definitions(loggers={"b": kept})
    merged = sg.Definitions.merge(one, two)
    assert (merged.loggers, merged.executor) == ({"a": kept, "b": kept}, sg.in_process_executor)
    with pytest.raises(sg.InvalidDefinitionError, match="loggers were provided for the key 'a'"):
        sg.Definitions.merge(one, sg.Definitions(loggers={"a": keeping(Keeps())}))
    with pytest.raises(sg.InvalidDefinitionError, match="executors"):
        sg.Definitions.merge(one, sg.Definitions(executor=sg.multiprocess_executor))


@pytest.mark.parametrize("given", [{"loggers": {"a": 5}}, {"loggers": [1]}, {"executor": "two"}])
def test_definitions_refuse_what_is_no_logger_or_executor(given: dict[str, object]) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=r"Definitions: .*(logger|executor)"):
        sg.Definitions(**given)  # type: ignore[arg-type]


def test_a_log_outside_of_a_step_goes_to_loggers_and_handlers() -> None:
    quiet, all_of_it = Keeps(), Keeps()
    quiet.setLevel(logging.WARNING)
    through = logging.Logger("through")
    through.addHandler(all_of_it)
    run = sg.Run(run_id="r1", job_name="roastery", tags={"owner": "ada"})
    log = sg.LogManager.create([through], [quiet], dagster_run=run)
    log.info("beans")
    log.with_tags(batch="7").warning("%s hot", "too")
    assert (all_of_it.lines, quiet.lines) == (["beans", "too hot"], ["too hot"])
    meta = quiet.records[0].dagster_meta  # type: ignore[attr-defined]
    assert {key: meta[key] for key in ("run_id", "job_name", "batch")} == {
        "run_id": "r1",
        "job_name": "roastery",
        "batch": "7",
    }
    assert log.with_tags(batch="7").metadata == {**log.metadata, "batch": "7"}
    assert log.metadata["job_tags"] == {"owner": "ada"}


def test_lines_of_a_step_bear_the_tags_that_are_added() -> None:
    handler = Keeps()

    @sg.op
    def tagged(context: sg.OpExecutionContext) -> None:
        context.log.with_tags(batch="7").info("hot")

    @sg.job(logger_defs={"ours": keeping(handler)})
    def tagging() -> None:
        tagged()

    assert tagging.execute_in_process(run_config={"loggers": {"ours": {}}}).success
    found = [each for each in handler.records if each.dagster_meta["orig_message"] == "hot"]  # type: ignore[attr-defined]
    assert [(each.dagster_meta["batch"], each.dagster_meta["step_key"]) for each in found] == [("7", "tagged")]  # type: ignore[attr-defined]


def test_the_loggers_of_what_happens_outside_of_jobs() -> None:
    [(definition, config)] = sg.default_system_loggers()
    assert (definition, config["log_level"]) == (sg.colored_console_logger, "DEBUG")


def test_definitions_that_were_read_are_not_merged_as_unread() -> None:
    one, two = sg.Definitions(resources={"a": 1}), sg.Definitions(resources={"b": 2})
    assert sg.Definitions.merge_unbound_defs(one, two).resources == {"a": 1, "b": 2}
    sg.Definitions.validate_loadable(two)
    with pytest.raises(sg.InvariantViolationError, match=r"argument 1 \(counted from 0\) has already been resolved"):
        sg.Definitions.merge_unbound_defs(one, two)
