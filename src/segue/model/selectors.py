"""Jobs, and groups of them, named from outside of the code that declares them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

CODE_LOCATION_TAG = "dagster/code_location"


class CodeLocationSelector(msgspec.Struct, frozen=True):
    """All jobs of a code location.

    Attributes:
        location_name: the code location.
    """

    location_name: str

    def to_repository_selector(self) -> RepositorySelector:
        """The same jobs, by repository: a code location has one."""
        return RepositorySelector(location_name=self.location_name, repository_name="__repository__")


class RepositorySelector(msgspec.Struct, frozen=True, kw_only=True):
    """All jobs of a repository, which is all of its code location.

    Attributes:
        location_name: the code location.
        repository_name: what the repository is called.
    """

    location_name: str
    repository_name: str


class JobSelector(msgspec.Struct, frozen=True):
    """One job of a code location.

    Attributes:
        location_name: the code location.
        repository_name: what its repository is called.
        job_name: the job.
    """

    location_name: str
    repository_name: str | None = None
    job_name: str | None = None


class MonitoredJobs(msgspec.Struct, frozen=True):
    """Runs that a sensor looks at.

    Attributes:
        job_name: of this job; of all jobs when None.
        location_name: of this code location; of whichever when None.
    """

    job_name: str | None = None
    location_name: str | None = None

    def includes(self, job_name: str, tags: Mapping[str, str]) -> bool:
        """Whether a run counts. A run whose tags name no code location counts for each."""
        own_location = tags.get(CODE_LOCATION_TAG)
        here = self.location_name is None or own_location is None or own_location == self.location_name
        return here and self.job_name in (None, job_name)
