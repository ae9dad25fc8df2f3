"""A git repository as a resource: its history, read through the git command line."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import segue as dg

# Settings of the reader must not change what is read, and settings inside a foreign repository must not start programs.
SAFE = ("core.fsmonitor=false", "core.quotepath=off", "color.ui=never", "log.showSignature=false", "log.showRoot=true")
UTF8 = ("i18n.logOutputEncoding=UTF-8",)
# Set by git while a hook runs: they would lead away from the path that the user gave.
MISLEADING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")

COMMIT_FIELDS = ("%H", "%P", "%aN", "%aE", "%at", "%ct", "%s")


class GitError(Exception):
    """Git could not answer; the message is one line with the place and the cure."""


class GitRepository(dg.ConfigurableResource):
    """A git repository on disk, bare or with a working tree, seen from one revision."""

    path: str = "."
    revision: str = "HEAD"

    def filing_times(self) -> dict[str, int]:
        """Every commit with the time (seconds since 1970, UTC) under which it is filed, children before parents.

        That is the committer's time. A commit dated in the future belongs to no month yet, so it is filed under the
        time of the commit that follows it, or under the present when none does: no commit is ever left out.
        """
        now = int(time.time())
        times: dict[str, int] = {}
        for line in self._git("rev-list", "--topo-order", "--children", "--timestamp", self.revision).split("\n")[:-1]:
            seconds, commit, *children = line.split()
            own = int(seconds)
            times[commit] = own if own <= now else min((times[child] for child in children), default=now)
        return times

    def first_month(self) -> str:
        """First day of the month of the oldest commit, such as 2019-03-01."""
        return f"{datetime.fromtimestamp(min(self.filing_times().values()), UTC):%Y-%m}-01"

    def commits(self, start: datetime, end: datetime) -> list[tuple[int, str, int, str, str, int, int, str]]:
        """(filed, commit, parents, author, e-mail, authored, committed, subject) from start up to end, oldest first."""
        filed = self._filed_between(start, end)
        fields = iter(self._log(filed, "--no-patch", "--format=" + "%x00".join(COMMIT_FIELDS)))
        return [
            (filed[commit], commit, len(parents.split()), name, email, int(authored or 0), int(committed or 0), subject)
            for commit, parents, name, email, authored, committed, subject in zip(*[fields] * 7, strict=True)
        ]

    def changes(self, start: datetime, end: datetime) -> list[tuple[int, str, str, str | None, int | None, int | None]]:
        """(filed, commit, path, path before a rename, lines added, lines deleted), oldest commit first.

        Lines are None for binary files. Merges bring no rows of their own: what they join is counted in its branch.
        """
        filed = self._filed_between(start, end)
        tokens = self._log(filed, "--numstat", "-M", "--no-ext-diff", "--no-textconv", "--format=%H")
        return [(filed[commit], commit, *change) for commit, *change in _numstat(tokens)]

    def sizes(self) -> dict[str, int]:
        """Size in bytes of every file of the revision, without submodules."""
        sizes: dict[str, int] = {}
        for entry in self._git("ls-tree", "-r", "-z", "-l", "--full-tree", self.revision).split("\0")[:-1]:
            details, path = entry.split("\t", 1)
            if (size := details.split()[3]) != "-":
                sizes[path] = int(size)
        return sizes

    def _filed_between(self, start: datetime, end: datetime) -> dict[str, int]:
        first, last = start.timestamp(), end.timestamp()
        times = {commit: filed for commit, filed in self.filing_times().items() if first <= filed < last}
        return dict(reversed(times.items()))

    def _log(self, commits: Iterable[str], *options: str) -> Sequence[str]:
        """The parts of one `git log -z` over just these commits; any character is allowed in names, except NUL."""
        selected = "\n".join(commits)
        if not selected:  # git would take HEAD instead
            return []
        return self._git("log", "-z", "--no-walk=unsorted", "--stdin", *options, stdin=selected).split("\0")[:-1]

    def _git(self, *arguments: str, stdin: str = "") -> str:
        settings = [part for setting in SAFE + UTF8 for part in ("-c", setting)]
        environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
        if not Path(self.path).is_dir():
            raise GitError(f"{self.path} is not a folder; set the path of the repository")
        try:
            done = subprocess.run(
                ["git", "-C", self.path, "--no-pager", *settings, *arguments],
                input=stdin.encode(),
                capture_output=True,
                env=environment | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
            )
        except FileNotFoundError:
            raise GitError(f"git is not installed, so {self.path} cannot be read; install git 2.20 or newer") from None
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().split("\n")[0].removeprefix("fatal: ")
            raise GitError(
                f"git {arguments[0]} failed in {self.path}: {reason}; "
                f"the path must lead into a git repository that holds the revision {self.revision!r}"
            )
        return done.stdout.decode(errors="backslashreplace")  # file names may be any bytes


def _numstat(tokens: Iterable[str]) -> Iterator[tuple[str, str, str | None, int | None, int | None]]:
    """(commit, path, path before a rename, added, deleted) from the parts of `git log -z --numstat --format=%H`."""
    commit = ""
    parts = iter(tokens)
    for part in parts:
        added, tab, rest = part.removeprefix("\n").partition("\t")
        if not tab:
            commit = part
            continue
        deleted, _, path = rest.partition("\t")
        before, path = (None, path) if path else (next(parts), next(parts))
        yield commit, path, before, _lines(added), _lines(deleted)


def _lines(count: str) -> int | None:
    return None if count == "-" else int(count)
