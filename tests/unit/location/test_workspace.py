"""Code locations as files name them: ours and those of a project that was made for Dagster."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.errors import InvalidConfigError, NotSupportedError
from segue.location.workspace import targets_of_pyproject, targets_of_workspace
from segue.model.location import LocationTarget
from segue.settings import read_settings

FILE = Path("/project/workspace.yaml")


def _read(*entries: object) -> tuple[LocationTarget, ...]:
    return targets_of_workspace({"load_from": list(entries)}, FILE, {"WHERE": "there"})


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"python_file": "a/defs.py"},
            LocationTarget(name="defs", file="/project/a/defs.py", working_directory="/project", dagster_compat=True),
        ),
        (
            {"python_module": "shop.defs"},
            LocationTarget(name="shop.defs", module="shop.defs", working_directory="/project", dagster_compat=True),
        ),
        (
            {"python_package": {"package_name": "shop", "working_directory": "src", "location_name": "Shop"}},
            LocationTarget(name="Shop", module="shop", working_directory="/project/src", dagster_compat=True),
        ),
        (
            {
                "python_file": {
                    "relative_path": "defs.py",
                    "attribute": "all_of_it",
                    "location_name": {"env": "WHERE"},
                    "executable_path": "venv/bin/python",
                }
            },
            LocationTarget(
                name="there",
                file="/project/defs.py",
                attribute="all_of_it",
                working_directory="/project",
                python="/project/venv/bin/python",
                dagster_compat=True,
            ),
        ),
        (
            {"python_module": {"module_name": "m", "executable_path": "python3.12"}},
            LocationTarget(
                name="m", module="m", working_directory="/project", python="python3.12", dagster_compat=True
            ),
        ),
    ],
)
def test_an_entry_of_a_workspace_is_a_code_location(entry: object, expected: LocationTarget) -> None:
    assert _read(entry) == (expected,)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"python_script": "a.py"}, "python_script"),
        ({"python_module": {"module": "m"}}, "'module'"),
        ({"python_module": {"attribute": "a"}}, "module_name"),
        ({"python_module": {"module_name": {"env": "NOT_SET"}}}, "NOT_SET"),
        ({"python_module": {"module_name": 3}}, "entry 1"),
        ({"python_module": ["m"]}, "python_module"),
        ({"python_module": "m", "python_file": "f"}, "one key"),
        ("python_module", "one key"),
    ],
)
def test_an_entry_that_says_what_it_must_not_is_named(entry: object, said: str) -> None:
    with pytest.raises(InvalidConfigError, match=said):
        _read(entry)


def test_what_is_not_read_names_the_alternative() -> None:
    with pytest.raises(NotSupportedError, match="executable_path"):
        _read({"grpc_server": {"port": 4000}})


@pytest.mark.parametrize("document", [None, [], {"load_from": "x"}, {}])
def test_a_workspace_without_a_list_is_refused(document: object) -> None:
    with pytest.raises(InvalidConfigError, match="load_from"):
        targets_of_workspace(document, FILE, {})


def test_two_locations_need_two_names() -> None:
    with pytest.raises(InvalidConfigError, match="'defs'"):
        _read({"python_file": "a/defs.py"}, {"python_file": "b/defs.py"})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[tool.dagster]\nmodule_name = "shop"\ncode_location_name = "Shop"\n', ["Shop"]),
        ('[tool.dagster]\nmodules = [{type = "module", name = "a"}, {type = "module", name = "b"}]\n', ["a", "b"]),
        ("[tool.other]\n", []),
    ],
)
def test_a_project_names_its_modules(tmp_path: Path, text: str, names: list[str]) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    targets = targets_of_pyproject(tmp_path)
    assert [each.name for each in targets] == names
    assert all(each.dagster_compat and each.working_directory == str(tmp_path) for each in targets)


def test_locations_in_the_settings_have_absolute_paths(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text(
        """
        dagster_compat = true

        [[locations]]
        file = "defs.py"
        working_directory = "sales"
        python = ".venv/bin/python"
        environment = { STAGE = "production" }

        [[locations]]
        package = "reports"
        name = "all reports"
        dagster_compat = false
        """
    )
    assert read_settings(tmp_path, {}).locations == (
        LocationTarget(
            name="defs",
            file=str(tmp_path / "sales" / "defs.py"),
            working_directory=str(tmp_path / "sales"),
            python=str(tmp_path / ".venv/bin/python"),
            environment={"STAGE": "production"},
            dagster_compat=True,
        ),
        LocationTarget(name="all reports", module="reports", working_directory=str(tmp_path)),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[locations]]\nname = "a"\n', "`file`, `module` and `package`"),
        ('[[locations]]\nfile = "a.py"\nmodule = "a"\n', "has 2"),
        ('[[locations]]\nfile = "a.py"\n[[locations]]\nfile = "b/a.py"\n', "'a'"),
        ('[[locations]]\nfile = "a.py"\npyhton = "x"\n', "pyhton"),
    ],
)
def test_locations_in_the_settings_that_cannot_be_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "segue.toml").write_text(text)
    with pytest.raises(InvalidConfigError, match=said):
        read_settings(tmp_path, {})
