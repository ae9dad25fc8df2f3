"""What Postgres says in its own way."""

from __future__ import annotations

from collections.abc import Sequence

from segue.storage.statements import Dialect

MONTH_OF_RUN = "to_char(to_timestamp(created_at) AT TIME ZONE 'UTC', 'YYYYMM')::integer"
"""The month in which a run was created, as a number like 202401: where its events lie."""


def _as_pairs(pairs: Sequence[tuple[str, str]]) -> Sequence[object]:
    return [[first for first, _ in pairs], [second for _, second in pairs]]


POSTGRES = Dialect(
    is_one_of="{} = ANY(?)",
    texts="unnest(?::text[]) {}(value)",
    pairs="unnest(?::text[], ?::text[]) {}(first, second)",
    as_list=list,
    as_pairs=_as_pairs,
    join="JOIN",
    # OFFSET keeps the planner from reading all runs to join them: it knows the rows of a tag badly.
    run_of_tag="CROSS JOIN LATERAL (SELECT * FROM runs WHERE runs.number = t.run_number OFFSET 0) r",
    by_index="",
    no_limit=None,
    merges=False,
    body_tag="(convert_from(r.body, 'UTF8')::json #>> '{{tags,{}}}')",
    # What is kept of a month that was dropped lies where what has no run lies.
    in_month_of_run=f"(month = 0 OR month = (SELECT {MONTH_OF_RUN} FROM runs m WHERE m.run_id = ?))",
    has_artifact=r"position('\x2274797065223a2273746f72656422'::bytea IN body) > 0",
)
