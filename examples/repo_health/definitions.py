"""Everything together. REPO_HEALTH_REPOSITORY and REPO_HEALTH_OUTPUT choose the repository and the place of results."""

from __future__ import annotations

import os
from pathlib import Path

import segue as dg
from repo_health import checks, report, tables
from repo_health.partitions import repository
from repo_health.storage import ParquetIOManager

output = Path(os.environ.get("REPO_HEALTH_OUTPUT", Path(os.environ.get("SEGUE_HOME", ".")) / "repo_health"))

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([tables, report]),
    asset_checks=dg.load_asset_checks_from_modules([checks]),
    jobs=[dg.define_asset_job("repo_health_job", description="All tables, checks and the report.")],
    resources={
        "repository": repository,
        "output": report.OutputFolder(path=str(output)),
        "io_manager": ParquetIOManager(base_dir=str(output / "tables")),
    },
)
