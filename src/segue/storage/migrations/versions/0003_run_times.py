"""Runs by when they were created and changed last, and by the definitions they were planned from; the last observations."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORDS = {
    "sqlite": {
        "integer": "INTEGER",
        "real": "REAL",
        "bytes": "BLOB",
        "then_number": "",
        "manifest_hash": "json_extract(CAST(body AS TEXT), '$.manifest_hash')",
        "created_at": "json_extract(CAST(body AS TEXT), '$.created_at')",
    },
    "postgresql": {
        "integer": "BIGINT",
        "real": "DOUBLE PRECISION",
        "bytes": "BYTEA",
        "then_number": ", number",
        "manifest_hash": "convert_from(body, 'UTF8')::json ->> 'manifest_hash'",
        "created_at": "(convert_from(body, 'UTF8')::json ->> 'created_at')::double precision",
    },
}

STATEMENTS = """
ALTER TABLE runs ADD COLUMN manifest_hash TEXT;
ALTER TABLE runs ADD COLUMN created_at {real} NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN updated_at {real} NOT NULL DEFAULT 0;
UPDATE runs SET manifest_hash = {manifest_hash}, created_at = {created_at},
    updated_at = COALESCE(ended_at, started_at, {created_at});
CREATE INDEX runs_by_manifest ON runs (manifest_hash{then_number});
CREATE INDEX runs_by_creation ON runs (created_at{then_number});
CREATE INDEX runs_by_update ON runs (updated_at{then_number});
CREATE TABLE asset_observations (
    asset_key TEXT NOT NULL PRIMARY KEY,
    storage_id {integer} NOT NULL,
    run_id TEXT,
    timestamp {real} NOT NULL,
    body {bytes} NOT NULL
);
INSERT INTO asset_observations (asset_key, storage_id, run_id, timestamp, body)
    SELECT asset_key, id, run_id, timestamp, body FROM events
    WHERE id IN (SELECT max(id) FROM events WHERE type = 'ASSET_OBSERVATION' GROUP BY asset_key)
    AND NOT EXISTS (
        SELECT 1 FROM events wiped WHERE wiped.asset_key = events.asset_key AND wiped.type = 'ASSET_WIPED'
        AND wiped.id > events.id
    )
"""


def upgrade() -> None:
    """Adds the columns and the table, and fills them from what is there."""
    words = WORDS[op.get_context().dialect.name]
    for statement in STATEMENTS.format_map(words).split(";"):
        op.execute(statement.strip())
