"""`segue location serve`: a code location on this machine, for control planes on others."""

from __future__ import annotations

import sys
from functools import partial

import click

from segue.cli.foreground import listen, signals
from segue.cli.locations import targets_in_force, workspace_option
from segue.cli.options import CodeOptions, code_options, home_option, settings_in_force
from segue.cli.streams import write
from segue.deployment import fingerprint_of, records_of
from segue.errors import InvalidConfigError, InvalidInvocationError
from segue.location.handshake import server_context
from segue.location.server import LocationServer
from segue.model.location import Credentials, LocationTarget
from segue.model.location_table import require_mutual

DEFAULT_PORT = 3001
_PLACE = "segue location serve"


@click.command("serve")
@click.argument("name", required=False)
@code_options
@workspace_option
@home_option
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="Port; 0 for any."
)
@click.option("--certificate", metavar="FILE", envvar="SEGUE_LOCATION_CERTIFICATE", help="The TLS certificate.")
@click.option("--key", metavar="FILE", envvar="SEGUE_LOCATION_KEY", help="Its private key, if it is in another file.")
@click.option(
    "--authority",
    metavar="FILE",
    envvar="SEGUE_LOCATION_AUTHORITY",
    help="Certificates of the authority that must have signed the certificate of a control plane.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=15.0,
    show_default=True,
    help="Seconds of silence after which a connection counts as lost.",
)
def serve_location(
    name: str | None,
    code: CodeOptions,
    workspace: str | None,
    home: str | None,
    host: str,
    port: int,
    certificate: str | None,
    key: str | None,
    authority: str | None,
    timeout: float,
) -> None:
    """Serve a code location on this machine to control planes on other machines; with several, the one called NAME.

    Both sides authenticate: by a token (SEGUE_LOCATION_TOKEN, or location_token in segue.toml), by certificates
    (--certificate, --key and --authority), or both. Its runs record to the Postgres database in this machine's settings.
    """
    settings = settings_in_force(code, home)
    credentials = Credentials(token=settings.location_token, certificate=certificate, key=key, authority=authority)
    require_mutual(credentials, _PLACE, is_location=True)
    if settings.database is None:
        raise InvalidConfigError(
            f"{_PLACE}: runs are recorded in the database of the control plane, but no database is set here. Set "
            "`database` (SEGUE_DATABASE) to the URL of the Postgres database that both use."
        )
    target = _chosen(targets_in_force(settings, workspace), name)
    try:
        server_context(credentials)  # before anybody connects
    except OSError as error:
        files = (credentials.certificate, credentials.key, credentials.authority)
        raise InvalidConfigError(
            f"{_PLACE}: TLS cannot be set up with {', '.join(each for each in files if each is not None)}: "
            f"{error}. Use readable PEM files: --certificate with its --key, and certificates for --authority."
        ) from error
    with signals() as ending:
        listening = listen(host, port, "The code location")
        server = LocationServer(
            target, records_of(settings), credentials, timeout, _say, partial(fingerprint_of, settings)
        )
        server.serve(listening)
        place, number = listening.getsockname()[:2]
        write(sys.stdout, f"Serving the code location {target.name} at {place} port {number} (Ctrl-C ends it)\n")
        sys.stdout.flush()
        try:
            ending.is_waiting = True
            while not ending.is_over:
                ending.wait()
        finally:
            server.stop()


def _chosen(targets: tuple[LocationTarget, ...], name: str | None) -> LocationTarget:
    """The one to serve."""
    known = ", ".join(target.name for target in targets)
    if name is None and len(targets) == 1:
        [target] = targets
    elif name is None:
        raise InvalidInvocationError(f"There are several code locations: {known}. Choose the one to serve.")
    else:
        found = [target for target in targets if target.name == name]
        if not found:
            raise InvalidInvocationError(f"There is no code location {name!r}; available: {known}.")
        [target] = found
    if target.remote is not None:
        raise InvalidInvocationError(
            f"The code location {target.name!r} is on another machine ({target.remote.place}). Serve it there."
        )
    return target


def _say(text: str) -> None:
    write(sys.stderr, f"{text}\n")
