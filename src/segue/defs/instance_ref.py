"""Where an instance is kept, as a value that another process can open it by."""

from __future__ import annotations

import msgspec

from segue.model.database_url import masked


class InstanceRef(msgspec.Struct, frozen=True):
    """A persistent instance, by the folder of its database. `Instance.from_ref` opens it; it can be pickled.

    Attributes:
        root_directory: the folder.
        values_directory: where the default IO manager keeps values; `storage` in the folder when None.
        database: the URL of the database where it is not in the folder; it may hold a password, which is not shown.
    """

    root_directory: str
    values_directory: str | None = None
    database: str | None = None

    def __repr__(self) -> str:
        database = "" if self.database is None else f", database={masked(self.database)!r}"
        return f"InstanceRef({self.root_directory!r}, values_directory={self.values_directory!r}{database})"
