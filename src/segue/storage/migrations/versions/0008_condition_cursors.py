"""What automation remembers of single targets, so that an evaluation writes only what has changed."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WORDS = {
    "sqlite": {"integer": "INTEGER", "without_rowid": " WITHOUT ROWID"},
    "postgresql": {"integer": "BIGINT", "without_rowid": ""},
}

STATEMENT = """
CREATE TABLE condition_cursors (
    instigator {integer} NOT NULL,
    entity_key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (instigator, entity_key)
){without_rowid}
"""


def upgrade() -> None:
    """Adds the table."""
    op.execute(STATEMENT.format_map(WORDS[op.get_bind().dialect.name]).strip())
