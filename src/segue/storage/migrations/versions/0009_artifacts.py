"""Which events refer to content that is kept beside the log: an index of these few, so that what nothing refers to can go."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The bytes are `"type":"stored"`, as a reference begins in the body of an event.
STATEMENTS = {
    "sqlite": "CREATE INDEX events_with_artifacts ON events (id) WHERE instr(body, X'2274797065223A2273746F72656422') > 0",
    "postgresql": r"""
        CREATE INDEX events_with_artifacts ON events (id)
        WHERE position('\x2274797065223a2273746f72656422'::bytea IN body) > 0""",
}


def upgrade() -> None:
    """Makes the index."""
    op.execute(STATEMENTS[op.get_context().dialect.name].strip())
