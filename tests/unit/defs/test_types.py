"""Types of values: what stands for a type, what passes it, and what is said when a value does not."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, NewType, Protocol, TypedDict, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg


class Animal:
    """A class of the user."""


class Cat(Animal):
    """Another one."""


class Row(TypedDict):
    """A dict with known keys."""

    a: int


class Point(NamedTuple):
    """A tuple with names."""

    x: int


class Speaks(Protocol):
    """A shape of objects."""

    def speak(self) -> str: ...


def anything(value: object) -> Any:
    """A value that type checkers let pass anywhere."""
    return value


UserId = NewType("UserId", int)
Bounded = TypeVar("Bounded", bound=Animal)
Free = TypeVar("Free")

ROWS: list[tuple[object, list[Any], list[Any]]] = [
    (None, [1, None, "a"], []),
    (Any, [1, None, "a"], []),
    (sg.Any, [1, None], []),
    (int, [1, True], ["a", 1.0, None]),
    (float, [1.0], [1, "a", None]),
    (str, ["a"], [1, None]),
    (bool, [True], [1, None]),
    (sg.Int, [1], ["a"]),
    (sg.String, ["a"], [1]),
    (sg.Float, [1.5], [1]),
    (sg.Bool, [False], [0]),
    (type(None), [None], [0, ""]),
    (sg.Nothing, [None], [0, ""]),
    (bytes, [b"a"], ["a"]),
    (object, [1, None], []),
    (Animal, [Animal(), Cat()], [1, None, Animal]),
    (dict, [{}, {1: 2}], [[], None]),
    (list, [[], [1, "a"]], [(), {}, None]),
    (set, [set(), {1}], [[], frozenset()]),
    (tuple, [(), (1, 2)], [[]]),
    (sg.List, [[1]], [(1,)]),
    (sg.Dict, [{1: 2}], [[1]]),
    (sg.Set, [{1}], [[1]]),
    (sg.Tuple, [(1,)], [[1]]),
    (list[int], [[], [1, 2]], [["a"], [1, "a"], (1,), None]),
    (typing.List[int], [[1]], [["a"]]),  # noqa: UP006 reason: users write it
    (sg.List[int], [[1]], [["a"]]),
    (sg.List[sg.Optional[int]], [[1, None]], [["a"]]),
    (list[list[int]], [[[1], []]], [[1], [["a"]]]),
    (list[Animal], [[Cat()]], [[1]]),
    (Sequence[int], [[1], (1, 2)], [["a"], "12", 1]),
    (dict[str, int], [{}, {"a": 1}], [{"a": "b"}, {1: 1}, [1]]),
    (sg.Dict[str, int], [{"a": 1}], [{"a": "b"}]),
    (Mapping[str, Any], [{"a": None}], [{1: 1}]),
    (set[int], [{1}, frozenset({1})], [{"a"}, [1]]),
    (sg.Set[int], [{1}], [{"a"}]),
    (tuple[int, str], [(1, "a")], [(1,), (1, 2), [1, "a"], (1, "a", 2)]),
    (sg.Tuple[int, str], [(1, "a")], [(1, 2)]),
    (tuple[int, ...], [(), (1, 2, 3)], [(1, "a"), [1]]),
    (tuple[()], [()], [(1,)]),
    (int | None, [1, None], ["a"]),
    (typing.Optional[int], [1, None], ["a"]),  # noqa: UP045 reason: users write it
    (sg.Optional[int], [1, None], ["a"]),
    (sg.Optional[sg.Optional[int]], [1, None], ["a"]),
    (int | str, [1, "a"], [1.5, None]),
    (int | str | None, [1, "a", None], [1.5]),
    (list[int] | Animal, [[1], Cat()], [["a"], 1]),
    (int | Any, [1, "a", None], []),
    (Annotated[int, ["note"]], [1], ["a"]),
    (Literal["a", 1], ["a", 1], ["b", True, 1.0]),
    (Callable[[int], int], [len], [1]),
    (type[Animal], [Cat, Animal], [int, Cat()]),
    (type[Any], [Cat, int], [Cat()]),
    (typing.Type, [Cat, int], [Cat()]),  # noqa: UP006 reason: without an argument, typing's name differs from the class
    (UserId, [1], ["a"]),
    (Bounded, [Cat()], [1]),
    (Free, [1, None], []),
    (Row, [{"a": 1}, {}], [1]),
    (Point, [Point(1)], [(1,)]),
    (Speaks, [1, None], []),
    (Iterator[int], [iter([1]), iter(["a"])], []),
    (sg.Output[int], [1], ["a"]),
    (sg.MaterializeResult[str], ["a"], [1]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), ROWS, ids=[str(row[0]) for row in ROWS])
def test_what_passes_a_type(kind: object, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert sg.check_type(kind, value) == sg.TypeCheck(True), value
    for value in bad:
        found = sg.check_type(kind, value)
        assert not found.success, value
        assert found.description, value


@pytest.mark.parametrize("kind", ["int", 3, [int], {"a": int}, ..., sg.Optional])
def test_what_is_no_type_is_refused(kind: object) -> None:
    with pytest.raises(sg.InvalidDefinitionError):
        sg.check_type(kind, 1)


@pytest.mark.parametrize(("form", "count"), [(sg.List, 2), (sg.Dict, 1), (sg.Set, 2), (sg.Optional, 2)])
def test_brackets_take_so_many_types(form: Any, count: int) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="in brackets"):
        form[(int,) * count]


@given(st.lists(st.one_of(st.integers(), st.text(), st.none())))
def test_a_list_passes_when_each_element_does(values: list[object]) -> None:
    for inner in (int, str, int | None, int | str | None):
        assert sg.check_type(list[inner], values).success == all(sg.check_type(inner, each).success for each in values)


def test_a_description_says_what_came_in_short() -> None:
    text = sg.check_type(int, "x" * 1000).description
    assert text is not None
    assert text.startswith("Expected int, got 'xxx")
    assert len(text) < 120


def test_a_type_of_the_user() -> None:
    def even(context: sg.TypeCheckContext, value: Any) -> sg.TypeCheck | bool:
        assert context.run_id
        if not isinstance(value, int):
            return False
        return sg.TypeCheck(value % 2 == 0, description=f"{value} halves", metadata={"half": value // 2})

    kind = sg.SegueType(even, name="Even", description="Numbers that halve.", metadata={"since": 1}, typing_type=int)
    assert (kind.key, kind.display_name, kind.unique_name, kind.description) == (
        "Even",
        "Even",
        "Even",
        "Numbers that halve.",
    )
    assert kind.typing_type is int
    assert kind.metadata["since"].value == 1
    assert sg.check_type(kind, 4) == sg.TypeCheck(True, "4 halves", {"half": 2})
    assert not sg.check_type(kind, 3).success
    assert sg.check_type(kind, "a") == sg.TypeCheck(False)
    assert not sg.check_type(sg.List[kind], [4, 5]).success
    assert sg.List[kind].display_name == "[Even]"


def test_a_type_by_key_has_no_name_of_its_own() -> None:
    kind = sg.SegueType(lambda context, value: True, key="k")
    assert kind.display_name == "k"
    assert not kind.has_unique_name
    with pytest.raises(sg.InvariantViolationError, match="has_unique_name"):
        _ = kind.unique_name


@pytest.mark.parametrize("given_back", [None, 1, "yes"])
def test_a_check_gives_a_bool_or_a_type_check(given_back: Any) -> None:
    kind = sg.SegueType(lambda context, value: given_back, name="Odd")
    with pytest.raises(sg.InvariantViolationError, match="return a bool or a TypeCheck"):
        sg.check_type(kind, 1)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: sg.SegueType(lambda context, value: True),
        lambda: sg.SegueType(anything("no function"), name="X"),
        lambda: sg.PythonObjectType(anything("int")),
        lambda: sg.PythonObjectType(()),
        lambda: sg.TypeCheck(anything("yes")),
    ],
)
def test_impossible_types_are_refused(declare: Callable[[], object]) -> None:
    with pytest.raises(sg.InvalidDefinitionError):
        declare()


def test_types_of_python_classes() -> None:
    one = sg.PythonObjectType(Animal, description="All of them.")
    several = sg.PythonObjectType((Animal, int), name="AnimalOrInt")
    assert (one.key, one.python_type, one.typing_type, one.description) == ("Animal", Animal, Animal, "All of them.")
    assert sg.check_type(one, Cat()).success
    assert sg.check_type(several, 1).success
    assert not sg.check_type(several, "a").success
    assert several.display_name == "AnimalOrInt"
    assert sg.PythonObjectType(Animal) == one


def test_a_class_can_stand_for_a_type_of_its_own() -> None:
    class Odd(int):
        """An int of its own."""

    kind = sg.SegueType(lambda context, value: isinstance(value, int) and value % 2 == 1, name="Odd")
    sg.make_python_type_usable_as_type(Odd, kind)
    sg.make_python_type_usable_as_type(Odd, kind)  # again the same: nothing happens
    assert sg.check_type(list[Odd], [1, 3]).success
    assert not sg.check_type(list[Odd], [1, 2]).success
    with pytest.raises(sg.InvalidDefinitionError, match="already registered for the type 'Odd'"):
        sg.make_python_type_usable_as_type(Odd, sg.PythonObjectType(Odd))


def test_a_class_is_given_its_type_before_it_is_used() -> None:
    class Used:
        """Met in an annotation."""

    assert sg.check_type(Used, Used()).success
    with pytest.raises(sg.InvalidDefinitionError, match="right after the class"):
        sg.usable_as_type(Used)


def test_usable_as_type_decorates_classes() -> None:
    @sg.usable_as_type
    class Plain:
        """Without arguments."""

    @sg.usable_as_type(name="Other", description="With arguments.")
    class Named:
        """With arguments."""

    assert sg.check_type(Plain, Plain()).success
    failed = sg.check_type(sg.List[Named], [Plain()])
    assert not failed.success
    assert sg.List[Named].display_name == "[Other]"
    assert sg.List[Plain].display_name == "[Plain]"


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (list[int], typing.List[int]),  # noqa: UP006 reason: what code of IO managers compares with
        (typing.Dict[str, int], typing.Dict[str, int]),  # noqa: UP006 reason: as above
        (set[str], typing.Set[str]),  # noqa: UP006 reason: as above
        (tuple[int, str] | None, typing.Optional[typing.Tuple[int, str]]),  # noqa: UP006, UP045 reason: as above
    ],
)
def test_what_an_io_manager_compares_the_type_with(annotation: Any, expected: Any) -> None:
    @sg.op(ins={"value": sg.In(annotation)})
    def takes(value: object) -> None: ...

    assert takes.input_defs[0].dagster_type.typing_type == expected


def test_a_check_that_gives_no_verdict_breaks_a_rule() -> None:
    odd = sg.SegueType(name="odd", type_check_fn=lambda _context, _value: 5)  # type: ignore[arg-type, return-value]

    @sg.op(out=sg.Out(odd))
    def gives() -> int:
        return 1

    @sg.job
    def work() -> None:
        gives()

    with pytest.raises(sg.InvariantViolationError, match="return a bool or a TypeCheck"):
        work.execute_in_process()
