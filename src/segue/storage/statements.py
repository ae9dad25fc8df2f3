"""SELECTs put together from conditions, and what the databases say differently in them.

All texts are written with `?` for a parameter. None of them holds a question mark or a percent sign besides, so that a
driver that wants other marks can exchange them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

Query: TypeAlias = tuple[str, list[object]]
"""A statement and its parameters."""

Condition: TypeAlias = tuple[str, *tuple[object, ...]]
"""A condition and its parameters."""

LAST = 2**63 - 1
"""No number of a row is larger."""


class Values(NamedTuple):
    """Values that a column may have, of which each is looked up by itself, and the numbers between which the rows lie."""

    column: str
    values: Sequence[str]
    after: int
    before: int


class Dialect(NamedTuple):
    """How a database says what others say in another way.

    Attributes:
        is_one_of: that a column is in a list, with `{}` for the column and one parameter.
        texts: a list of text as a table with the column `value`, with `{}` for its name and one parameter.
        pairs: a list of pairs of text as a table with the columns `first` and `second`, likewise.
        as_list, as_pairs: such a list as its parameter, or its parameters.
        join: a join in the order in which it is written.
        run_of_tag: a join with the runs `r` that bear the tags `t`, which looks each of them up when its turn comes.
        by_index: what makes a table be read by an index, with `{}` for its name.
        no_limit: the LIMIT that is none.
        merges: whether parts that are put together by UNION ALL are read in the order that is asked of all of them, and no
            further than needed. Where not, each part has to be told.
        body_tag: a tag in the body of the run `r`, with `{}` for its key.
        in_month_of_run: that an event lies in the part of the log that holds this run, with a parameter for the run;
            None where the log is in one piece.
        has_artifact: that a body refers to content beside the log, as the index of such events says it.
    """

    is_one_of: str
    texts: str
    pairs: str
    as_list: Callable[[Sequence[object]], object]
    as_pairs: Callable[[Sequence[tuple[str, str]]], Sequence[object]]
    join: str
    run_of_tag: str
    by_index: str
    no_limit: int | None
    merges: bool
    body_tag: str
    in_month_of_run: str | None
    has_artifact: str

    def within(self, column: str, values: Sequence[object]) -> Condition:
        """That a column holds one of these."""
        return (self.is_one_of.format(column), self.as_list(values))

    def merged(self, parts: Sequence[Query], order: str, limit: int | None) -> Query:
        """The rows of all parts in one order, at most so many."""
        if len(parts) > 1 and not self.merges:
            parts = [(f"({text} ORDER BY {order} LIMIT ?)", [*some, self.limit(limit)]) for text, some in parts]
        text = " UNION ALL ".join(text for text, _ in parts)
        parameters = [parameter for _, some in parts for parameter in some]
        return f"{text} ORDER BY {order} LIMIT ?", [*parameters, self.limit(limit)]

    def with_each(
        self,
        table: str,
        columns: str,
        which: Values,
        conditions: Sequence[Condition],
        direction: str,
        limit: int | None,
    ) -> Query:
        """The rows of a table that have one of the values and satisfy all conditions, by their number `id`, at most so many."""
        column, values, after, before = which
        ends_with_value = before == LAST if direction == "ASC" else after == 0
        if self.merges or len(values) == 1 or not ends_with_value:
            parts = [
                select(columns, table, [(f"{column} = ?", value), ("id > ?", after), ("id < ?", before), *conditions])
                for value in values
            ]
            return self.merged(parts, f"id {direction}", limit)
        # One part for all: to plan one for each value takes longer than to find a few rows. Said in pairs, it can only be read
        # by the index that begins with the value: that a value is rare is not known when it is planned. Such a walk begins at
        # a number, and ends where the value does, not at a number.
        bounds: list[Condition] = [
            (f"{column} IS NOT NULL",),
            (f"({column}, id) > (k.value, ?)", after),
            (f"({column}, id) < (k.value, ?)", before),
        ]
        text, parameters = select("*", table, [*bounds, *conditions])
        each = f"({text} ORDER BY {column} {direction}, id {direction} LIMIT ?) {table}"
        return (
            f"SELECT {columns} FROM {self.texts.format('k')} CROSS JOIN LATERAL {each} ORDER BY id {direction} LIMIT ?",
            [self.as_list(values), *parameters, self.limit(limit), self.limit(limit)],
        )

    def limit(self, limit: int | None) -> int | None:
        """The parameter of a LIMIT; None for all rows."""
        return self.no_limit if limit is None else limit


def select(columns: str, source: str, conditions: Sequence[Condition]) -> Query:
    """What satisfies all conditions; everything where there are none."""
    where = " AND ".join(condition[0] for condition in conditions) or "TRUE"
    return f"SELECT {columns} FROM {source} WHERE {where}", [value for _, *values in conditions for value in values]
