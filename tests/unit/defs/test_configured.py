"""`configured` and config mappings: config given beforehand, and config that a function makes of other config."""

from __future__ import annotations

import enum
import logging
from typing import Any

import pytest

import segue as sg


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


class Rows(sg.Config):
    rows: int
    title: str = "all"


class Amount(sg.Config):
    thousands: int = 1


@sg.op(config_schema={"rows": int, "title": sg.Field(str, default_value="all")})
def count(context: sg.OpExecutionContext) -> Any:
    return [context.op_config]


@sg.op
def count_typed(config: Rows) -> Any:
    return [config]


def in_thousands(config: Any) -> dict[str, Any]:
    return {"rows": config * 1000}


def from_amount(config: Amount) -> Rows:
    return Rows(rows=config.thousands * 1000)


def result_of(op: sg.OpDefinition, config: Any = None) -> Any:
    @sg.job
    def job() -> None:
        op()

    run_config = {} if config is None else {"ops": {op.name: {"config": config}}}
    return job.execute_in_process(run_config=run_config).output_for_node(op.name)[0]


@pytest.mark.parametrize(
    ("op", "expected"), [(count, {"rows": 5, "title": "all"}), (count_typed, Rows(rows=5))], ids=["schema", "class"]
)
def test_fixed_config_needs_none(op: sg.OpDefinition, expected: Any) -> None:
    fixed = op.configured({"rows": 5}, name="five")
    assert (fixed.name, fixed.config_schema.is_required) == ("five", False)
    assert result_of(fixed) == expected
    assert result_of(sg.configured(op, name="six")({"rows": 6})) != expected
    with pytest.raises(sg.InvalidConfigError, match='Unknown entry "rows"'):
        result_of(fixed, {"rows": 7})


@pytest.mark.parametrize(
    ("op", "expected"),
    [(count, {"rows": 3000, "title": "all"}), (count_typed, Rows(rows=3000))],
    ids=["schema", "class"],
)
@pytest.mark.parametrize(
    ("function", "schema", "config"),
    [(in_thousands, int, 3), (from_amount, None, {"thousands": 3})],
    ids=["plain", "class"],
)
def test_a_function_makes_the_config(
    op: sg.OpDefinition, expected: Any, function: Any, schema: Any, config: Any
) -> None:
    made = sg.configured(op, schema)(function)
    assert made.name == function.__name__
    assert result_of(made, config) == expected
    again = made.configured(config, name="again")
    assert result_of(again) == expected


def test_a_function_of_defaults_is_called_without_config() -> None:
    assert result_of(sg.configured(count)(from_amount))["rows"] == 1000
    assert result_of(sg.configured(count, sg.Field(int, default_value=2))(in_thousands))["rows"] == 2000


def test_what_a_function_takes_and_gives_is_checked() -> None:
    with pytest.raises(sg.InvalidConfigError, match="root:ops:in_thousands:config: expected Int, got 'x'"):
        result_of(sg.configured(count, int)(in_thousands), "x")

    def wrong(config: Any) -> Any:
        return {"rows": "many"}

    with pytest.raises(sg.InvalidConfigError, match=r"returned by .*:rows: expected Int, got 'many'"):
        result_of(sg.configured(count, int)(wrong), 1)

    def broken(config: Any) -> Any:
        raise ValueError("no such thing")

    with pytest.raises(sg.ConfigMappingFunctionError, match="no such thing") as caught:
        result_of(sg.configured(count, int)(broken), 1)
    assert isinstance(caught.value.user_exception, ValueError)


@pytest.mark.parametrize(
    ("give", "says"),
    [
        (lambda: count.configured({"rows": 1}), "Pass name="),
        (lambda: sg.configured(count, int, name="n")({"rows": 1}), "Remove config_schema"),
        (lambda: sg.configured(count, int)(from_amount), "Remove config_schema"),
        (lambda: sg.configured(count)(lambda a, b: {}), "must take exactly one argument"),
        (lambda: sg.configured(3), "got 3"),
        (lambda: sg.ConfigMapping(3), "got 3"),  # type: ignore[arg-type]
        (lambda: sg.config_mapping(config_schema=int)(from_amount), "Remove config_schema"),
    ],
)
def test_what_cannot_be_configured_is_refused(give: Any, says: str) -> None:
    with pytest.raises(sg.InvalidInvocationError, match=says):
        give()


def test_resources_and_loggers_are_configured() -> None:
    @sg.resource(config_schema={"url": str})
    def client(context: sg.InitResourceContext) -> str:
        return str(context.resource_config["url"])

    class Client(sg.ConfigurableResource[Any]):
        url: str

    @sg.configured(client, {"host": str})
    def by_host(config: Any) -> Any:
        return {"url": f"http://{config['host']}"}

    @sg.configured(Client, {"host": str})
    def class_by_host(config: Any) -> Any:
        return Client(url=f"http://{config['host']}")

    seen: list[Any] = []

    @sg.op(required_resource_keys={"a", "b", "c"})
    def look(context: sg.OpExecutionContext) -> None:
        seen.extend([context.resources.a, context.resources.b, context.resources.c.url])

    @sg.job(
        resource_defs={
            "a": client.configured({"url": "x"}),
            "b": by_host,
            "c": class_by_host.configured({"host": "h"}),
        }
    )
    def job() -> None:
        look()

    assert job.execute_in_process(run_config={"resources": {"b": {"config": {"host": "g"}}}}).success
    assert seen == ["x", "http://g", "http://h"]

    @sg.logger(config_schema={"level": str})
    def mine(context: sg.InitLoggerContext) -> logging.Logger:
        return logging.getLogger(context.logger_config["level"])

    loud = sg.configured(mine)({"level": "loud"})
    assert loud(sg.build_init_logger_context()).name == "loud"


# -- config mappings


def wide(config: Any) -> dict[str, Any]:
    return {"count": {"config": {"rows": config["n"]}}}


@sg.graph(config=sg.ConfigMapping(wide, {"n": sg.Field(int, default_value=4)}))
def counting() -> Any:
    return count()


def rows_of(graph: sg.GraphDefinition, run_config: Any = None) -> Any:
    @sg.job
    def job() -> None:
        graph()

    return job.execute_in_process(run_config=run_config).output_for_node(f"{graph.name}.count")[0]["rows"]


def test_a_graph_has_config_of_its_own() -> None:
    assert rows_of(counting, {"ops": {"counting": {"config": {"n": 7}}}}) == 7
    assert rows_of(counting) == 4
    assert (counting.has_config_mapping, counting.config_schema.config_type) == (  # type: ignore[union-attr]
        True,
        sg.Shape({"n": sg.Field(int, default_value=4)}),
    )
    assert rows_of(counting.configured({"n": 8}, name="eight")) == 8
    assert rows_of(sg.configured(counting, {"m": int})(twice), {"ops": {"twice": {"config": {"m": 3}}}}) == 6
    with pytest.raises(sg.InvalidConfigError, match=r"root:ops:counting.* 'config'|Unknown entry \"ops\""):
        rows_of(counting, {"ops": {"counting": {"ops": {"count": {}}}}})
    with pytest.raises(sg.InvalidConfigError, match="root:ops:counting:config:n: expected Int, got 'x'"):
        rows_of(counting, {"ops": {"counting": {"config": {"n": "x"}}}})


def twice(config: Any) -> dict[str, Any]:
    return {"n": config["m"] * 2}


def test_a_graph_without_config_of_its_own_is_not_configured() -> None:
    @sg.graph
    def plain() -> None:
        count()

    assert (plain.has_config_mapping, plain.config_schema) == (False, None)
    with pytest.raises(sg.InvalidDefinitionError, match="no config mapping"):
        plain.configured({}, name="other")


def test_what_a_mapping_gives_is_checked_and_mapped_on() -> None:
    def outer(config: Any) -> Any:
        return {"counting": {"config": {"n": config["k"]}}}

    @sg.graph(config=sg.ConfigMapping(outer, {"k": sg.Any}))
    def around() -> Any:
        return counting()

    @sg.job
    def job() -> None:
        around()

    config = {"ops": {"around": {"config": {"k": 2}}}}
    assert job.execute_in_process(run_config=config).output_for_node("around.counting.count")[0]["rows"] == 2
    with pytest.raises(sg.InvalidConfigError, match="counting:config:n: expected Int, got 'x'"):
        job.execute_in_process(run_config={"ops": {"around": {"config": {"k": "x"}}}})


def test_a_mapping_of_a_job_gives_a_run_config() -> None:
    @sg.config_mapping
    def by_amount(config: Amount) -> sg.RunConfig:
        return sg.RunConfig(ops={"count_typed": Rows(rows=config.thousands * 1000)})

    @sg.job(config=by_amount)
    def job() -> None:
        count_typed()

    assert job.execute_in_process().output_for_node("count_typed") == [Rows(rows=1000)]
    assert job.execute_in_process(run_config={"thousands": 2}).output_for_node("count_typed") == [Rows(rows=2000)]
    with pytest.raises(sg.InvalidConfigError, match="thousands: expected"):
        job.execute_in_process(run_config={"thousands": "x"})
    assert by_amount.resolve_from_validated_config({"thousands": 3}) == by_amount.resolve_from_unvalidated_config(
        {"thousands": 3}
    )


@pytest.mark.parametrize(
    ("processed", "of_job", "of_graph"),
    [(None, Size.LARGE, "LARGE"), (True, Size.LARGE, Size.LARGE), (False, "LARGE", "LARGE")],
)
def test_values_of_a_mapping_are_processed_if_it_asks_for_it(
    processed: bool | None, of_job: Any, of_graph: Any
) -> None:
    seen: list[Any] = []

    def note(config: Any) -> dict[str, Any]:
        seen.append(config["size"])
        return {}

    schema = {"size": sg.Field(sg.Enum.from_python_enum(Size), default_value="LARGE")}
    mapping = sg.ConfigMapping(note, schema, receive_processed_config_values=processed)
    mapping.resolve_from_unvalidated_config({})
    mapping.resolve_from_validated_config({})
    assert seen == [of_job, of_graph]
    with pytest.raises(sg.InvalidConfigError, match="Did you mean 'size'"):
        mapping.resolve_from_unvalidated_config({"sise": "LARGE"})


def test_a_mapping_may_give_members_of_enums() -> None:
    @sg.op
    def free(context: sg.OpExecutionContext) -> Any:
        return [context.op_config]

    @sg.op(config_schema={"size": sg.Enum.from_python_enum(Size)})
    def sized(context: sg.OpExecutionContext) -> Any:
        return [context.op_config]

    def give(config: Any) -> dict[str, Any]:
        return {"ops": {name: {"config": {"size": Size.LARGE}} for name in ("free", "sized")}}

    @sg.job(config=sg.ConfigMapping(give))
    def job() -> None:
        free()
        sized()

    result = job.execute_in_process()
    assert result.output_for_node("free") == result.output_for_node("sized") == [{"size": Size.LARGE}]
