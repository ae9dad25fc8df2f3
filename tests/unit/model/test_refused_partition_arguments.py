"""Arguments of partitions definitions, mappings and keys that are of the wrong type are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import segue as sg

REFUSED: list[tuple[str, Callable[[], object], str]] = [
    ("minute", lambda: sg.DailyPartitionsDefinition("2026-01-01", minute_offset=_any("a")), "minute_offset"),
    ("hour", lambda: sg.DailyPartitionsDefinition("2026-01-01", hour_offset=_any(1.5)), "hour_offset"),
    ("day", lambda: sg.WeeklyPartitionsDefinition("2026-01-01", day_offset=_any("monday")), "day_offset"),
    ("fmt", lambda: sg.DailyPartitionsDefinition("2026-01-01", fmt=_any(5)), "fmt"),
    ("exclusions", lambda: sg.DailyPartitionsDefinition("2026-01-01", exclusions=_any(5)), "exclusions"),
    ("window start", lambda: sg.TimeWindowPartitionMapping(start_offset=_any("a")), "start_offset"),
    ("window end", lambda: sg.TimeWindowPartitionMapping(end_offset=_any("a")), "end_offset"),
    (
        "nonexistent",
        lambda: sg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=_any("yes")),
        "allow_nonexistent_upstream_partitions",
    ),
    ("mapped value", lambda: sg.StaticPartitionMapping({"a": _any(1)}), "partition keys"),
    ("mapped key", lambda: sg.StaticPartitionMapping({_any(1): "a"}), "partition key"),
    ("specific", lambda: sg.SpecificPartitionsPartitionMapping(_any(5)), "partition keys"),
    ("multi key", lambda: sg.MultiPartitionKey(_any(None)), "each dimension"),
    ("dimensions", lambda: sg.MultiPartitionsDefinition(_any(5)), "partitions_defs"),
    ("dimension name", lambda: sg.DimensionPartitionMapping(_any(5), sg.IdentityPartitionMapping()), "dimension_name"),
    ("dimension mapping", lambda: sg.DimensionPartitionMapping("a", _any(5)), "partition_mapping"),
]


def _any(value: object) -> Any:
    return value


@pytest.mark.parametrize(("declare", "named"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_the_error_names_the_argument(declare: Callable[[], object], named: str) -> None:
    with pytest.raises(sg.WrongTypeError, match=named):
        declare()
