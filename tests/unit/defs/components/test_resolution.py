"""What a file says of an object becomes the object: from plain data, without templates (those need an extra)."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Dict, List, Literal, NamedTuple, Optional  # noqa: UP035 reason: as old code has it

import pytest
from pydantic import AliasChoices, BaseModel, Field, ValidationError

import segue as dg
from segue.defs.components.form_config import FormWidget
from segue.errors import ResolutionError


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Column:
    """A class that says nothing of how it is made."""

    def __init__(self, name: str) -> None:
        self.name = name


AsColumn = Annotated[Column, dg.Resolver(lambda _, name: Column(name), model_field_type=str)]


@dataclass
class Leaf(dg.Resolvable):
    size: int
    color: Color = Color.RED


@dataclass
class Tree(dg.Resolvable):
    leaf: Leaf
    leaves: list[Leaf] = field(default_factory=list)
    by_name: dict[str, Leaf] = field(default_factory=dict)
    maybe: Leaf | None = None
    pair: tuple[str, int] = ("", 0)
    several: tuple[AsColumn, ...] = ()
    kept: Sequence[AsColumn] | None = None
    day: datetime.date | None = None
    folder: Path | None = None
    anything: Any = None
    kind: Literal["oak", "elm"] = "oak"


def test_objects_in_lists_mappings_and_options_are_made() -> None:
    tree = Tree.resolve_from_dict(
        {
            "leaf": {"size": 1, "color": "blue"},
            "leaves": [{"size": 2}, {"size": 3}],
            "by_name": {"top": {"size": 4}},
            "maybe": {"size": 5},
            "pair": ["x", 6],
            "several": ["a", "b"],
            "kept": ["c"],
            "day": "2026-02-03",
            "folder": "/data",
            "anything": {"deep": [1, "two"]},
            "kind": "elm",
        }
    )
    assert tree.leaf == Leaf(1, Color.BLUE)
    assert tree.leaves == [Leaf(2), Leaf(3)]
    assert tree.by_name == {"top": Leaf(4)}
    assert tree.maybe == Leaf(5)
    assert tree.pair == ("x", 6)
    assert [column.name for column in tree.several] == ["a", "b"]
    assert isinstance(tree.several, tuple)
    assert isinstance(tree.kept, list)
    assert tree.day == datetime.date(2026, 2, 3)
    assert tree.folder == Path("/data")
    assert tree.anything == {"deep": [1, "two"]}
    assert tree.kind == "elm"


def test_what_is_left_out_keeps_the_default_of_the_class() -> None:
    first, second = (Tree.resolve_from_dict({"leaf": {"size": 1}}) for _ in range(2))
    assert first.leaves == []
    assert first.leaves is not second.leaves
    assert first.kind == "oak"


def test_a_pydantic_model_and_an_init_are_read_alike() -> None:
    class Table(dg.Model, dg.Resolvable):
        name: str = "t"
        columns: list[AsColumn]

    class Query(dg.Resolvable):
        def __init__(self, table: Table, *, limit: int = 10, **_: Any) -> None:
            self.table, self.limit = table, limit

    query = Query.resolve_from_dict({"table": {"columns": ["a", "b"]}, "limit": 5})
    assert query.limit == 5
    assert [column.name for column in query.table.columns] == ["a", "b"]
    assert query.table.name == "t"


class Csv(dg.Model):
    delimiter: str


class Parquet(dg.Resolvable, dg.Model):
    level: Annotated[int, dg.Resolver(lambda _, text: int(text), model_field_type=str)]


@dataclass
class Export(dg.Resolvable):
    to: Csv | Sequence[Parquet]


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ({"delimiter": ";"}, Csv(delimiter=";")),
        ([{"level": "3"}, {"level": "4"}], [Parquet(level=3), Parquet(level=4)]),
    ],
)
def test_the_arm_of_a_union_that_fits_is_taken(said: Any, made: Any) -> None:
    assert Export.resolve_from_dict({"to": said}).to == made


def test_an_arm_that_fits_and_fails_is_told() -> None:
    def refuse(context: dg.ResolutionContext, value: Any) -> Any:
        raise ValueError("no such table")

    @dataclass
    class Read(dg.Resolvable):
        source: (
            Annotated[Column, dg.Resolver(refuse, model_field_type=Csv)]
            | Annotated[int, dg.Resolver(refuse, model_field_type=int)]
        )

    with pytest.raises(ResolutionError, match=r"(?s)source: the resolver of 'source' .*no such table"):
        Read.resolve_from_dict({"source": {"delimiter": ","}})


def test_resolvers_rename_fields_see_the_whole_object_or_leave_it_alone() -> None:
    @dataclass
    class Thing(dg.Resolvable):
        column: Annotated[Column, dg.Resolver(lambda _, v: Column(v), model_field_name="col", model_field_type=str)]
        both: Annotated[str, dg.Resolver.from_model(lambda _, model: f"{model.col}-{model.both}")]
        raw: Annotated[Parquet | None, dg.Resolver.passthrough()] = None

    assert "col" in Thing.model().model_fields
    thing = Thing.resolve_from_dict({"col": "a", "both": "b"})
    assert (thing.column.name, thing.both, thing.raw) == ("a", "a-b", None)


class Engine(dg.Model, dg.Resolvable):
    schema_name: str = Field(alias="schema")
    retries: int = Field(2, validation_alias=AliasChoices("tries", "attempts"))
    size: Annotated[int, dg.Resolver(lambda _, text: len(text), model_field_type=str)] = Field(0, alias="word")


class Fleet(dg.Model, dg.Resolvable):
    engines: list[Engine]


def test_a_field_with_an_alias_is_called_by_it() -> None:
    assert list(Engine.model().model_json_schema()["properties"]) == ["schema", "tries", "word"]
    fleet = Fleet.resolve_from_dict({"engines": [{"schema": "raw", "tries": 5, "word": "four"}, {"schema": "clean"}]})
    assert [(each.schema_name, each.retries, each.size) for each in fleet.engines] == [("raw", 5, 4), ("clean", 2, 0)]


def test_a_field_with_an_alias_is_not_called_by_its_own_name() -> None:
    with pytest.raises(ValidationError, match="Did you mean 'schema'"):
        Fleet.resolve_from_yaml("engines: [{schema: raw, schema_name: raw}]")


def test_containers_that_name_no_elements_take_any() -> None:
    @dataclass
    class Loose(dg.Resolvable):
        row: Dict  # noqa: UP006 reason: as old code has it
        rows: Optional[List]  # noqa: UP006, UP045 reason: likewise

    loose = Loose.resolve_from_dict({"row": {"a": [1]}, "rows": [2, "x"]})
    assert (loose.row, loose.rows) == ({"a": [1]}, [2, "x"])


def test_the_model_carries_words_and_refuses_what_it_does_not_know() -> None:
    @dataclass
    class Thing(dg.Resolvable):
        name: Annotated[str, dg.Resolver.default(description="What it is called.", examples=["x"])]

    schema = Thing.model().model_json_schema()
    assert schema["properties"]["name"]["description"] == "What it is called."
    assert schema["properties"]["name"]["examples"] == ["x"]
    with pytest.raises(ValidationError, match="nam"):
        Thing.resolve_from_dict({"nam": "x"})


class Pair(NamedTuple):
    left: str


class Hidden(BaseModel):
    value: Annotated[int, dg.Resolver(lambda _, v: v)]


@dataclass
class Unmarked:
    name: str


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Column, r"No way to make this field out of a file:\n  it: "),
        (Pair, r"No way to make this field out of a file:\n  it: "),
        (list[Unmarked], "make it a Resolvable subclass"),
        (Hidden, "Subclass Resolvable"),
        (dict[int, Leaf], "dict key type must be str"),
        (dg.AssetKey, "ResolvedAssetKey"),
        (list[Annotated[str, dg.Resolver.from_model(lambda _, m: m)]], "outermost"),
    ],
)
def test_annotations_without_a_way_to_be_made_are_named(annotation: Any, said: str) -> None:
    class Thing(dg.Resolvable):
        def __init__(self, it: Any) -> None: ...

    Thing.__init__.__annotations__["it"] = annotation
    with pytest.raises(ResolutionError, match=said):
        Thing.model()


def test_classes_that_cannot_be_resolvable_are_named() -> None:
    class Bare(dg.Resolvable): ...

    class ByPosition(dg.Resolvable):
        def __init__(self, a: int, /) -> None: ...

    with pytest.raises(ResolutionError, match="class with __init__"):
        Bare.model()
    with pytest.raises(ResolutionError, match="positional only parameter 'a'"):
        ByPosition.model()


def test_a_resolver_that_raises_is_named_with_its_field_and_cause() -> None:
    @dataclass
    class Thing(dg.Resolvable):
        size: Annotated[int, dg.Resolver(lambda _, text: int(text), model_field_type=str)]

    with pytest.raises(ResolutionError, match="size") as caught:
        Thing.resolve_from_dict({"size": "large"})
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_context_tells_where_it_is_and_what_it_carries() -> None:
    context = dg.ResolutionContext(scope={"a": 1}).at_path("tables").at_path(0).with_stashed_value("seen", True)
    assert context.path == ["tables", 0]
    assert context.with_scope(b=2).scope == {"a": 1, "b": 2}
    assert context.with_scope(b=2).stash == {"seen": True}
    assert context.resolve_value({"text": ["as it is", 3]}) == {"text": ["as it is", 3]}
    assert context.resolve_value("7", as_type=int) == 7
    with pytest.raises(ResolutionError, match=r"tables\.0: .*'seven'"):
        context.resolve_value("seven", as_type=int)


def test_unions_of_resolvers_are_declared_as_one() -> None:
    ways = dg.Resolver.union(
        [(Column, dg.Resolver(lambda _, v: Column(v), model_field_type=str)), (int, dg.Resolver.default())]
    )

    @dataclass
    class Thing(dg.Resolvable):
        it: Annotated[Column | int, ways]

    assert Thing.resolve_from_dict({"it": 5}).it == 5
    made: Mapping[str, Any] = vars(Thing.resolve_from_dict({"it": "five"}).it)
    assert made == {"name": "five"}


def test_a_form_is_told_how_to_show_an_object_and_its_fields() -> None:
    class Report(dg.Resolvable, dg.Model):
        when: Annotated[
            str, dg.Resolver.default(form_config=dg.ComponentFormConfig(widget=FormWidget.CRON, label="When"))
        ]
        text: Annotated[
            str,
            dg.Resolver.default(form_config=dg.ComponentFormConfig(multiline=True, placeholder="...", advanced=True)),
        ] = ""
        key: Annotated[str, dg.Resolver.default(form_config=dg.ComponentFormConfig(hidden=True, id_source=True))] = ""

        @classmethod
        def get_form_config(cls) -> dg.ComponentFormConfig:
            return dg.ComponentFormConfig(label="A report", editable=True)

    schema = Report.model().model_json_schema()
    assert (schema["title"], schema["x-app-managed"], schema["ui:order"]) == ("A report", True, ["when", "text", "key"])
    shown = schema["properties"]
    assert (shown["when"]["title"], shown["when"]["ui:widget"]) == ("When", "cron")
    assert [shown["text"][key] for key in ("ui:widget", "ui:placeholder", "ui:advanced")] == ["textarea", "...", True]
    assert (shown["key"]["ui:widget"], shown["key"]["x-app-id-source"]) == ("hidden", True)
    assert Report.resolve_from_dict({"when": "@daily"}).text == ""
