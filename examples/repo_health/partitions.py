"""Which repository is looked at, and its months."""

from __future__ import annotations

import os

import segue as dg
from repo_health.git import GitRepository

repository = GitRepository(path=os.environ.get("REPO_HEALTH_REPOSITORY", "."))

# From the month of the oldest commit to the current one, so each commit has a month; asked when the code is loaded.
months = dg.MonthlyPartitionsDefinition(start_date=repository.first_month(), end_offset=1)
