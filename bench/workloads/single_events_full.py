"""Single materializations that survive a power failure, in turns with commits of the same rows by SQLite alone."""

from __future__ import annotations

import json
import os
import sqlite3
import time

from library import folder, load, size

dg = load()
BLOCK = 20
FULL = "PRAGMA synchronous=FULL"
EVENT = "run_id, timestamp, type, topic, step_key, asset_key, partition, version, body"
INSERT = f"INSERT INTO events ({EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
PUT = """
    INSERT INTO assets (asset_key, storage_id, run_id, timestamp, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (asset_key) DO UPDATE SET storage_id = excluded.storage_id, run_id = excluded.run_id,
    timestamp = excluded.timestamp, body = excluded.body"""


def segue_block(first: int) -> float:
    began = time.perf_counter()
    for number in range(first, first + BLOCK):
        instance.report_runless_asset_event(dg.AssetMaterialization("orders", metadata={"rows": number}))
    return time.perf_counter() - began


def raw_block(row: tuple[object, ...], state: tuple[object, ...]) -> float:
    began = time.perf_counter()
    for _ in range(BLOCK):
        raw.execute("BEGIN IMMEDIATE")
        raw.execute(INSERT, row)
        raw.execute(PUT, state)
        raw.execute("COMMIT")
    return time.perf_counter() - began


home, other = folder("home"), folder("other")
with dg.Instance.local_temp(home) as instance, dg.Instance.local_temp(other) as empty:
    for each in (instance, empty):
        each.report_runless_asset_event(dg.AssetMaterialization("orders", metadata={"rows": 0}))
    empty.close()
    instance.store.database.read(FULL)  # for the connection that the store goes on with
    assert instance.store.database.read("PRAGMA synchronous") == [(2,)]
    raw = sqlite3.connect(os.path.join(other, "segue.db"), isolation_level=None)
    raw.execute(FULL)
    event = raw.execute(f"SELECT {EVENT} FROM events ORDER BY id DESC LIMIT 1").fetchone()
    state = raw.execute("SELECT asset_key, storage_id, run_id, timestamp, body FROM assets").fetchone()
    segue_block(0)
    raw_block(event, state)
    blocks = max(size(500) // BLOCK, 1)
    pairs = [(segue_block(index * BLOCK), raw_block(event, state)) for index in range(blocks)]
    raw.close()
own, bare = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
print(json.dumps({"library": "segue", "count": blocks * BLOCK, "seconds": own, "raw_seconds": bare}))
