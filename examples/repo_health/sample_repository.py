"""Build a repository with a history worth looking at: the same seed gives the same commit ids, to the last bit.

    python sample_repository.py DEST --seed 7 --commits 5000

Five years with merges, renames, deletions and names in many letters, and with mistakes planted for checks to find:
two commits dated in the future, an author without an e-mail address, an empty file; and one binary file.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

VERSION = 1  # counts up whenever the same seed begins to give another repository
SMALLEST = 100  # commits

START = 1_546_300_800  # 2019-01-01 00:00 UTC
MONTHS = 60
MONTH = 365 * 86_400 // 12
FUTURE = 3_786_912_000  # 2090-01-01 00:00 UTC
FUTURE_COMMITS = 2
EMPTY_FILE = "docs/empty notes.md"
BINARY_FILE = "assets/logo.bin"

AUTHORS = [
    ("Zoë Müller", "zoe@example.org"), ("José García", "jose@example.org"), ("Łukasz Żak", "lukasz@example.org"),
    ("Søren Ørsted", "soren@example.org"), ("李小龍", "li@example.org"), ("Анна Иванова", "anna@example.org"),
    ("Fatima بن علي", "fatima@example.org"), ("Build Bot", ""), ("Ngô Thị Hà", "ha@example.org"),
    ("山田 太郎", "taro@example.org"), ("Siobhán O'Connor", "siobhan@example.org"), ('Jo "lint" Doe', "jo@example.org"),
]  # fmt: skip
ZONES = ["+0000", "+0100", "-0500", "+0900"]
FOLDERS = ["src", "src/engine", "src/ätherisch", "tests", "docs", "docs/notes and plans", "tools"]
WORDS = ["parser", "planner", "größe", "cache", "naïve", "index", "запрос", "schema", "時刻", "report", "queue"]
ENDINGS = [".py", ".py", ".py", ".md", ".sql", " draft.txt"]
VERBS = ["Add", "Fix", "Rework", "Shorten", "Explain", "Speed up", "Test", "Tidy"]

Files = dict[str, list[str]]
Changes = dict[str, bytes | None]  # new content by path, None for a deletion


def build_repository(destination: Path, seed: int, commits: int) -> None:
    """Build a bare repository at `destination`, whole or not at all.

    Raises ValueError for fewer than 100 commits, FileExistsError when there is something at `destination` already.
    """
    if commits < SMALLEST:
        raise ValueError(f"{commits} commits leave no room for what is planted; at least {SMALLEST} are needed")
    if destination.exists():
        raise FileExistsError(f"{destination} exists already; delete it or choose another place")
    unfinished = destination.with_name(f".{destination.name}.{os.getpid()}")
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        init = ["git", "init", "--quiet", "--bare", "--template=", "--object-format=sha1", str(unfinished)]
        subprocess.run(init, check=True, env=environment)
        (unfinished / "HEAD").write_text("ref: refs/heads/main\n")
        # No tuning by the user's settings: what is stored must not depend on them.
        load = ["git", "-C", str(unfinished), "-c", "core.ignoreCase=false", "fast-import", "--quiet"]
        subprocess.run(load, input=b"".join(stream(seed, commits)), check=True, env=environment)
        unfinished.rename(destination)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def stream(seed: int, commits: int) -> Iterator[bytes]:
    """The input of `git fast-import`. A commit's mark is its number, counted from 1."""
    rng = random.Random(f"{VERSION}:{seed}")
    times = commit_times(rng, commits)
    # A commit with a sane date follows each of these, as it does when one computer among many has a wrong clock.
    future = {commits * (step + 1) // (FUTURE_COMMITS + 1) for step in range(FUTURE_COMMITS)}
    # Few people write most of it, and nobody is there from the first day to the last.
    tenures = [(0.0, 0.6), (0.1, 1.0), *((start := rng.uniform(-0.3, 0.8), start + 0.4) for _ in AUTHORS[2:])]
    files: Files = {}
    main = side = side_left = 0  # the newest commits of both branches (0 for none), and what the side branch still gets
    side_files: Files = {}
    for number in range(1, commits + 1):
        left = commits - number
        present = [i for i, (start, end) in enumerate(tenures) if start <= number / commits <= end]
        author = rng.choices(present, [1 / (i + 1) for i in present])[0]
        when = FUTURE + number if number in future else times[number - 1]
        parents, changes, subject = [main] if main else [], {}, "Merge a side branch"
        if side and not side_left:
            parents, changes = [main, side], contents(side_files)
            files |= side_files
            main, side, side_files = number, 0, {}
        elif (side and (rng.random() < 0.5 or left <= side_left + 1)) or (
            not side and number > 30 and left > 10 and rng.random() < 0.04
        ):
            if not side:
                side, side_left = main, rng.randrange(2, 8)
            # A side branch brings new files only, so each merge is simply the union of both sides.
            path, lines = new_file(rng, number)
            side_files[path] = lines
            parents, changes, subject = [side], contents({path: lines}), f"Draft {path}"
            side, side_left = number, side_left - 1
        else:
            changes, subject = change(rng, files, number)
            main = number
        yield commit(number, parents, author, f"{when} {rng.choice(ZONES)}", subject, changes)


def commit_times(rng: random.Random, commits: int) -> list[int]:
    """Seconds since 1970 in rising order, more of them in some months than in others."""
    weights = [rng.uniform(0.3, 1.7) for _ in range(MONTHS)]
    months = rng.choices(range(MONTHS), weights, k=commits)
    return sorted(START + month * MONTH + rng.randrange(MONTH) for month in months)


def change(rng: random.Random, files: Files, number: int) -> tuple[Changes, str]:
    """What one commit of the main branch does; `files` is kept up to date."""
    if number == 5:
        return {EMPTY_FILE: b"", BINARY_FILE: rng.randbytes(2_000)}, "Add notes and a logo"
    dice = rng.random()
    if len(files) < 10 or dice < 0.10:
        path, lines = new_file(rng, number)
        files[path] = lines
        return contents({path: lines}), f"Add {path}"
    if len(files) > 20 and dice < 0.13:
        path = rng.choice(sorted(files))
        del files[path]
        return {path: None}, f"Delete {path}"
    if dice < 0.18:
        path = rng.choice(sorted(files))
        lines = files.pop(path)
        new_path, _ = new_file(rng, number)
        edit(rng, lines, 1)
        files[new_path] = lines
        return {path: None, **contents({new_path: lines})}, f"Rename {path}"
    # A few files draw most of the changes: these are the hotspots.
    paths = sorted(files)
    chosen = {paths[min(int(rng.expovariate(8) * len(paths)), len(paths) - 1)] for _ in range(rng.randrange(1, 5))}
    for path in sorted(chosen):
        edit(rng, files[path], rng.randrange(1, 15))
    return contents({path: files[path] for path in sorted(chosen)}), f"{rng.choice(VERBS)} {sorted(chosen)[0]}"


def new_file(rng: random.Random, number: int) -> tuple[str, list[str]]:
    """A path never used before, with its lines."""
    path = f"{rng.choice(FOLDERS)}/{rng.choice(WORDS)} {number}{rng.choice(ENDINGS)}"
    return path, [line(rng) for _ in range(rng.randrange(15, 90))]


def edit(rng: random.Random, lines: list[str], count: int) -> None:
    for _ in range(count):
        place = rng.randrange(len(lines))
        if len(lines) > 12 and rng.random() < 0.3:
            del lines[place]
        elif rng.random() < 0.5:
            lines.insert(place, line(rng))
        else:
            lines[place] = line(rng)


def line(rng: random.Random) -> str:
    return f"{rng.choice(WORDS)} = {rng.choice(WORDS)}({rng.randrange(10**9)})"


def contents(files: Mapping[str, list[str]]) -> Changes:
    return {path: ("\n".join(lines) + "\n").encode() for path, lines in files.items()}


def commit(number: int, parents: list[int], author: int, when: str, subject: str, changes: Changes) -> bytes:
    """One commit in the language of `git fast-import`; deletions first, as a rename is one of each."""
    name, email = AUTHORS[author]
    message = subject.encode()
    parts = [
        # Both branches are written to one name: the last commit, which joins them, is what it shows in the end.
        f"commit refs/heads/main\nmark :{number}\n".encode(),
        f"author {name} <{email}> {when}\ncommitter {name} <{email}> {when}\n".encode(),
        b"data %d\n%s\n" % (len(message), message),
        *(f"{word} :{parent}\n".encode() for word, parent in zip(("from", "merge"), parents, strict=False)),
        *(f"D {path}\n".encode() for path, content in changes.items() if content is None),
    ]
    for path, content in changes.items():
        if content is not None:
            parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))
    return b"".join(parts)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Build a sample git repository.")
    parser.add_argument("destination", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--commits", type=int, default=5_000)
    options = parser.parse_args(arguments)
    try:
        build_repository(options.destination, options.seed, options.commits)
    except (ValueError, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.commits} commits in {options.destination}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
