"""`StepPolicy`: what it takes, what it refuses, and its form on the wire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import segue as sg
from segue.model import codec


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        (1000, 1000),
        ("512", 512),
        ("512 MB", 512_000_000),
        ("2 GiB", 2 * 1024**3),
        ("1.5k", 1500),
        ("1ki", 1024),
        ("1 tb", 10**12),
    ],
)
def test_memory_limits(limit: Any, found: int) -> None:
    assert sg.StepPolicy(memory_limit=limit).memory_bytes == found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"timeout": 0}, "greater than 0 seconds"),
        ({"timeout": -1}, "greater than 0 seconds"),
        ({"timeout": float("nan")}, "greater than 0 seconds"),
        ({"timeout": "5"}, "timeout must be"),
        ({"trigger_rule": "sometimes"}, "trigger_rule must be one of all_success"),
        ({"memory_limit": "a lot"}, "expected a number and a unit"),
        ({"memory_limit": "3 ib"}, "expected a number and a unit"),
        ({"memory_limit": 0}, "greater than 0 bytes"),
        ({"executor": 3}, "executor must be"),
        ({"priority": 1.5}, "priority must be a whole number"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(sg.InvalidDefinitionError, match=said):
        sg.StepPolicy(**given)


def test_equal_policies_are_written_alike_and_read_back() -> None:
    first = sg.StepPolicy(timeout=timedelta(minutes=2), trigger_rule=sg.TriggerRule.ALL_DONE, memory_limit="1 KiB")
    second = sg.StepPolicy(timeout=120, trigger_rule="all_done", memory_limit=1024)
    assert first == second
    assert (
        codec.encode(first)
        == codec.encode(second)
        == b'{"timeout":120.0,"trigger_rule":"all_done","memory_limit":1024}'
    )
    assert codec.decoder(sg.StepPolicy).decode(codec.encode(first)) == first
    assert codec.encode(sg.StepPolicy()) == b"{}"
