"""Who may ask: closed unless opened.

A server that only this machine can reach is asked by everything that runs on it, the web browser and the pages in it
included. So a page of another site, or one that had its name point here, must get nothing: requests name a host of ours,
and what changes anything is JSON, which a page of another site cannot send without being allowed to.
"""

from __future__ import annotations

import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException, NotAuthorizedException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler

from segue.server.state import ServerState

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def require_host(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Refuses a request that names a host that is not ours, or comes from a page of another site.

    Raises:
        PermissionDeniedException: it does.
    """
    state: ServerState = connection.app.state["segue"]
    if not state.hosts:
        return
    host = connection.headers.get("host", "")
    if _name(host) not in state.hosts:
        raise PermissionDeniedException(f"This server does not accept requests for the host {host!r}.")
    origin = connection.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        raise PermissionDeniedException(f"This server does not accept requests from pages of {origin!r}.")


def require_json(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Refuses what may change something and is no JSON: forms of pages of other sites are sent without asking anybody.

    Raises:
        ClientException: status 415, it is none.
    """
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    scope: Any = connection.scope  # every request that comes here has a method
    if scope["method"] not in _READING and kind != "application/json":
        raise ClientException("The body must be JSON. Send the header Content-Type: application/json.", status_code=415)


def require_token(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Refuses a request without the token.

    Raises:
        NotAuthorizedException: it has none, or another.
    """
    state: ServerState = connection.app.state["segue"]
    if state.token is None:
        return
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), state.token.encode()):
        raise NotAuthorizedException(
            "Authentication required. Send the header Authorization: Bearer TOKEN, with the token of this server."
        )


def _name(host: str) -> str:
    """The host without its port."""
    return host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
