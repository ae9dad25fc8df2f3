"""What no text of the project may mention: the machine it was written on, and where packages were fetched from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# Split in two, so that this file does not mention them either.
FORBIDDEN = {
    "a folder of one machine": re.compile(r"(?<![\w.])/(?:wor" r"k|roo" r"t|opt/whee" r"ls)/"),
    "the host of a package registry": re.compile(r"pyp" r"i\.org|pythonhos" r"ted\.org|registry\.npm" r"js\.org"),
    "the way it was written": re.compile(r"(?i)helper sess" r"ion|tool libr" r"ary"),
}


def mentions(file: Path, root: Path) -> Iterator[str]:
    """What a text file mentions and should not, one line per place. Binary files are passed over."""
    data = file.read_bytes()
    if b"\0" in data:
        return
    for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), start=1):
        for what, pattern in FORBIDDEN.items():
            found = pattern.search(line)
            if found:
                yield f"{file.relative_to(root)}:{number}: mentions {what}: {found[0]}"
