"""How many steps with some tag run at once."""

from __future__ import annotations

import pytest

from segue.model.tag_limit import TagLimit
from segue.plan.limits import has_room

DUCKDB = {"database": "duckdb"}
SNOWFLAKE = {"database": "snowflake", "team": "a"}


@pytest.mark.parametrize(
    ("limits", "tags", "running", "room"),
    [
        ((), DUCKDB, [DUCKDB], True),
        ((TagLimit("database", 1),), DUCKDB, [], True),
        ((TagLimit("database", 1),), DUCKDB, [SNOWFLAKE], False),
        ((TagLimit("database", 2),), DUCKDB, [SNOWFLAKE], True),
        ((TagLimit("database", 1),), {}, [DUCKDB, SNOWFLAKE], True),
        ((TagLimit("database", 1, "duckdb"),), DUCKDB, [SNOWFLAKE], True),
        ((TagLimit("database", 1, "duckdb"),), SNOWFLAKE, [DUCKDB], True),
        ((TagLimit("database", 1, "duckdb"),), DUCKDB, [DUCKDB], False),
        ((TagLimit("database", 1, is_per_value=True),), DUCKDB, [SNOWFLAKE], True),
        ((TagLimit("database", 1, is_per_value=True),), DUCKDB, [SNOWFLAKE, DUCKDB], False),
        ((TagLimit("database", 9), TagLimit("team", 1)), SNOWFLAKE, [SNOWFLAKE], False),
    ],
)
def test_a_step_starts_where_every_limit_has_room(
    limits: tuple[TagLimit, ...], tags: dict[str, str], running: list[dict[str, str]], room: bool
) -> None:
    assert has_room(limits, tags, running) is room
