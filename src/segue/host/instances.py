"""Instances over the stores there are: in memory, or in a folder."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

from segue.defs.instance import Instance
from segue.model.concurrency import Concurrency
from segue.model.step_settings import StepSettings
from segue.model.stored_content import ArtifactSettings
from segue.storage.opening import open_store
from segue.storage.sqlite import open_memory


def ephemeral_instance(tempdir: str | None = None) -> Instance:
    """An instance in memory, with values in a temporary folder."""
    if tempdir is not None:
        return Instance(open_memory(), Path(tempdir))
    folder = _TemporaryFolder()
    return Instance(open_memory(), folder.path / "storage", folder)


def local_instance(
    tempdir: str | None = None,
    storage: str | None = None,
    concurrency: Concurrency | None = None,
    database: str | None = None,
    artifacts: ArtifactSettings | None = None,
    steps: StepSettings | None = None,
    supervisor: str | None = None,
) -> Instance:
    """An instance with a database of its own, in this folder or a temporary one, unless `database` is the URL of one; values
    are there too, unless `storage` says where else. `supervisor` is the worker that has started this process.
    """
    folder = None if tempdir is not None else _TemporaryFolder()
    home = Path(tempdir or "") if folder is None else folder.path
    values = Path(storage) if storage else home / "storage"
    return Instance(
        open_store(home, database, artifacts, supervisor),
        values,
        folder,
        home,
        concurrency,
        database,
        artifacts,
        steps,
    )


class _TemporaryFolder:
    """A folder that goes away with `cleanup`, or with the object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="segue-"))
        self.cleanup: Callable[[], object] = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
