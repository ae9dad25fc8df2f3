"""How values are written for people."""

from __future__ import annotations

import pytest

from segue.cli.output import count, duration, plain_table, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0004, "0 ms"),
        (0.25, "250 ms"),
        (3.44, "3.4 s"),
        (59.94, "59.9 s"),
        (125, "2 min 5 s"),
        (3600 * 3 + 7 * 60 + 5, "3 h 7 min"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (3 * 10**15, "3,000.0 TB"),
    ],
)
def test_size(number: int | None, text: str) -> None:
    assert size(number) == text


def test_count() -> None:
    assert [count(0, "run"), count(1, "run"), count(1200, "run")] == ["0 runs", "1 run", "1,200 runs"]
    assert count(2, "stretch", "stretches") == "2 stretches"


def test_a_plain_table_is_aligned_and_has_one_line_per_row() -> None:
    assert plain_table(("A", "LONG"), [("wörter", "x"), ("b", "two\nlines")]) == [
        "A       LONG",
        "wörter  x",
        "b       two",
    ]
