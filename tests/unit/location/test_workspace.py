"""Code locations as files name them: ours and those of a project that was made for Dagster."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.errors import InvalidConfigError, NotSupportedError
from segue.location.workspace import targets_of_pyproject, targets_of_workspace
from segue.model.location import Credentials, LocationTarget, Remote
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
        ('[[locations]]\nfile = "a.py"\nmodule = "a"\n', "got 2"),
        ('[[locations]]\nfile = "a.py"\n[[locations]]\nfile = "b/a.py"\n', "'a'"),
        ('[[locations]]\nfile = "a.py"\npyhton = "x"\n', "pyhton"),
        ('[[locations]]\nhost = "a"\nport = 1\n', "`name` and `port`"),
        ('[[locations]]\nname = "a"\nhost = "b"\n', "`name` and `port`"),
        ('[[locations]]\nname = "a"\nhost = "b"\nport = 1\npython = "x"\n', "`python`"),
        ('[[locations]]\nname = "a"\nhost = "b"\nport = 1\nenvironment = { A = "b" }\n', "`environment`"),
        ('[[locations]]\nfile = "a.py"\nport = 1\n', "`port`"),
        ('[[locations]]\nfile = "a.py"\ntoken = "secret"\n', "`token`"),
        ('[[locations]]\nname = "a"\nhost = "b"\nport = 70000\ntoken = "12345678901234567890"\n', "65535"),
        ('[[locations]]\nname = "a"\nhost = "b"\nport = 1\ntimeout = 0\ntoken = "12345678901234567890"\n', "`timeout`"),
    ],
)
def test_locations_in_the_settings_that_cannot_be_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "segue.toml").write_text(text)
    with pytest.raises(InvalidConfigError, match=said):
        read_settings(tmp_path, {})


def test_locations_of_other_machines_have_credentials_of_their_own_or_of_all(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text(
        """
        location_token = "the token of all of them"

        [[locations]]
        name = "far"
        host = "far.internal"
        port = 3001

        [[locations]]
        name = "farther"
        host = "::1"
        port = 3002
        token = "the token of this one"
        authority = "tls/ca.pem"
        timeout = 5
        """
    )
    far, farther = read_settings(tmp_path, {}).locations
    assert far == LocationTarget(
        name="far",
        remote=Remote(host="far.internal", port=3001, credentials=Credentials(token="the token of all of them")),
    )
    assert farther.remote is not None
    assert (farther.remote.place, farther.remote.timeout) == ("[::1]:3002", 5)
    assert farther.remote.credentials == Credentials(
        token="the token of this one", authority=str(tmp_path / "tls/ca.pem")
    )
    [far, _] = read_settings(tmp_path, {"SEGUE_LOCATION_TOKEN": "one that is not in a file"}).locations
    assert far.remote is not None
    assert far.remote.credentials.token == "one that is not in a file"


def test_settings_show_no_secret(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text(
        """
        location_token = "s3cret of all of them"

        [[locations]]
        file = "a.py"
        environment = { PASSWORD = "s3cret" }

        [[locations]]
        name = "far"
        host = "far.internal"
        port = 3001
        token = "s3cret of this one alone"
        """
    )
    settings = read_settings(tmp_path, {})
    for shown in (repr(settings), str(settings), repr(settings.locations), f"{settings.locations[1].remote}"):
        assert "s3cret" not in shown
    assert "PASSWORD" in repr(settings)
