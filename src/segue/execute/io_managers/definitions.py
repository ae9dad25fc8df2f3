"""The ready-made IO managers as definitions: `fs_io_manager`, `mem_io_manager`, `custom_path_fs_io_manager`."""

from __future__ import annotations

import os
from typing import Any, Final

from segue.defs.config_schema.shapes import Field
from segue.defs.config_schema.sources import StringSource
from segue.defs.io import IOManager
from segue.defs.io_contexts import InputContext, OutputContext
from segue.defs.io_manager_definition import IOManagerDefinition
from segue.defs.resource_context import InitResourceContext
from segue.errors import InvariantViolationError
from segue.execute.io_managers.filesystem import FilesystemIOManager
from segue.execute.io_managers.memory import InMemoryIOManager
from segue.execute.io_managers.pickles import read_pickle, write_pickle
from segue.model.metadata import PathMetadataValue


class CustomPathIOManager(IOManager):
    """Keeps values as pickle files at the paths that the metadata of outputs names: `Out(metadata={"path": "a/b"})`.

    Args:
        base_dir: the folder below which the paths lie.
    """

    def __init__(self, base_dir: str) -> None:
        self.base_dir = base_dir

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Writes the value.

        Raises:
            InvariantViolationError: the output names no path; or a value that cannot be pickled.
        """
        path = self._path(context)
        write_pickle(path, obj, f"output {context.name!r} of {context.step_key!r}", require_lease=context.require_lease)
        context.add_output_metadata({"path": PathMetadataValue(path)})

    def load_input(self, context: InputContext) -> Any:
        """Reads the value.

        Raises:
            StepOutputNotFoundError: nothing is stored there.
            InvariantViolationError: the output that it comes from names no path, or there is none.
        """
        output = context.upstream_output
        if output is None:
            raise InvariantViolationError(
                f"The input {context.name!r} does not come from an output, so its path is unknown."
            )
        what = f"the output {output.name!r} of {output.step_key!r}"
        return read_pickle(self._path(output), what, output.step_key, output.name)

    def _path(self, context: OutputContext) -> str:
        path = context.definition_metadata.get("path")
        if not isinstance(path, str):
            raise InvariantViolationError(
                f"The output {context.name!r} of {context.step_key!r} has no path. Add metadata={{'path': ...}}."
            )
        return os.path.join(self.base_dir, path)


def _filesystem(context: InitResourceContext) -> FilesystemIOManager:
    """Keeps values as pickle files in a folder; that of the instance, unless the config names one."""
    return FilesystemIOManager(context.resource_config.get("base_dir")).create_io_manager(context)


def _memory(_context: InitResourceContext) -> InMemoryIOManager:
    """Keeps values in memory, for one run."""
    return InMemoryIOManager()


def _custom_path(context: InitResourceContext) -> CustomPathIOManager:
    """Keeps values as pickle files at the paths that the metadata of outputs names."""
    return CustomPathIOManager(context.resource_config["base_dir"])


fs_io_manager: Final = IOManagerDefinition(
    _filesystem,
    {"base_dir": Field(StringSource, is_required=False)},
    _filesystem.__doc__,
)
mem_io_manager: Final = IOManagerDefinition(_memory, description=_memory.__doc__)
custom_path_fs_io_manager: Final = IOManagerDefinition(
    _custom_path, {"base_dir": Field(StringSource)}, _custom_path.__doc__
)
