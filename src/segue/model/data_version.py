"""Versions of data: what a materialization was made from, as tags on it, and the version that follows from that."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping

import msgspec

from segue.model.keys import AssetKey
from segue.model.materialization import DataVersion
from segue.model.named_fields import NamedFields

DATA_VERSION_TAG = "dagster/data_version"
CODE_VERSION_TAG = "dagster/code_version"
INPUT_DATA_VERSION_TAG_PREFIX = "dagster/input_data_version"
INPUT_EVENT_POINTER_TAG_PREFIX = "dagster/input_event_pointer"
USER_PROVIDED_TAG = "dagster/data_version_is_user_provided"
INITIAL = "INITIAL"  # the version of what was never made or seen
UNKNOWN = "UNKNOWN"
NULL_EVENT = "NULL"


class DataProvenance(NamedFields, msgspec.Struct, frozen=True):
    """The provenance of a materialization.

    Attributes:
        code_version: the version of its code; the run where none is declared, as its data is new with each.
        input_data_versions: the data version of each upstream asset.
        input_storage_ids: the place of that asset's event in the log, where it is known.
        is_user_provided: whether its own version was named by its function.
    """

    code_version: str
    input_data_versions: Mapping[AssetKey, DataVersion]
    input_storage_ids: Mapping[AssetKey, int | None]
    is_user_provided: bool

    def has_input_asset(self, key: AssetKey) -> bool:
        """Whether this asset is among its inputs."""
        return key in self.input_data_versions

    @property
    def input_logical_versions(self) -> Mapping[AssetKey, DataVersion]:
        """Superseded by `input_data_versions`."""
        return self.input_data_versions

    @staticmethod
    def from_tags(tags: Mapping[str, str]) -> DataProvenance | None:
        """What the tags of a materialization say; None where they say nothing."""
        code_version = tags.get(CODE_VERSION_TAG)
        if code_version is None:
            return None
        versions: dict[AssetKey, DataVersion] = {}
        places: dict[AssetKey, int | None] = {}
        for name, value in tags.items():
            prefix, _, key = name.partition("/")
            kind, _, key = key.partition("/")
            if f"{prefix}/{kind}" == INPUT_DATA_VERSION_TAG_PREFIX:
                versions[AssetKey.from_user_string(key)] = DataVersion(value)
            elif f"{prefix}/{kind}" == INPUT_EVENT_POINTER_TAG_PREFIX:
                places[AssetKey.from_user_string(key)] = None if value == NULL_EVENT else int(value)
        return DataProvenance(code_version, versions, places, tags.get(USER_PROVIDED_TAG) == "true")


def compute_logical_data_version(code_version: str, input_data_versions: Mapping[AssetKey, DataVersion]) -> DataVersion:
    """The version of data that follows from the versions of its code and of what it was made from."""
    return DataVersion(_logical_version(code_version, {key: each.value for key, each in input_data_versions.items()}))


def _logical_version(code_version: str, versions: Mapping[AssetKey, str]) -> str:
    """The same with versions as text."""
    parts = [code_version, *[versions[key] for key in sorted(versions)]]
    return UNKNOWN if UNKNOWN in parts else hashlib.sha256("".join(parts).encode()).hexdigest()


def version_tags(
    code_version: str, inputs: Mapping[AssetKey, tuple[str, int | None]], data_version: str | None
) -> tuple[str, dict[str, str]]:
    """The data version of a materialization, and the tags that say what it was made from.

    Args:
        code_version: the version of the code, or the run.
        inputs: version and place in the log of each asset it was made from.
        data_version: the version that its function names; worked out when None.
    """
    versions = {key: version for key, (version, _) in inputs.items()}
    own = _logical_version(code_version, versions) if data_version is None else data_version
    tags = {DATA_VERSION_TAG: own, CODE_VERSION_TAG: code_version}
    for key, (version, place) in inputs.items():
        name = key.to_user_string()
        tags[f"{INPUT_DATA_VERSION_TAG_PREFIX}/{name}"] = version
        tags[f"{INPUT_EVENT_POINTER_TAG_PREFIX}/{name}"] = NULL_EVENT if place is None else str(place)
    if data_version is not None:
        tags[USER_PROVIDED_TAG] = "true"
    return own, tags


class StaleStatus(enum.Enum):
    """Whether an asset is what its code and its dependencies would make of it now."""

    MISSING = "MISSING"
    STALE = "STALE"
    FRESH = "FRESH"


class StaleCauseCategory(enum.Enum):
    """What changed: the code, the data it is made from, or which assets that is."""

    CODE = "CODE"
    DATA = "DATA"
    DEPENDENCIES = "DEPENDENCIES"


class StaleCause(msgspec.Struct, frozen=True):
    """One reason why an asset is stale.

    Attributes:
        key: the asset.
        category: what changed.
        reason: in words.
        dependency: the dependency it is about.
        children: the reasons behind it, of that dependency.
    """

    key: AssetKey
    category: StaleCauseCategory
    reason: str
    dependency: AssetKey | None = None
    children: tuple[StaleCause, ...] = ()


class StaleState(msgspec.Struct, frozen=True):
    """Whether an asset is stale, and why."""

    status: StaleStatus
    causes: tuple[StaleCause, ...] = ()
