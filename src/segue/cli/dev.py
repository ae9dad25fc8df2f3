"""`segue dev`: everything in one command, for the developer's machine."""

from __future__ import annotations

import click

from segue.cli.locations import workspace_option
from segue.cli.options import CodeOptions, code_options, home_option, settings_in_force
from segue.cli.serving import Serving, serve

DEFAULT_PORT = 3000


@click.command()
@code_options
@workspace_option
@home_option
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="Port; 0 for any."
)
def dev(code: CodeOptions, workspace: str | None, home: str | None, host: str, port: int) -> None:
    """Run control plane, API and your code on this machine; reload the code when its files change."""
    serve(settings_in_force(code, home), Serving(host=host, port=port, is_for_development=True, workspace=workspace))
