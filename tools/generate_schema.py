"""Writes what the migrations make of an empty database: src/segue/storage/schema.sql for SQLite, schema_postgres.sql.

python tools/generate_schema.py            writes the files
python tools/generate_schema.py --check    exits with 1 if a file is not what it would write
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from segue.storage import migrate
from segue.storage.sqlite.database import DATABASE_NAME

FOLDER = Path(migrate.__file__).parent
HEAD = "-- Generated from storage/migrations by tools/generate_schema.py: do not edit.\n\n"


def sqlite_text() -> str:
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
    return HEAD + ";\n\n".join(statements) + ";\n"


def postgres_text() -> str:
    """The migrations one after the other: reading a schema out of Postgres takes a server."""
    return HEAD + migrate.statements("postgresql").rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Writes or checks; returns the exit code."""
    code = 0
    for name, text in (("schema.sql", sqlite_text()), ("schema_postgres.sql", postgres_text())):
        file = FOLDER / name
        if arguments != ["--check"]:
            file.write_text(text, encoding="utf-8")
        elif file.read_text(encoding="utf-8") != text:
            print(f"{file} is not what the migrations make: run python tools/generate_schema.py", file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
