"""Options that several commands share, and what they mean together with the settings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from segue.errors import LoadError
from segue.model.database_url import masked
from segue.settings import Settings, read_settings

if TYPE_CHECKING:
    from segue.defs.definitions import Definitions
    from segue.host.placement import StepCode
    from segue.host.source import CodeTarget
    from segue.model.graph import AssetGraph

Command = Callable[..., None]
location_option = click.option("--location", metavar="NAME", help="The code location, if several have it.")


class CodeOptions(msgspec.Struct, frozen=True):
    """Where the definitions are, as far as the command line says so."""

    file: str | None
    module: str | None
    attribute: str | None
    working_directory: str | None
    dagster_compat: bool = False


def code_options(command: Command) -> Command:
    """Adds the options that say where the definitions are; the command takes them as `code: CodeOptions`."""

    @click.option("-f", "--file", metavar="FILE", help="Python file with the definitions.")
    @click.option("-m", "--module", metavar="MODULE", help="Module with the definitions.")
    @click.option("-a", "--attribute", metavar="NAME", help="Variable that contains them; default: the only one.")
    @click.option("-d", "--working-directory", metavar="FOLDER", help="Folder from which user code imports.")
    @click.option("--dagster-compat", is_flag=True, help="Let code that imports dagster run on Segue.")
    @functools.wraps(command)
    def with_code(
        file: str | None,
        module: str | None,
        attribute: str | None,
        working_directory: str | None,
        dagster_compat: bool,
        **others: object,
    ) -> None:
        if file is not None and module is not None:
            raise click.UsageError("Both --file and --module were provided; keep the one with the definitions.")
        command(code=CodeOptions(file, module, attribute, working_directory, dagster_compat), **others)

    return with_code


def home_option(command: Command) -> Command:
    """Adds `--home`; the command takes it as `home: str | None`."""
    return click.option("--home", metavar="PATH", help="The home folder: database, logs and stored values.")(command)


def json_option(command: Command) -> Command:
    """Adds `--json`; the command takes it as `as_json: bool`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document, nothing else.")(command)


def settings_in_force(code: CodeOptions | None = None, home: str | None = None) -> Settings:
    """The settings of the working directory, with what the command line says put over them.

    Raises:
        InvalidConfigError: a settings file that says something it must not.
    """
    current = Path.cwd()
    settings = read_settings()
    if home is not None:
        values = current / home / "storage"
        settings = msgspec.structs.replace(settings, home=current / home, storage_directory=values, database=None)
    if code is None:
        return settings
    if code.file is not None or code.module is not None:
        settings = msgspec.structs.replace(
            settings,
            file=None if code.file is None else str(current / code.file),
            module=code.module,
            attribute=code.attribute,
            working_directory=settings.working_directory if settings.source is not None else str(current),
        )
    if code.attribute is not None:
        settings = msgspec.structs.replace(settings, attribute=code.attribute)
    if code.working_directory is not None:
        settings = msgspec.structs.replace(settings, working_directory=str(current / code.working_directory))
    if code.dagster_compat:
        settings = msgspec.structs.replace(settings, dagster_compat=True)
    return settings


WORKSPACE_FILE = "workspace.yaml"
"File with the code locations of a Dagster project."


def place_of(settings: Settings) -> str:
    """Where everything is recorded, for people: the database without its password, or the home folder."""
    return str(settings.home) if settings.database is None else masked(settings.database)


def names_locations(settings: Settings) -> bool:
    """Whether code locations are named, rather than one piece of code."""
    return bool(settings.locations) or (settings.project / WORKSPACE_FILE).is_file()


def load(settings: Settings) -> tuple[Definitions, AssetGraph]:
    """The definitions the settings point to, validated, and their asset graph.

    Raises:
        LoadError: nothing says where they are, or they cannot be imported.
        InvalidDefinitionError: they are wrong; `DefinitionErrors` lists all errors at once.
    """
    from segue.host.source import load_definitions

    if settings.file is None and settings.module is None:
        if names_locations(settings):
            names = ", ".join(each.name for each in settings.locations) or WORKSPACE_FILE
            raise LoadError(
                f"{settings.project} has code locations ({names}), but this command loads a single file or module: "
                "pass --file FILE or --module MODULE. 'segue location check' loads all of them, 'segue launch' runs "
                "their jobs and assets."
            )
        why = f"{settings.source} sets neither `file` nor `module`" if settings.source else "no settings file was found"
        raise LoadError(
            f"No definitions were found: {why} (searched {settings.project} and its parents). Pass --file FILE or "
            "--module MODULE, or set one of them in [tool.segue] of pyproject.toml."
        )
    if settings.file is not None and settings.module is not None:
        raise LoadError(f"{settings.source}: both `file` and `module` are set; keep the one with the definitions.")
    definitions = load_definitions(code_target(settings)).with_failure_rules(settings.failure_rules)
    return definitions, definitions.asset_graph


def code_target(settings: Settings) -> CodeTarget:
    """Where the settings say that the definitions are."""
    from segue.host.source import CodeTarget

    return CodeTarget(
        file=settings.file,
        module=settings.module,
        attribute=settings.attribute,
        working_directory=settings.working_directory,
        dagster_compat=settings.dagster_compat,
    )


def step_code(settings: Settings) -> StepCode:
    """The same as processes that run single steps load it."""
    from segue.host.loaded_code import code_of_target
    from segue.host.placement import StepCode

    return StepCode(lambda: code_of_target(code_target(settings)))
