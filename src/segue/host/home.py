"""The instance that the settings name. Apart from other instances, because reading settings loads what few runs need."""

from __future__ import annotations

from segue.defs.instance import Instance
from segue.host.instances import local_instance
from segue.monitor import monitor_if_possible
from segue.settings import read_settings


def default_instance() -> Instance:
    """The instance in the database or the home folder that the settings name, with stuck runs already recorded as interrupted."""
    settings = read_settings()
    instance = local_instance(
        str(settings.home),
        str(settings.storage_directory),
        settings.concurrency,
        settings.database,
        settings.artifacts,
        settings.steps,
    )
    monitor_if_possible(instance.store)
    return instance
