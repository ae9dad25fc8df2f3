"""What the processes of the development server hold after a run, in bytes, where the others have seconds."""

from __future__ import annotations

from dev_server import Server, report

server = Server()
try:
    server.wait_until_ready()
    server.launch()
    held = server.memory()
    report(1, held, held)
finally:
    server.end()
