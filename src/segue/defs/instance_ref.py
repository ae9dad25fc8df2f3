"""Where an instance is kept, as a value that another process can open it by."""

from __future__ import annotations

import msgspec


class InstanceRef(msgspec.Struct, frozen=True):
    """A persistent instance, by the folder of its database. `Instance.from_ref` opens it; it can be pickled.

    Attributes:
        root_directory: the folder.
        values_directory: where the default IO manager keeps values; `storage` in the folder when None.
    """

    root_directory: str
    values_directory: str | None = None

    @staticmethod
    def from_dir(base_dir: str) -> InstanceRef:
        """The instance in this folder, which need not be there yet."""
        return InstanceRef(base_dir)
