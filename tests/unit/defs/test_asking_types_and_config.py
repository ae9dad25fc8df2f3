"""What config types, fields, types of values, their loaders and variables of the environment answer."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import segue as sg

COLOR = sg.Enum("Color", [sg.EnumValue("red", 1), sg.EnumValue("blue", 2)])


@pytest.mark.parametrize(
    ("kind", "inside"),
    [
        (sg.Array(int), ["INT", "ARRAY"]),
        (sg.Noneable(sg.Array(int)), ["INT", "ARRAY", "NONEABLE"]),
        (sg.Map(str, bool), ["STRING", "BOOL", "MAP"]),
        (sg.ScalarUnion(str, {"n": float}), ["STRING", "FLOAT", "STRICT_SHAPE", "SCALAR_UNION"]),
        (sg.Shape({"a": int, "b": [str]}), ["INT", "STRING", "ARRAY", "STRICT_SHAPE"]),
        (sg.Selector({"a": int}), ["INT", "SELECTOR"]),
        (sg.Permissive({"a": COLOR}), ["ENUM", "PERMISSIVE_SHAPE"]),
        (COLOR, ["ENUM"]),
    ],
)
def test_the_types_inside_of_a_config_type_come_before_it(kind: Any, inside: list[str]) -> None:
    found = [
        each.given_name.upper() if each.kind.name == "SCALAR" and each.given_name else each.kind.name
        for each in kind.type_iterator()
    ]
    assert found == inside
    assert list(kind.type_iterator())[-1] is kind
    parts = kind.type_params
    if kind.kind.name in ("ARRAY", "NONEABLE", "MAP", "SCALAR_UNION"):
        assert [each.key for each in parts] == [each.key for each in kind.inner_types]


def test_config_types_with_names_and_descriptions_of_their_own() -> None:
    assert sg.Array(sg.Shape({"a": int}, description="rows")).description != ""
    assert sg.Map(str, int, key_label_name="country").key_label_name == "country"
    assert sg.Map(str, int).key_label_name is None
    assert sg.Map(str, int).key != sg.Map(int, int).key
    assert (COLOR.key, [each.config_value for each in COLOR.enum_values]) == ("Color", ["red", "blue"])
    assert COLOR.post_process("blue") == 2
    with pytest.raises(sg.SegueError, match="green"):
        COLOR.post_process("green")
    assert repr(COLOR.enum_values[0]) == "EnumValue('red')"


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        (COLOR, "'red'"),
        (sg.Map(str, int), "{"),
        (sg.Selector({"one": int, "other": str}), "{'one': 0}"),
        (sg.Selector({"one": sg.Selector({"two": COLOR})}), "{'one': {'two': 'red'}}"),
        (sg.Array(COLOR), "["),
        (sg.ScalarUnion(int, {"n": int}), "0"),
        (sg.Any, "'AnyType'"),
    ],
)
def test_a_config_that_is_missing_is_shown_by_an_example(schema: Any, example: str) -> None:
    @sg.op(config_schema={"setting": sg.Field(schema)})
    def needs_it() -> None: ...

    @sg.job
    def asks() -> None:
        needs_it()

    with pytest.raises(sg.InvalidConfigError, match="setting") as caught:
        asks.execute_in_process()
    assert f"'setting': {example}" in str(caught.value)


def test_the_config_schema_of_a_definition_tells_its_default() -> None:
    @sg.op(
        config_schema=sg.Field({"n": sg.Field(int, default_value=1)}, description="how many", default_value={"n": 4})
    )
    def counted() -> None: ...

    @sg.op
    def free() -> None: ...

    schema = counted.config_schema
    assert (schema.default_provided, schema.default_value, schema.description) == (True, {"n": 4}, "how many")
    assert schema.default_value_as_json_str == '{"n": 4}'
    assert "n" in repr(schema)
    assert not free.config_schema.default_provided
    for ask in ("default_value", "default_value_as_json_str"):
        with pytest.raises(sg.InvalidInvocationError, match="default"):
            getattr(free.config_schema, ask)


def test_a_field_is_shown_with_its_type() -> None:
    assert repr(sg.Field(int, default_value=3)) == "Field(Int, is_required=False)"


def test_variables_of_the_environment_are_read_when_they_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT_FOR_TEST", "12")
    monkeypatch.setenv("WORD_FOR_TEST", "twelve")
    monkeypatch.delenv("NOT_THERE", raising=False)
    assert sg.EnvVar("PORT_FOR_TEST").get_value() == "12"
    assert sg.EnvVar("NOT_THERE").get_value() is None
    assert sg.EnvVar("NOT_THERE").get_value("else") == "else"
    number = sg.EnvVar.int("PORT_FOR_TEST")
    assert (number.get_value(), sg.EnvVar.int("NOT_THERE").get_value(), sg.EnvVar.int("NOT_THERE").get_value(7)) == (
        12,
        None,
        7,
    )
    with pytest.raises(sg.InvalidConfigError, match="WORD_FOR_TEST"):
        sg.EnvVar.int("WORD_FOR_TEST").get_value()
    assert len({number, sg.EnvVar.int("PORT_FOR_TEST"), sg.EnvVar.int("WORD_FOR_TEST")}) == 2
    assert pickle.loads(pickle.dumps(number)).get_value() == 12
    with pytest.raises(AttributeError):
        number.name = "OTHER"


# -- types of values


def test_types_of_values_know_whether_they_stand_for_nothing() -> None:
    anything = sg.SegueType(lambda _context, _value: True, name="Anything")
    assert not anything.is_nothing
    assert not sg.PythonObjectType(int).is_nothing
    assert len({anything, anything, sg.PythonObjectType(int, name="Whole")}) == 2

    @sg.op(ins={"after": sg.In(sg.Nothing)})
    def later() -> None: ...

    assert later.ins["after"].dagster_type.is_nothing


class Doubling(sg.TypeLoader):
    """Reads a number and takes it as often as a resource says."""

    @property
    def schema_type(self) -> Any:
        return sg.Shape({"n": int})

    def required_resource_keys(self) -> frozenset[str]:
        return frozenset({"factor"})

    def construct_from_config_value(self, context: Any, config_value: Any) -> int:
        return config_value["n"] * context.resources.factor


class Reading(sg.TypeLoader):
    """Reads a number."""

    @property
    def schema_type(self) -> Any:
        return sg.Shape({"n": int})

    def construct_from_config_value(self, context: Any, config_value: Any) -> int:
        del context
        return config_value["n"]


def job_with(loader: sg.TypeLoader, **resources: object) -> sg.JobDefinition:
    number = sg.SegueType(lambda _context, value: isinstance(value, int), name="Number", loader=loader)

    @sg.op(ins={"number": sg.In(number)})
    def show(number: int) -> int:
        return number

    @sg.job(resource_defs={key: sg.ResourceDefinition.hardcoded_resource(each) for key, each in resources.items()})
    def reading() -> None:
        show()

    return reading


def test_a_loader_class_makes_the_value_of_an_input_of_config_and_resources() -> None:
    config = {"ops": {"show": {"inputs": {"number": {"n": 4}}}}}
    assert job_with(Reading()).execute_in_process(run_config=config).output_for_node("show") == 4
    assert Reading().required_resource_keys() == frozenset()
    assert job_with(Doubling(), factor=10).execute_in_process(run_config=config).output_for_node("show") == 40
    with pytest.raises(sg.InvalidDefinitionError, match="factor"):
        job_with(Doubling()).execute_in_process(run_config=config)


def test_a_loader_made_of_a_function_is_called_like_it() -> None:
    @sg.type_loader({"n": int}, required_resource_keys={"factor"})
    def read(context: Any, config: Any) -> int:
        del context
        return config["n"]

    assert isinstance(read, sg.TypeLoader)
    assert read.required_resource_keys() == {"factor"}
    assert read(sg.build_op_context(), {"n": 3}) == 3
