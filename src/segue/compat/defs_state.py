"""Where libraries for Dagster look for a store of component state."""

from __future__ import annotations

LOCAL_STATE_VERSION = "__local__"  # the version of state that is kept in the project


class DefsStateStorage:
    """A store of component state beside the runs. There is none here: state is kept in the project."""

    @classmethod
    def get(cls) -> DefsStateStorage | None:
        """The store that is in use; None, as for a project that is loaded without one."""
        return None
