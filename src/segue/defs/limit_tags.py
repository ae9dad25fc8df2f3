"""Tags that say what steps and runs may take: what they cannot mean is found where definitions are described, not in a run."""

from __future__ import annotations

from segue.defs.collect import Collection
from segue.errors import InvalidDefinitionError
from segue.model.claims import PartitionLocks
from segue.model.concurrency import partition_lock, step_slots
from segue.model.tags import PARTITION_LOCK_TAG


def check_limit_tags(collection: Collection) -> None:
    """Notes tags of assets and of their steps that say nothing."""
    default = PartitionLocks.WAIT
    for key, spec in collection.specs.items():
        if spec.tags and PARTITION_LOCK_TAG in spec.tags:
            try:
                partition_lock(default, key.to_user_string(), spec.tags)
            except InvalidDefinitionError as error:
                collection.errors.append(error)
    for name, definition in collection.definitions.items():
        tags = None if definition.node_def is None else definition.node_def.tags
        if not tags:
            continue
        try:
            step_slots(None, tags, None, name)
            if PARTITION_LOCK_TAG in tags:
                partition_lock(default, name, tags)
        except InvalidDefinitionError as error:
            collection.errors.append(error)
