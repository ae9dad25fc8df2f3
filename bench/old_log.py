"""A home with many old events, made fast: rows like those of runs of 100 steps, by bulk insert, indexes last."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

EVENTS_OF_RUN = 1_000  # 100 steps of ten events each
_ASSETS = 5_000
_KIND = """
    CASE i % 10 WHEN 0 THEN 'STEP_START' WHEN 5 THEN 'ASSET_MATERIALIZATION' WHEN 6 THEN 'ASSET_MATERIALIZATION_PLANNED'
    WHEN 8 THEN 'HANDLED_OUTPUT' WHEN 9 THEN 'STEP_SUCCESS' ELSE 'LOG_MESSAGE' END"""
_EVENTS = f"""
    INSERT INTO events (run_id, timestamp, type, topic, step_key, asset_key, partition, version, body)
    SELECT printf('r%09d', i / {EVENTS_OF_RUN}), ?1 + i * 0.1, kind, CASE WHEN kind LIKE 'ASSET%' THEN kind END,
    's' || (i / 10 % 100), CASE WHEN kind LIKE 'ASSET%' THEN '["old_' || (i / 10 % {_ASSETS}) || '"]' END,
    CASE WHEN kind LIKE 'ASSET%' AND i / 10 % 2 THEN 'p' || (i / 10 % 365) END, 1,
    CASE WHEN kind = 'ASSET_MATERIALIZATION'
    THEN CAST('{{"type":"ASSET_MATERIALIZATION","materialization":{{"asset_key":["old_' || (i / 10 % {_ASSETS}) || '"]}}}}' AS BLOB)
    WHEN kind = 'LOG_MESSAGE'
    THEN CAST('{{"type":"LOG_MESSAGE","level":20,"message":"' || printf('%0120d', i) || '"}}' AS BLOB)
    ELSE CAST('{{"type":"STEP_START"}}' AS BLOB) END
    FROM (WITH RECURSIVE n (i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?3) SELECT i, {_KIND} AS kind FROM n)"""
_RUNS = f"""
    INSERT INTO runs (run_id, job_name, status, started_at, ended_at, body, created_at, updated_at)
    SELECT printf('r%09d', i), 'job_' || (i % 50), 'SUCCESS', ?1 + i * {EVENTS_OF_RUN / 10}, ?1 + i * {EVENTS_OF_RUN / 10} + 90,
    CAST('{{"run_id":"' || printf('r%09d', i) || '","job_name":"job_' || (i % 50) || '","status":"SUCCESS"}}' AS BLOB),
    ?1 + i * {EVENTS_OF_RUN / 10}, ?1 + i * {EVENTS_OF_RUN / 10} + 90
    FROM (WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2) SELECT i FROM n)"""
_AT_ONCE = 1_000_000


def old_home(events: int) -> Path:
    """The home folder, in the folder for temporary files; made when it is not there."""
    from segue.storage.revision import REVISION

    home = Path(tempfile.gettempdir()) / f"segue-bench-{events}-old-events-{REVISION}"
    if (home / "made").exists():
        return home
    shutil.rmtree(home, ignore_errors=True)
    began = time.monotonic()
    make(home, events)
    (home / "made").touch()
    print(f"Made {home} in {time.monotonic() - began:.0f} s; it is used again, remove it when done.", file=sys.stderr)
    return home


def make(home: Path, events: int) -> None:
    """Makes a home with so many old events."""
    from segue.storage.sqlite import open_sqlite

    store = open_sqlite(home)
    store.get_run("nobody")
    store.close()
    with closing(sqlite3.connect(home / "segue.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'events' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        start = time.time() - events * 0.1 - 86_400
        for first in range(0, events, _AT_ONCE):
            connection.execute(_EVENTS, (start, first, min(first + _AT_ONCE, events)))
        connection.execute(_RUNS, (start, -(-events // EVENTS_OF_RUN)))
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    print(old_home(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000))
