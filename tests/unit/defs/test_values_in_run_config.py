"""What stands in a run config, and what user code gets of it: variables, inputs, objects in the place of resources."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

import segue as sg

NOT_GIVEN: Any = None


class Labels(sg.Config):
    labels: dict[str, Any] = {}
    texts: dict[str, str] = {}
    name: str = "x"


class Labeled(sg.ConfigurableResource[Any]):
    labels: dict[str, Any] = {}
    texts: dict[str, str] = {}
    name: str = "x"


class Outer(sg.ConfigurableResource[Any]):
    inner: Labeled
    size: int = 1


class Open(sg.PermissiveConfig):
    known: int = 1


class Nesting(sg.Config):
    inner: Open
    maybe: int = NOT_GIVEN


@sg.op
def told(config: Labels) -> dict[str, Any]:
    return {name: getattr(config, name) for name in Labels.model_fields}


@sg.op
def told_by_resource(labeled: Labeled) -> dict[str, Any]:
    return {name: getattr(labeled, name) for name in Labels.model_fields}


def output(op: sg.OpDefinition, run_config: Any, **resources: Any) -> Any:
    job = sg.GraphDefinition("all_of_it", node_defs=[op]).to_job(resource_defs=resources)
    return job.execute_in_process(run_config).output_for_node(op.name)


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"labels": {"env": "prod"}}, "labels", {"env": "prod"}),
        ({"labels": {"deep": {"env": "NAME_FOR_TEST"}}}, "labels", {"deep": {"env": "NAME_FOR_TEST"}}),
        ({"texts": {"env": "prod"}}, "texts", {"env": "prod"}),
        ({"texts": {"deep": {"env": "NAME_FOR_TEST"}}}, "texts", {"deep": "value"}),
        ({"name": {"env": "NAME_FOR_TEST"}}, "name", "value"),
    ],
)
def test_an_entry_env_of_a_dict_names_no_variable(
    given: Any, field: str, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME_FOR_TEST", "value")
    assert output(told, {"ops": {"told": {"config": given}}})[field] == expected
    in_resource = {"resources": {"labeled": {"config": given}}}
    assert output(told_by_resource, in_resource, labeled=Labeled())[field] == expected
    assert output(told_by_resource, in_resource, labeled=Labeled.configure_at_launch())[field] == expected


def test_a_variable_that_is_not_set_is_said_with_its_place() -> None:
    with pytest.raises(sg.InvalidConfigError, match="NOT_SET_FOR_TEST") as caught:
        output(told_by_resource, {}, labeled=Labeled(name=sg.EnvVar("NOT_SET_FOR_TEST")))
    assert [(each.path, each.reason.name) for each in caught.value.errors] == [
        (("resources", "labeled", "config", "name"), "FAILED_POST_PROCESSING")
    ]


def test_a_value_that_no_config_can_hold_is_one_of_the_errors() -> None:
    with pytest.raises(sg.InvalidConfigError, match="a set cannot be used") as caught:
        output(told, {"ops": {"told": {"config": {"labels": {1, 2}}}}})
    assert [each.reason.name for each in caught.value.errors] == ["RUNTIME_TYPE_MISMATCH"]


def test_an_object_in_the_place_of_a_resource_ignores_its_config() -> None:
    @sg.resource(config_schema={"host": str})
    def server(context: sg.InitResourceContext) -> str:
        return str(context.resource_config["host"])

    @sg.op(required_resource_keys={"server"})
    def asks(context: sg.OpExecutionContext) -> Any:
        return context.resources.server

    job = sg.GraphDefinition("asking", node_defs=[asks]).to_job(resource_defs={"server": server})
    run_config = {"resources": {"server": {"config": {"host": "h"}}}}
    assert job.execute_in_process(run_config).output_for_node("asks") == "h"
    assert job.execute_in_process(run_config, resources={"server": 7}).output_for_node("asks") == 7


def test_a_config_that_takes_more_fields_may_be_left_out_where_all_it_declares_have_defaults() -> None:
    @sg.op
    def nests(config: Nesting) -> tuple[int, object]:
        return config.inner.known, config.maybe

    assert output(nests, {}) == (1, None)
    fields = Nesting.to_fields_dict()
    assert (fields["maybe"].default_provided, fields["maybe"].default_value) == (True, None)


def test_the_default_of_a_field_that_holds_a_config_can_be_asked() -> None:
    class Inner(sg.Config):
        size: int
        name: str = "x"

    class Outer(sg.Config):
        inner: Inner = Inner(size=3)

    assert Outer.to_fields_dict()["inner"].default_value == {"size": 3, "name": "x"}


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (set[int], [1, {"value": 2}], {1, 2}),
        (set[int] | None, [1], {1}),
        (list[set[int]], [[1, 2], []], [{1, 2}, set()]),
        (dict[str, set[int]], {"a": [1]}, {"a": {1}}),
        (tuple[int, str], [1, {"value": "x"}], (1, "x")),
        (tuple[list[int], float], [[1], 2], ([1], 2.0)),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
    ],
)
def test_sets_and_tuples_are_given_as_lists(kind: Any, given: object, expected: object) -> None:
    @sg.op(ins={"taken": sg.In(kind)})
    def takes(taken: Any) -> Any:
        return taken

    assert output(takes, {"ops": {"takes": {"inputs": {"taken": given}}}}) == expected


@pytest.mark.parametrize(
    ("kind", "given", "paths"),
    [
        (set[int], 3, [("ops", "takes", "inputs", "taken")]),
        (set[int], [1, "x"], [("ops", "takes", "inputs", "taken", 1)]),
        (tuple[int, str], "x", [("ops", "takes", "inputs", "taken")]),
    ],
)
def test_what_is_no_set_or_tuple_is_refused(kind: Any, given: object, paths: list[tuple[str | int, ...]]) -> None:
    @sg.op(ins={"taken": sg.In(kind)})
    def takes(taken: Any) -> Any:
        return taken

    with pytest.raises(sg.InvalidConfigError) as caught:
        output(takes, {"ops": {"takes": {"inputs": {"taken": given}}}})
    assert [each.path for each in caught.value.errors] == paths


@pytest.mark.parametrize("held", [3, {"value": 3}])
def test_a_json_file_holds_the_value_of_an_input(held: object, tmp_path: pathlib.Path) -> None:
    @sg.op
    def takes(taken: int) -> int:
        return taken

    (tmp_path / "taken.json").write_text(json.dumps(held))
    given = {"json": {"path": str(tmp_path / "taken.json")}}
    assert output(takes, {"ops": {"takes": {"inputs": {"taken": given}}}}) == 3


def test_a_wrong_key_of_a_map_does_not_hide_a_wrong_value() -> None:
    @sg.op(config_schema=sg.Map(int, int))
    def counts() -> None: ...

    with pytest.raises(sg.InvalidConfigError) as caught:
        output(counts, {"ops": {"counts": {"config": {"a": "x"}}}})
    assert [each.path[3:] for each in caught.value.errors] == [("a", "key"), ("a",)]


def test_an_annotation_is_no_config_schema() -> None:
    with pytest.raises(sg.InvalidConfigDefinitionError, match="type annotation") as caught:
        sg.Field({"a": int | str})
    assert (caught.value.current_value, caught.value.stack) == (int | str, ("a",))


def test_a_configured_op_with_a_config_class_can_be_called() -> None:
    fixed = told.configured({"name": "fixed"}, name="fixed")
    assert fixed()["name"] == "fixed"
    by_function = told.configured(lambda name: {"name": name}, config_schema=str, name="by_function")
    assert by_function(sg.build_op_context(op_config="given"))["name"] == "given"
    with pytest.raises(sg.InvalidConfigError):
        by_function()
    with pytest.raises(sg.InvalidConfigError):
        fixed(Labels(name="other"))


def test_config_of_a_nested_resource_is_refused_where_the_outer_one_is_configured() -> None:
    @sg.op
    def asks(outer: Outer) -> int:
        return outer.size

    assert output(asks, {"resources": {"outer": {"config": {"size": 2}}}}, outer=Outer(inner=Labeled())) == 2
    with pytest.raises(sg.InvalidConfigError) as caught:
        output(asks, {"resources": {"outer": {"config": {"inner": {"name": "y"}}}}}, outer=Outer(inner=Labeled()))
    assert [(each.path, each.reason.name) for each in caught.value.errors] == [
        (("resources", "outer", "config"), "FIELD_NOT_DEFINED")
    ]


def test_what_a_resource_raises_outside_of_a_run_is_raised_as_it_is() -> None:
    class Failing(sg.ConfigurableResource[Any]):
        def setup_for_execution(self, context: sg.InitResourceContext) -> None:
            raise ConnectionError("no server")

        def teardown_after_execution(self, context: sg.InitResourceContext) -> None: ...

    with pytest.raises(ConnectionError, match="no server"), Failing().process_config_and_initialize_cm():
        pass
    context = sg.build_init_resource_context()
    with pytest.raises(ConnectionError, match="no server"), Failing.from_resource_context_cm(context):
        pass


def test_a_generator_of_a_resource_is_called_for_a_with_block() -> None:
    closed: list[int] = []

    @sg.resource
    def session(_: sg.InitResourceContext) -> Any:
        yield 5
        closed.append(5)

    with session(sg.build_init_resource_context()) as opened:
        assert (opened, closed) == (5, [])
    assert closed == [5]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ("default", "h")),
        ({}, ("default", "h")),
        (sg.RunConfig(), ("default", "h")),
        ({"ops": {"asks": {"config": "given"}}}, ("given", "h")),
        ({"resources": {"host": {"config": "other"}}}, ("default", "other")),
        (sg.RunConfig(resources={"host": {"config": "other"}}), ("default", "other")),
    ],
)
def test_sections_that_a_run_config_leaves_out_are_those_of_the_job(given: Any, expected: object) -> None:
    @sg.op(config_schema=str, required_resource_keys={"host"})
    def asks(context: sg.OpExecutionContext) -> object:
        return context.op_config, context.resources.host

    default = {"ops": {"asks": {"config": "default"}}, "resources": {"host": {"config": "h"}}}
    resources = {"host": sg.ResourceDefinition.string_resource()}
    job = sg.GraphDefinition("asking", node_defs=[asks]).to_job(resource_defs=resources, config=default)
    assert job.execute_in_process(given).output_for_node("asks") == expected
    validated = sg.validate_run_config(job, given)
    assert (validated["ops"]["asks"]["config"], validated["resources"]["host"]["config"]) == expected
