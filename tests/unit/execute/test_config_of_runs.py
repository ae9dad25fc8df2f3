"""Run config as a whole: sections, names, what must be given, and what a job makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import segue as sg


class Factor(sg.Config):
    factor: int
    label: str = "x"


class FromVariable(sg.Config):
    text: str = sg.EnvVar("THE_TEXT")


@sg.op
def one() -> int:
    return 1


@sg.op
def scaled(x: int, config: Factor) -> int:
    return x * config.factor


@sg.op(config_schema=str)
def named(context: sg.OpExecutionContext) -> str:
    return str(context.op_config)


@sg.op
def reads(context: sg.OpExecutionContext) -> Any:
    return [context.op_config]


@sg.graph
def inner(x):  # type: ignore[no-untyped-def]
    return scaled(x)


@sg.job
def both() -> None:
    inner(one())
    named()


GOOD = {"ops": {"inner": {"ops": {"scaled": {"config": {"factor": 2}}}}, "named": {"config": "n"}}}


def found(job: sg.JobDefinition, run_config: Any, **arguments: Any) -> list[tuple[str, tuple[Any, ...]]]:
    with pytest.raises(sg.InvalidConfigError) as caught:
        job.execute_in_process(run_config=run_config, **arguments)
    return sorted((each.reason.name, each.path) for each in caught.value.errors)


def test_everything_wrong_with_a_run_config_is_named_at_once() -> None:
    wrong = {
        "ops": {"inner": {"ops": {"scaled": {"config": {"factor": "x"}}, "scald": {}}}, "one": {"config": 3}},
        "resources": {"nowhere": {}},
        "opps": {},
        "execution": 3,
    }
    assert found(both, wrong) == [
        ("FIELD_NOT_DEFINED", ()),
        ("FIELD_NOT_DEFINED", ("ops", "inner", "ops")),
        ("FIELD_NOT_DEFINED", ("resources",)),
        ("MISSING_REQUIRED_FIELD", ("ops",)),
        ("RUNTIME_TYPE_MISMATCH", ("execution",)),
        ("RUNTIME_TYPE_MISMATCH", ("ops", "inner", "ops", "scaled", "config", "factor")),
    ]


@pytest.mark.parametrize(
    ("wrong", "path"), [({"ops": None}, ("ops",)), ({"ops": [1]}, ("ops",)), ({"resources": None}, ("resources",))]
)
def test_a_section_is_a_mapping(wrong: Any, path: tuple[str, ...]) -> None:
    assert ("RUNTIME_TYPE_MISMATCH", path) in found(both, {**GOOD, **wrong})


def test_config_of_steps_that_are_not_selected_is_neither_asked_for_nor_refused() -> None:
    assert both.execute_in_process(run_config=GOOD, op_selection=["one"]).success
    assert both.execute_in_process(op_selection=["one"]).success
    assert both.execute_in_process(run_config={"ops": {"named": {"config": "n"}}}, op_selection=["named"]).success
    assert found(both, {"ops": {"nam": {}}}, op_selection=["one"]) == [("FIELD_NOT_DEFINED", ("ops",))]
    variables = {"ops": {**GOOD["ops"], "named": {"config": "n"}}}
    assert both.execute_in_process(run_config=variables, op_selection=["one"]).success


def test_an_op_without_schema_that_sees_its_context_takes_any_config() -> None:
    @sg.job
    def job() -> None:
        reads()

    config = {"ops": {"reads": {"config": {"any": [1]}}}}
    assert job.execute_in_process(run_config=config).output_for_node("reads") == [{"any": [1]}]
    assert job.execute_in_process().output_for_node("reads") == [None]


def test_loggers_and_execution_are_compared_with_what_the_job_has() -> None:
    fine = {**GOOD, "loggers": {"console": {"config": {"log_level": "DEBUG"}}}}
    assert both.execute_in_process(run_config=fine).success
    assert found(both, {**GOOD, "loggers": {"consle": {}}}) == [("FIELD_NOT_DEFINED", ("loggers",))]
    two_at_once = both.replaced(executor_def=sg.multiprocess_executor)
    assert found(two_at_once, {**GOOD, "execution": {"config": {"max_concurrnt": 2}}}) == [
        ("FIELD_NOT_DEFINED", ("execution", "config"))
    ]


def test_a_run_config_is_compared_without_a_run() -> None:
    expected = {
        "ops": {
            "inner": {"config": None, "inputs": {}, "outputs": None},
            "inner.scaled": {"config": {"factor": 2, "label": "x"}, "inputs": {}, "outputs": None},
            "named": {"inputs": {}, "outputs": None, "config": "n"},
            "one": {"config": None, "inputs": {}, "outputs": None},
        },
        "execution": {
            "multi_or_in_process_executor": {"multiprocess": {"max_concurrent": None, "retries": {"enabled": {}}}}
        },
        "resources": {"io_manager": {"config": None}},
        "loggers": {},
    }
    assert sg.validate_run_config(both, GOOD) == expected
    typed = sg.RunConfig(ops={"inner": {"ops": {"scaled": Factor(factor=2)}}, "named": {"config": "n"}})
    assert sg.validate_run_config(both, typed) == expected
    assert sg.validate_run_config(both.replaced(config=GOOD)) == expected
    with pytest.raises(sg.InvalidConfigError, match=r"the job 'both'.*\n.*Missing required entry \"ops\""):
        sg.validate_run_config(both)
    with pytest.raises(sg.InvalidInvocationError, match="job_def"):
        sg.validate_run_config("both")  # type: ignore[arg-type]


def test_a_run_config_is_compared_with_resources_too() -> None:
    @sg.resource(config_schema={"url": str})
    def client(context: sg.InitResourceContext) -> str:
        return str(context.resource_config["url"])

    @sg.op(required_resource_keys={"client"})
    def call() -> None: ...

    @sg.job(resource_defs={"client": client})
    def job() -> None:
        call()

    with pytest.raises(sg.InvalidConfigError, match=r"'resources': {'client': {'config': {'url'") as caught:
        sg.validate_run_config(job)
    assert [(each.reason.name, each.path) for each in caught.value.errors] == [("MISSING_REQUIRED_FIELD", ())]
    config = {"resources": {"client": {"config": {"url": "x"}}}}
    assert sg.validate_run_config(job, config)["resources"]["client"] == {"config": {"url": "x"}}


class Server(sg.ConfigurableResource):
    host: str
    port: int = 80


def test_the_config_of_resources_is_compared_field_by_field() -> None:
    @sg.op(required_resource_keys={"server", "other"})
    def call(context: sg.OpExecutionContext) -> str:
        return f"{context.resources.server.host}:{context.resources.server.port}"

    @sg.job(resource_defs={"server": Server.configure_at_launch(), "other": Server(host="o")})
    def job() -> None:
        call()

    for act in (lambda given: sg.validate_run_config(job, given), lambda given: job.execute_in_process(given)):
        with pytest.raises(sg.InvalidConfigError) as caught:
            act({"resources": {"server": {"config": {"port": "x"}}, "other": {"config": {"hots": "x"}}}})
        assert [(each.reason.name, each.path) for each in caught.value.errors] == [
            ("MISSING_REQUIRED_FIELD", ("resources", "server", "config")),
            ("RUNTIME_TYPE_MISMATCH", ("resources", "server", "config", "port")),
            ("FIELD_NOT_DEFINED", ("resources", "other", "config")),
        ]
    given = {"resources": {"server": {"config": {"host": "h"}}}}
    assert job.execute_in_process(run_config=given).output_for_node("call") == "h:80"


def test_an_op_without_config_has_an_entry_that_says_so() -> None:
    @sg.op
    def silent() -> int:
        return 1

    @sg.graph
    def inner() -> None:
        silent()

    @sg.job
    def bare() -> None:
        silent()
        inner()

    found = sg.validate_run_config(bare)
    assert found["ops"]["silent"] == {"config": None, "inputs": {}, "outputs": None}
    assert found["ops"]["inner"] == found["ops"]["inner.silent"] == found["ops"]["silent"]
    with pytest.raises(sg.InvalidConfigError, match=r"root:ops:silent\. Expected"):  # it has no inputs
        sg.validate_run_config(bare, {"ops": {"silent": {"inputs": {}}}})


def test_the_config_of_a_mapped_job_is_compared() -> None:
    def widen(config: Any) -> Any:
        return {"ops": {"named": {"config": config["title"]}}}

    @sg.job(config=sg.ConfigMapping(widen, {"title": sg.Field(str, default_value="t")}))
    def job() -> None:
        named()

    assert sg.validate_run_config(job)["ops"]["named"]["config"] == "t"
    assert sg.validate_run_config(job, {"title": "u"})["ops"]["named"]["config"] == "u"
    with pytest.raises(sg.InvalidConfigError, match="Did you mean 'title'"):
        sg.validate_run_config(job, {"tilte": "u"})


def test_a_mapped_graph_that_is_run_as_a_job_takes_its_own_config() -> None:
    @sg.op(config_schema=str)
    def written(context: sg.OpExecutionContext) -> Any:
        return context.op_config

    def widen(config: Any) -> Any:
        return {"written": {"config": config["title"] * 2}}

    @sg.graph(config=sg.ConfigMapping(widen, {"title": str}))
    def mapped() -> None:
        written()

    job = mapped.to_job()
    given = {"ops": {"config": {"title": "ab"}}}
    assert job.execute_in_process(given).output_for_node("written") == "abab"
    assert mapped.configured({"title": "x"}, name="fixed").execute_in_process().output_for_node("written") == "xx"
    assert sg.validate_run_config(job, given)["ops"] == {"written": {"config": "abab", "inputs": {}, "outputs": None}}
    with pytest.raises(sg.InvalidConfigError, match="written"):
        job.execute_in_process({"ops": {"written": {"config": "c"}}})
    with pytest.raises(sg.InvalidConfigError, match="title"):
        job.execute_in_process({"ops": {"config": {"title": 1}}})


def test_assets_are_configured() -> None:
    seen: list[Any] = []

    @sg.asset
    def orders(config: Factor) -> None:
        seen.append((config.factor, config.label))

    assert sg.materialize([orders], run_config=sg.RunConfig(ops={"orders": Factor(factor=3)})).success
    assert sg.materialize([orders], run_config={"ops": {"orders": {"config": {"factor": 4}}}, "execution": {}}).success
    assert seen == [(3, "x"), (4, "x")]
    with pytest.raises(sg.InvalidConfigError, match="Did you mean 'orders'"):
        sg.materialize([orders], run_config={"ops": {"order": {"config": {"factor": 1}}}})


def test_a_default_that_names_a_variable_is_read_when_the_run_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    @sg.op
    def tell(config: FromVariable) -> str:
        return config.text

    @sg.job
    def job() -> None:
        tell()

    monkeypatch.delenv("THE_TEXT", raising=False)
    with pytest.raises(sg.InvalidConfigError, match="THE_TEXT"):
        job.execute_in_process()
    monkeypatch.setenv("THE_TEXT", "hello")
    assert job.execute_in_process().output_for_node("tell") == "hello"


def test_what_declares_no_config_may_be_given_some() -> None:
    @sg.op
    def plain() -> int:
        return 1

    @sg.job
    def work() -> None:
        plain()

    @sg.asset
    def stored() -> int:
        return 2

    config = {"config": {"rows": 3}}
    assert work.execute_in_process(run_config={"ops": {"plain": config}}).output_for_node("plain") == 1
    assert sg.materialize([stored], run_config={"ops": {"stored": config}}).output_for_node("stored") == 2


def test_the_io_manager_that_is_there_by_itself_takes_its_folder_from_the_run_config(tmp_path: Path) -> None:
    @sg.asset
    def stored() -> int:
        return 2

    config = {"resources": {"io_manager": {"config": {"base_dir": str(tmp_path)}}}}
    assert sg.materialize([stored], run_config=config).success
    assert [each.name for each in tmp_path.iterdir()] == ["stored"]


def test_config_for_an_executor_elsewhere_is_left_alone_by_a_run_in_this_process() -> None:
    @sg.asset
    def stored() -> int:
        return 2

    assert sg.materialize([stored], run_config={"execution": {"config": {"max_concurrent": 2}}}).success


def test_a_run_config_without_a_value_for_an_input_does_not_fit() -> None:
    @sg.op
    def double(number: int) -> int:
        return 2 * number

    @sg.graph
    def doubled(number: int) -> Any:
        return double(number)

    @sg.job
    def open_job() -> None:
        double.alias("again")(double())

    with pytest.raises(sg.InvalidConfigError, match=r"'inputs': {'number': 0}") as caught:
        sg.validate_run_config(open_job, {})
    assert [(each.reason.name, each.path) for each in caught.value.errors] == [("MISSING_REQUIRED_FIELD", ())]
    with pytest.raises(sg.InvalidConfigError, match="expected Int") as caught:
        sg.validate_run_config(open_job, {"ops": {"double": {"inputs": {"number": "x"}}}})
    assert [each.path for each in caught.value.errors] == [("ops", "double", "inputs", "number")]
    assert sg.validate_run_config(open_job, {"ops": {"double": {"inputs": {"number": 2}}}})
    assert sg.validate_run_config(doubled.to_job(input_values={"number": 2}), {})
    assert sg.validate_run_config(doubled.to_job(), {"inputs": {"number": 2}})
    for config in ({}, {"ops": {"double": {"inputs": {"number": 2}}}}):  # the input is the graph's
        with pytest.raises(sg.InvalidConfigError, match='Missing required entry "inputs" at the root'):
            sg.validate_run_config(doubled.to_job(), config)
