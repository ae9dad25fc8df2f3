"""Which materialization a check looked at."""

from __future__ import annotations

from segue.execute.attempt import StepAttempt
from segue.model.checks import AssetCheckEvaluationTargetMaterializationData
from segue.model.event import EventType
from segue.model.keys import AssetKey
from segue.model.stores import EventFilter


def target_materialization(
    attempt: StepAttempt, key: AssetKey, partition: str | None
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """The last materialization of the asset (or of the partition) so far; None where it was never made."""
    if any(output.asset_key == key and output.name in attempt.given for output in attempt.step.outputs):
        attempt.flush()  # what this step itself has made gets its place in the log only so
    store = attempt.instance.store
    if partition is None:
        state = store.asset_states([key]).get(key)
        if state is None:
            return None
        return AssetCheckEvaluationTargetMaterializationData(state.storage_id, state.run_id, state.timestamp)
    which = EventFilter(
        asset_key=key, types=(EventType.ASSET_MATERIALIZATION,), partitions=(partition,), ascending=False
    )
    for stored in store.events(which, 1):
        event = stored.event
        return AssetCheckEvaluationTargetMaterializationData(stored.storage_id, event.run_id, event.timestamp)
    return None
