"""The composition root: from settings to what a process needs to work. No logic of its own."""

from __future__ import annotations

from segue.model.stores import Store
from segue.settings import Settings
from segue.storage.opening import open_store


def store_of(settings: Settings) -> Store:
    """The store in the database or the home folder that the settings name; it opens on first use."""
    return open_store(settings.home, settings.database)
