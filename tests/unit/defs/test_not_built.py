"""Parameters of the compatible API that are not built are refused, with the alternative."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import segue as sg

NOT_BUILT: list[tuple[str, Callable[..., object], str]] = [
    ("Definitions", sg.Definitions, "component_tree"),
]
ROWS = [(where, call, parameter) for where, call, parameters in NOT_BUILT for parameter in parameters.split()]


@pytest.mark.parametrize(("where", "call", "parameter"), ROWS, ids=[f"{row[0]}-{row[2]}" for row in ROWS])
def test_what_is_not_built_names_the_alternative(where: str, call: Callable[..., object], parameter: str) -> None:
    given = True if parameter == "is_virtual" else {"x": object()}
    with pytest.raises(
        sg.NotSupportedError, match=rf"^{where}\({parameter}=\.\.\.\) is not (built|supported) yet[.:] \w+ .*\.$"
    ):
        call(**{parameter: given})


@pytest.mark.parametrize(("where", "call", "parameter"), ROWS, ids=[f"{row[0]}-{row[2]}" for row in ROWS])
def test_nothing_given_is_nothing_asked(where: str, call: Callable[..., object], parameter: str) -> None:
    call(**{parameter: False if parameter == "is_virtual" else None})
