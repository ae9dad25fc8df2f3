"""The server in a thread: requests on a socket that was opened before."""

from __future__ import annotations

import socket
import threading

import uvicorn
from litestar import Litestar

_SECONDS_TO_STOP = 3


class ApiServer:
    """Answers requests in a thread of its own.

    Args:
        app: the application.
        listening: the socket; requests that came before are answered, too.
    """

    def __init__(self, app: Litestar, listening: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_STOP,
        )
        self._server = uvicorn.Server(config)
        self._listening = listening
        self._thread = threading.Thread(target=self._run, name="segue-api", daemon=True)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the requests that are being answered."""
        self._server.should_exit = True
        self._thread.join(_SECONDS_TO_STOP + 2)

    def _run(self) -> None:
        self._server.run(sockets=[self._listening])
