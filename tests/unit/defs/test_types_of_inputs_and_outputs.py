"""The type that an input or output is declared with is a type at once, not when an op is made of it."""

from __future__ import annotations

import typing

import pytest

import segue as sg


@pytest.mark.parametrize("kind", [sg.In, sg.Out, sg.DynamicOut])
def test_a_python_type_is_a_type_that_has_a_name(kind: type[sg.In] | type[sg.Out]) -> None:
    assert kind(int).dagster_type == kind(sg.Int).dagster_type
    assert getattr(kind(list[str]).dagster_type, "display_name", None) == "[String]"
    assert getattr(kind(sg.Nothing).dagster_type, "display_name", None) == "Nothing"


@pytest.mark.parametrize("kind", [sg.In, sg.Out])
def test_what_is_no_type_is_refused_where_it_is_written(kind: type[sg.In] | type[sg.Out]) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match="17"):
        kind(17)


def test_a_bare_generic_is_the_type_of_any_list() -> None:
    @sg.op
    def gives() -> typing.List:  # type: ignore[type-arg]  # noqa: UP006 reason: users write it
        return [1]

    assert gives.output_defs[0].dagster_type.display_name == "[Any]"


def test_a_dynamic_output_has_the_type_that_is_annotated() -> None:
    def one() -> int:
        return 1

    def listed() -> list[sg.DynamicOutput[int]]:
        return []

    def maybe() -> int | None:
        return 1

    def said_nothing() -> list[sg.DynamicOutput]:  # type: ignore[type-arg]
        return []

    kinds = [
        sg.op(out=sg.DynamicOut())(each).output_defs[0].dagster_type for each in (one, listed, maybe, said_nothing)
    ]
    assert [each.display_name for each in kinds] == ["Int", "Int", "Int?", "Any"]
