"""On what a measurement was made: without that, a number says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Facts(NamedTuple):
    values: dict[str, object]
    text: str


def describe(checkout: Path, pythons: Mapping[str, str]) -> Facts:
    """Machine, versions and commit; `pythons` is the interpreter of each library."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0]
    versions = {library: version(library, python) for library, python in pythons.items()}
    values: dict[str, object] = {
        "cpu": processor(),
        "cores": cores,
        "load": round(load, 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
        "commit": commit(checkout),
    }
    text = f"{values['cpu']}, {cores} cores, Python {values['python']}, Segue {versions['segue']} ({values['commit']})"
    if "dagster" in versions:
        text += f", Dagster {versions['dagster']}"
    if load > cores / 4:
        text += f"\nThe machine is busy (load {load:.1f}): only the ratios mean something, and their spread is wide."
    return Facts(values, text)


def version(library: str, python: str) -> str:
    question = f"import importlib.metadata as m; print(m.version({library!r}))"
    done = subprocess.run([python, "-c", question], capture_output=True, text=True)
    return done.stdout.strip() or "not installed"


def commit(checkout: Path) -> str:
    """Short id of the commit, with + when files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True)
        return done.stdout.strip()

    short = git("rev-parse", "--short", "HEAD") or "no commit"
    return short + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
