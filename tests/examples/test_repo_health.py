"""The example gives right numbers: those of a plain reading of `git log`, on the sample repository."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FUTURE = 3_000_000_000


def git(repository: Path, *arguments: str) -> list[str]:
    command = ["git", "-C", str(repository), "-c", "core.quotepath=off", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def month(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m}-01"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    destination = tmp_path_factory.mktemp("repository") / "sample.git"
    script = EXAMPLES / "repo_health" / "sample_repository.py"
    subprocess.run([sys.executable, str(script), str(destination), "--commits", "600"], check=True, capture_output=True)
    return destination


@pytest.fixture(scope="module")
def demo(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the demo printed, and its output folder."""
    output = tmp_path_factory.mktemp("output")
    script = EXAMPLES / "repo_health" / "demo.py"
    command = [sys.executable, str(script), "--repo", str(repository), "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"SERVE": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, output / "sample"


@pytest.fixture(scope="module")
def printed(demo: tuple[str, Path]) -> str:
    return demo[0]


@pytest.fixture(scope="module")
def tables(demo: tuple[str, Path]) -> Path:
    return demo[1] / "tables"


@pytest.fixture(scope="module")
def package(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The definitions, loaded into this process for the sample repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPO_HEALTH_REPOSITORY", str(repository))
        patch.setenv("REPO_HEALTH_OUTPUT", str(tmp_path_factory.mktemp("in_process")))
        patch.syspath_prepend(str(EXAMPLES))
        yield importlib.import_module("repo_health.definitions")
        for name in [name for name in sys.modules if name.split(".")[0] == "repo_health"]:
            del sys.modules[name]


def test_no_commit_is_lost(repository: Path, tables: Path) -> None:
    stored = pl.read_parquet(sorted((tables / "commits").glob("*.parquet")))
    assert stored.height == 600
    assert set(stored["commit"]) == set(git(repository, "rev-list", "HEAD"))
    assert stored["parents"].sum() == sum(len(line.split()) for line in git(repository, "log", "--format=%P"))


def test_commits_are_stored_under_the_month_of_their_date(repository: Path, tables: Path) -> None:
    expected = Counter(month(int(date)) for date in git(repository, "log", "--format=%ct") if int(date) < FUTURE)
    stored = {path.stem: pl.read_parquet(path) for path in (tables / "commits").glob("*.parquet")}
    sane = {key: frame.filter(pl.col("committed_at").dt.epoch("s") < FUTURE).height for key, frame in stored.items()}
    assert {key: count for key, count in sane.items() if count} == dict(expected)
    assert min(stored) == min(expected)
    assert max(stored) == f"{datetime.now(UTC):%Y-%m}-01", "up to the current month, empty or not"


def test_a_commit_dated_in_the_future_is_stored_with_the_one_that_follows_it(repository: Path, tables: Path) -> None:
    lines = [line.split() for line in git(repository, "rev-list", "--children", "--timestamp", "HEAD")]
    dates = {commit: int(seconds) for seconds, commit, *_ in lines}
    expected = {
        commit: month(min(dates[c] for c in children)) for _, commit, *children in lines if dates[commit] > FUTURE
    }
    assert len(expected) == 2
    stored = pl.read_parquet(sorted((tables / "commits").glob("*.parquet")))
    found = {
        commit: str(stored.row(by_predicate=pl.col("commit") == commit, named=True)["month"]) for commit in expected
    }
    assert found == expected


def test_changes_are_those_of_numstat(repository: Path, tables: Path) -> None:
    lines = [line.split("\t") for line in git(repository, "log", "-M", "--numstat", "--format=") if line]
    stored = pl.read_parquet(sorted((tables / "file_changes").glob("*.parquet")))
    assert stored.height == len(lines)
    assert stored["added"].sum() == sum(int(line[0]) for line in lines if line[0] != "-")
    assert stored["deleted"].sum() == sum(int(line[1]) for line in lines if line[1] != "-")
    assert stored["added"].null_count() == sum(line[0] == "-" for line in lines) > 0
    assert stored["old_path"].count() == sum(" => " in line[2] for line in lines) > 0


def test_churn_follows_renames_as_git_does(repository: Path, tables: Path) -> None:
    churn = pl.read_parquet(tables / "churn_per_file.parquet")
    renamed = set(pl.read_parquet(sorted((tables / "file_changes").glob("*.parquet"))).drop_nulls("old_path")["path"])
    chosen = sorted(renamed & set(git(repository, "ls-tree", "-r", "--name-only", "HEAD")))[:8]
    assert len(chosen) == 8
    for path in chosen:
        log = git(repository, "log", "--follow", "--numstat", "--format=%H", "HEAD", "--", path)
        counts = [line.split("\t") for line in log if "\t" in line]
        row = churn.row(by_predicate=pl.col("path") == path, named=True)
        assert row["commits"] == len(counts), path
        assert row["churn"] == sum(int(added) + int(deleted) for added, deleted, *_ in counts), path


def test_contributors_are_counted_per_month(repository: Path, tables: Path) -> None:
    authors: dict[str, set[str]] = defaultdict(set)
    for line in git(repository, "log", "--format=%ct %an"):
        seconds, name = line.split(" ", 1)
        if int(seconds) < FUTURE:
            authors[month(int(seconds))].add(name)
    stored = pl.read_parquet(tables / "contributors_per_month.parquet")
    found = {str(row["month"]): row["contributors"] for row in stored.to_dicts()}
    # The two misdated commits may add their author to a month.
    assert all(0 <= found[key] - len(names) <= 2 for key, names in authors.items())
    assert sum(found[key] - len(names) for key, names in authors.items()) <= 2
    assert stored["commits"].sum() == 600
    assert stored["newcomers"].sum() == len(set(git(repository, "log", "--format=%an")))


def test_hotspots_are_the_files_of_today_by_churn_and_size(repository: Path, tables: Path) -> None:
    sizes = {line.split("\t")[1]: int(line.split()[3]) for line in git(repository, "ls-tree", "-r", "-l", "HEAD")}
    stored = pl.read_parquet(tables / "hotspots.parquet")
    assert dict(stored.select("path", "size").iter_rows()) == sizes
    assert all(row["score"] == row["churn"] * row["size"] for row in stored.to_dicts())
    assert stored["score"].is_sorted(descending=True)


def test_the_demo_says_what_was_built(printed: str) -> None:
    assert re.search(r"commits +600 rows in \d+ months", printed)
    assert re.search(r"report +written", printed)
    assert "no user interface yet" in printed


@pytest.mark.parametrize(
    ("check", "word", "found"),
    [
        ("commits:commit_ids_are_unique", "passed", 0),
        ("commits:no_commits_in_the_future", "WARN", 2),
        ("file_changes:changes_belong_to_commits", "passed", 0),
        ("hotspots:files_are_not_empty", "WARN", 1),
    ],
)
def test_the_planted_mistakes_are_found(printed: str, check: str, word: str, found: int) -> None:
    assert re.search(rf"{word} +{check} +{found} found", printed), printed


def test_the_author_without_an_email_is_found(printed: str, repository: Path) -> None:
    count = git(repository, "log", "--format=%ae").count("")
    assert count > 0
    assert re.search(rf"WARN +commits:authors_have_an_email +{count} found", printed)


def test_the_report_needs_nothing_beside_it(demo: tuple[str, Path]) -> None:
    html = (demo[1] / "report.html").read_text(encoding="utf-8")
    assert "600 commits" in html
    assert re.findall(r'(?:src|href)="(?!data:)', html) == []
    assert (demo[1] / "activity.png").read_bytes().startswith(b"\x89PNG")
    assert str(demo[1] / "report.html") in demo[0]


def test_a_single_month_is_the_same_as_in_a_run_of_all(package: ModuleType, tables: Path) -> None:
    dg = package.dg
    key = "2020-03-01"
    result = dg.materialize(
        [package.tables.commits], partition_key=key, resources=package.defs.resources, instance=dg.Instance.ephemeral()
    )
    assert result.success
    assert pl.read_parquet(package.output / "tables" / "commits" / f"{key}.parquet").equals(
        pl.read_parquet(tables / "commits" / f"{key}.parquet")
    )


def test_checks_on_tables_fail_on_bad_tables(package: ModuleType, tables: Path) -> None:
    commits = pl.read_parquet(sorted((tables / "commits").glob("*.parquet")))
    changes = pl.read_parquet(sorted((tables / "file_changes").glob("*.parquet")))
    twice = package.checks.commit_ids_are_unique(pl.concat([commits, commits.head(1)]))
    orphans = package.checks.changes_belong_to_commits(
        changes, commits.filter(pl.col("commit") != changes["commit"][0])
    )
    for result in (twice, orphans):
        assert not result.passed
        assert result.severity == package.dg.AssetCheckSeverity.ERROR
        assert result.metadata["found"].value >= 1


def test_any_name_survives(package: ModuleType, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    names = ['with "quotes".txt', "line\nbreak.txt", "tab\tand => arrow.txt", "日本語.txt", "{a => b}.txt"]
    for name in names:
        (tmp_path / name).write_text("1\n")
    author = ["-c", "user.name=Ünï “x” \t y", "-c", "user.email=a@example.org"]
    git(tmp_path, "add", ".")
    git(tmp_path, *author, "commit", "-q", "-m", "one\n\nbody")
    (tmp_path / "line\nbreak.txt").rename(tmp_path / "moved\nline.txt")
    git(tmp_path, "add", ".")
    git(tmp_path, *author, "commit", "-q", "-m", "two")
    repository = importlib.import_module("repo_health.git").GitRepository(path=str(tmp_path))
    start, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    changes = repository.changes(start, end)
    assert {path for _, _, path, old, _, _ in changes if old is None} == set(names)
    assert [(old, path) for _, _, path, old, _, _ in changes if old is not None] == [
        ("line\nbreak.txt", "moved\nline.txt")
    ]
    assert [commit[3] for commit in repository.commits(start, end)] == ["Ünï “x” \t y"] * 2
    assert [commit[7] for commit in repository.commits(start, end)] == ["one", "two"]
    assert set(repository.sizes()) == {*names, "moved\nline.txt"} - {"line\nbreak.txt"}
    assert repository.commits(end, end) == []


@pytest.mark.parametrize(
    ("path", "search_path", "message"),
    [
        ("{folder}", None, r"git rev-list failed in {folder}: not a git repository.*; the path must lead into a git"),
        ("{folder}/nowhere", None, r"{folder}/nowhere is not a folder; set the path"),
        ("{folder}", "/nowhere", r"git is not installed.*install git"),
    ],
)
def test_errors_are_one_line_with_place_and_cure(
    package: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    search_path: str | None,
    message: str,
) -> None:
    if search_path:
        monkeypatch.setenv("PATH", search_path)
    module = importlib.import_module("repo_health.git")
    with pytest.raises(module.GitError, match=message.format(folder=tmp_path)) as caught:
        module.GitRepository(path=path.format(folder=tmp_path)).filing_times()
    assert "\n" not in str(caught.value)


def test_an_unsuitable_repository_is_told_from_a_suitable_one(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "repo_health"))
    unsuitable = importlib.import_module("demo").unsuitable
    git(tmp_path, "clone", "-q", "--bare", "--depth", "3", f"file://{repository}", "shallow.git")
    (tmp_path / "folder").mkdir()
    assert unsuitable(repository) is None
    assert "shallow clone" in unsuitable(tmp_path / "shallow.git")
    assert "not a git repository" in unsuitable(tmp_path / "folder")
    assert "not a git repository" in unsuitable(tmp_path / "nowhere")
