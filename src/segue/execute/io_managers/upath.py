"""`UPathIOManager`: the base of IO managers that keep each value under a path of its own."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, get_origin

from segue.defs.bindings import bound
from segue.defs.io import IOManager
from segue.defs.io_contexts import InputContext, OutputContext
from segue.errors import InvariantViolationError, NotSupportedError
from segue.execute.io_managers.names import ALLOW_MISSING_PARTITIONS
from segue.model.metadata import AnyMetadataValue, PathMetadataValue
from segue.model.partitions.multi_key import MultiPartitionKey


class UPathIOManager(IOManager):
    """Keeps the value of an asset under its key, those of its partitions below it, and those between steps under run, step
    and output. Implement `dump_to_path` and `load_from_path` (which may be `async`).

    An input that takes several partitions gets a dict of values by partition key. Where one of them is missing, loading
    fails; with the metadata `allow_missing_partitions` on the input it is left out.

    Args:
        base_path: where all paths start: a local path, or a `UPath` of universal-pathlib for other file systems; the working
            folder when None.

    Attributes:
        extension: at the end of each path (`".json"`).
    """

    extension: str | None = None

    def __init__(self, base_path: Any = None) -> None:
        self._base_path: Any = as_path("." if base_path is None else base_path)

    @abc.abstractmethod
    def dump_to_path(self, context: OutputContext, obj: Any, path: Any) -> None:
        """Writes a value. The folder of the path is there."""

    @abc.abstractmethod
    def load_from_path(self, context: InputContext, path: Any) -> Any:
        """Reads a value.

        Raises:
            FileNotFoundError: nothing is stored there.
        """

    @property
    def fs(self) -> Any:
        """The file system of the base path, as fsspec has it.

        Raises:
            InvariantViolationError: it is a local path.
        """
        found = getattr(self._base_path, "fs", None)
        if found is None:
            raise InvariantViolationError(f"{self._base_path} is a local path, so it has no fsspec file system.")
        return found

    @property
    def storage_options(self) -> dict[str, Any]:
        """The options of the file system; empty for a local path."""
        return dict(getattr(self._base_path, "storage_options", None) or {})

    def get_metadata(self, context: OutputContext, obj: Any) -> Mapping[str, Any]:
        """Facts about a value, for its materialization; none, unless overridden."""
        return {}

    def unlink(self, path: Any) -> None:
        """Removes the file at a path."""
        path.unlink()

    def path_exists(self, path: Any) -> bool:
        """Whether something is stored at a path."""
        return path.exists()

    def make_directory(self, path: Any) -> None:
        """Makes a folder, and those above it."""
        path.mkdir(parents=True, exist_ok=True)

    def has_output(self, context: OutputContext) -> bool:
        """Whether the value of an output is stored."""
        return self.path_exists(self._get_path(context))

    def get_asset_relative_path(self, context: InputContext | OutputContext) -> Any:
        """The path of an asset below the base path."""
        return PurePosixPath(*context.asset_key.path)

    def get_op_output_relative_path(self, context: InputContext | OutputContext) -> Any:
        """The path of a value between steps below the base path."""
        return PurePosixPath(*context.get_identifier())

    def make_safe_partition_path(self, base_path: Any, partition: str) -> Any:
        """The path of a partition below that of its asset, whatever the key looks like: `/` at its beginning, and `..` where
        the base path is local, are escaped.
        """
        first, *rest = partition.split("/")
        parts = [f"%2F{rest[0]}", *rest[1:]] if first == "" and rest else [first, *rest]
        escapes = {"": "%2F", ".": "%2E"} | ({"..": "%2E%2E"} if isinstance(base_path, Path) else {})
        return base_path.joinpath(*(escapes.get(part, part) for part in parts))

    def get_path_for_partition(self, context: InputContext | OutputContext, path: Any, partition: str) -> Any:
        """The path of a partition, given that of its asset: `<asset>/<partition>`; override to lay them out otherwise."""
        return self.make_safe_partition_path(path, partition)

    def get_loading_input_log_message(self, path: Any) -> str:
        """The log message when a value is loaded."""
        return f"Loading from {path} with {type(self).__name__}."

    def get_writing_output_log_message(self, path: Any) -> str:
        """The log message when a value is stored."""
        return f"Storing at {path} with {type(self).__name__}."

    def get_loading_input_partition_log_message(self, path: Any, partition_key: str) -> str:
        """The log message when the value of a partition is loaded."""
        return f"Loading partition {partition_key} from {path} with {type(self).__name__}."

    def get_missing_partition_log_message(self, partition_key: str) -> str:
        """The log message when a partition is missing and is allowed to be."""
        return f"Skipping partition {partition_key}: no value is stored."

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Stores a value.

        Raises:
            InvariantViolationError: several partitions at once.
            LeaseLostError: the run is not this process's any more; nothing was stored.
        """
        path = self._get_path(context)
        self.make_directory(path.parent)
        context.require_lease()  # before, since what `dump_to_path` does cannot be taken back
        context.log.debug(self.get_writing_output_log_message(path))
        self.dump_to_path(context=context, obj=obj, path=path)
        facts: dict[str, Any] = {} if obj is None else {"path": PathMetadataValue(str(path))}
        added: Mapping[str, AnyMetadataValue] = context.get_logged_metadata()
        facts |= dict(self.get_metadata(context=context, obj=obj))
        context.add_output_metadata({name: value for name, value in facts.items() if name not in added})

    def load_input(self, context: InputContext) -> Any:
        """Loads a value, or those of all partitions that the input takes as a dict; None where it takes none.

        Raises:
            InvariantViolationError: several partitions, for an input of another type than a dict.
            FileNotFoundError: nothing is stored.
        """
        if not context.has_asset_key or not context.has_asset_partitions:
            path = self._get_path(context)
            context.log.debug(self.get_loading_input_log_message(path))
            return self._run(self.load_from_path(context=context, path=path))
        keys = context.asset_partition_keys
        if len(keys) > 1:
            self._require_dict(context)
            return self.load_partitions(context)
        return self.load_partitions(context).get(keys[0]) if keys else None

    def load_partitions(self, context: InputContext) -> dict[str, Any]:
        """The values of all partitions that an input takes, by partition key."""
        if inspect.iscoroutinefunction(self.load_from_path):
            return self._run(self.load_partitions_async(context))
        found: dict[str, Any] = {}
        for key, path in self._partition_paths(context).items():
            try:
                found[key] = self.load_from_path(context=context, path=path)
            except FileNotFoundError as error:
                self._missing(context, key, path, error)
        return found

    async def load_partitions_async(self, context: InputContext) -> dict[str, Any]:
        """The same where `load_from_path` is async: all at once."""
        paths = self._partition_paths(context)
        given = await bound("gather")(
            *(self.load_from_path(context=context, path=path) for path in paths.values()), return_exceptions=True
        )
        found: dict[str, Any] = {}
        for (key, path), value in zip(paths.items(), given, strict=True):
            if isinstance(value, FileNotFoundError):
                self._missing(context, key, path, value)
            elif isinstance(value, BaseException):
                raise value
            else:
                found[key] = value
        return found

    def _missing(self, context: InputContext, key: str, path: Any, error: FileNotFoundError) -> None:
        if not context.definition_metadata.get(ALLOW_MISSING_PARTITIONS, False):
            error.add_note(
                f"No value of {context.asset_key.to_user_string()} is stored for partition {key} ({path}). "
                f"Materialize it first, or set the input metadata {{{ALLOW_MISSING_PARTITIONS!r}: True}} to skip "
                "missing partitions."
            )
            raise error
        context.log.warning(self.get_missing_partition_log_message(key))

    def _require_dict(self, context: InputContext) -> None:
        kind = Any if context.is_untyped else getattr(context.dagster_type, "typing_type", Any)
        if not _takes_dict(kind, get_origin(kind)):
            raise InvariantViolationError(
                f"The input takes {len(context.asset_partition_keys)} partitions of "
                f"{context.asset_key.to_user_string()}, but its type is {kind}. Use a dict, which gets one value per "
                "partition key."
            )

    def _partition_paths(self, context: InputContext) -> dict[str, Any]:
        paths = {key: self._path_of_partition(context, key) for key in context.asset_partition_keys}
        for key, path in paths.items():
            context.log.debug(self.get_loading_input_partition_log_message(path, key))
        return paths

    def _get_path(self, context: InputContext | OutputContext) -> Any:
        """The path of the one value that a context means."""
        if not context.has_asset_key:
            return self._with_extension(self._base_path.joinpath(self.get_op_output_relative_path(context)))
        if not context.has_asset_partitions:
            return self._with_extension(self._base_path.joinpath(self.get_asset_relative_path(context)))
        keys = context.asset_partition_keys
        if len(keys) != 1:
            raise InvariantViolationError(
                f"{type(self).__name__} stores one partition at a time, but this run materializes {len(keys)} of "
                f"{context.asset_key.to_user_string()}. Run one partition per run, or store them in the function "
                "itself."
            )
        return self._path_of_partition(context, keys[0])

    def _path_of_partition(self, context: InputContext | OutputContext, key: str) -> Any:
        name = key
        if isinstance(key, MultiPartitionKey):
            name = "/".join(value for _, value in sorted(key.keys_by_dimension.items()))
        folder = self._base_path.joinpath(self.get_asset_relative_path(context))
        return self._with_extension(self.get_path_for_partition(context=context, path=folder, partition=name))

    def _with_extension(self, path: Any) -> Any:
        return path.with_name(path.name + self.extension) if self.extension else path

    def _run(self, given: Any) -> Any:
        """The value that a function gave, awaited where it is async."""
        return bound("run_async")(given) if inspect.iscoroutine(given) else given


def _takes_dict(kind: object, origin: object) -> bool:
    """Whether a value of this type may be a dict."""
    found = origin or kind
    return kind is Any or (isinstance(found, type) and issubclass(dict, found))


def as_path(given: Any) -> Any:
    """A local path as `pathlib.Path`; anything else with a scheme (`s3://...`) as a `UPath`.

    Raises:
        NotSupportedError: a scheme, and universal-pathlib is not installed.
    """
    if not isinstance(given, str):
        return given
    if "://" not in given:
        return Path(given)
    try:
        return bound("upath")(given)
    except ModuleNotFoundError as error:
        raise NotSupportedError(
            f"{given} is not a local path. Install universal-pathlib (pip install 'segue[paths]') and the library "
            "for its file system."
        ) from error
