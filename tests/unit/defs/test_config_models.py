"""`Config` classes: their schema, their values in a run config, and what reaches user code."""

from __future__ import annotations

import datetime
import enum
import warnings
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
import pytest
from config_in_ops import received
from hypothesis import given
from hypothesis import strategies as st

import segue as sg


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


class Cat(sg.Config):
    kind: Literal["cat"] = "cat"
    meows: int = 2


class Reptile(sg.Config):
    kind: Literal["snake", "lizard"]
    scales: bool


class Window(sg.Config):
    size: int = 3
    step: int | None = None


class Nested(sg.Config):
    window: Window = Window(size=9)
    windows: list[Window] = pydantic.Field([])
    by_name: Mapping[str, Window] = pydantic.Field({})


class Everything(sg.Config):
    text: str
    number: int = pydantic.Field(1, description="how many", gt=0)
    ratio: float = 1
    flag: bool = False
    color: Color = Color.RED
    colors: list[Color] = pydantic.Field([])
    word: Literal["a", "b"] = "a"
    maybe: str | None
    schema_: str = pydantic.Field("s", alias="schema")
    pet: Cat | Reptile = pydantic.Field(Cat(), discriminator="kind")
    pets: list[Annotated[Cat | Reptile, pydantic.Field(discriminator="kind")]] = pydantic.Field([])
    nested: Nested = Nested()
    by_number: dict[int, float] = pydantic.Field({})
    anything: Any = None
    made: list[int] = pydantic.Field(default_factory=lambda: [1])
    day: datetime.date = datetime.date(2024, 5, 1)
    one_of: int | str = 3


class Open(sg.PermissiveConfig):
    known: int = 1


def test_a_class_has_the_schema_that_its_fields_say() -> None:
    fields = Everything.to_fields_dict()
    assert "schema" in fields
    assert "schema_" not in fields
    assert [name for name, each in fields.items() if each.is_required] == ["text"]
    assert (fields["number"].description, fields["number"].default_value) == ("how many", 1)
    assert (fields["flag"].default_value, fields["maybe"].default_value) == (False, None)
    assert fields["color"].default_value == "RED"
    assert fields["pet"].default_value == {"cat": {"meows": 2}}
    assert fields["nested"].default_value == {"window": {"size": 9, "step": None}, "windows": [], "by_name": {}}
    assert not fields["made"].default_provided
    assert fields["text"].config_type == sg.StringSource
    assert Everything.to_config_schema().is_required
    assert Open.to_config_schema().config_type == sg.Permissive({"known": sg.Field(sg.IntSource, default_value=1)})


def test_defaults_reach_user_code_as_values_and_as_config() -> None:
    config, values = received(Everything, {"text": "x"})
    assert config == Everything(text="x")
    assert (config.maybe, config.made, config.day) == (None, [1], datetime.date(2024, 5, 1))
    assert values["color"] == "r"
    assert values["schema"] == "s"
    assert values["nested"]["window"] == {"size": 9, "step": None}


@pytest.mark.parametrize(
    ("given_config", "field", "expected"),
    [
        ({"color": "BLUE"}, "color", Color.BLUE),
        ({"colors": ["BLUE", "RED"]}, "colors", [Color.BLUE, Color.RED]),
        ({"word": "b"}, "word", "b"),
        ({"schema": "t"}, "schema_", "t"),
        ({"ratio": 2}, "ratio", 2.0),
        ({"pet": {"cat": {"meows": 7}}}, "pet", Cat(meows=7)),
        ({"pet": {"lizard": {"scales": True}}}, "pet", Reptile(kind="lizard", scales=True)),
        ({"pets": [{"snake": {"scales": False}}]}, "pets", [Reptile(kind="snake", scales=False)]),
        ({"nested": {"windows": [{"size": 1}]}}, "nested", Nested(windows=[Window(size=1)])),
        ({"nested": {"by_name": {"a": {"step": 2}}}}, "nested", Nested(by_name={"a": Window(step=2)})),
        ({"nested": {"window": {"step": 4}}}, "nested", Nested(window=Window(size=9, step=4))),
        ({"by_number": {1: 2, "3": 4}}, "by_number", {1: 2.0, 3: 4.0}),
        ({"anything": {"x": [1]}}, "anything", {"x": [1]}),
        ({"day": "2024-06-02"}, "day", datetime.date(2024, 6, 2)),
        ({"one_of": "x"}, "one_of", "x"),
        ({"maybe": None}, "maybe", None),
    ],
)
def test_values_of_a_run_config_become_fields(given_config: dict[str, Any], field: str, expected: object) -> None:
    config, _ = received(Everything, {"text": "x", **given_config})
    assert getattr(config, field) == expected


@pytest.mark.parametrize(
    ("given_config", "path", "says"),
    [
        ({}, (), 'Missing required entry "text"'),
        ({"text": "x", "txt": 1}, (), "Unknown entry \"txt\".*Did you mean 'text'"),
        ({"text": 3}, ("text",), "Invalid value"),
        ({"text": "x", "number": "1"}, ("number",), "Invalid value"),
        ({"text": "x", "number": 0}, ("number",), "greater than 0, got 0"),
        ({"text": "x", "color": "r"}, ("color",), r"must be one of \['RED', 'BLUE'\] \(Color\), got 'r'"),
        ({"text": "x", "word": "c"}, ("word",), "must be one of"),
        ({"text": "x", "pet": {"dog": {}}}, ("pet",), 'Unknown entry "dog"'),
        ({"text": "x", "pet": {"cat": {}, "snake": {}}}, ("pet",), "must have exactly one of the entries"),
        ({"text": "x", "nested": {"windows": [{"sice": 1}]}}, ("nested", "windows", 0), "Did you mean 'size'"),
        ({"text": "x", "by_number": {"x": 1}}, ("by_number", "x", "key"), "Invalid value"),
        ({"text": "x", "day": "soon"}, ("day",), "must be a date, got 'soon'"),
        ({"text": "x", "schema_": "t"}, (), "Did you mean 'schema'"),
    ],
)
def test_what_does_not_fit_a_class_is_named(given_config: Any, path: tuple[Any, ...], says: str) -> None:
    with pytest.raises(sg.InvalidConfigError, match=says) as caught:
        received(Everything, given_config)
    assert [each.path for each in caught.value.errors] == [("ops", "tell", "config", *path)]


def test_validators_of_the_class_judge_what_is_given_and_not_its_defaults() -> None:
    class Checked(sg.Config):
        name: str | None = None
        low: int = 1
        high: int = 2

        @pydantic.field_validator("name")
        @classmethod
        def never_given(cls, name: object) -> object:
            raise ValueError("may not be given")

        @pydantic.model_validator(mode="after")
        def in_order(self) -> Checked:
            if self.low > self.high:
                raise ValueError("low above high")
            return self

    assert received(Checked)[0].name is None
    with pytest.raises(sg.InvalidConfigError, match=r"config:name: .*may not be given"):
        received(Checked, {"name": "x"})
    with pytest.raises(sg.InvalidConfigError, match="low above high"):
        received(Checked, {"low": 5})


def test_a_permissive_config_has_what_else_it_is_given() -> None:
    config, values = received(Open, {"known": 2, "more": [1]})
    assert (config.known, config.more, config.model_dump()) == (2, [1], {"known": 2, "more": [1]})
    assert values == {"known": 2, "more": [1]}
    assert Open(known=1, x=None).to_run_config() == {"known": 1, "x": None}


def test_a_run_config_holds_values_as_they_are_written() -> None:
    config = Everything(
        text=sg.EnvVar("TEXT"),
        number=sg.EnvVar.int("NUMBER"),
        maybe=None,
        schema="t",
        pet=Reptile(kind="lizard", scales=True),
        pets=[Cat(meows=1)],
        color=Color.BLUE,
    )
    stored = sg.RunConfig(ops={"tell": config}).to_config_dict()["ops"]["tell"]["config"]
    assert stored["text"] == {"env": "TEXT"}
    assert stored["number"] == {"env": "NUMBER"}
    assert (stored["maybe"], stored["schema"], stored["color"], stored["day"]) == (None, "t", "BLUE", "2024-05-01")
    assert stored["pet"] == {"lizard": {"scales": True}}
    assert stored["pets"] == [{"cat": {"meows": 1}}]
    assert "anything" not in stored  # None, and nobody said so


EVERYTHING = st.builds(
    Everything,
    text=st.text(max_size=5),
    number=st.integers(1, 9),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
    color=st.sampled_from(Color),
    colors=st.lists(st.sampled_from(Color), max_size=3),
    word=st.sampled_from(["a", "b"]),
    maybe=st.none() | st.text(max_size=3),
    schema=st.text(max_size=3),
    pet=st.builds(Cat, meows=st.integers()) | st.builds(Reptile, kind=st.just("snake"), scales=st.booleans()),
    nested=st.builds(Nested, windows=st.lists(st.builds(Window, size=st.integers(), step=st.none() | st.integers()))),
    by_number=st.dictionaries(st.integers(), st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    anything=st.recursive(st.none() | st.integers(), lambda inner: st.lists(inner, max_size=2), max_leaves=3),
    day=st.dates(),
    one_of=st.integers() | st.text(max_size=3),
)


@given(EVERYTHING)
def test_a_config_survives_its_run_config(config: Everything) -> None:
    assert Everything.from_run_config(config.to_run_config()) == config


@given(EVERYTHING)
def test_a_schema_takes_what_it_gave(config: Everything) -> None:
    schema = Everything.to_config_schema()
    given_config = config.to_run_config()
    again = Everything.from_run_config(given_config).to_run_config()
    assert schema.resolve_config(again) == schema.resolve_config(given_config)


def test_a_config_is_not_changed() -> None:
    config = Window()
    with pytest.raises(sg.InvalidInvocationError, match=r"Window\.size cannot be set: a config is frozen"):
        config.size = 4  # type: ignore[misc]
    assert config.size == 3


def test_members_of_enums_are_taken_by_name_and_value_in_python() -> None:
    assert Everything(text="x", color="BLUE").color is Color.BLUE  # type: ignore[arg-type]
    assert Everything(text="x", color="b").color is Color.BLUE  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("annotation", "config", "expected"),
    [(str, "x", "x"), (int, 3, 3), (bool, True, True), (dict, {"a": 1}, {"a": 1}), (list[int], [1], [1])],
)
def test_a_config_parameter_may_be_a_plain_value(annotation: Any, config: Any, expected: Any) -> None:
    assert received(annotation, config) == [expected, expected]
    if annotation is dict:
        assert received(annotation) == [{}, {}]
    else:
        with pytest.raises(sg.InvalidConfigError, match=r"at the root\. Example: \{'ops': \{'tell': \{'config'"):
            received(annotation)
    with pytest.raises(sg.InvalidConfigError):
        received(annotation, object)


def test_a_plain_config_parameter_has_its_default() -> None:
    @sg.op
    def greet(config: str = "hello") -> str:
        return config

    @sg.job
    def job() -> None:
        greet()

    assert job.execute_in_process().output_for_node("greet") == "hello"
    given_config = {"ops": {"greet": {"config": "hi"}}}
    assert job.execute_in_process(run_config=given_config).output_for_node("greet") == "hi"
    assert greet() == "hello"


class NoConfig:
    pass


class PlainModel(pydantic.BaseModel):
    x: int


class Odd(sg.Config):
    odd: NoConfig


class Around(sg.Config):
    odd: Odd


class WrongField(sg.Config):
    x: str = sg.Field(str)  # type: ignore[assignment]


class WrongDefault(sg.Config):
    x: int = "three"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("annotation", "error", "says"),
    [
        (
            Odd,
            sg.InvalidConfigDefinitionError,
            "field 'odd' of Odd.*NoConfig.*config_schema of 'broken' .*test_config_models",
        ),
        (Around, sg.InvalidConfigDefinitionError, "field 'odd' of Odd"),
        (PlainModel, sg.InvalidConfigDefinitionError, "Derive the class from Config"),
        (NoConfig, sg.InvalidConfigDefinitionError, "is not a valid type for a config field"),
        (WrongField, sg.InvalidDefinitionError, "pydantic.Field"),
        (WrongDefault, sg.InvalidConfigError, "default_value 'three'"),
    ],
)
def test_classes_that_no_config_can_fill_are_refused_when_declared(
    annotation: Any, error: type[Exception], says: str
) -> None:
    def broken(config: Any) -> None: ...

    broken.__annotations__["config"] = annotation
    with pytest.raises(error, match=says):
        sg.op(broken)


def test_a_config_class_under_another_name_is_warned_of() -> None:
    with pytest.warns(sg.ConfigArgumentWarning, match="only a parameter named `config`"):

        @sg.op
        def misnamed(settings: Window) -> None: ...

    assert list(misnamed.ins) == ["settings"]


def test_variables_are_read_at_run_time_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_NUMBER", "12")
    assert received(Window, {"size": {"env": "A_NUMBER"}})[0] == Window(size=12)
    monkeypatch.setenv("A_NUMBER", "s3cret")
    with pytest.raises(sg.InvalidConfigError, match=r"A_\w+' is not an int") as caught:
        received(Window, {"size": {"env": "A_NUMBER"}})
    assert "s3cret" not in str(caught.value)
    monkeypatch.setenv("A_DAY", "s3cret")
    with pytest.raises(sg.InvalidConfigError, match=r"must be a date, got \{'env': 'A_DAY'\}") as caught:
        received(Everything, {"text": "x", "day": {"env": "A_DAY"}})
    assert "s3cret" not in str(caught.value)
    monkeypatch.setenv("A_NUMBER", "-7")
    with pytest.raises(sg.InvalidConfigError, match="greater than 0") as caught:
        received(Everything, {"text": "x", "number": {"env": "A_NUMBER"}})
    assert "-7" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "use"),
    [
        (sg.EnvVar, str),
        (sg.EnvVar, "{}".format),
        (sg.EnvVar.int, str),
        (sg.EnvVar.int, "{}".format),
        (sg.EnvVar.int, int),
    ],
)
def test_a_variable_used_too_early_is_an_error(make: Any, use: Any) -> None:
    with pytest.raises(RuntimeError, match="'X'\\) is resolved at run time"):
        use(make("X"))


def test_no_warning_comes_from_a_config_parameter() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        @sg.op
        def fine(config: Window) -> None: ...

    assert fine.config_field is not None


def test_variables_are_read_when_an_op_is_called_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    @sg.op
    def sized(config: Nested) -> int:
        return config.window.size

    given_config = Nested(window=Window(size=sg.EnvVar.int("A_SIZE")))
    monkeypatch.delenv("A_SIZE", raising=False)
    with pytest.raises(sg.InvalidConfigError, match="A_SIZE"):
        sized(given_config)
    monkeypatch.setenv("A_SIZE", "6")
    assert (sized(given_config), sized(config=given_config)) == (6, 6)
