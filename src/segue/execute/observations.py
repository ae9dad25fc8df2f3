"""What a step saw of assets that are made elsewhere: the versions of their content, recorded as observations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segue.defs.results import NoValue
from segue.errors import InvalidObservationError
from segue.execute.attempt import StepAttempt
from segue.model.data_version import DATA_VERSION_TAG
from segue.model.event import AssetObservationData, StepOutputData
from segue.model.materialization import AssetObservation, DataVersion, DataVersionsByPartition
from segue.model.metadata import AnyMetadataValue
from segue.plan.plan import StepOutput


def record_observed(
    attempt: StepAttempt,
    output: StepOutput,
    value: object,
    metadata: Mapping[str, AnyMetadataValue],
    tags: Mapping[str, str],
) -> None:
    """Records what the observation of an asset gave: one event, or one for each partition.

    Args:
        attempt: the attempt of the step.
        output: the output that carries the asset.
        value: a `DataVersion`, `DataVersionsByPartition`, or `NO_VALUE` where nothing is known of the version.
        metadata, tags: what was said of the observation.

    Raises:
        InvalidObservationError: something else, or one that does not fit the partitions of the asset.
    """
    assert output.asset_key is not None  # what is observed is an asset
    attempt.given.add(output.name)
    every = {**metadata, **attempt.metadata_of(output.name)}
    attempt.emit(StepOutputData(output.name, every))
    for partition, version in _versions(attempt, output, value):
        with_version = {**tags, **({} if version is None else {DATA_VERSION_TAG: version})}
        said = {**every, **attempt.added.of_asset(output.name, partition)}
        seen = AssetObservation(output.asset_key, None, said, partition, with_version, data_version=version)
        attempt.emit(AssetObservationData(seen))


def _versions(attempt: StepAttempt, output: StepOutput, value: object) -> Iterator[tuple[str | None, str | None]]:
    """The partitions that were looked at, and the version of each."""
    key = output.asset_key
    node = None if key is None else attempt.scope.described.graph.nodes.get(key)
    is_partitioned = node is not None and node.partitions is not None
    where = f"{attempt.op.shape.source}: the observation {attempt.step_key!r}"
    if isinstance(value, DataVersionsByPartition):
        if not is_partitioned:
            raise InvalidObservationError(
                f"{where} returned DataVersionsByPartition, but its asset has no partitions: return a DataVersion."
            )
        for partition, version in value.data_versions_by_partition.items():
            yield partition, version.value
    elif isinstance(value, (DataVersion, NoValue)):
        if is_partitioned and not output.is_partitioned and isinstance(value, DataVersion):
            raise InvalidObservationError(
                f"{where} returned a DataVersion, but its asset has partitions: return DataVersionsByPartition."
            )
        for partition in attempt.output_partitions(output):
            yield partition, value.value if isinstance(value, DataVersion) else None
    else:
        raise InvalidObservationError(
            f"{where} returned {type(value).__name__}: return a DataVersion, or DataVersionsByPartition."
        )
