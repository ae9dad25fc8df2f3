"""What the function of a step says of its outputs and assets apart from giving them."""

from __future__ import annotations

from collections.abc import Mapping

from segue.model.metadata import AnyMetadataValue, normalize_metadata

Metadata = dict[str, AnyMetadataValue]


class AddedMetadata:
    """Facts that were added so far: to an output, to one value of a dynamic output, or to the asset that an output carries."""

    def __init__(self) -> None:
        self._outputs: dict[tuple[str, str | None], Metadata] = {}
        self._assets: dict[tuple[str, str | None], Metadata] = {}

    def to_output(self, name: str, metadata: Mapping[str, object], mapping_key: str | None = None) -> None:
        """Adds facts to an output, or to one value of a dynamic one."""
        self._outputs.setdefault((name, mapping_key), {}).update(normalize_metadata(metadata))

    def to_asset(self, name: str, metadata: Mapping[str, object], partition: str | None = None) -> None:
        """Adds facts to the asset that an output carries, or to one of its partitions."""
        self._assets.setdefault((name, partition), {}).update(normalize_metadata(metadata))

    def of_output(self, name: str, mapping_key: str | None = None) -> Metadata:
        """What was added to an output, or to one value of a dynamic one."""
        return self._outputs.get((name, mapping_key), {})

    def of_asset(self, name: str, partition: str | None) -> Metadata:
        """What was added to the asset of an output, and to this partition of it."""
        if not self._assets:
            return {}
        of_all = self._assets.get((name, None), {})
        return of_all if partition is None else {**of_all, **self._assets.get((name, partition), {})}
