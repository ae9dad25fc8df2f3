"""Settings: where they are read from, what they may say, what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.errors import InvalidConfigError
from segue.model.claims import PartitionLocks
from segue.model.concurrency import Concurrency
from segue.model.control_stores import Durability
from segue.model.retention import DAY, Retention
from segue.model.step_settings import StepSettings
from segue.settings import check, read_settings


def written(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_everything_is_below_the_working_directory(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {})
    assert settings.source is None
    assert settings.project == tmp_path
    assert settings.home == tmp_path / ".segue"
    assert (settings.file, settings.module, settings.attribute) == (None, None, None)
    assert settings.working_directory == str(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("segue.toml", 'module = "shop.definitions"\nattribute = "defs"\nworking_directory = "src"\nhome = "state"'),
        (
            "pyproject.toml",
            '[project]\nname = "shop"\n[tool.segue]\nmodule = "shop.definitions"\nattribute = "defs"\n'
            'working_directory = "src"\nhome = "state"',
        ),
    ],
)
def test_both_files_say_the_same_and_are_found_from_below(tmp_path: Path, name: str, text: str) -> None:
    project = tmp_path / "mit Leerzeichen und ä"
    file = written(project, name, text)
    below = project / "a" / "b"
    below.mkdir(parents=True)
    settings = read_settings(below, {})
    assert settings.source == file
    assert settings.project == project
    assert (settings.module, settings.attribute, settings.file) == ("shop.definitions", "defs", None)
    assert settings.home == project / "state"
    assert settings.working_directory == str(project / "src")


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("", {}, Durability.FULL),
        ('durability = "normal"', {}, Durability.NORMAL),
        ('durability = "normal"', {"SEGUE_DURABILITY": "full"}, Durability.FULL),
    ],
)
def test_how_durable_ticks_are_can_be_chosen(
    tmp_path: Path, text: str, environment: dict[str, str], expected: Durability
) -> None:
    written(tmp_path, "segue.toml", text)
    assert read_settings(tmp_path, environment).durability is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("", 10), ("[queue]\nmax_runs = 3", 3), ('[queue]\nmax_runs = "unlimited"', "unlimited")]
)
def test_how_many_runs_may_be_in_progress(tmp_path: Path, text: str, expected: int | str) -> None:
    written(tmp_path, "segue.toml", text)
    assert read_settings(tmp_path, {}).queue.max_runs == expected


def test_a_number_of_runs_that_is_none_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "segue.toml", '[queue]\nmax_runs = "many"')
    with pytest.raises(InvalidConfigError, match="max_runs"):
        read_settings(tmp_path, {})


def test_a_home_from_the_environment_has_artifacts_of_its_own(tmp_path: Path) -> None:
    written(tmp_path, "segue.toml", 'artifacts = "kept"')
    assert read_settings(tmp_path, {}).artifacts.location == str(tmp_path / "kept")
    assert read_settings(tmp_path, {"SEGUE_HOME": "other"}).artifacts.location is None
    given = {"SEGUE_HOME": "other", "SEGUE_ARTIFACTS": "elsewhere"}
    assert read_settings(tmp_path, given).artifacts.location == str(tmp_path / "elsewhere")


def test_a_pyproject_without_our_table_is_passed_over(tmp_path: Path) -> None:
    outer = written(tmp_path, "segue.toml", 'file = "defs.py"')
    written(tmp_path / "inner", "pyproject.toml", '[project]\nname = "x"')
    settings = read_settings(tmp_path / "inner", {})
    assert settings.source == outer
    assert settings.file == str(tmp_path / "defs.py")


def test_the_environment_wins_and_is_relative_to_the_working_directory(tmp_path: Path) -> None:
    written(tmp_path, "segue.toml", 'home = "state"\nmodule = "a"')
    below = tmp_path / "below"
    below.mkdir()
    settings = read_settings(below, {"SEGUE_HOME": "here", "SEGUE_MODULE": "b", "SEGUE_WORKING_DIRECTORY": "code"})
    assert settings.home == below / "here"
    assert settings.module == "b"
    assert settings.working_directory == str(below / "code")


def test_values_lie_in_the_home_unless_storage_says_where(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}).storage_directory == tmp_path / ".segue" / "storage"
    written(tmp_path, "segue.toml", 'storage = "values"')
    assert read_settings(tmp_path, {}).storage_directory == tmp_path / "values"
    assert read_settings(tmp_path, {"SEGUE_STORAGE": "there"}).storage_directory == tmp_path / "there"
    # A test with a home of its own must not write among the values of the project.
    other = read_settings(tmp_path, {"SEGUE_HOME": "other"})
    assert other.storage_directory == tmp_path / "other" / "storage"


def test_an_absolute_home_stays_and_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    written(tmp_path, "segue.toml", f'home = "{tmp_path / "else"}"')
    assert read_settings(tmp_path, {"SEGUE_HOME": ""}).home == tmp_path / "else"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("segue.toml", 'hoome = "x"', ["segue.toml", "unknown key `hoome`", "Did you mean `home`?"]),
        ("segue.toml", "zzz = 1", ["unknown key `zzz`", "Known keys: home, database, storage, file, module"]),
        ("segue.toml", "home = 3", ["segue.toml", "key `home`", "expected `str | null`, got `int`"]),
        ("segue.toml", "home = = 1", ["segue.toml", "not valid TOML", "line 1"]),
        ("pyproject.toml", '[tool.segue]\nmodul = "x"', ["pyproject.toml", "[tool.segue]", "Did you mean `module`?"]),
        ("pyproject.toml", "[tool]\nsegue = 3", ["pyproject.toml", "must be a table"]),
    ],
)
def test_a_wrong_file_is_named_with_the_key(tmp_path: Path, name: str, text: str, said: list[str]) -> None:
    written(tmp_path, name, text)
    with pytest.raises(InvalidConfigError) as caught:
        read_settings(tmp_path, {})
    message = str(caught.value)
    assert "\n" not in message
    assert [part for part in said if part not in message] == []


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidConfigError, match=r"segue\.toml is not valid TOML"):
        read_settings(tmp_path, {})


@pytest.mark.parametrize(
    ("text", "is_error", "said"),
    [
        ('file = "x.py"\nmodule = "x"', True, "both `file` and `module`"),
        ('attribute = "defs"', True, "neither `file` nor `module`"),
        ('file = "gone.py"', True, "does not exist"),
        ('module = "x"\nworking_directory = "gone"', True, "not a folder"),
        ('module = "x"\nhome = "~/segue"', True, "`~` is not expanded"),
        ('module = "x"\nhome = "segue.toml"', True, "not a folder"),
    ],
)
def test_check_finds_what_cannot_work(tmp_path: Path, text: str, is_error: bool, said: str) -> None:
    written(tmp_path, "segue.toml", text)
    found = check(read_settings(tmp_path, {}))
    assert [(finding.is_error, said in finding.message) for finding in found if said in finding.message] == [
        (is_error, True)
    ]


def test_check_warns_of_a_table_that_is_not_read(tmp_path: Path) -> None:
    written(tmp_path, "segue.toml", 'module = "x"')
    written(tmp_path, "pyproject.toml", '[tool.segue]\nmodule = "y"')
    [finding] = check(read_settings(tmp_path, {}))
    assert not finding.is_error
    assert "pyproject.toml" in finding.message


def test_sound_settings_have_no_findings(tmp_path: Path) -> None:
    written(tmp_path, "segue.toml", 'module = "x"')
    assert check(read_settings(tmp_path, {})) == []


def test_what_may_happen_at_once_is_read_from_the_file_and_the_environment(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}).concurrency == Concurrency()
    written(tmp_path, "segue.toml", 'partition_locks = "skip"\ndefault_pool_limit = 3')
    assert read_settings(tmp_path, {}).concurrency == Concurrency(PartitionLocks.SKIP, 3)
    given = {"SEGUE_PARTITION_LOCKS": "allow", "SEGUE_DEFAULT_POOL_LIMIT": "0"}
    assert read_settings(tmp_path, given).concurrency == Concurrency(PartitionLocks.ALLOW, 0)


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ('partition_locks = "perhaps"', {}, "partition_locks"),
        ("default_pool_limit = -1", {}, "default_pool_limit"),
        ("", {"SEGUE_PARTITION_LOCKS": "perhaps"}, "one of wait, skip, fail, allow"),
        ("", {"SEGUE_DURABILITY": "perhaps"}, "one of full, normal"),
        ("", {"SEGUE_DEFAULT_POOL_LIMIT": "-1"}, "SEGUE_DEFAULT_POOL_LIMIT"),
    ],
)
def test_what_may_happen_at_once_is_refused_where_it_says_nothing(
    tmp_path: Path, text: str, given: dict[str, str], said: str
) -> None:
    written(tmp_path, "segue.toml", text)
    with pytest.raises(InvalidConfigError, match=said):
        read_settings(tmp_path, given)


def test_for_how_long_what_is_kept(tmp_path: Path) -> None:
    written(
        tmp_path,
        "segue.toml",
        '[retention]\nevents = "never"\noutput = 0\nticks = 1.5\nfailed_ticks = "36 hours"\nevaluations = "2w"',
    )
    kept = read_settings(tmp_path, {}).retention
    assert kept == Retention(events=None, output=None, ticks=1.5 * DAY, failed_ticks=1.5 * DAY, evaluations=14 * DAY)
    assert read_settings(written(tmp_path / "other", "segue.toml", "").parent, {}).retention == Retention()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('events = "soon"', "retention.events: 'soon' is not a valid duration: expected a number of days, \"90 days\""),
        ("ticks = -1", "retention.ticks: -1 is not a valid duration"),
        ("events = true", "retention.events"),
        ("tick = 1", "tick"),
    ],
)
def test_what_is_no_length_of_time_is_refused(tmp_path: Path, text: str, said: str) -> None:
    written(tmp_path, "segue.toml", f"[retention]\n{text}")
    with pytest.raises(InvalidConfigError) as refused:
        read_settings(tmp_path, {})
    assert said in str(refused.value)


def test_how_steps_are_run(tmp_path: Path) -> None:
    written(
        tmp_path, "segue.toml", 'home = "state"\nlogs = "output"\nlog_limit = 1000\nstop_grace = 1.5\nmax_runtime = 60'
    )
    assert read_settings(tmp_path, {}).steps == StepSettings(str(tmp_path / "output"), 1_000, 1.5, 60.0)
    variables = {"SEGUE_LOGS": "other", "SEGUE_LOG_LIMIT": "0", "SEGUE_STOP_GRACE": "2", "SEGUE_MAX_RUNTIME": "7"}
    assert read_settings(tmp_path, variables).steps == StepSettings(str(tmp_path / "other"), 0, 2.0, 7.0)
    assert read_settings(tmp_path, {"SEGUE_HOME": "elsewhere"}).steps.logs is None
    plain = read_settings(written(tmp_path / "plain", "segue.toml", "").parent, {}).steps
    assert plain.logs_of(tmp_path, "a") == str(tmp_path / "logs" / "a")


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ("log_limit = -1", {}, "`log_limit` must be a number of bytes, 0 or more, got -1"),
        ("stop_grace = -0.5", {}, "`stop_grace` must be a number of seconds, 0 or more, got -0.5"),
        ("max_runtime = 0", {}, "`max_runtime` must be a number of seconds greater than 0, got 0"),
        ("", {"SEGUE_MAX_RUNTIME": "soon"}, "SEGUE_MAX_RUNTIME must be a number, 0 or more, got 'soon'"),
        ('[schedules]\ncatch_up = "never"', {}, "schedules.catch_up"),
        ("[schedules]\nmost_missed = 0", {}, "schedules.most_missed"),
        ("", {"SEGUE_STOP_GRACE": "inf"}, "`stop_grace` must be a number of seconds, 0 or more, got inf"),
        ("", {"SEGUE_LOG_LIMIT": "1.5"}, "`log_limit` must be a number of bytes, 0 or more, got 1.5"),
        ("", {"SEGUE_LOG_LIMIT": "many"}, "SEGUE_LOG_LIMIT must be a number, 0 or more, got 'many'"),
    ],
)
def test_numbers_that_are_none_for_steps_are_refused(
    tmp_path: Path, text: str, given: dict[str, str], said: str
) -> None:
    written(tmp_path, "segue.toml", text)
    with pytest.raises(InvalidConfigError, match=said):
        read_settings(tmp_path, given)


def test_captured_output_is_kept_in_the_home_where_it_is_copied_to_a_url(tmp_path: Path) -> None:
    written(tmp_path, "segue.toml", 'logs = "s3://bucket/logs/"')
    steps = read_settings(tmp_path, {}).steps
    assert steps == StepSettings(logs_url="s3://bucket/logs/")
    assert steps.logs_of(tmp_path, "a") == str(tmp_path / "logs" / "a")
    assert steps.logs_url_of("a") == "s3://bucket/logs/a"
    assert read_settings(tmp_path, {"SEGUE_LOGS": "output"}).steps.logs_url_of("a") is None
