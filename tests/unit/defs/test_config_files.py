"""Run config out of YAML files, texts and packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import segue as sg


def test_texts_are_merged_entry_by_entry() -> None:
    first = "ops:\n  a:\n    config: {x: 1, y: [1, 2]}\n"
    second = "ops:\n  a:\n    config: {y: [3]}\n  b: {}\n"
    assert sg.config_from_yaml_strings([first, second]) == {
        "ops": {"a": {"config": {"x": 1, "y": [3]}}, "b": {}},
    }
    assert sg.config_from_yaml_strings([]) == {}


@pytest.mark.parametrize("text", ["--- `", "- 1\n- 2\n", "", "word"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match="YAML text 1"):
        sg.config_from_yaml_strings([text])


def test_files_are_named_or_found_by_pattern(tmp_path: Path) -> None:
    (tmp_path / "1.yaml").write_text("ops: {a: {config: 1}}\n")
    (tmp_path / "2.yaml").write_text("ops: {a: {config: 2}, b: {config: 3}}\n")
    whole = {"ops": {"a": {"config": 2}, "b": {"config": 3}}}
    assert sg.config_from_files([str(tmp_path / "*.yaml")]) == whole
    assert sg.config_from_files([str(tmp_path / "2.yaml"), str(tmp_path / "1.yaml")])["ops"]["a"] == {"config": 1}
    with pytest.raises(sg.InvariantViolationError, match="No config file matches"):
        sg.config_from_files([str(tmp_path / "3.yaml")])
    (tmp_path / "4.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(sg.InvariantViolationError, match="cannot be decoded as text"):
        sg.config_from_files([str(tmp_path / "4.yaml")])


def test_packages_hold_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "package_of_settings"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "run.yaml").write_text("resources: {db: {config: {url: x}}}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert sg.config_from_pkg_resources([("package_of_settings", "run.yaml")]) == {
        "resources": {"db": {"config": {"url": "x"}}}
    }
    for missing in (("package_of_settings", "none.yaml"), ("no_such_package", "run.yaml")):
        with pytest.raises(sg.InvariantViolationError, match=missing[1]):
            sg.config_from_pkg_resources([missing])
    sys.modules.pop("package_of_settings")


def test_without_pyyaml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(sg.LoadError, match="pip install"):
        sg.config_from_yaml_strings(["a: 1"])
