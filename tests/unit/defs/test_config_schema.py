"""The schema form of config: what a field may hold, what is filled in, and what errors say."""

from __future__ import annotations

import enum
import typing
from typing import Any

import pytest

import segue as sg


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


class Rows(sg.Config):
    rows: int


SEASON = sg.Enum("Season", [sg.EnumValue("SPRING"), sg.EnumValue("AUTUMN", 3)])


def received(schema: Any, run_config: Any = None) -> Any:
    """What an op with this schema finds in its context."""

    @sg.op(config_schema=schema)
    def tell(context: sg.OpExecutionContext) -> Any:
        return [context.op_config]

    @sg.job
    def job() -> None:
        tell()

    given = {} if run_config is None else {"ops": {"tell": run_config}}
    return job.execute_in_process(run_config=given).output_for_node("tell")[0]


def violations(schema: Any, value: Any) -> list[sg.ConfigViolation]:
    with pytest.raises(sg.InvalidConfigError) as caught:
        received(schema, {"config": value})
    return list(caught.value.errors)


@pytest.mark.parametrize(
    ("schema", "given", "expected"),
    [
        (int, 3, 3),
        (float, 3, 3.0),
        (bool, False, False),
        (str, "x", "x"),
        (dict, {"a": [1]}, {"a": [1]}),
        (list, [1, "x"], [1, "x"]),
        (sg.Any, None, None),
        ([int], [1, 2], [1, 2]),
        (sg.Array(sg.Noneable(int)), [1, None], [1, None]),
        (sg.Noneable([str]), None, None),
        ({str: int}, {"a": 1}, {"a": 1}),
        (sg.Map(int, [str]), {1: ["x"]}, {1: ["x"]}),
        ({"a": int, "b": sg.Field(str, default_value="y")}, {"a": 1}, {"a": 1, "b": "y"}),
        ({"a": sg.Field(int, is_required=False)}, {}, {}),
        ({"a": sg.Noneable(int)}, {}, {"a": None}),
        ({"a": {"b": sg.Field(int, default_value=5)}}, {}, {"a": {"b": 5}}),
        (sg.Shape({"folder": str}, field_aliases={"folder": "dir"}), {"dir": "x"}, {"folder": "x"}),
        (sg.Permissive({"a": sg.Field(int, default_value=1)}), {"b": 2}, {"a": 1, "b": 2}),
        (sg.Selector({"file": str, "db": {"host": str}}), {"db": {"host": "h"}}, {"db": {"host": "h"}}),
        (sg.ScalarUnion(str, {"at": str}), "x", "x"),
        (sg.ScalarUnion(str, {"at": str}), {"at": "x"}, {"at": "x"}),
        (SEASON, "SPRING", "SPRING"),
        (SEASON, "AUTUMN", 3),
        (sg.Enum.from_python_enum(Color), "RED", Color.RED),
        (sg.Enum.from_python_enum_direct_values(Color), "RED", "r"),
        (sg.Field([sg.Enum.from_python_enum(Color)], default_value=["BLUE"]), ["RED"], [Color.RED]),
        ({"s": sg.StringSource, "i": sg.IntSource, "b": sg.BoolSource}, {"s": "x", "i": 1, "b": True}, None),
    ],
)
def test_what_fits_reaches_user_code(schema: Any, given: Any, expected: Any) -> None:
    assert received(schema, {"config": given}) == (given if expected is None else expected)


def test_defaults_stand_in_where_no_config_is_given() -> None:
    assert received(sg.Field(int, default_value=7)) == 7
    assert received(sg.Noneable(int)) is None
    assert received({"a": sg.Field(sg.Enum.from_python_enum(Color), default_value="BLUE")}) == {"a": Color.BLUE}
    field = sg.Field({"a": sg.Noneable(int)}, description="what for")
    assert (field.is_required, field.default_value, field.default_value_as_json_str) == (
        False,
        {"a": None},
        '{"a": null}',
    )
    assert (sg.Field(int).is_required, sg.Field(int).default_provided) == (True, False)
    with pytest.raises(sg.InvalidInvocationError, match="default_provided"):
        _ = sg.Field(int).default_value


@pytest.mark.parametrize(
    ("schema", "value", "path", "says"),
    [
        (int, "3", (), "Invalid value at path root:ops:tell:config: expected Int, got '3' of type str"),
        (int, True, (), "Invalid value"),
        (str, None, (), "must not be None: expected String"),
        ({"a": int}, 3, (), "config must be a dict: expected { a: Int }, got 3 of type int"),
        ([int], {}, (), r"config must be a list: expected \[Int\]"),
        ([int], [1, "x"], (1,), r"config\[1\]"),
        ({str: int}, {"k": "x"}, ("k",), "config:'k'"),
        ({str: int}, {1: 1}, (1, "key"), "Invalid value"),
        ({"a": {"b": int}}, {"a": {}}, ("a",), "Missing required entry \"b\" at path .*:a. .*{'b': 0}"),
        ({"a": int, "b": str}, {}, (), r"Missing required entries \['a', 'b'\]"),
        ({"limit": int}, {"limit": 1, "limt": 2}, (), "Unknown entry \"limt\" .* Did you mean 'limit'"),
        ({"a": sg.Noneable(int)}, {"x": 1, "y": 2}, (), r"Unknown entries .*'x', 'y'.*{ a\?: Int\? }"),
        (SEASON, "SPRNG", (), r"must be one of \['SPRING', 'AUTUMN'\] \(Season\), got 'SPRNG'. Did you mean 'SPRING'"),
        (SEASON, 3, (), r"must be one of the strings .*Season\), got 3"),
        (
            sg.Selector({"a": int, "b": int}),
            {"a": 1, "b": 2},
            (),
            r"must have exactly one of the entries \['a', 'b'\], got \['a', 'b'\]",
        ),
        (sg.Selector({"a": int, "b": int}), {}, (), "must have exactly one of the entries .*, got none"),
        (sg.Selector({"a": int}), {}, (), "must have exactly one of the entries .*, got none"),
        (sg.Selector({"a": sg.Field({}), "b": int}), "a", (), "config must be a dict"),
        (sg.StringSource, {}, (), "must have exactly one of the entries .*, got none"),
        (sg.Selector({"file": int, "b": int}), {"fil": 1}, (), "Did you mean 'file'"),
        (sg.ScalarUnion(str, {"at": str}), 3, (), "expected String"),
        (sg.ScalarUnion(str, {"at": str}), None, (), "must not be None"),
        (sg.Shape({"a": int}, field_aliases={"a": "z"}), {"a": 1, "z": 2}, (), 'Both "a" and its alias "z"'),
        (sg.StringSource, {"env": 1}, ("env",), "Invalid value"),
        (sg.Permissive({"a": int}), {"b": 1}, (), 'entry "a"'),
    ],
)
def test_what_does_not_fit_is_named_with_place_and_expectation(
    schema: Any, value: Any, path: tuple[str | int, ...], says: str
) -> None:
    (found,) = violations(schema, value)
    assert found.path == ("ops", "tell", "config", *path)
    with pytest.raises(sg.InvalidConfigError, match=says):
        received(schema, {"config": value})


def test_everything_that_does_not_fit_is_named_at_once() -> None:
    found = violations({"a": int, "b": {"c": str}, "d": [bool]}, {"b": {"c": 1, "x": 2}, "d": [1, True, "no"]})
    reasons = [(each.reason.name, each.path[3:]) for each in found]
    assert sorted(reasons) == [
        ("FIELD_NOT_DEFINED", ("b",)),
        ("MISSING_REQUIRED_FIELD", ()),
        ("RUNTIME_TYPE_MISMATCH", ("b", "c")),
        ("RUNTIME_TYPE_MISMATCH", ("d", 0)),
        ("RUNTIME_TYPE_MISMATCH", ("d", 2)),
    ]
    assert sg.ConfigErrorReason.FIELD_NOT_DEFINED in {each.reason for each in found}


@pytest.mark.parametrize(
    ("run_config", "path", "entry"),
    [
        ({}, (), "ops"),
        ({"ops": {}}, ("ops",), "tell"),
        ({"ops": {"tell": {}}}, ("ops", "tell"), "config"),
        ({"ops": {"tell": {"config": {}}}}, ("ops", "tell", "config"), "rows"),
    ],
)
def test_config_that_is_required_is_asked_for_where_it_is_missing(
    run_config: Any, path: tuple[str, ...], entry: str
) -> None:
    @sg.op(config_schema={"rows": int})
    def tell() -> None: ...

    @sg.job
    def job() -> None:
        tell()

    with pytest.raises(
        sg.InvalidConfigError, match=f"Missing required entry \"{entry}\" at .*Example: .*'rows': 0"
    ) as caught:
        job.execute_in_process(run_config=run_config)
    assert [(each.path, each.reason.name) for each in caught.value.errors] == [(path, "MISSING_REQUIRED_FIELD")]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        (sg.StringSource, "secret", "secret"),
        (sg.IntSource, "12", 12),
        (sg.BoolSource, "True", True),
        (sg.BoolSource, "0", False),
        (sg.BoolSource, "", False),
    ],
)
def test_sources_read_the_environment_when_the_run_starts(
    source: Any, text: str, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(sg.InvalidConfigError, match="'NOT_SET_YET' is not set"):
        received(source, {"config": {"env": "NOT_SET_YET"}})
    monkeypatch.setenv("NOT_SET_YET", text)
    assert received(source, {"config": {"env": "NOT_SET_YET"}}) == expected


@pytest.mark.parametrize(("source", "form"), [(sg.IntSource, "an int"), (sg.BoolSource, "a bool")])
def test_what_stands_in_the_environment_is_not_shown(source: Any, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2")
    with pytest.raises(sg.InvalidConfigError, match=f"A_SECRET' is not {form}") as caught:
        received({"x": source}, {"config": {"x": {"env": "A_SECRET"}}})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "error", "says"),
    [
        (
            "text",
            sg.InvalidConfigDefinitionError,
            "'text' is not a valid config schema.*config_schema of 'broken' .*test_config_schema",
        ),
        ({"a": {"b": "text"}}, sg.InvalidConfigDefinitionError, r"'text' is not a valid config schema \(at a:b\)"),
        ({"a": []}, sg.InvalidConfigDefinitionError, "A list schema must contain exactly one type"),
        ({"a": ["x"]}, sg.InvalidConfigDefinitionError, r"\(at a\).* 'x' is not a valid type"),
        ({"a": [None]}, sg.InvalidConfigDefinitionError, r"use \[Any\]"),
        ({"a": None}, sg.InvalidConfigDefinitionError, "None is not a valid type"),
        ({"a": {str: "x"}}, sg.InvalidConfigDefinitionError, "A map schema must contain the type of its values"),
        ({sg.Noneable(int): str}, sg.InvalidConfigDefinitionError, "Non-scalar key"),
        ({5: str}, sg.InvalidConfigDefinitionError, "Invalid key 5"),
        ({5: str, "a": int}, sg.InvalidConfigDefinitionError, "Invalid key 5"),
        (typing.List, sg.InvalidDefinitionError, "typing.List is a type annotation"),  # noqa: UP006 reason: what users may write
        (list[int], sg.InvalidDefinitionError, "is a type annotation"),
        (int | None, sg.InvalidDefinitionError, "Noneable"),
        (sg.List[int], sg.InvalidDefinitionError, "List is a type for inputs"),
        (sg.Set[int], sg.InvalidDefinitionError, "Set is a type for inputs"),
        (sg.Tuple[int, int], sg.InvalidDefinitionError, "Tuple is a type for inputs"),
        (sg.Optional[int], sg.InvalidDefinitionError, "is a type for inputs and outputs"),
        (object(), sg.InvalidConfigDefinitionError, "is not a valid config schema"),
    ],
)
def test_what_is_no_schema_is_refused_when_it_is_declared(schema: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):

        @sg.op(config_schema=schema)
        def broken() -> None: ...


@pytest.mark.parametrize(
    ("declare", "error"),
    [
        (lambda: sg.Field(int, default_value="x"), sg.InvalidConfigError),
        (lambda: sg.Field(int, default_value=1, is_required=True), sg.InvalidInvocationError),
        (lambda: sg.Field(sg.Enum.from_python_enum(Color), default_value=Color.RED), sg.InvalidDefinitionError),
        (lambda: sg.Field(sg.Field(int, default_value=1)), sg.InvalidConfigDefinitionError),
        (lambda: sg.Field([sg.Field(int)]), sg.InvalidConfigDefinitionError),
        (lambda: sg.Noneable(sg.Field(int)), sg.InvalidConfigDefinitionError),
        (lambda: sg.Map("x", str), sg.InvalidInvocationError),
        (lambda: sg.Map(sg.Noneable(str), str), sg.InvalidInvocationError),
        (lambda: sg.ScalarUnion([int], {"a": int}), sg.InvalidInvocationError),
        (lambda: sg.ScalarUnion(int, str), sg.InvalidInvocationError),
        (lambda: sg.Enum("E", ["a"]), sg.InvalidInvocationError),  # type: ignore[list-item]
        (lambda: sg.Enum("E", [sg.EnumValue("a"), sg.EnumValue("a")]), sg.InvalidDefinitionError),
        (lambda: sg.EnumValue(3), sg.InvalidInvocationError),  # type: ignore[arg-type]
        (lambda: sg.Shape([int]), sg.InvalidInvocationError),  # type: ignore[arg-type]
    ],
)
def test_fields_and_types_that_cannot_be_are_refused(declare: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        declare()


def test_what_is_missing_is_named_before_what_is_wrong_in_the_entries() -> None:
    found = violations({"a": int, "b": {"c": str, "d": int}, "e": int}, {"a": "x", "b": {"d": "y"}})
    assert [(each.reason.name, each.path[3:]) for each in found] == [
        ("MISSING_REQUIRED_FIELD", ()),
        ("RUNTIME_TYPE_MISMATCH", ("a",)),
        ("MISSING_REQUIRED_FIELD", ("b",)),
        ("RUNTIME_TYPE_MISMATCH", ("b", "d")),
    ]


def test_types_are_equal_if_they_accept_the_same() -> None:
    assert sg.Shape({"a": int, "b": [str]}) == sg.Shape({"b": [str], "a": int})
    assert sg.Shape({"a": int}) != sg.Shape({"a": sg.Field(int, is_required=False)})
    assert sg.Array(int) != sg.Noneable(int)
    assert len({sg.Permissive(), sg.Permissive(), sg.Permissive({"a": int})}) == 2


def test_enums_know_their_values() -> None:
    assert SEASON.config_values == ["SPRING", "AUTUMN"]
    assert SEASON.is_valid_config_enum_value("AUTUMN")
    assert not SEASON.is_valid_config_enum_value("WINTER")
    colors = sg.Enum.from_python_enum(Color, name="Paint")
    assert (colors.given_name, colors.post_process("RED"), colors.post_process(Color.BLUE)) == (
        "Paint",
        Color.RED,
        Color.BLUE,
    )
    with pytest.raises(sg.InvalidDefinitionError):
        colors.post_process("GREEN")


def test_assets_and_checks_take_a_config_schema() -> None:
    seen: dict[str, object] = {}

    @sg.asset(config_schema={"rows": sg.Field(int, default_value=3)})
    def orders(context: sg.AssetExecutionContext) -> None:
        seen["orders"] = context.op_config

    @sg.multi_asset(specs=[sg.AssetSpec("left"), sg.AssetSpec("right")], config_schema={"side": str})
    def sides(context: sg.AssetExecutionContext) -> None:
        seen["sides"] = context.op_config

    @sg.asset_check(asset=orders, config_schema=int)
    def enough(context: sg.AssetCheckExecutionContext) -> sg.AssetCheckResult:
        seen["enough"] = context.op_config
        return sg.AssetCheckResult(passed=True)

    config = {"ops": {"sides": {"config": {"side": "both"}}, "orders_enough": {"config": 1}}}
    assert sg.materialize([orders, sides, enough], run_config=config).success
    assert seen == {"orders": {"rows": 3}, "sides": {"side": "both"}, "enough": 1}


def test_a_config_parameter_and_a_schema_exclude_each_other() -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="Remove config_schema"):

        @sg.op(config_schema={"rows": int})
        def both(config: Rows) -> None: ...
