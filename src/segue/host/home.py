"""The instance that the settings name. Apart from the others, because reading settings loads what few runs need."""

from __future__ import annotations

from segue.defs.instance import Instance
from segue.host.instances import local_instance
from segue.settings import read_settings


def default_instance() -> Instance:
    """The instance in the home folder that the settings name."""
    return local_instance(str(read_settings().home))
