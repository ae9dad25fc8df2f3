"""Run the example on a repository and say what came out: `make demo`, or python demo.py --repo PATH --output FOLDER."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from sample_repository import EMPTY_FILE, FUTURE_COMMITS, VERSION, build_repository

EXAMPLES = Path(__file__).resolve().parent.parent
CHECKOUT = EXAMPLES.parent
SEED = 7
SAMPLE_COMMITS = 5_000
FEWEST_COMMITS = 200
PLANTED = {"commits:no_commits_in_the_future", "commits:authors_have_an_email", "hotspots:files_are_not_empty"}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="The health of a git repository.")
    parser.add_argument("--repo", type=Path, default=CHECKOUT, help="the repository; default: this checkout")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "demo-output", help="folder for all results")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / ".gitignore").write_text("*\n")  # results never get into a commit
    repository = options.repo.resolve()
    if reason := unsuitable(repository):
        print(f"{repository} {reason}, so the sample repository is used instead.")
        repository = sample(options.output.resolve())
    output = options.output.resolve() / repository.name.removesuffix(".git")
    os.environ |= {
        "REPO_HEALTH_REPOSITORY": str(repository),
        "REPO_HEALTH_OUTPUT": str(output),
        "SEGUE_HOME": str(output / "home"),
    }
    print(f"Reading {repository}")
    result = materialize()
    print_assets(result)
    failed = print_checks(result)
    if not result["success"]:
        print_errors(result)
        return 1
    print(f"\nReport: {output / 'report.html'} ({time.monotonic() - began:.1f} s in all)")
    if repository.parent == options.output.resolve():
        unplanted = failed - PLANTED
        print(
            "The sample repository has mistakes planted for the checks to find: "
            f"{FUTURE_COMMITS} commits dated in the future,\n"
            f"an author without an e-mail address and an empty file ({EMPTY_FILE}). "
            + (f"Not planted: {', '.join(sorted(unplanted))}" if unplanted else "Those are the warnings above.")
        )
    if os.environ.get("SERVE"):
        print("SERVE is set, but there is no user interface yet. Open the report in a browser.")
    return 0


def unsuitable(repository: Path) -> str | None:
    """Why the example would show little on this repository; None when it is fine."""
    if (count := git(repository, "rev-list", "--count", "HEAD")) is None:
        return "is not a git repository with a commit"
    if git(repository, "rev-parse", "--is-shallow-repository") == "true":
        return "is a shallow clone, whose history is cut off (git fetch --unshallow brings the rest)"
    if int(count) < FEWEST_COMMITS:
        return f"has only {count} commits"
    return None


def git(repository: Path, *arguments: str) -> str | None:
    """What git answers; None when it fails. Only a repository of its own counts, not one somewhere above."""
    if not repository.is_dir():
        return None
    environment = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
    environment["GIT_CEILING_DIRECTORIES"] = str(repository.parent)
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, text=True, env=environment
        )
    except FileNotFoundError:
        raise SystemExit("git is not installed; install it and run the demo again") from None
    return done.stdout.strip() if done.returncode == 0 else None


def sample(folder: Path) -> Path:
    """The sample repository, built if it is not there yet."""
    destination = folder / f"sample-{SEED}-{SAMPLE_COMMITS}-v{VERSION}.git"
    if not destination.exists():
        began = time.monotonic()
        build_repository(destination, SEED, SAMPLE_COMMITS)
        print(f"Built it: {SAMPLE_COMMITS:,} commits in {time.monotonic() - began:.1f} s.")
    return destination


def materialize() -> dict[str, Any]:
    """Everything, over all months, as a user does it on the command line; what --json prints.

    The months are one run, since their assets take any number of partitions at once; the summaries are the next.
    """
    # Not at the top: it reads the repository that the environment names.
    sys.path.insert(0, str(EXAMPLES))
    months = importlib.import_module("repo_health.partitions").months
    whole_range = f"{months.get_first_partition_key()}...{months.get_last_partition_key()}"
    command = ["materialize", "-m", "repo_health.definitions", "-d", str(EXAMPLES), "--select", "*"]
    done = subprocess.run(
        [sys.executable, "-m", "segue", *command, "--partition-range", whole_range, "--json"],
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
    )
    if not done.stdout:
        raise SystemExit(f"segue materialize failed with exit code {done.returncode}; its message is above")
    return json.loads(done.stdout)


def print_assets(result: dict[str, Any]) -> None:
    rows: dict[str, int | None] = {}
    partitions: dict[str, int] = defaultdict(int)
    for made in each(result, "materializations"):
        asset = made["asset"]
        count = made["metadata"].get("rows")
        rows[asset] = None if count is None else (rows.get(asset) or 0) + count["value"]
        partitions[asset] += made["partition"] is not None
    print("\nBuilt")
    for asset, count in rows.items():
        months = f" in {counted(partitions[asset], 'month')}" if partitions[asset] else ""
        print(f"  {asset:<26}" + ("written" if count is None else f"{counted(count, 'row', 7)}{months}"))


def counted(number: int, thing: str, width: int = 0) -> str:
    return f"{number:>{width},} {thing}{'' if number == 1 else 's'}"


def print_checks(result: dict[str, Any]) -> set[str]:
    """Prints the result of each check; the names of those that failed."""
    checks = list(each(result, "checks"))
    print("\nChecked")
    for check in sorted(checks, key=lambda check: check["check"]):
        word = "passed" if check["passed"] else check["severity"]
        print(f"  {word:<7} {check['check']:<42} {check['description'] or ''}")
    return {check["check"] for check in checks if not check["passed"]}


def print_errors(result: dict[str, Any]) -> None:
    for run in result["runs"]:
        for step in run["steps"]:
            if step["error"]:
                print(f"\n{step['step']} failed: {step['error']['message']}", file=sys.stderr)


def each(result: dict[str, Any], what: str) -> list[dict[str, Any]]:
    return [item for run in result["runs"] for step in run["steps"] for item in step[what]]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
