"""From starting the development server until a run could be asked for."""

from __future__ import annotations

from dev_server import Server, report

server = Server()
try:
    report(1, server.wait_until_ready(), server.cpu())
finally:
    server.end()
