"""Tables on disk: one Parquet file per asset, or per asset and partition."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from urllib.parse import quote

import polars as pl

import segue as dg


class ParquetIOManager(dg.ConfigurableIOManager):
    """Stores polars frames below `base_dir`, and records their columns as metadata.

    A partitioned asset says in its metadata which column holds the partition key: {"partition_column": "month"}. Each
    partition has its own file, also when it is empty; loading several partitions gives one frame in the order of keys.
    """

    base_dir: str

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        columns = [dg.TableColumn(name, str(dtype)) for name, dtype in obj.schema.items()]
        context.add_output_metadata({"columns": dg.TableSchema(columns)})
        if not context.has_asset_partitions:
            _write(self._path(context.asset_key), obj)
            return
        column = context.definition_metadata["partition_column"]
        parts = {str(key): part for (key,), part in obj.partition_by(column, as_dict=True).items()}
        keys = context.asset_partition_keys
        if stray := sorted(set(parts) - set(keys)):
            raise ValueError(f"{context.asset_key.to_user_string()}: rows of {stray[0]} do not belong to this run")
        for key in keys:
            _write(self._path(context.asset_key, key), parts.get(key, obj.clear()))

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        if not context.has_asset_partitions:
            return pl.read_parquet(self._path(context.asset_key))
        paths = {key: self._path(context.asset_key, key) for key in context.asset_partition_keys}
        present = [path for path in paths.values() if path.exists()]
        name = context.asset_key.to_user_string()
        if not present:
            raise FileNotFoundError(f"no partition of {name} is stored in {self.base_dir}; materialize {name} first")
        if missing := [key for key, path in paths.items() if not path.exists()]:
            context.log.warning(f"{name}: {len(missing)} of {len(paths)} partitions are not there: {missing[:3]}")
        return pl.read_parquet(present)

    def _path(self, key: dg.AssetKey, partition: str | None = None) -> Path:
        parts = [*key.path, partition] if partition else key.path
        *folders, last = [quote(part, safe="").replace(".", "%2E") for part in parts]
        return Path(self.base_dir, *folders, f"{last}.parquet")


def _write(path: Path, frame: pl.DataFrame) -> None:
    """Write all or nothing: whoever reads meanwhile sees the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        frame.write_parquet(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
