"""Names of types and constants that projects take from Dagster's private modules."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, TypeVar

from segue.defs.config_schema.shapes import Field
from segue.defs.executor import RETRIES, TAG_LIMITS

ArbitraryMetadataMapping = Mapping[str, Any]
RawMetadataMapping = Mapping[str, Any]
UserConfigSchema = Any
TResValue = TypeVar("TResValue")

DEFAULT_DATE_FORMAT = "%Y-%m-%d"
DEFAULT_HOURLY_FORMAT_WITHOUT_TIMEZONE = "%Y-%m-%d-%H:%M"
DOCKER_IMAGE_TAG = "dagster/image"
MULTIPARTITION_KEY_DELIMITER = "|"


class RetryMode(enum.Enum):
    """Whether steps are tried again when they ask for it: what the run config says in `retries` of an executor."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    DEFERRED = "deferred"


def get_retries_config() -> Field:
    """The entry `retries` in the config of an executor."""
    return RETRIES


def get_tag_concurrency_limits_config() -> Field:
    """The entry `tag_concurrency_limits` in the config of an executor."""
    return TAG_LIMITS
