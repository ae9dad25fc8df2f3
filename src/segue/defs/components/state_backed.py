"""`StateBackedComponent`: definitions made out of what was fetched from elsewhere, and kept."""

from __future__ import annotations

import abc
import inspect
import shutil
import tempfile
import uuid
from collections.abc import Awaitable
from enum import Enum
from pathlib import Path
from typing import TypeAlias

import msgspec

from segue.defs.bindings import bound
from segue.defs.components.component import Component
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.resolvable import Resolvable
from segue.defs.components.resolver import Model
from segue.defs.definitions import Definitions
from segue.errors import NotSupportedError

STATE_FOLDER = ".local_defs_state"


class DefsStateManagementType(Enum):
    """Where state is kept.

    LOCAL_FILESYSTEM: in the folder of the project. LEGACY_CODE_SERVER_SNAPSHOTS: nowhere, it is fetched with every load.
    VERSIONED_STATE_STORAGE: beside the runs; not built.
    """

    VERSIONED_STATE_STORAGE = "VERSIONED_STATE_STORAGE"
    LOCAL_FILESYSTEM = "LOCAL_FILESYSTEM"
    LEGACY_CODE_SERVER_SNAPSHOTS = "LEGACY_CODE_SERVER_SNAPSHOTS"


class DefsStateConfigArgs(Model, Resolvable):
    """What a file says of the state of a component.

    Attributes:
        key: the name of the state; the component gives one when None.
        management_type: where it is kept.
        refresh_if_dev: whether it is fetched by itself when there is none yet.
    """

    key: str | None = None
    management_type: DefsStateManagementType
    refresh_if_dev: bool = True

    @staticmethod
    def local_filesystem() -> DefsStateConfigArgs:
        """State in the folder of the project."""
        return DefsStateConfigArgs(management_type=DefsStateManagementType.LOCAL_FILESYSTEM)

    @staticmethod
    def legacy_code_server_snapshots() -> DefsStateConfigArgs:
        """State that is fetched with every load."""
        return DefsStateConfigArgs(management_type=DefsStateManagementType.LEGACY_CODE_SERVER_SNAPSHOTS)

    @staticmethod
    def versioned_state_storage() -> DefsStateConfigArgs:
        """State beside the runs; not built."""
        return DefsStateConfigArgs(management_type=DefsStateManagementType.VERSIONED_STATE_STORAGE)


ResolvedDefsStateConfig: TypeAlias = DefsStateConfigArgs


class DefsStateConfig(msgspec.Struct, frozen=True):
    """Where the state of a component is kept, and under what name; fields as in `DefsStateConfigArgs`."""

    key: str
    management_type: DefsStateManagementType
    refresh_if_dev: bool = True

    @staticmethod
    def from_args(args: DefsStateConfigArgs, default_key: str) -> DefsStateConfig:
        """What a file says, with a name for where it gives none."""
        return DefsStateConfig(args.key or default_key, args.management_type, args.refresh_if_dev)


class StateBackedComponent(Component):
    """A component that builds its definitions from state fetched from elsewhere, such as the tables of a database.

    Fetching is apart from loading: what was fetched last is what definitions are made of, until `refresh_state` fetches
    again.
    """

    @property
    @abc.abstractmethod
    def defs_state_config(self) -> DefsStateConfig:
        """Where the state is kept, and under what name."""

    @abc.abstractmethod
    def write_state_to_path(self, state_path: Path) -> Awaitable[None] | None:
        """Fetches the state.

        Args:
            state_path: the file or folder to write it to; it is not there yet.
        """

    @abc.abstractmethod
    def build_defs_from_state(self, context: ComponentLoadContext, state_path: Path | None) -> Definitions:
        """The definitions.

        Args:
            context: the location of the component.
            state_path: what `write_state_to_path` wrote; None when nothing was fetched yet.
        """

    async def refresh_state(self, project_root: Path) -> str:
        """Fetches the state and puts it in the place of the old, at once and as a whole.

        Args:
            project_root: the folder of the project.

        Returns:
            a name for what was fetched.
        """
        target = self._state_path(project_root)
        target.parent.mkdir(parents=True, exist_ok=True)
        version = uuid.uuid4().hex
        fresh = target.with_name(f"state-{version}")
        await self._write_state_to_path_async(fresh)
        if target.is_dir():
            shutil.rmtree(target)
        fresh.replace(target)
        return version

    async def _write_state_to_path_async(self, state_path: Path) -> None:
        """Fetches the state, whether `write_state_to_path` is asynchronous or not; libraries call it by this name."""
        writing = self.write_state_to_path(state_path)
        if inspect.isawaitable(writing):
            await writing

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """The definitions, out of the state that is kept.

        Raises:
            NotSupportedError: the state is to be kept beside the runs.
        """
        config = self.defs_state_config
        match config.management_type:
            case DefsStateManagementType.LOCAL_FILESYSTEM:
                path = self._state_path(context.project_root)
                if not path.exists() and config.refresh_if_dev:
                    bound("run_async")(self.refresh_state(context.project_root))
                return self.build_defs_from_state(context, path if path.exists() else None)
            case DefsStateManagementType.LEGACY_CODE_SERVER_SNAPSHOTS:
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder, "state")
                    bound("run_async")(self._write_state_to_path_async(path))
                    return self.build_defs_from_state(context, path)
            case DefsStateManagementType.VERSIONED_STATE_STORAGE:
                raise NotSupportedError(
                    f"{type(self).__name__}: storing component state in the deployment is not supported. Store it in the "
                    "project: management_type: LOCAL_FILESYSTEM."
                )

    def _state_path(self, project_root: Path) -> Path:
        return get_local_state_path(self.defs_state_config.key, project_root)


def get_local_state_path(key: str, project_root: Path) -> Path:
    """Where a project keeps the state of a component.

    Args:
        key: the name of the state.
        project_root: the folder of the project.
    """
    return project_root / STATE_FOLDER / key / "state"
