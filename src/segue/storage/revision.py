"""The revision of the schema that this Segue reads and writes, in every kind of database."""

from __future__ import annotations

from segue.errors import StorageVersionError

REVISION = "0009"
"""The newest migration; a test compares it with `storage/migrations`."""


def require_known(revision: str | None, name: str) -> None:
    """Raises StorageVersionError for a database that this Segue does not know how to read.

    Args:
        revision: what stands in the database.
        name: the database, for the message.
    """
    if revision == REVISION:
        return
    if revision is not None and revision.isdigit() and int(revision) < int(REVISION):
        raise StorageVersionError(
            f"{name} has schema version {revision}, this Segue needs {REVISION}. Migrate it: "
            "pip install 'segue[server]', then run segue db upgrade."
        )
    raise StorageVersionError(
        f"{name} has schema version {revision}, this Segue knows versions up to {REVISION}: a newer Segue wrote it. "
        "Upgrade: pip install --upgrade segue."
    )
