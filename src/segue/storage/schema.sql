-- Generated from storage/migrations by tools/generate_schema.py: do not edit.

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL UNIQUE,
    job_name TEXT NOT NULL,
    status TEXT NOT NULL,
    worker TEXT,
    started_at REAL,
    ended_at REAL,
    failure_reason TEXT,
    body BLOB NOT NULL
, manifest_hash TEXT, created_at REAL NOT NULL DEFAULT 0, updated_at REAL NOT NULL DEFAULT 0, fence INTEGER, priority INTEGER NOT NULL DEFAULT 0);

CREATE TABLE run_tags (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    run_number INTEGER NOT NULL,
    PRIMARY KEY (key, value, run_number)
) WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT,
    timestamp REAL NOT NULL,
    type TEXT NOT NULL,
    topic TEXT,
    step_key TEXT,
    asset_key TEXT,
    partition TEXT,
    version INTEGER NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE assets (
    asset_key TEXT NOT NULL PRIMARY KEY,
    storage_id INTEGER NOT NULL,
    run_id TEXT,
    timestamp REAL NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE asset_partitions (
    asset_key TEXT NOT NULL,
    partition TEXT NOT NULL,
    storage_id INTEGER NOT NULL,
    run_id TEXT,
    timestamp REAL NOT NULL,
    data_version TEXT,
    PRIMARY KEY (asset_key, partition)
) WITHOUT ROWID;

CREATE TABLE asset_checks (
    asset_key TEXT NOT NULL,
    check_name TEXT NOT NULL,
    storage_id INTEGER NOT NULL,
    run_id TEXT,
    timestamp REAL NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (asset_key, check_name)
);

CREATE TABLE plans (
    hash TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE TABLE manifests (
    hash TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE TABLE dynamic_partitions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    partition TEXT NOT NULL,
    added_at REAL NOT NULL,
    UNIQUE (name, partition)
);

CREATE TABLE asset_observations (
    asset_key TEXT NOT NULL PRIMARY KEY,
    storage_id INTEGER NOT NULL,
    run_id TEXT,
    timestamp REAL NOT NULL,
    body BLOB NOT NULL
);

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
) WITHOUT ROWID;

CREATE TABLE claims (
    run_id TEXT NOT NULL,
    step_key TEXT NOT NULL,
    resource TEXT NOT NULL,
    weight INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    worker TEXT NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (run_id, step_key, resource)
) WITHOUT ROWID;

CREATE TABLE claim_requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step_key TEXT NOT NULL,
    priority INTEGER NOT NULL,
    worker TEXT NOT NULL,
    since REAL NOT NULL,
    asked_at REAL NOT NULL,
    claims BLOB NOT NULL,
    UNIQUE (run_id, step_key)
);

CREATE TABLE claim_limits (
    resource TEXT NOT NULL PRIMARY KEY,
    capacity INTEGER NOT NULL
);

CREATE TABLE gates (
    name TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE TABLE instigators (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    cursor TEXT,
    started_at REAL,
    last_tick_at REAL,
    last_run_key TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    UNIQUE (location, kind, name)
);

CREATE TABLE ticks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    instigator INTEGER NOT NULL,
    status TEXT NOT NULL,
    scheduled_at REAL,
    ended_at REAL NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE run_keys (
    instigator INTEGER NOT NULL,
    run_key TEXT NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (instigator, run_key)
) WITHOUT ROWID;

CREATE TABLE backfills (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    backfill_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE locations (
    name TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE TABLE loops (
    name TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE TABLE condition_evaluations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    entity_key TEXT NOT NULL,
    timestamp REAL NOT NULL,
    requested INTEGER NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE payloads (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    instigator INTEGER NOT NULL,
    sent_at REAL NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE condition_cursors (
    instigator INTEGER NOT NULL,
    entity_key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (instigator, entity_key)
) WITHOUT ROWID;

CREATE INDEX runs_by_status ON runs (status);

CREATE INDEX runs_by_job ON runs (job_name);

CREATE INDEX runs_by_job_and_status ON runs (job_name, status);

CREATE INDEX events_by_run ON events (run_id);

CREATE INDEX events_by_topic ON events (topic) WHERE topic IS NOT NULL;

CREATE INDEX events_by_asset ON events (asset_key, type) WHERE asset_key IS NOT NULL;

CREATE INDEX events_by_partition ON events (asset_key, partition) WHERE partition IS NOT NULL;

CREATE INDEX dynamic_partitions_by_name ON dynamic_partitions (name);

CREATE INDEX runs_by_manifest ON runs (manifest_hash);

CREATE INDEX runs_by_creation ON runs (created_at);

CREATE INDEX runs_by_update ON runs (updated_at);

CREATE INDEX runs_leased ON runs (fence) WHERE fence IS NOT NULL AND started_at IS NULL AND ended_at IS NULL;

CREATE INDEX claims_by_resource ON claims (resource);

CREATE INDEX runs_queued ON runs (priority DESC, number) WHERE status = 'QUEUED';

CREATE UNIQUE INDEX ticks_by_time ON ticks (instigator, scheduled_at) WHERE scheduled_at IS NOT NULL;

CREATE INDEX ticks_by_status ON ticks (instigator, status, number);

CREATE INDEX ticks_by_end ON ticks (status, ended_at);

CREATE INDEX backfills_by_status ON backfills (status, number);

CREATE INDEX condition_evaluations_by_entity ON condition_evaluations (entity_key, number);

CREATE INDEX condition_evaluations_by_time ON condition_evaluations (timestamp);

CREATE INDEX payloads_by_instigator ON payloads (instigator, number);

CREATE INDEX events_with_artifacts ON events (id) WHERE instr(body, X'2274797065223A2273746F72656422') > 0;

INSERT INTO alembic_version (version_num) VALUES ('0009');
