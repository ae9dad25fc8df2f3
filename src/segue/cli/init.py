"""`segue init`: a new project that runs."""

from __future__ import annotations

import keyword
import os
import re
import shlex
import sys
import unicodedata
from pathlib import Path

import click

from segue.cli.scaffold import project_files
from segue.errors import SegueError


@click.command()
@click.argument("path", default=".", metavar="[PATH]")
def init(path: str) -> None:
    """Create a new project in PATH (default: the current folder), ready to run.

    It contains a package with a few assets, a check and a partitioned asset, and settings. Nothing is overwritten:
    if any of the files exists already, nothing is written.
    """
    folder = Path(os.path.abspath(path))
    files = {folder / name: content for name, content in project_files(folder.name, package_name(folder.name)).items()}
    _refuse_existing(folder, list(files))
    try:
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as new:
                new.write(content)
    except OSError as error:
        raise SegueError(
            f"{error.filename or folder} cannot be written: {error.strerror}. Choose another folder."
        ) from error
    click.echo(f"Created a project in {folder}:")
    for file in files:
        click.echo(f"  {file.relative_to(folder)}")
    click.echo("\nNext:")
    if folder != Path.cwd():
        click.echo(f"  cd {shlex.quote(path)}")
    for line in ("segue check", "segue list", "segue materialize --partition 2024-01-01", "segue runs"):
        click.echo(f"  {line}")


def package_name(folder_name: str) -> str:
    """A name for the package that Python can import and an index accepts, made from the folder's name."""
    plain = unicodedata.normalize("NFKD", folder_name).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain.lower()).strip("_")
    if not name.isidentifier() or keyword.iskeyword(name) or name in sys.stdlib_module_names or name == "segue":
        name = f"project_{name}".rstrip("_")
    return name


def _refuse_existing(folder: Path, files: list[Path]) -> None:
    if folder.exists() and not folder.is_dir():
        raise SegueError(f"{folder} is a file. Choose another path for the project.")
    there = [str(file.relative_to(folder)) for file in files if os.path.lexists(file)]
    there += [f"{file.parent.relative_to(folder)}/" for file in files if file.parent.exists() and file.parent != folder]
    if there:
        raise SegueError(
            f"{folder} already contains {', '.join(dict.fromkeys(there))}; nothing was written. Choose an empty "
            "folder, or remove them."
        )
