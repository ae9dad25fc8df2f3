"""Which code locations there are: by options, settings, or the files of a project that was made for Dagster."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from segue.cli.options import WORKSPACE_FILE
from segue.deployment import targets_of
from segue.errors import InvalidConfigError, LoadError, NotSupportedError
from segue.model.location import LocationTarget
from segue.settings import Settings


def workspace_option(command: Callable[..., None]) -> Callable[..., None]:
    """Adds `--workspace`; the command takes it as `workspace: str | None`."""
    return click.option("-w", "--workspace", metavar="FILE", help="A workspace.yaml with code locations.")(command)


def targets_in_force(settings: Settings, workspace: str | None = None) -> tuple[LocationTarget, ...]:
    """The code locations: those of the workspace file that is named, else of the settings, else of a `workspace.yaml` or the
    table `[tool.dagster]` in the folder of the project.

    Raises:
        InvalidConfigError: there is none, or a file says something it must not.
        NotSupportedError: a workspace file has an entry that is not read.
        LoadError: a workspace file is to be read, and PyYAML is not installed.
    """
    if workspace is not None:
        return _read(Path.cwd() / workspace)
    targets = targets_of(settings)
    if targets:
        return targets
    if (settings.project / WORKSPACE_FILE).is_file():
        return _read(settings.project / WORKSPACE_FILE)
    from segue.location.workspace import targets_of_pyproject

    targets = targets_of_pyproject(settings.project)
    if not targets:
        raise InvalidConfigError(
            "No definitions were found: pass --file FILE or --module MODULE, or set them or [[locations]] in "
            "segue.toml."
        )
    return targets


def settings_at(settings: Settings, name: str | None) -> Settings:
    """The settings with the code of a code location, for a command that loads one of several; as they are where they name code
    themselves, or where no location has that name. Its environment variables are set in this process.

    Raises:
        NotSupportedError: its code is not for this process: it is on another machine, or in another Python environment.
        InvalidConfigError: as of `targets_in_force`.
    """
    if settings.file is not None or settings.module is not None or name is None:
        return settings
    target = next((each for each in targets_in_force(settings) if each.name == name), None)
    if target is None:
        return settings
    if target.remote is not None:
        raise NotSupportedError(f"The code location {name!r} is on another machine. Run this there.")
    if target.python is not None and os.path.abspath(target.python) != os.path.abspath(sys.executable):
        raise NotSupportedError(
            f"The code location {name!r} has its own Python environment. Run this with {target.python} -m segue."
        )
    os.environ.update(target.environment)
    return msgspec.structs.replace(
        settings,
        location=name,
        file=target.file,
        module=target.module,
        attribute=target.attribute,
        working_directory=target.working_directory,
        dagster_compat=target.dagster_compat,
        failure_rules=target.failure_rules,
    )


def _read(file: Path) -> tuple[LocationTarget, ...]:
    from segue.location.workspace import targets_of_workspace

    try:
        import yaml
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        raise LoadError(
            f"{file} is YAML, but the package pyyaml is not installed: pip install 'segue[components]'."
        ) from error
    try:
        document: object = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfigError(f"{file} cannot be read: {error.strerror}. Correct --workspace.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidConfigError(f"{file} is not valid YAML: {error}") from error
    return targets_of_workspace(document, file, os.environ)
