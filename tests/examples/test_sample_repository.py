"""The sample repository is the same wherever it is built, and holds what the example is to show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPT = EXAMPLES / "repo_health" / "sample_repository.py"
COMMITS = 600
HEAD_OF_SEED_7 = "ddfd696dad2759ba40cfeb2508cd46d388ba2cf5"


def build(destination: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), str(destination), *options], capture_output=True, text=True)


def git(repository: Path, *arguments: str) -> list[str]:
    command = ["git", "-C", str(repository), "-c", "core.quotepath=off", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    destination = tmp_path_factory.mktemp("sample") / "sample.git"
    assert build(destination, "--seed", "7", "--commits", str(COMMITS)).returncode == 0
    return destination


def test_a_seed_gives_the_same_commit_ids_on_every_machine(repository: Path) -> None:
    assert git(repository, "rev-parse", "main") == [HEAD_OF_SEED_7]


def test_another_seed_gives_another_repository(repository: Path, tmp_path: Path) -> None:
    build(tmp_path / "other.git", "--seed", "8", "--commits", str(COMMITS))
    assert git(tmp_path / "other.git", "rev-parse", "main") != git(repository, "rev-parse", "main")


def test_all_commits_are_reachable_and_nothing_is_broken(repository: Path) -> None:
    assert len(git(repository, "rev-list", "main")) == COMMITS
    assert git(repository, "fsck", "--strict", "--no-dangling") == []


def test_the_history_has_merges_renames_and_deletions(repository: Path) -> None:
    kinds = [line.split()[0] for line in git(repository, "log", "--no-merges", "-M", "--summary", "--format=") if line]
    assert kinds.count("rename") >= 10
    assert kinds.count("delete") >= 3
    assert len(git(repository, "rev-list", "--merges", "main")) >= 5


def test_authors_and_files_have_names_in_many_letters(repository: Path) -> None:
    authors = set(git(repository, "log", "--format=%an"))
    files = git(repository, "ls-tree", "-r", "--name-only", "main")
    assert len(authors) >= 8
    assert any(not name.isascii() for name in authors)
    assert any(" " in name for name in files)
    assert any(not name.isascii() for name in files)


def test_the_mistakes_are_planted(repository: Path) -> None:
    dates = [int(line) for line in git(repository, "log", "--format=%ct")]
    sizes = {line.split("\t")[1]: line.split()[3] for line in git(repository, "ls-tree", "-r", "-l", "main")}
    assert sum(date > 3_000_000_000 for date in dates) == 2
    assert dates[0] < 3_000_000_000, "the newest commit has a sane date, so a sane one follows each of the others"
    assert "Build Bot <>" in git(repository, "log", "--format=%an <%ae>")
    assert [name for name, size in sizes.items() if size == "0"] == ["docs/empty notes.md"]
    assert any(line.startswith("-\t-\t") for line in git(repository, "log", "--numstat", "--format="))


def test_nothing_is_overwritten(repository: Path) -> None:
    again = build(repository)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_too_few_commits_are_refused(tmp_path: Path) -> None:
    refused = build(tmp_path / "small.git", "--commits", "20")
    assert refused.returncode == 2
    assert "at least 100" in refused.stderr
    assert not list(tmp_path.iterdir())
