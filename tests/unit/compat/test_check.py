"""Checks of arguments, as projects take them from Dagster's private module, and the error that they raise."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

import segue as sg
from segue.compat import hook


class Keyless:
    """No config can hold one."""


class Odd(sg.Config):
    field: Keyless


@pytest.fixture
def check() -> Iterator[Any]:
    hook.install()
    try:
        yield importlib.import_module("dagster._check")
    finally:
        hook.uninstall()


FINE: list[tuple[str, tuple[Any, ...], object]] = [
    ("str_param", ("a", "name"), "a"),
    ("opt_str_param", (None, "name"), None),
    ("opt_str_param", (None, "name", "else"), "else"),
    ("int_param", (1, "n"), 1),
    ("bool_param", (False, "flag"), False),
    ("opt_float_param", (None, "f", 0.5), 0.5),
    ("not_none", (0,), 0),
    ("not_none_param", ("", "x"), ""),
    ("inst", (5, (int, str)), 5),
    ("opt_inst", (None, int), None),
    ("inst_param", ("a", "x", str), "a"),
    ("opt_inst_param", (None, "x", str, "b"), "b"),
    ("callable_param", (len, "call"), len),
    ("opt_callable_param", (None, "call"), None),
    ("list_param", ([1], "l", int), [1]),
    ("opt_list_param", (None, "l", int), []),
    ("opt_nullable_list_param", (None, "l"), None),
    ("sequence_param", ((1, 2), "s"), (1, 2)),
    ("opt_set_param", (None, "s"), set()),
    ("tuple_param", ((1,), "t"), (1,)),
    ("iterable_param", ({1}, "i"), {1}),
    ("dict_param", ({"a": 1}, "d", str, int), {"a": 1}),
    ("opt_dict_param", (None, "d"), {}),
    ("opt_nullable_dict_param", (None, "d"), None),
    ("mapping_param", ({}, "m"), {}),
    ("opt_mapping_param", (None, "m"), {}),
    ("invariant", (1 == 1, "so it is"), True),
    ("param_invariant", (True, "x"), None),
]
WRONG: list[tuple[str, tuple[Any, ...], str]] = [
    ("str_param", (5, "name"), "argument 'name' must be str, got 5 of type int"),
    ("opt_str_param", (5, "name"), "'name'"),
    ("not_none", (None, "Ask first."), r"None.*Ask first\."),
    ("not_none_param", (None, "x"), "argument 'x'"),
    ("inst", (5, (list, str)), "list or str"),
    ("opt_inst", (5, str), "str"),
    ("inst_param", (5, "x", str, "Why?"), r"'x'.*Why\?"),
    ("callable_param", (5, "call"), "call"),
    ("list_param", ([1, "b"], "l", int), "an element.*'b'"),
    ("dict_param", ({1: 1}, "d", str), "a key"),
    ("dict_param", ({"a": 1}, "d", str, str), "a value"),
    ("opt_dict_param", ([], "d"), "dict"),
    ("invariant", (False,), "invariant does not hold"),
    ("invariant", (False, "two and two"), "two and two"),
    ("param_invariant", (False, "x", "Too far."), r"'x'.*Too far\."),
    ("failed", ("gone wrong",), "gone wrong"),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), FINE, ids=[f"{each[0]}{each[1]}" for each in FINE])
def test_what_fits_comes_back(check: Any, name: str, arguments: tuple[Any, ...], expected: object) -> None:
    assert getattr(check, name)(*arguments) == expected


@pytest.mark.parametrize(("name", "arguments", "says"), WRONG, ids=[f"{each[0]}{each[1]}" for each in WRONG])
def test_what_does_not_fit_is_named(check: Any, name: str, arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(check.CheckError, match=says):
        getattr(check, name)(*arguments)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: sg.DataVersion(5), sg.InvalidDefinitionError),  # type: ignore[arg-type]
        (lambda: sg.validate_run_config("job"), sg.InvalidInvocationError),  # type: ignore[arg-type]
        (lambda: sg.define_asset_job("a", op_retry_policy=5), sg.InvalidDefinitionError),  # type: ignore[arg-type]
    ],
)
def test_arguments_of_a_wrong_type_are_caught_as_check_errors_and_type_errors(
    check: Any, call: Any, kind: type
) -> None:
    for expected in (check.CheckError, check.ParameterCheckError, kind, TypeError, sg.WrongTypeError):
        with pytest.raises(expected):
            call()


@pytest.mark.parametrize(
    "name", ["DagsterInvalidPythonicConfigDefinitionError", "DagsterInvalidDagsterTypeInPythonicConfigDefinitionError"]
)
def test_a_config_class_with_a_field_that_no_config_can_hold_is_caught_under_the_private_names(name: str) -> None:
    hook.install()
    try:
        expected = getattr(importlib.import_module("dagster._core.errors"), name)
    finally:
        hook.uninstall()

    with pytest.raises(expected, match="field"):

        @sg.op
        def odd(config: Odd) -> None:
            del config
