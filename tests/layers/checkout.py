"""Where things lie in this checkout, and which files belong to the project."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src" / "segue"
TOOLS = ROOT / "tools"
_MADE_HERE = {".git", ".venv", ".cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "__pycache__", "node_modules"}


def project_files(root: Path = ROOT) -> list[Path]:
    """Every file of the project, those not yet committed too, but nothing that .gitignore names."""
    if (root / ".git").exists():
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
        paths = {root / name for name in listed.split("\0") if name}
    else:  # an unpacked archive
        paths = {path for path in root.rglob("*") if not _MADE_HERE & set(path.relative_to(root).parts)}
    return sorted(path for path in paths if path.is_file())


def python_files(folder: Path) -> Iterator[Path]:
    """The Python files below a folder, in order."""
    yield from sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)
