"""What users ask an instance about dynamic partitions, and what they change there."""

from __future__ import annotations

import time
from collections.abc import Sequence

from segue.errors import InvalidInvocationError
from segue.model.pages import PaginatedResults, page_bounds
from segue.model.partitions.dynamic import check_dynamic_keys
from segue.model.stores import Store


class InstancePartitions:
    """The keys of dynamic partitions definitions, by the name of the definition."""

    store: Store

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Adds keys to a dynamic partitions definition; those it has already keep their place.

        Raises:
            InvalidDefinitionError: an empty name, or an invalid partition key; nothing is added.
        """
        check_dynamic_keys(partitions_def_name, partition_keys)
        self.store.change_dynamic_partitions(partitions_def_name, list(partition_keys), [], time.time())

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Removes a key from a dynamic partitions definition; what was made of the partition stays."""
        check_dynamic_keys(partitions_def_name, [partition_key])
        self.store.change_dynamic_partitions(partitions_def_name, [], [partition_key], time.time())

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of a dynamic partitions definition, oldest first."""
        check_dynamic_keys(partitions_def_name, [])
        return self.store.dynamic_partitions(partitions_def_name)

    def get_paginated_dynamic_partitions(
        self, partitions_def_name: str, limit: int, ascending: bool, cursor: str | None = None
    ) -> PaginatedResults[str]:
        """Some of the keys of a dynamic partitions definition, and where to go on.

        Args:
            partitions_def_name: the name of the definition.
            limit: at most so many.
            ascending: from the oldest on; else from the newest back.
            cursor: that of the page before.

        Raises:
            InvalidInvocationError: a limit below 1, or a cursor whose partition key no longer exists.
        """
        keys = self.get_dynamic_partitions(partitions_def_name)
        shown = 0
        if cursor:
            if cursor not in keys:
                raise InvalidInvocationError(
                    f"The previous page ended at {cursor!r}, which no longer exists: start again."
                )
            shown = keys.index(cursor) + 1 if ascending else len(keys) - keys.index(cursor)
        start, stop = page_bounds(len(keys), limit, ascending, shown)
        page = keys[start:stop][:: 1 if ascending else -1]
        has_more = bool(page) and (stop < len(keys) if ascending else start > 0)
        return PaginatedResults(results=page, cursor=page[-1] if page else cursor or "", has_more=has_more)

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether a dynamic partitions definition has this key."""
        check_dynamic_keys(partitions_def_name, [])
        return self.store.has_dynamic_partition(partitions_def_name, partition_key)
