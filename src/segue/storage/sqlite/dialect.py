"""What SQLite says in its own way."""

from __future__ import annotations

from collections.abc import Sequence

from segue.storage.columns import json_list
from segue.storage.statements import Dialect


def _as_pairs(pairs: Sequence[tuple[str, str]]) -> Sequence[object]:
    return [json_list(pairs)]


SQLITE = Dialect(
    is_one_of="{} IN (SELECT value FROM json_each(?))",
    texts="json_each(?) {}",
    pairs="(SELECT json_extract(value, '$[0]') AS first, json_extract(value, '$[1]') AS second FROM json_each(?)) {}",
    as_list=json_list,
    as_pairs=_as_pairs,
    join="CROSS JOIN",  # unlike a plain join, it keeps the order
    run_of_tag="CROSS JOIN runs r ON r.number = t.run_number",
    by_index=" INDEXED BY {}",
    no_limit=-1,
    merges=True,
    body_tag="json_extract(CAST(r.body AS TEXT), '$.tags.\"{}\"')",
    in_month_of_run=None,
    has_artifact="instr(body, X'2274797065223A2273746F72656422') > 0",
)
