"""The list in which libraries for Dagster enter themselves when they are imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from segue.compat.names import DAGSTER_VERSION


class DagsterLibraryRegistry:
    """Which libraries were imported in this process, with their versions.

    No version is compared with another: a library is judged by whether it runs.
    """

    _versions: ClassVar[dict[str, str]] = {"dagster": DAGSTER_VERSION}

    @classmethod
    def register(cls, name: str, version: str, *, is_dagster_package: bool = True) -> None:
        """Enters a library; a later entry of the same name replaces an earlier one."""
        del is_dagster_package
        cls._versions[name] = version

    @classmethod
    def get(cls) -> Mapping[str, str]:
        """Name -> version of every library that was entered, and of the API that is offered under the name `dagster`."""
        return dict(cls._versions)
