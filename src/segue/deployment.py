"""The composition root: from settings to what a process needs to work. No logic of its own."""

from __future__ import annotations

from segue.errors import InvalidConfigError
from segue.model.control_stores import ControlStore, Durability
from segue.model.location import LocationTarget
from segue.model.location_table import require_mutual
from segue.model.messages import Records
from segue.model.stores import Store
from segue.output_copies import CopiesOfRuns
from segue.settings import Settings
from segue.storage.administration import fingerprint_of as fingerprint_of_database
from segue.storage.artifacts import ArtifactFolder, artifact_folder
from segue.storage.opening import Listener as Listener
from segue.storage.opening import open_control, open_listener, open_store


def store_of(settings: Settings) -> Store:
    """The store in the database or the home folder that the settings name; it opens on first use."""
    is_full = settings.durability is Durability.FULL
    return open_store(settings.home, settings.database, settings.artifacts, is_full=is_full)


def control_of(store: Store) -> ControlStore:
    """What the control plane keeps in the database of a store that `store_of` gave."""
    return open_control(store)


def artifacts_of(settings: Settings) -> ArtifactFolder | None:
    """What that store keeps beside its log; None where that is no folder."""
    return artifact_folder(settings.home, settings.artifacts)


def output_copies_of(settings: Settings) -> CopiesOfRuns | None:
    """Where what steps write is copied; None for nowhere.

    Raises:
        NotSupportedError: what speaks to such places is not installed.
    """
    return None if settings.steps.logs_url is None else CopiesOfRuns(settings.steps.logs_url)


def fingerprint_of(settings: Settings) -> str | None:
    """A name for the database, by which machines that share it know that they do; None where none can be had now."""
    return None if settings.database is None else fingerprint_of_database(settings.database)


def listener_of(settings: Settings) -> Listener:
    """What hears of writes to that store; raises OSError where nothing can."""
    return open_listener(settings.home, settings.database)


def records_of(settings: Settings) -> Records:
    """Where the processes of code locations find what is recorded."""
    return Records(
        home=str(settings.home),
        storage_directory=str(settings.storage_directory),
        database=settings.database,
        concurrency=settings.concurrency,
        artifacts=settings.artifacts,
        steps=settings.steps,
    )


def targets_of(settings: Settings) -> tuple[LocationTarget, ...]:
    """The code locations that the settings name.

    Raises:
        InvalidConfigError: one is on another machine, and the database on this one, or nothing says by what both know each other.
    """
    away = {each.name: each.remote for each in settings.locations if each.remote is not None}
    for name, remote in away.items():
        require_mutual(remote.credentials, f"{settings.source}: the code location {name!r}", is_location=False)
    if away and settings.database is None:
        raise InvalidConfigError(
            f"The code location {next(iter(away))!r} is on another machine, but runs are recorded in the home folder "
            "of this machine, where that location cannot write. Set `database` (SEGUE_DATABASE) to the URL of a "
            "Postgres database that both machines can reach."
        )
    if settings.locations or (settings.file is None and settings.module is None):
        return settings.locations
    return (
        LocationTarget(
            name=settings.location_name,
            file=settings.file,
            module=settings.module,
            attribute=settings.attribute,
            working_directory=settings.working_directory,
            dagster_compat=settings.dagster_compat,
            failure_rules=settings.failure_rules,
        ),
    )
