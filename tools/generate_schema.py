"""Writes src/segue/storage/schema.sql: what the migrations make of an empty SQLite database.

python tools/generate_schema.py            writes the file
python tools/generate_schema.py --check    exits with 1 if the file is not what it would write
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from segue.storage import migrate
from segue.storage.sqlite.database import DATABASE_NAME

SCHEMA = Path(migrate.__file__).with_name("schema.sql")


def schema_text() -> str:
    """The statements that make a fresh database, separated by an empty line."""
    with tempfile.TemporaryDirectory() as folder:
        migrate.upgrade(Path(folder))
        with closing(sqlite3.connect(Path(folder) / DATABASE_NAME)) as connection:
            rows = connection.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' "
                "ORDER BY type = 'index', rowid"
            ).fetchall()
            (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    statements = [str(sql).strip() for (sql,) in rows]
    statements.append(f"INSERT INTO alembic_version (version_num) VALUES ('{version}')")
    head = "-- Generated from storage/migrations by tools/generate_schema.py: do not edit.\n\n"
    return head + ";\n\n".join(statements) + ";\n"


def main(arguments: list[str]) -> int:
    """Writes or checks; returns the exit code."""
    text = schema_text()
    if arguments == ["--check"]:
        if SCHEMA.read_text(encoding="utf-8") != text:
            print(f"{SCHEMA} is not what the migrations make: run python tools/generate_schema.py", file=sys.stderr)
            return 1
        return 0
    SCHEMA.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
