"""Tables as metadata: what the constructors fill in."""

from __future__ import annotations

from segue.model.keys import AssetKey
from segue.model.table import (
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableConstraints,
    TableRecord,
    TableSchema,
)


def test_table_nouns_fill_in_what_is_left_out() -> None:
    assert TableColumn("a", constraints=None, tags=None) == TableColumn("a")
    assert TableColumn("a").constraints == TableColumnConstraints(nullable=True, unique=False, other=None)
    assert TableColumnConstraints().other == []
    assert TableSchema([]).constraints == TableConstraints([])
    assert TableSchema.from_name_type_dict({"a": "int", "b": "text"}).columns == [
        TableColumn("a", "int"),
        TableColumn("b", "text"),
    ]
    assert TableColumnDep("a/b", "c").asset_key == AssetKey(["a", "b"])
    assert TableRecord({"a": 1}).data == {"a": 1}
