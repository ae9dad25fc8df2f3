"""A request for a run: what wants to be made, before anything is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from segue.model.keys import AssetCheckKey, AssetKey


class RunRequest(msgspec.Struct, frozen=True):
    """What one run shall do.

    Attributes:
        run_key: a text that makes the request unique for whoever sends it.
        run_config: config by op and resource, JSON values.
        tags: tags for the run; a partition range stands in the tags `segue/asset_partition_range_start` and `_end`.
        job_name: the job to run; None for a selection of assets.
        asset_selection: the assets; None for all of the job.
        partition_key: the partition to make.
        asset_check_keys: the checks to run; None for all checks on the selected assets.
    """

    run_key: str | None = None
    run_config: Mapping[str, object] | None = None
    tags: Mapping[str, str] | None = None
    job_name: str | None = None
    asset_selection: Sequence[AssetKey] | None = None
    partition_key: str | None = None
    asset_check_keys: Sequence[AssetCheckKey] | None = None
