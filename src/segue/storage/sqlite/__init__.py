"""The store on SQLite, through the driver of the standard library: a file in a home folder, or memory.

    store = open_sqlite(Path("~/.segue").expanduser())
    store = open_memory()

Both are the same code, so the memory store is also the test double. See `SqliteStore`.
"""

from segue.storage.sqlite.store import SqliteStore, open_memory, open_sqlite

__all__ = ["SqliteStore", "open_memory", "open_sqlite"]
