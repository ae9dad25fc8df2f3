"""A new project: its files, its names, and what is never overwritten."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from segue.cli.init import package_name
from segue.cli.main import command
from segue.settings import check, read_settings


@pytest.mark.parametrize(
    ("folder", "package"),
    [
        ("shop", "shop"),
        ("My Shop-2", "my_shop_2"),
        ("Übung äöü", "ubung_aou"),
        ("2024", "project_2024"),
        ("class", "project_class"),
        ("json", "project_json"),
        ("segue", "project_segue"),
        ("日本", "project"),
    ],
)
def test_the_package_has_a_name_that_can_be_imported(folder: str, package: str) -> None:
    assert package_name(folder) == package
    assert package.isidentifier()


@pytest.mark.parametrize("name", ["shop", "mit Leerzeichen und ä"])
def test_a_project_has_sound_files(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "not there yet" / name
    result = CliRunner().invoke(command, ["init", str(folder)])
    assert result.exit_code == 0, result.output
    assert "segue check" in result.output
    settings = read_settings(folder, {})
    assert check(settings) == []
    package, _, module = (settings.module or "").partition(".")
    ast.parse((folder / package / f"{module}.py").read_text())
    assert ".segue/" in (folder / ".gitignore").read_text().splitlines()
    assert tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"] == package.replace("_", "-")


def test_here_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(command, ["init"]).exit_code == 0
    assert (tmp_path / "pyproject.toml").is_file()


@pytest.mark.parametrize("there", ["pyproject.toml", "README.md", ".gitignore", "shop/other.py"])
def test_nothing_that_exists_is_overwritten(tmp_path: Path, there: str) -> None:
    folder = tmp_path / "shop"
    (folder / there).parent.mkdir(parents=True, exist_ok=True)
    (folder / there).write_text("mine")
    result = CliRunner().invoke(command, ["init", str(folder)])
    assert result.exit_code == 1
    assert there.partition("/")[0] in result.stderr
    assert [file.read_text() for file in folder.rglob("*") if file.is_file()] == ["mine"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("mine")
    result = CliRunner().invoke(command, ["init", str(tmp_path / "shop")])
    assert result.exit_code == 1
    assert "is a file" in result.stderr
