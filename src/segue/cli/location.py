"""`segue location`: list, reload, check and serve code locations."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from typing import Any

import click
import msgspec

from segue.cli.dev import DEFAULT_PORT
from segue.cli.failures import FAILED
from segue.cli.loading_once import load_once
from segue.cli.location_serving import serve_location
from segue.cli.locations import targets_in_force, workspace_option
from segue.cli.options import CodeOptions, code_options, home_option, json_option, settings_in_force
from segue.cli.output import moment, print_json, print_table
from segue.cli.streams import write
from segue.deployment import control_of, store_of
from segue.errors import InvalidInvocationError, LocationUnavailableError
from segue.model.location import LocationState, LocationStatus


class LocationDocument(msgspec.Struct, frozen=True):
    """A code location as it was recorded last; `error` is the traceback of code that does not load."""

    name: str
    status: str
    manifest_hash: str | None
    error: str | None
    updated_at: float


@click.group()
def location() -> None:
    """List code locations; reload or check one, or serve one to another machine."""


location.add_command(serve_location)


@location.command("list")
@home_option
@json_option
def list_locations(home: str | None, as_json: bool) -> None:
    """List the code locations, with the last status that the control plane recorded; 'segue location check' shows full tracebacks.

    With --json: {"locations": [...]}.
    """
    store = store_of(settings_in_force(None, home))
    documents = [_document(state) for state in control_of(store).location_states()]
    store.close()
    if as_json:
        print_json({"locations": documents})
        return
    rows = [(each.name, each.status, moment(each.updated_at), _in_one_line(each.error or "")) for each in documents]
    print_table(
        ("location", "status", "since", "error"), rows, empty="No control plane has loaded any code location here yet."
    )


@location.command()
@click.argument("name")
@click.option(
    "--url",
    default=f"http://127.0.0.1:{DEFAULT_PORT}",
    show_default=True,
    envvar="SEGUE_API_URL",
    help="URL of the API.",
)
def reload(name: str, url: str) -> None:
    """Tell the control plane to reload a code location. The old version serves until the new one is ready."""
    token = settings_in_force().api_token
    headers = {"Content-Type": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    request = urllib.request.Request(f"{url.rstrip('/')}/api/locations/{name}/reload", b"{}", headers, method="POST")
    try:
        with urllib.request.urlopen(request):
            click.echo(f"Reloading the code location {name}.")
    except urllib.error.HTTPError as error:
        raise InvalidInvocationError(_message(error)) from error
    except urllib.error.URLError as error:
        raise LocationUnavailableError(
            f"No control plane answers at {url}: {error.reason}. Start segue dev or segue serve, or pass its URL "
            "with --url."
        ) from error


def _message(error: urllib.error.HTTPError) -> str:
    """What the API said of a request that it refused."""
    text = error.read().decode(errors="replace")
    try:
        document: Any = json.loads(text)
        return str(document["message"])
    except (ValueError, KeyError, TypeError):
        return f"The API responded with status {error.code}: {text}"


@location.command()
@click.argument("names", nargs=-1)
@code_options
@workspace_option
@home_option
@json_option
def check(names: tuple[str, ...], code: CodeOptions, workspace: str | None, home: str | None, as_json: bool) -> None:
    """Load code locations, all or those named, as the control plane would, and report every error.

    With --json: {"locations": [...]}. The exit code is 1 if one does not load.
    """
    settings = settings_in_force(code, home)
    targets = targets_in_force(settings, workspace)
    unknown = sorted(set(names) - {target.name for target in targets})
    if unknown:
        known = ", ".join(target.name for target in targets)
        raise InvalidInvocationError(f"There is no code location {unknown[0]!r}; available: {known}.")
    documents: list[LocationDocument] = []
    for target in targets:
        if names and target.name not in names:
            continue
        state = load_once(settings, target).state
        documents.append(_document(state))
        if not as_json:
            click.echo(f"{target.name}: {state.status.value}")
            if state.error:
                write(sys.stderr, f"{target.name}: {state.error}\n")
    if as_json:
        print_json({"locations": documents})
    if any(each.status != LocationStatus.READY.value for each in documents):
        raise click.exceptions.Exit(FAILED)


def _in_one_line(error: str) -> str:
    """What a traceback ends with, which says what is wrong; of other texts what they begin with."""
    lines = error.strip().splitlines() or [""]
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def _document(state: LocationState) -> LocationDocument:
    return LocationDocument(state.name, state.status.value, state.manifest_hash, state.error, state.updated_at)
