"""Files that steps hand on by name: `FileHandle`, and the resource that writes and reads them."""

from __future__ import annotations

import abc
import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Generator
from typing import IO, Any, Final

from segue.defs.config_schema.shapes import Field
from segue.defs.config_schema.sources import StringSource
from segue.defs.resource_context import InitResourceContext
from segue.defs.resource_definition import ResourceDefinition
from segue.model.arguments import require_type

_FOLDER = "file_manager"


class FileHandle(abc.ABC):
    """Names a file that a file manager keeps."""

    @property
    @abc.abstractmethod
    def path_desc(self) -> str:
        """Where the file is, for people."""


class LocalFileHandle(FileHandle):
    """Names a file on this machine. Equal by path, hashable.

    Args:
        path: the file.

    Raises:
        InvalidInvocationError: no text.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        require_type(self, "path", path, str)
        self._path = path

    @property
    def path(self) -> str:
        """The file."""
        return self._path

    @property
    def path_desc(self) -> str:
        """The file, for people."""
        return self._path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalFileHandle) and other.path == self.path

    def __hash__(self) -> int:
        return hash((LocalFileHandle, self.path))

    def __repr__(self) -> str:
        return f"LocalFileHandle({self.path!r})"


class LocalFileManager:
    """Writes files under new names into a folder on this machine, and reads them.

    Args:
        base_dir: the folder; made when it is first needed.
    """

    def __init__(self, base_dir: str) -> None:
        self.base_dir = base_dir
        self._temporary: str | None = None

    def ensure_base_dir_exists(self) -> None:
        """Makes the folder."""
        os.makedirs(self.base_dir, exist_ok=True)

    def write(self, file_obj: IO[Any], mode: str = "wb", ext: str | None = None) -> LocalFileHandle:
        """Keeps what an open file holds.

        Args:
            file_obj: the file, open for reading.
            mode: how the new file is opened: `wb`, or `w` for text.
            ext: the end of its name, without the dot.

        Returns:
            The handle of the new file.
        """
        self.ensure_base_dir_exists()
        name = uuid.uuid4().hex + (f".{ext}" if ext else "")
        path = os.path.join(self.base_dir, name)
        with open(path, mode) as file:
            shutil.copyfileobj(file_obj, file)
        return LocalFileHandle(path)

    def write_data(self, data: bytes, ext: str | None = None) -> LocalFileHandle:
        """Keeps bytes; see `write`."""
        self.ensure_base_dir_exists()
        path = os.path.join(self.base_dir, uuid.uuid4().hex + (f".{ext}" if ext else ""))
        with open(path, "wb") as file:
            file.write(data)
        return LocalFileHandle(path)

    @contextlib.contextmanager
    def read(self, file_handle: FileHandle, mode: str = "rb") -> Generator[IO[Any]]:
        """The file, open for reading, in a `with` block."""
        with open(file_handle.path_desc, mode) as file:
            yield file

    def read_data(self, file_handle: FileHandle) -> bytes:
        """What the file holds."""
        with open(file_handle.path_desc, "rb") as file:
            return file.read()

    def copy_handle_to_local_temp(self, file_handle: FileHandle) -> str:
        """Copies the file to a temporary place.

        Returns:
            The path of the copy, which is gone after `delete_local_temp`.
        """
        if self._temporary is None:
            self._temporary = tempfile.mkdtemp(prefix="segue-files-")
        copy = os.path.join(self._temporary, uuid.uuid4().hex)
        shutil.copyfile(file_handle.path_desc, copy)
        return copy

    def delete_local_temp(self) -> None:
        """Removes the copies in temporary places."""
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None


def _local_file_manager(context: InitResourceContext) -> Generator[LocalFileManager]:
    """Writes and reads files in a folder; that of the instance, unless the config names one."""
    folder = context.resource_config.get("base_dir")
    if folder is None:
        folder = os.path.join(context.instance.storage_directory() if context.instance else ".", _FOLDER)
    manager = LocalFileManager(folder)
    yield manager
    manager.delete_local_temp()


local_file_manager: Final = ResourceDefinition(
    _local_file_manager, {"base_dir": Field(StringSource, is_required=False)}, _local_file_manager.__doc__
)
