"""Metadata values: what users may pass, what comes out, and that all of it survives the wire."""

from __future__ import annotations

import copy
import enum
import math
import pickle
from datetime import date, datetime, timedelta, timezone
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidDefinitionError, InvalidInvocationError
from segue.model import codec
from segue.model.keys import AssetKey
from segue.model.metadata import (
    AnyMetadataValue,
    AssetMetadataValue,
    BoolMetadataValue,
    CodeReferencesMetadataValue,
    FloatMetadataValue,
    IntMetadataValue,
    JobMetadataValue,
    JsonMetadataValue,
    LocalFileCodeReference,
    MarkdownMetadataValue,
    MetadataValue,
    NotebookMetadataValue,
    NullMetadataValue,
    PathMetadataValue,
    PoolMetadataValue,
    PythonArtifactMetadataValue,
    RunMetadataValue,
    TableColumnLineageMetadataValue,
    TableMetadataValue,
    TableSchemaMetadataValue,
    TextMetadataValue,
    TimestampMetadataValue,
    UrlCodeReference,
    UrlMetadataValue,
    normalize_metadata,
)
from segue.model.table import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableRecord,
    TableSchema,
)

SCHEMA = TableSchema(
    [
        TableColumn("id", "int", "the id", TableColumnConstraints(nullable=False, unique=True), {"pii": ""}),
        TableColumn("x"),
    ],
    TableConstraints(["sorted by id"]),
)
LINEAGE = TableColumnLineage({"id": [TableColumnDep(["raw", "orders"], "order_id"), TableColumnDep("raw/ids", "id")]})
ROWS = [TableRecord({"a": 1, "b": "x", "c": 1.5, "d": None, "e": True})]
MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=2)))

# made by the static method, made by the class, the plain value inside
VALUES: list[tuple[AnyMetadataValue, AnyMetadataValue, object]] = [
    (MetadataValue.text("a"), TextMetadataValue("a"), "a"),
    (MetadataValue.url("https://a"), UrlMetadataValue(url="https://a"), "https://a"),
    (MetadataValue.path("/a/b"), PathMetadataValue(path="/a/b"), "/a/b"),
    (MetadataValue.path(PurePosixPath("/a/b")), PathMetadataValue("/a/b"), "/a/b"),
    (MetadataValue.notebook(PurePosixPath("a.ipynb")), NotebookMetadataValue("a.ipynb"), "a.ipynb"),
    (MetadataValue.json({"a": [1, None]}), JsonMetadataValue(data={"a": [1, None]}), {"a": [1, None]}),
    (MetadataValue.json([]), JsonMetadataValue([]), []),
    (MetadataValue.md("# a"), MarkdownMetadataValue(md_str="# a"), "# a"),
    (MetadataValue.float(1.5), FloatMetadataValue(value=1.5), 1.5),
    (MetadataValue.float(None), FloatMetadataValue(None), None),
    (MetadataValue.int(2**70), IntMetadataValue(2**70), 2**70),
    (MetadataValue.bool(False), BoolMetadataValue(False), False),
    (MetadataValue.timestamp(MOMENT), TimestampMetadataValue(MOMENT.timestamp()), MOMENT.timestamp()),
    (MetadataValue.timestamp(3), TimestampMetadataValue(3.0), 3.0),
    (MetadataValue.run("r1"), RunMetadataValue(run_id="r1"), "r1"),
    (MetadataValue.asset(AssetKey(["a", "b"])), AssetMetadataValue(AssetKey(["a", "b"])), AssetKey(["a", "b"])),
    (MetadataValue.table_schema(SCHEMA), TableSchemaMetadataValue(SCHEMA), SCHEMA),
    (MetadataValue.column_lineage(LINEAGE), TableColumnLineageMetadataValue(column_lineage=LINEAGE), LINEAGE),
    (MetadataValue.null(), NullMetadataValue(), None),
    (MetadataValue.pool("db"), PoolMetadataValue(pool="db"), "db"),
]
# values that are their own plain value, because they have several parts
RECORDS: list[tuple[AnyMetadataValue, AnyMetadataValue]] = [
    (MetadataValue.job("j", "l", repository_name="r"), JobMetadataValue("j", "l", "r")),
    (MetadataValue.python_artifact(Path), PythonArtifactMetadataValue("pathlib", "Path")),
    (MetadataValue.table(ROWS, SCHEMA), TableMetadataValue(records=ROWS, schema=SCHEMA)),
    (
        CodeReferencesMetadataValue(code_references=[LocalFileCodeReference(file_path="a.py", line_number=3)]),
        CodeReferencesMetadataValue(code_references=[LocalFileCodeReference(file_path="a.py", line_number=3)]),
    ),
    (
        CodeReferencesMetadataValue(code_references=[UrlCodeReference(url="https://a", label="here")]),
        CodeReferencesMetadataValue(code_references=[UrlCodeReference(url="https://a", label="here")]),
    ),
]
ALL_VALUES = [value for value, _, _ in VALUES] + [value for value, _ in RECORDS]


def wired(value: object) -> AnyMetadataValue:
    return codec.decoder(AnyMetadataValue).decode(codec.encode(value))


@pytest.mark.parametrize(("made", "same", "plain"), VALUES, ids=repr)
def test_a_static_method_makes_the_value_of_its_class(
    made: AnyMetadataValue, same: AnyMetadataValue, plain: object
) -> None:
    assert made == same
    assert type(made) is type(same)
    assert made.value == plain
    assert type(made.value) is type(plain)


@pytest.mark.parametrize(("made", "same"), RECORDS, ids=repr)
def test_a_value_of_several_parts_is_its_own_value(made: AnyMetadataValue, same: AnyMetadataValue) -> None:
    assert made == same
    assert made.value is made


@pytest.mark.parametrize("value", ALL_VALUES, ids=repr)
def test_every_value_survives_wire_pickle_and_copy_and_cannot_be_changed(value: AnyMetadataValue) -> None:
    assert isinstance(value, MetadataValue)
    assert wired(value) == value
    assert type(wired(value)) is type(value)
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value
    assert type(value).__name__ in repr(value)
    for field in value.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(value, field, "other")


def test_each_class_has_a_tag_of_its_own() -> None:
    tags = [type(value).__struct_config__.tag for value in ALL_VALUES]
    assert dict(zip(tags, [type(value) for value in ALL_VALUES], strict=True)) == {
        type(value).__struct_config__.tag: type(value) for value in ALL_VALUES
    }
    assert len(set(tags)) == len({type(value) for value in ALL_VALUES}) == 20


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (MetadataValue.text("a"), {"text": "a"}),
        (MetadataValue.url("a"), {"url": "a"}),
        (MetadataValue.path("a"), {"path": "a", "fspath": "a"}),
        (MetadataValue.json([1]), {"data": [1]}),
        (MetadataValue.md("a"), {"md_str": "a"}),
        (MetadataValue.python_artifact(len), {"module": "builtins", "name": "len"}),
        (MetadataValue.job("j", "l"), {"job_name": "j", "location_name": "l", "repository_name": None}),
        (MetadataValue.run("r"), {"run_id": "r"}),
        (MetadataValue.pool("p"), {"pool": "p"}),
    ],
    ids=repr,
)
def test_attributes_have_the_names_of_the_compatible_api(value: AnyMetadataValue, names: dict[str, object]) -> None:
    assert {name: getattr(value, name) for name in names} == names


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Float(float):
    """Stands for numpy.float64, which is a subclass of float."""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a", TextMetadataValue("a")),
        (Colour.RED, TextMetadataValue("red")),
        (1, IntMetadataValue(1)),
        (Level.HIGH, IntMetadataValue(3)),
        (1.5, FloatMetadataValue(1.5)),
        (Float(1.5), FloatMetadataValue(1.5)),
        (True, BoolMetadataValue(True)),
        (None, NullMetadataValue()),
        ({"a": (1, {"b": None})}, JsonMetadataValue({"a": [1, {"b": None}]})),
        ({2: 1, None: 3, True: 4, 1.5: 5}, JsonMetadataValue({"2": 1, "null": 3, "true": 4, "1.5": 5})),
        ([1, "a"], JsonMetadataValue([1, "a"])),
        ([Colour.RED, Level.HIGH, Float(1.5)], JsonMetadataValue(["red", 3, 1.5])),
        (PurePosixPath("/x"), PathMetadataValue("/x")),
        (AssetKey("a"), AssetMetadataValue(AssetKey("a"))),
        (SCHEMA, TableSchemaMetadataValue(SCHEMA)),
        (LINEAGE, TableColumnLineageMetadataValue(LINEAGE)),
        (MetadataValue.md("a"), MarkdownMetadataValue("a")),
    ],
    ids=repr,
)
def test_raw_values_become_typed_values_that_can_be_written(raw: object, expected: AnyMetadataValue) -> None:
    normalized = normalize_metadata({"key": raw})
    assert normalized == {"key": expected}
    assert type(normalized["key"]) is type(expected)
    assert wired(normalized["key"]) == expected


def test_no_metadata_is_an_empty_dict_and_order_is_kept() -> None:
    assert normalize_metadata(None) == {}
    assert list(normalize_metadata({"b": 1, "a": 2})) == ["b", "a"]


class Frame:
    def to_markdown(self) -> str:
        return "|a|"


class Array:
    def __len__(self) -> int:
        return 1

    def tolist(self) -> list[int]:
        return [1]


class Number:
    def __float__(self) -> float:
        return 1.0


class WholeNumber:
    def __index__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("raw", "advice"),
    [
        ((1, 2), "MetadataValue.json(list(value))"),
        ({1}, "MetadataValue.json(list(value))"),
        (MOMENT, "MetadataValue.timestamp(value)"),
        (date(2024, 1, 1), "value.isoformat()"),
        (b"a", "value.decode()"),
        (len, "MetadataValue.python_artifact(value)"),
        (Frame, "MetadataValue.python_artifact(value)"),
        (Frame(), "MetadataValue.md(value.to_markdown())"),
        (Array(), "MetadataValue.json(value.tolist())"),
        (Number(), "MetadataValue.float(float(value))"),
        (WholeNumber(), "MetadataValue.int(int(value))"),
        (TableColumn("a"), "MetadataValue.text(str(value))"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_metadata_is_refused_with_key_type_and_advice(raw: object, advice: str) -> None:
    with pytest.raises(InvalidDefinitionError) as caught:
        normalize_metadata({"my_key": raw})
    message = str(caught.value)
    assert "'my_key'" in message
    assert type(raw).__qualname__ in message
    assert advice in message


@pytest.mark.parametrize("key", ["", 1, None])
def test_a_key_must_be_a_non_empty_string(key: object) -> None:
    with pytest.raises(InvalidDefinitionError, match="non-empty string"):
        normalize_metadata({key: 1})


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"a": [1, {"b": {1}}]}, r"value\['a'\]\[1\]\['b'\] is of type set"),
        ({"a": MOMENT}, r"value\['a'\] is of type datetime"),
        ([object()], r"value\[0\] is of type object"),
        ({"a": {(1,): 2}}, r"value\['a'\] has the key \(1,\)"),
    ],
    ids=["set", "datetime", "object", "key"],
)
def test_what_json_cannot_hold_is_named_with_its_place(data: object, place: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=rf"Metadata 'report'.*{place}"):
        normalize_metadata({"report": data})
    with pytest.raises(InvalidDefinitionError, match=place):
        JsonMetadataValue(data)


def test_json_that_contains_itself_is_refused() -> None:
    data: dict[str, object] = {}
    data["self"] = data
    with pytest.raises(InvalidDefinitionError, match="contains itself"):
        MetadataValue.json(data)


def test_json_data_is_a_copy() -> None:
    data = {"a": [1]}
    value = MetadataValue.json(data)
    data["a"].append(2)
    assert value.data == {"a": [1]}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=repr)
def test_floats_that_json_does_not_have_survive_the_wire(number: float) -> None:
    single = wired(MetadataValue.float(number))
    assert isinstance(single, FloatMetadataValue)
    assert repr(single.value) == repr(number)
    nested = wired(MetadataValue.json({"": {"0": number}, "a/b~c": [1.0, number]}))
    assert repr(nested.value) == repr({"": {"0": number}, "a/b~c": [1.0, number]})
    table = wired(MetadataValue.table([TableRecord({"x": number, "y": 1.0})]))
    assert isinstance(table, TableMetadataValue)
    assert repr(table.records) == repr([TableRecord({"x": number, "y": 1.0})])
    assert repr(copy.deepcopy(nested)) == repr(pickle.loads(pickle.dumps(nested))) == repr(nested)


def test_floats_that_json_does_not_have_are_null_beside_their_name() -> None:
    assert codec.encode(MetadataValue.float(math.inf)) == b'{"type":"float","value":null,"non_finite":"inf"}'
    assert codec.encode(MetadataValue.json([-math.inf])) == b'{"type":"json","data":[null],"non_finite":{"/0":"-inf"}}'
    assert codec.encode(MetadataValue.float(1.0)) == b'{"type":"float","value":1.0}'


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_data)
def test_any_json_data_survives_the_wire(data: object) -> None:
    value = JsonMetadataValue(data)
    assert repr(value.data) == repr(data)
    plain = wired(value)
    assert codec.encode(plain) == codec.encode(value)
    assert sorted_repr(plain.value) == sorted_repr(data)


def sorted_repr(data: object) -> str:
    if isinstance(data, dict):
        return repr(sorted((key, sorted_repr(item)) for key, item in data.items()))
    return repr([sorted_repr(item) for item in data]) if isinstance(data, list) else repr(data)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (MetadataValue.text, 1),
        (MetadataValue.url, 1),
        (MetadataValue.path, 1),
        (MetadataValue.md, b"a"),
        (MetadataValue.float, "1"),
        (MetadataValue.float, True),
        (MetadataValue.int, 1.5),
        (MetadataValue.bool, 1),
        (MetadataValue.timestamp, "now"),
        (MetadataValue.timestamp, math.nan),
        (MetadataValue.timestamp, datetime(2024, 1, 1)),
        (MetadataValue.run, 1),
        (MetadataValue.asset, "a"),
        (MetadataValue.table_schema, 1),
        (MetadataValue.column_lineage, {}),
        (MetadataValue.pool, 1),
        (MetadataValue.python_artifact, 1),
        (MetadataValue.table, []),
        (MetadataValue.table, [{"a": 1}]),
        (MetadataValue.table, [TableRecord({"a": 1}), TableRecord({"b": 1})]),
        (TableRecord, {"a": object()}),
        (TableRecord, [1]),
        (TableSchema, [1]),
        (TableColumn, 1),
        (TableConstraints, "a"),
        (TableColumnLineage, {"a": [1]}),
    ],
)
def test_arguments_of_the_wrong_type_are_refused(make: object, argument: object) -> None:
    with pytest.raises(InvalidInvocationError):
        make(argument)


def test_a_naive_datetime_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidInvocationError, match=r"tzinfo=timezone\.utc"):
        MetadataValue.timestamp(datetime(2024, 1, 1))


def test_a_table_without_schema_takes_it_from_the_first_record() -> None:
    table = MetadataValue.table(ROWS)
    assert [(column.name, column.type) for column in table.schema.columns] == [
        ("a", "int"),
        ("b", "string"),
        ("c", "float"),
        ("d", "string"),
        ("e", "bool"),
    ]
    assert TableMetadataValue.infer_column_type([1]) == "string"
    assert MetadataValue.table([], SCHEMA).schema is SCHEMA


def test_code_references_say_where_they_point() -> None:
    assert LocalFileCodeReference(file_path="a.py", line_number=3).source == "a.py:3"
    assert LocalFileCodeReference(file_path="a.py").source == "a.py"
    assert UrlCodeReference(url="https://a").source == "https://a"
