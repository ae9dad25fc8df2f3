"""The tables: what happened in each month, and what follows from it."""

from collections.abc import Sequence
from typing import Any

import polars as pl

import segue as dg
from repo_health.git import GitRepository
from repo_health.partitions import months

COMMITS = {
    "filed": pl.Int64, "commit": pl.String, "parents": pl.Int64, "author": pl.String, "email": pl.String,
    "authored_at": pl.Int64, "committed_at": pl.Int64, "subject": pl.String,
}  # fmt: skip
CHANGES = {
    "filed": pl.Int64, "commit": pl.String, "path": pl.String, "old_path": pl.String,
    "added": pl.Int64, "deleted": pl.Int64,
}  # fmt: skip

# A range of months is read in one run, with one call of git.
monthly: dict[str, Any] = {
    "partitions_def": months,
    "backfill_policy": dg.BackfillPolicy.single_run(),
    "metadata": {"partition_column": "month"},
    "group_name": "history",
    "kinds": {"git", "polars"},
    "owners": ["team:engineering"],
}
summary: dict[str, Any] = {"group_name": "summary", "kinds": {"polars"}, "owners": ["team:engineering"]}


@dg.asset(**monthly)
def commits(context: dg.AssetExecutionContext, repository: GitRepository) -> pl.DataFrame:
    """One row per commit, oldest first, with author (after .mailmap), times in UTC and the number of parents."""
    window = context.partition_time_window
    return _by_month(context, repository.commits(window.start, window.end), COMMITS).with_columns(
        pl.from_epoch(pl.col("authored_at", "committed_at"), time_unit="s").dt.replace_time_zone("UTC")
    )


@dg.asset(**monthly)
def file_changes(context: dg.AssetExecutionContext, repository: GitRepository) -> pl.DataFrame:
    """One row per commit and changed file: lines added and deleted (null for binary files), old path of a rename."""
    window = context.partition_time_window
    return _by_month(context, repository.changes(window.start, window.end), CHANGES)


@dg.asset(**summary)
def churn_per_file(file_changes: pl.DataFrame, commits: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """How often and how much each file changed, under the name it bears today: renames are followed."""
    return _counted(
        file_changes.with_columns(path=pl.Series(current_paths(file_changes), dtype=pl.String))
        .join(commits.select("commit", "author", "committed_at").unique("commit"), on="commit", how="left")
        .group_by("path")
        .agg(
            commits=pl.col("commit").n_unique(),
            authors=pl.col("author").n_unique(),
            added=pl.col("added").sum(),
            deleted=pl.col("deleted").sum(),
            last_changed=pl.col("committed_at").max(),
        )
        .with_columns(churn=pl.col("added") + pl.col("deleted"))
        .sort("churn", "path", descending=[True, False])
    )


@dg.asset(**summary)
def contributors_per_month(commits: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    """Commits, contributors and newcomers of each month that has commits."""
    first = commits.group_by("author").agg(pl.col("month").min()).group_by("month").agg(newcomers=pl.len())
    return _counted(
        commits.group_by("month")
        .agg(commits=pl.len(), contributors=pl.col("author").n_unique())
        .join(first, on="month", how="left")
        .with_columns(pl.col("newcomers").fill_null(0))
        .sort("month")
    )


@dg.asset(**summary | {"kinds": {"git", "polars"}})
def hotspots(churn_per_file: pl.DataFrame, repository: GitRepository) -> dg.Output[pl.DataFrame]:
    """The files that exist today by churn times size: large files that change all the time are where faults gather."""
    sizes = repository.sizes()
    current = pl.DataFrame({"path": list(sizes), "size": list(sizes.values())}, {"path": pl.String, "size": pl.Int64})
    return _counted(
        current.join(churn_per_file, on="path", how="left")
        .with_columns(score=pl.col("churn").fill_null(0) * pl.col("size"))
        .sort("score", "path", descending=[True, False])
    )


def current_paths(changes: pl.DataFrame) -> list[str]:
    """Today's path for each change, following renames from the newest change back to the oldest."""
    names: dict[str, str] = {}
    current: list[str] = []
    for path, old_path in changes.select("path", "old_path").reverse().iter_rows():
        name = names.pop(path, path) if old_path is not None else names.get(path, path)
        current.append(name)
        if old_path is not None:
            names[old_path] = name
    return current[::-1]


def _counted(frame: pl.DataFrame) -> dg.Output[pl.DataFrame]:
    return dg.Output(frame, metadata={"rows": frame.height})


def _by_month(
    context: dg.AssetExecutionContext, rows: Sequence[tuple[Any, ...]], schema: dict[str, Any]
) -> pl.DataFrame:
    """The rows with the month under which they are filed; how many each month has is recorded as metadata."""
    frame = pl.DataFrame(rows, schema, orient="row")
    frame = frame.with_columns(month=pl.from_epoch("filed", time_unit="s").dt.truncate("1mo").dt.date()).drop("filed")
    counts = {str(month): count for month, count in frame.group_by("month").len().iter_rows()}
    for key in context.partition_keys:
        context.add_asset_metadata({"rows": counts.get(key, 0)}, partition_key=key)
    return frame
