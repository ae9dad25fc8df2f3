"""The default IO manager: each value a pickle file, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
from collections.abc import Generator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.config_schema.place import ROOT
from segue.defs.config_schema.shapes import Field
from segue.defs.config_schema.sources import StringSource
from segue.defs.environment import EnvVar
from segue.defs.io import IOManager
from segue.defs.io_contexts import InputContext, OutputContext
from segue.defs.resource_context import InitResourceContext
from segue.errors import InvariantViolationError, StepOutputNotFoundError
from segue.model.keys import AssetKey
from segue.model.metadata import PathMetadataValue

_SAFE = " !#$&'()+,-.;@[]^_`{}~"  # no "=", which tells a partition's file from that of an asset
_LONGEST_NAME = 140  # bytes; a hash, the suffix and the temporary name come after, and 255 is what file systems take


_CONFIG = DefinitionConfigSchema(Field({"base_dir": Field(StringSource, is_required=False)}))


class FilesystemIOManager(IOManager):
    """Keeps values as pickle files: `<base_dir>/<asset key parts>.pickle`; those of partitions in a folder of the
    asset's name, as `partition=<key>.pickle`; those between ops as `runs/<run>/<step>/<output>.pickle`. What a
    file name cannot hold is escaped, so that no two values share a file.

    A file is written under a temporary name and then moved, so that a reader sees the old value or the new one, never a
    half. An input that takes several partitions gets a dict of values by partition key; one that takes a single
    partition gets its value; one that takes none (the first partition of an asset made from its own last) gets None.

    Args:
        base_dir: the folder; the instance's storage folder when None.
    """

    segue_parameter_kind = "resource"
    waits_for_config = False
    needs_teardown = False

    def __init__(self, base_dir: str | os.PathLike[str] | None = None) -> None:
        self.base_dir = base_dir

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FilesystemIOManager) and other.base_dir == self.base_dir

    def __hash__(self) -> int:
        return hash((type(self), self.base_dir))

    @staticmethod
    def configure_at_launch(base_dir: str | os.PathLike[str] | None = None) -> FilesystemIOManager:
        """One whose folder the config of a run may name (`resources: io_manager: config: base_dir`), as for any other."""
        return FilesystemIOManager(base_dir)

    def create_io_manager(self, context: InitResourceContext) -> FilesystemIOManager:
        """This IO manager with its folder settled: that of the instance where it names none."""
        if self.base_dir is None and context.instance is not None:
            return FilesystemIOManager(context.instance.storage_directory())
        return self

    @property
    def nested_resources(self) -> Mapping[str, object]:
        """It is made from no other resource."""
        return {}

    @property
    def config_values(self) -> dict[str, object]:
        """Its folder, as config has it."""
        return {} if self.base_dir is None else {"base_dir": os.fspath(self.base_dir)}

    def with_values(self, values: Mapping[str, object], where: str) -> FilesystemIOManager:
        """A copy for one run.

        Raises:
            InvalidConfigError: fields that it does not have, or a variable that is not set.
        """
        found = _CONFIG.resolve_config(dict(values), ROOT.field(where), f"The config at {where} does not fit:")
        folder = found.get("base_dir", self.base_dir)
        return FilesystemIOManager(folder.read(where) if isinstance(folder, EnvVar) else folder)

    def ready(self, _nested: Mapping[str, object], context: InitResourceContext) -> FilesystemIOManager:
        """This IO manager with its folder settled."""
        return self.create_io_manager(context)

    @contextlib.contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Generator[FilesystemIOManager]:
        """This IO manager with its folder settled for one run."""
        yield self.create_io_manager(context)

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Writes the value.

        Raises:
            InvariantViolationError: several partitions at once; or a value that cannot be pickled.
            OSError: the folder cannot be written.
        """
        if not context.has_asset_key:
            place = context.get_identifier()
            path = self._place_between_steps(place)
            write_pickle(path, obj, f"output {place[2]!r} of {place[1]!r}")
            context.add_output_metadata({"path": PathMetadataValue(path)})
            return
        path = self._path(context.asset_key, None)
        if context.has_asset_partitions:
            keys = context.asset_partition_keys
            if len(keys) != 1:
                raise InvariantViolationError(
                    f"FilesystemIOManager stores one partition at a time, and this run makes {len(keys)} of "
                    f"{context.asset_key.to_user_string()}: use an IO manager that splits them, store the partitions in the "
                    "function itself, or run one partition per run."
                )
            path = self._path(context.asset_key, keys[0])
        write_pickle(path, obj, context.asset_key.to_user_string())
        context.add_output_metadata({"path": PathMetadataValue(path)})

    def load_input(self, context: InputContext) -> Any:
        """Reads the value, or the values of all partitions that the input takes.

        Raises:
            StepOutputNotFoundError: nothing is stored there.
        """
        if not context.has_asset_key:
            place = context.get_identifier()
            what = f"the output {place[2]!r} of {place[1]!r} in run {place[0]}"
            return read_pickle(self._place_between_steps(place), what, place[1], place[2])
        asset = context.asset_key
        name, step = asset.to_user_string(), asset.to_python_identifier()
        if not context.has_asset_partitions:
            return read_pickle(self._path(asset, None), name, step)
        keys = context.asset_partition_keys
        values = {key: read_pickle(self._path(asset, key), f"{name}, partition {key}", step) for key in keys}
        return values if len(keys) > 1 else next(iter(values.values()), None)

    def _place_between_steps(self, place: Sequence[str]) -> str:
        parts = [os.fspath(self.base_dir or "."), "runs", *(_file_name(part) for part in place)]
        return os.path.join(*parts) + ".pickle"

    def _path(self, key: AssetKey, partition: str | None) -> str:
        parts = [os.fspath(self.base_dir or "."), *(_file_name(part) for part in key.parts)]
        if partition is not None:
            parts.append("partition=" + _file_name(partition))
        return os.path.join(*parts) + ".pickle"


def _file_name(text: str) -> str:
    """The text as a file name: what is not plain is escaped, so that different texts never meet in one file."""
    name = quote(text, safe=_SAFE)
    if len(name) > _LONGEST_NAME:
        return f"{name[:_LONGEST_NAME]}%{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return name.replace(".", "%2E") if name.strip(".") == "" else name


def write_pickle(path: str, value: object, what: str) -> None:
    """Writes a value whole or not at all.

    Args:
        path: the file; folders above it are made.
        value: what to write.
        what: how errors name it.

    Raises:
        InvariantViolationError: it cannot be pickled.
        OSError: the folder cannot be written.
    """
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.makedirs(folder, exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            pickle.dump(value, file, pickle.HIGHEST_PROTOCOL)
        os.replace(temporary, path)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        os.unlink(temporary)
        raise InvariantViolationError(
            f"The value of {what} ({type(value).__name__}) cannot be pickled: {error}. Return a value that can, "
            "or choose another IO manager with io_manager_key."
        ) from error
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename is None:  # a full disk, say, names no file by itself
            error.add_note(f"While writing the value of {what} to {path}: free space there, or choose another folder.")
        raise


def read_pickle(path: str, what: str, step_key: str, output: str = "result") -> Any:
    """Reads a value.

    Raises:
        StepOutputNotFoundError: there is no such file.
    """
    try:
        with open(path, "rb") as file:
            return pickle.load(file)
    except FileNotFoundError:
        raise StepOutputNotFoundError(
            f"No value of {what} is stored ({path} does not exist): materialize it first.",
            step_key,
            output,
        ) from None
