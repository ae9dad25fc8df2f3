"""`segue serve`: the control plane for production."""

from __future__ import annotations

import click

from segue.cli.dev import DEFAULT_PORT
from segue.cli.locations import workspace_option
from segue.cli.options import CodeOptions, code_options, home_option, settings_in_force
from segue.cli.serving import Serving, serve


@click.command("serve")
@code_options
@workspace_option
@home_option
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="Port; 0 for any."
)
@click.option(
    "--only", type=click.Choice(["api", "loops"]), help="Serve only one part, and leave the other to another process."
)
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=25.0,
    show_default=True,
    help="Seconds that runs may continue after this process is asked to end.",
)
def serve_command(
    code: CodeOptions, workspace: str | None, home: str | None, host: str, port: int, only: str | None, drain: float
) -> None:
    """Serve the API and run the loops of the control plane, until stopped."""
    parts = Serving(
        host=host, port=port, has_api=only != "loops", has_loops=only != "api", workspace=workspace, drain=drain
    )
    serve(settings_in_force(code, home), parts)
