"""Errors of Postgres and of the way to it, said in the words of whoever has to mend them."""

from __future__ import annotations

import psycopg

from segue.errors import StorageUnavailableError

_REACH = (
    "Check that the server runs and can be reached from here, and that database, user and password are right (the "
    "password may come from the URL, PGPASSWORD, or the password file of libpq)"
)
_RIGHTS = "Grant the role of this connection what it needs on the schema, or connect as another role"
_AGAIN = "Try again"
# By the class of the SQLSTATE, or by the whole of it. Any other error is a bug of ours.
_CURES = {
    "08": _REACH,
    "25006": "The server does not accept writes (a standby?): connect to the primary",
    "28": _REACH,
    "3D": _REACH,
    "3F": "Create the schema, or correct the search_path of the connection",
    "40": _AGAIN,
    "42501": _RIGHTS,
    "53": "Make room on the server (connections, memory, disk), then try again",
    "55P03": _AGAIN,
    "57": _AGAIN,
    "58": "Look into the log of the server: its system failed it",
    "XX001": "The database is damaged: restore it from a backup",
    "XX002": "The database is damaged: restore it from a backup",
}


def is_unavailable(error: BaseException) -> bool:
    """Whether the server or the way to it is at fault."""
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        # Errors of libpq itself: no connection, a lost one, one that was closed.
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate in _CURES or error.sqlstate[:2] in _CURES


def unavailable(error: BaseException, name: str) -> StorageUnavailableError:
    """The error to raise for one of Postgres's: the database, the cause, the cure."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    cure = _REACH if state is None else _CURES.get(state) or _CURES[state[:2]]
    cause = str(error).strip().partition("\n")[0].rstrip(".")
    return StorageUnavailableError(f"Segue's database {name} cannot be used: {cause}. {cure}.")
