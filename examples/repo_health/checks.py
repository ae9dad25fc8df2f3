"""What must hold. ERROR: the tables are wrong, do not trust the report. WARN: the history itself is odd, look at it."""

from datetime import UTC, datetime, timedelta

import polars as pl

import segue as dg
from repo_health.tables import commits, file_changes, hotspots

# A clock that shows local time but claims UTC is up to 14 hours ahead; such a commit is no mistake worth a warning.
TOLERANCE = timedelta(days=1)


@dg.asset_check(asset=commits, description="Each commit is in one month only.")
def commit_ids_are_unique(commits: pl.DataFrame) -> dg.AssetCheckResult:
    return _none(commits.filter(pl.col("commit").is_duplicated()), ["commit", "month"], dg.AssetCheckSeverity.ERROR)


@dg.asset_check(asset=commits, description="No commit is dated more than a day after now.")
def no_commits_in_the_future(commits: pl.DataFrame) -> dg.AssetCheckResult:
    limit = datetime.now(UTC) + TOLERANCE
    return _none(
        commits.filter(pl.max_horizontal("authored_at", "committed_at") > limit), ["commit", "author", "committed_at"]
    )


@dg.asset_check(asset=commits, description="Each author has an e-mail address.")
def authors_have_an_email(commits: pl.DataFrame) -> dg.AssetCheckResult:
    return _none(commits.filter(pl.col("email").str.strip_chars() == ""), ["commit", "author"])


@dg.asset_check(
    asset=file_changes,
    additional_ins={"commits": dg.AssetIn("commits")},
    description="Each change belongs to a stored commit.",
)
def changes_belong_to_commits(file_changes: pl.DataFrame, commits: pl.DataFrame) -> dg.AssetCheckResult:
    return _none(file_changes.join(commits, on="commit", how="anti"), ["commit", "path"], dg.AssetCheckSeverity.ERROR)


@dg.asset_check(asset=hotspots, description="No file is empty, except the markers that are meant to be.")
def files_are_not_empty(hotspots: pl.DataFrame) -> dg.AssetCheckResult:
    markers = pl.col("path").str.contains(r"(^|/)(__init__\.py|py\.typed|\.gitkeep)$")
    return _none(hotspots.filter((pl.col("size") == 0) & ~markers), ["path", "authors"])


def _none(
    bad: pl.DataFrame, shown: list[str], severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN
) -> dg.AssetCheckResult:
    """Passed when no row is bad; else the first rows are shown."""
    rows = [
        dg.TableRecord({name: str(value) for name, value in row.items()})
        for row in bad.select(shown).head(10).to_dicts()
    ]
    found = {"first_rows": dg.MetadataValue.table(rows)} if rows else {}
    return dg.AssetCheckResult(
        passed=bad.is_empty(),
        severity=severity,
        description=f"{bad.height} found",
        metadata={"found": bad.height, **found},
    )
