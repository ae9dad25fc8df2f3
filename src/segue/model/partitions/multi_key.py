"""Keys of partitions of several dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from segue.errors import WrongArgumentError
from segue.model.tags import PARTITION_TAG

SEPARATOR = "|"
_DIMENSION_TAG = f"{PARTITION_TAG}/"


class MultiPartitionKey(str):
    """The key of a partition of several dimensions: `"eu|2026-01-31"`, in the order of the dimensions' sorted names.

    Args:
        keys_by_dimension: the key in each dimension.
    """

    __slots__ = ("_keys",)
    _keys: dict[str, str]

    def __new__(cls, keys_by_dimension: Mapping[str, str]) -> MultiPartitionKey:
        if not isinstance(keys_by_dimension, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
            raise WrongArgumentError(
                f"MultiPartitionKey expected the partition key of each dimension by its name, got {keys_by_dimension!r}."
            )
        keys = dict(sorted(keys_by_dimension.items()))
        for name, key in keys.items():
            if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
                raise WrongArgumentError(f"The partition key of dimension {name!r} must be a string, got {key!r}.")
        made = super().__new__(cls, SEPARATOR.join(keys.values()))
        made._keys = keys
        return made

    @property
    def keys_by_dimension(self) -> Mapping[str, str]:
        """The key in each dimension, by name."""
        return dict(self._keys)

    @property
    def dimension_keys(self) -> list[PartitionDimensionKey]:
        """The key in each dimension, in the order of their names."""
        return [PartitionDimensionKey(name, key) for name, key in self._keys.items()]

    def __getnewargs__(self) -> tuple[dict[str, str]]:  # pyright: ignore[reportIncompatibleMethodOverride] reason: pickled by its own arguments
        return (self._keys,)


def dimension_tags(key: str | None) -> dict[str, str]:
    """The tags that tell the dimensions of a key of several apart: `dagster/partition/<dimension>`."""
    if not isinstance(key, MultiPartitionKey):
        return {}
    return {f"{_DIMENSION_TAG}{name}": each for name, each in key.keys_by_dimension.items()}


def with_dimensions(key: str | None, tags: Mapping[str, str] | None) -> str | None:
    """A key that was written down as text, as one of several dimensions again if its tags name them."""
    if key is None or not tags or SEPARATOR not in key:
        return key
    dimensions = {
        name.removeprefix(_DIMENSION_TAG): each for name, each in tags.items() if name.startswith(_DIMENSION_TAG)
    }
    typed = MultiPartitionKey(dimensions)
    return typed if typed == key else key


class PartitionDimensionKey(NamedTuple):
    """The key in one dimension."""

    dimension_name: str
    partition_key: str
