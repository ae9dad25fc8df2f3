"""Run config and tags from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from segue.cli.run_config import read_run_config, read_tags
from segue.errors import InvalidConfigError

WANTED = {"ops": {"orders": {"config": {"limit": 3}}}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '{"ops": {"orders": {"config": {"limit": 3}}}}'),
        ("c.toml", "[ops.orders.config]\nlimit = 3"),
        ("mit Leerzeichen ä.TOML", "ops.orders.config.limit = 3"),
    ],
)
def test_a_file_is_read_by_its_ending(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_run_config(str(tmp_path / name)) == WANTED


def test_json_in_braces_is_read_as_it_is() -> None:
    assert read_run_config(' {"ops": {"orders": {"config": {"limit": 3}}}}') == WANTED
    assert read_run_config(None) is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.json", '{"a": \n 1,}', "line 2, column"),
        ("c.toml", "a = ", "not valid TOML"),
        ("c.json", "[1]", "run config must be a mapping"),
        ("c.ini", "a=1", ".json, .toml, .yaml or .yml"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidConfigError) as caught:
        read_run_config(str(tmp_path / name))
    assert str(tmp_path / name) in str(caught.value)
    assert said in str(caught.value)


def test_what_is_neither_file_nor_json_is_named() -> None:
    with pytest.raises(InvalidConfigError, match=r"nowhere\.json cannot be read: No such file"):
        read_run_config("nowhere.json")
    with pytest.raises(InvalidConfigError, match=r"--config: not valid JSON"):
        read_run_config("{ops")


def test_yaml_without_its_package_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.yaml").write_text("ops: {}")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(InvalidConfigError, match="needs the package pyyaml"):
        read_run_config(str(tmp_path / "c.yaml"))


def test_tags() -> None:
    assert read_tags(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for wrong in ("a", "=1"):
        with pytest.raises(click.UsageError, match="KEY=VALUE"):
            read_tags([wrong])
