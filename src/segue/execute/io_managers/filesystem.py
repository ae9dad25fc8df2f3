"""The default IO manager: each value a pickle file, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from segue.defs.config_schema.declared import DefinitionConfigSchema
from segue.defs.config_schema.place import ROOT
from segue.defs.config_schema.shapes import Field
from segue.defs.config_schema.sources import StringSource
from segue.defs.environment import EnvVar
from segue.defs.io import IOManager
from segue.defs.io_contexts import InputContext, OutputContext
from segue.defs.resource_context import InitResourceContext
from segue.errors import InvariantViolationError, StepOutputNotFoundError
from segue.execute.io_managers.names import ALLOW_MISSING_PARTITIONS, file_names
from segue.execute.io_managers.pickles import owner_of, read_pickle, write_pickle
from segue.model.keys import AssetKey
from segue.model.metadata import PathMetadataValue
from segue.model.partitions.multi_key import MultiPartitionKey

_CONFIG = DefinitionConfigSchema(Field({"base_dir": Field(StringSource, is_required=False)}))


class FilesystemIOManager(IOManager):
    """Keeps values as pickle files, laid out as in Dagster, so that what a project stored there is read in place:
    `<base_dir>/<asset key>`, with a file for each partition below it, `<base_dir>/<asset key>/<partition>` (those of a
    `MultiPartitionKey` by dimension, in the order of the names of dimensions), and `<base_dir>/<run>/<step>/<output>` between ops.
    A `/` in a key leads to a folder; one at its beginning, and `..`, are escaped.

    A file is written under a temporary name and then moved, so that a reader sees the old value or the new one, never a
    half, and a process that lost its run meanwhile leaves the old one as it is. It says at its end whose value it holds: where
    an asset `a/b` and the partition `b` of an asset `a` meet in one file, the second is refused. An input that takes several
    partitions gets a dict of values by partition key; one that takes a single partition gets its value; one that takes none
    (the first partition of an asset made from its own last) gets None. A partition that is not stored is an error, or, with the
    metadata `allow_missing_partitions` on the input, left out.

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

    def __repr__(self) -> str:
        return f"FilesystemIOManager(base_dir={self.base_dir!r})"

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
        """It requires no other resource."""
        return {}

    @property
    def run_config_field(self) -> Field:
        """The config that it takes in a run."""
        return _CONFIG.as_field()

    @property
    def config_values(self) -> dict[str, object]:
        """Its folder, as config has it."""
        return {} if self.base_dir is None else {"base_dir": os.fspath(self.base_dir)}

    def with_values(self, values: Mapping[str, object], where: str) -> FilesystemIOManager:
        """A copy for one run.

        Raises:
            InvalidConfigError: fields that it does not have, or a variable that is not set.
        """
        found = _CONFIG.resolve_config(dict(values), ROOT.field(where), f"The config at {where} is invalid:")
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
        """Writes the value, and adds its path as metadata. None is stored too, but without a word about its path: most often
        the function stored what it made by itself.

        Raises:
            InvariantViolationError: several partitions at once; a value that cannot be pickled; or one for which there is no
                place, because the value of something else is in it.
            LeaseLostError: this process no longer holds the lease of the run; the value stored before is unchanged.
            OSError: the folder cannot be written.
        """
        if not context.has_asset_key:
            place = context.get_identifier()
            path = self._path(place)
            write_pickle(
                path, obj, f"output {place[2]!r} of {place[1]!r}", _owner_between_steps(place), context.require_lease
            )
        elif not context.has_asset_partitions:
            key = context.asset_key
            path = self._path(key.parts)
            write_pickle(path, obj, key.to_user_string(), _owner(key, None), context.require_lease)
        else:
            path = self._store_partition(context, obj)
        if obj is not None:
            context.add_output_metadata({"path": PathMetadataValue(path)})

    def load_input(self, context: InputContext) -> Any:
        """Reads the value, or the values of all partitions that the input takes.

        Raises:
            StepOutputNotFoundError: nothing is stored there.
            InvariantViolationError: the value stored there belongs to something else.
        """
        if not context.has_asset_key:
            place = context.get_identifier()
            what = f"the output {place[2]!r} of {place[1]!r} in run {place[0]}"
            return read_pickle(self._path(place), what, place[1], place[2], _owner_between_steps(place))
        asset = context.asset_key
        name, step = asset.to_user_string(), asset.to_python_identifier()
        if not context.has_asset_partitions:
            return read_pickle(self._path(asset.parts), name, step, owner=_owner(asset, None))
        keys = context.asset_partition_keys
        may_miss = context.definition_metadata.get(ALLOW_MISSING_PARTITIONS, False)
        values: dict[str, Any] = {}
        for key in keys:
            what, path = f"{name}, partition {key}", self._path_of_stored(asset, key)
            try:
                values[key] = read_pickle(path, what, step, owner=_owner(asset, key))
            except StepOutputNotFoundError:
                if not may_miss:
                    raise
                context.log.warning("%s is not stored and left out, as the metadata of the input allows.", what)
        return values if len(keys) > 1 else next(iter(values.values()), None)

    def _store_partition(self, context: OutputContext, obj: Any) -> str:
        asset, keys = context.asset_key, context.asset_partition_keys
        if len(keys) != 1:
            raise InvariantViolationError(
                f"FilesystemIOManager stores one partition at a time, but this run materializes {len(keys)} of "
                f"{asset.to_user_string()}. Use an IO manager that splits the value, store the partitions in the "
                "function, or run one partition per run."
            )
        folder = self._path(asset.parts)
        if os.path.isfile(folder) and owner_of(folder) in (None, _owner(asset, None)):
            kept = f"{folder}.without_partitions"
            os.replace(folder, kept)
            context.log.warning(
                ("%s was stored without partitions in %s; that value was moved to %s."),
                asset.to_user_string(),
                folder,
                kept,
            )
        path = self._path(asset.parts, _partition_text(keys[0]))
        what = f"{asset.to_user_string()}, partition {keys[0]}"
        write_pickle(path, obj, what, _owner(asset, keys[0]), context.require_lease)
        return path

    def _path_of_stored(self, asset: AssetKey, partition: str) -> str:
        """Where a partition is stored: of one with several dimensions, old versions of Dagster wrote the whole key as one name."""
        path = self._path(asset.parts, _partition_text(partition))
        if isinstance(partition, MultiPartitionKey) and not os.path.exists(path):
            old = self._path(asset.parts, partition)
            return old if os.path.isfile(old) else path
        return path

    def _path(self, parts: Sequence[str], partition: str | None = None) -> str:
        names = [name for part in parts for name in file_names(part)]
        if partition is not None:
            names += file_names(partition)
        return os.path.join(os.fspath(self.base_dir or "."), *names)


def _partition_text(key: str) -> str:
    """A partition key as it stands in paths: the parts of one with several dimensions are folders."""
    if isinstance(key, MultiPartitionKey):
        return "/".join(value for _, value in sorted(key.keys_by_dimension.items()))
    return key


def _owner(asset: AssetKey, partition: str | None) -> str:
    """How a file names the asset, and partition, whose value it holds."""
    text = f"asset {_quoted(list(asset.parts))}"
    return text if partition is None else f"{text}, partition {_quoted(partition)}"


def _owner_between_steps(place: Sequence[str]) -> str:
    return f"output {_quoted(list(place))}"


def _quoted(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
