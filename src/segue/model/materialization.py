"""What is recorded of an asset: that it was made, or that it was seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from segue.model.arguments import require_kind
from segue.model.asset_words import require_event_tags
from segue.model.keys import AssetKey, CoercibleToAssetKey
from segue.model.metadata import AnyMetadataValue, MetadataValue, normalize_metadata
from segue.model.named_fields import NamedFields
from segue.model.partitions.multi_key import with_dimensions


class DataVersion(NamedFields):
    """The version of an asset's content, as the user names it (a hash, a date, a number as text).

    Equal by value, hashable, immutable.
    """

    __slots__ = ("value",)
    value: str

    def __init__(self, value: str) -> None:
        require_kind("DataVersion", "value", value, str)
        object.__setattr__(self, "value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("DataVersion is immutable.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataVersion) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"DataVersion({self.value!r})"

    def __reduce__(self) -> tuple[type[DataVersion], tuple[str]]:
        return (DataVersion, (self.value,))


class DataVersionsByPartition(NamedFields):
    """The data versions of an asset's partitions: the result of observing a partitioned asset.

    Args:
        data_versions_by_partition: the version of each partition that was looked at, by key.
    """

    __slots__ = ("data_versions_by_partition",)
    data_versions_by_partition: Mapping[str, DataVersion]

    def __init__(self, data_versions_by_partition: Mapping[str, str | DataVersion]) -> None:
        require_kind("DataVersionsByPartition", "data_versions_by_partition", data_versions_by_partition, Mapping)
        versions = {
            key: each if isinstance(each, DataVersion) else DataVersion(each)
            for key, each in data_versions_by_partition.items()
        }
        object.__setattr__(self, "data_versions_by_partition", versions)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("DataVersionsByPartition is immutable.")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DataVersionsByPartition)
            and self.data_versions_by_partition == other.data_versions_by_partition
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds a mapping

    def __repr__(self) -> str:
        return f"DataVersionsByPartition({dict(self.data_versions_by_partition)!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return DataVersionsByPartition, (self.data_versions_by_partition,)


_FIELDS = ("asset_key", "description", "metadata", "partition", "tags", "data_version")


class _AssetFact(NamedFields):
    """What a materialization and an observation have in common: which asset, which partition, what is known of it."""

    __slots__ = ("asset_key", "data_version", "description", "metadata", "partition", "tags")
    asset_key: AssetKey
    description: str | None
    metadata: Mapping[str, AnyMetadataValue]
    partition: str | None
    tags: Mapping[str, str]
    data_version: str | None

    def __init__(
        self,
        asset_key: CoercibleToAssetKey,
        description: str | None = None,
        metadata: Mapping[str, object] | None = None,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
        *,
        data_version: str | None = None,
    ) -> None:
        self._settle(
            asset_key, description, metadata, partition, require_event_tags(tags, type(self).__name__), data_version
        )

    @classmethod
    def recorded(cls, **fields: Any) -> Self:
        """What was recorded, from the arguments of the constructor; its tags are not held to a rule that may be younger."""
        fact = object.__new__(cls)
        fields["partition"] = with_dimensions(fields.get("partition"), fields.get("tags"))
        given: tuple[Any, ...] = tuple(fields.get(name) for name in _FIELDS)
        fact._settle(*given)
        return fact

    def _settle(
        self,
        asset_key: CoercibleToAssetKey,
        description: str | None,
        metadata: Mapping[str, object] | None,
        partition: str | None,
        tags: Mapping[str, str] | None,
        data_version: str | None,
    ) -> None:
        write = object.__setattr__
        write(self, "asset_key", AssetKey.from_coercible(asset_key))
        require_kind(type(self).__name__, "description", description, str)
        require_kind(type(self).__name__, "partition", partition, str)
        write(self, "description", description)
        write(self, "metadata", normalize_metadata(metadata) if metadata else {})
        write(self, "partition", partition)
        write(self, "tags", dict(tags) if tags else {})
        write(self, "data_version", data_version or self.tags.get("dagster/data_version"))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _AssetFact) and type(other) is type(self) and self._asdict() == other._asdict()

    def __hash__(self) -> int:
        return hash((type(self), self.asset_key, self.partition, self.data_version))

    def __repr__(self) -> str:
        shown = [f"asset_key={self.asset_key!r}"]
        shown += [
            f"{name}={getattr(self, name)!r}"
            for name in ("description", "metadata", "partition", "tags", "data_version")
            if getattr(self, name)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self._asdict()))

    def to_wire(self) -> dict[str, object]:
        """The fields that say something, by name, as the codec writes them."""
        fields = {
            "asset_key": self.asset_key,
            "description": self.description,
            "metadata": self.metadata,
            "partition": self.partition,
            "tags": self.tags,
            "data_version": self.data_version,
        }
        return {name: value for name, value in fields.items() if value}

    @property
    def label(self) -> str:
        """The parts of the key, with spaces between them."""
        return " ".join(self.asset_key.parts)


def _rebuild(kind: type[_AssetFact], fields: dict[str, Any]) -> _AssetFact:
    return kind.recorded(**fields)


class AssetMaterialization(_AssetFact):
    """The record that an asset (or one partition of it) was materialized.

    Args:
        asset_key: which asset.
        description: one line for people.
        metadata: facts about it; raw values become `MetadataValue`s.
        partition: the partition key, if the asset is partitioned.
        tags: short strings to search by.
        data_version: the version of its content, as text; the tag `dagster/data_version` when None.
    """

    __slots__ = ()

    @staticmethod
    def file(
        path: str, description: str | None = None, asset_key: CoercibleToAssetKey | None = None
    ) -> AssetMaterialization:
        """The record that a file was created.

        Args:
            path: its path, which is also in the metadata.
            description: one line for people.
            asset_key: the asset; when None, its key is built from the words of the path.
        """
        key = AssetKey(re.findall(r"\w+", path) if asset_key is None else AssetKey.from_coercible(asset_key).parts)
        return AssetMaterialization(key, description, {"path": MetadataValue.path(path)})

    def with_metadata(self, metadata: Mapping[str, object] | None) -> AssetMaterialization:
        """The same materialization with other metadata."""
        return AssetMaterialization(
            self.asset_key, self.description, metadata, self.partition, self.tags, data_version=self.data_version
        )


class AssetObservation(_AssetFact):
    """The record that an asset (or one partition of it) was observed: facts about data that may be external.

    Takes the same arguments as `AssetMaterialization`.
    """

    __slots__ = ()

    def with_metadata(self, metadata: Mapping[str, object] | None) -> AssetObservation:
        """The same observation with other metadata."""
        return AssetObservation(
            self.asset_key, self.description, metadata, self.partition, self.tags, data_version=self.data_version
        )


class ExpectationResult(NamedFields, msgspec.Struct, frozen=True):
    """Whether something that user code expected of its data holds. Superseded by asset checks, which are kept by asset.

    Attributes:
        success: whether it holds.
        label: a short name for it; `result` when None.
        description: one line for people.
        metadata: facts that show why; raw values become `MetadataValue`s.
    """

    success: bool
    label: str | None = None
    description: str | None = None
    metadata: dict[str, AnyMetadataValue] = {}

    def __post_init__(self) -> None:
        require_kind("ExpectationResult", "success", self.success, bool)
        require_kind("ExpectationResult", "label", self.label, str)
        msgspec.structs.force_setattr(self, "label", self.label or "result")
        require_kind("ExpectationResult", "description", self.description, str)
        msgspec.structs.force_setattr(self, "metadata", dict(normalize_metadata(self.metadata)))
