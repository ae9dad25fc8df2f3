"""The definitions as a run sees them."""

from __future__ import annotations

from segue.defs.definitions import Definitions
from segue.defs.describe import Described
from segue.execute.io_managers.filesystem import FilesystemIOManager
from segue.model.keys import DEFAULT_IO_MANAGER_KEY


def described_for_run(definitions: Definitions, job_name: str) -> Described:
    """The definitions with the resources of a job before those of all, and with an IO manager."""
    return with_default_io_manager(definitions.described.for_job(job_name))


def with_default_io_manager(described: Described) -> Described:
    """The definitions with an IO manager that keeps values in files, where they name none."""
    if DEFAULT_IO_MANAGER_KEY in described.resources:
        return described
    return described.with_resource(DEFAULT_IO_MANAGER_KEY, FilesystemIOManager())
