"""Leases: the fencing token of whoever executes a run or a step, and leases by name.

On SQLite the lock of a worker's file says whether it lives; Postgres judges by its own clock when a lease runs out.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The tokens come from a row that a transaction locks on SQLite, which has one writer at a time, and from a sequence
# elsewhere.
STATEMENTS = {
    "sqlite": """
ALTER TABLE runs ADD COLUMN fence INTEGER;
CREATE TABLE fencing_tokens (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
);
CREATE TABLE step_leases (
    run_id TEXT NOT NULL,
    step_key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    token INTEGER NOT NULL,
    PRIMARY KEY (run_id, step_key, attempt)
) WITHOUT ROWID;
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    token INTEGER NOT NULL
) WITHOUT ROWID
""",
    "postgresql": """
ALTER TABLE runs ADD COLUMN fence BIGINT;
CREATE TABLE workers (
    name TEXT NOT NULL PRIMARY KEY,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE SEQUENCE fencing_tokens;
CREATE TABLE step_leases (
    run_id TEXT NOT NULL,
    step_key TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    token BIGINT NOT NULL,
    PRIMARY KEY (run_id, step_key, attempt)
);
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    token BIGINT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL
)
""",
}

# Runs that were taken and have not said yet that they began: few, among all that wait.
INDEX = "CREATE INDEX runs_leased ON runs (fence) WHERE fence IS NOT NULL AND started_at IS NULL AND ended_at IS NULL"


def upgrade() -> None:
    """Adds the column and the tables."""
    for statement in [*STATEMENTS[op.get_context().dialect.name].split(";"), INDEX]:
        op.execute(statement.strip())
