"""Settings: where the user's code is and where Segue keeps what it records.

They are read from `segue.toml`, or from `[tool.segue]` in `pyproject.toml`, in the working directory or the nearest
folder above it that has one. Each can also be given in the environment, which wins:

    home                SEGUE_HOME                folder of the database; default `<project>/.segue`
    database            SEGUE_DATABASE            or the URL of a Postgres database: `postgresql://user@host:port/name`; the
                                                  password may come from PGPASSWORD or libpq's password file
    storage             SEGUE_STORAGE             folder of stored values; default `<home>/storage`
    file                SEGUE_FILE                a Python file with the definitions
    module              SEGUE_MODULE              or a module with the definitions
    attribute           SEGUE_ATTRIBUTE           which variable of it; default: the only `Definitions` in it
    working_directory   SEGUE_WORKING_DIRECTORY   the folder from which user code imports; default: the project's
    dagster_compat      SEGUE_DAGSTER_COMPAT      whether user code may `import dagster` and get Segue; default: false
    partition_locks     SEGUE_PARTITION_LOCKS     what a run does that is to make a partition which another run is making:
                                                  `wait` (the default), `skip`, `fail`, or `allow` it
    default_pool_limit  SEGUE_DEFAULT_POOL_LIMIT  the slots of pools that no limit is set for; default: any number
    api_token           SEGUE_API_TOKEN           what requests to the API must bear; default: only this machine may ask
    durability          SEGUE_DURABILITY          whether ticks and payloads survive a loss of power: `full` (the default), `normal`

    location_token      SEGUE_LOCATION_TOKEN      what the control plane and code locations on other machines both know

    artifacts           SEGUE_ARTIFACTS           where metadata is kept that is too large for the event log: a folder, or a URL
                                                  that universal-pathlib knows; default `<home>/artifacts`
    metadata_entry_limit, metadata_event_limit    in a file only: how many bytes a metadata value, and an event, may have in
                                                  the log; default 65536 and 1048576
    logs                SEGUE_LOGS                folder for what steps write to stdout and stderr; default `<home>/logs`. Or a URL
                                                  that universal-pathlib knows, to which it is copied from there
    log_limit           SEGUE_LOG_LIMIT           how many bytes are kept of each stream of each attempt; default 10485760
    stop_grace          SEGUE_STOP_GRACE          for how many seconds a step that is asked to stop may tidy up before its process
                                                  is killed, or its thread left alone; default 20
    max_runtime         SEGUE_MAX_RUNTIME         for how many seconds a run may take whose tag `dagster/max_runtime` says nothing;
                                                  default: as long as it takes

`[queue]`, in a file only, bounds the runs that the control plane starts: `max_runs` in all (10 by default; `"unlimited"` for no
bound), `per_location` by name, and `[[queue.tags]]` with `key`, `limit` and, where wanted, `value` or `is_per_value = true`.
`[retries]` says how often runs that failed are run again (`max_retries`), what of them (`strategy`: `FROM_FAILURE` or
`ALL_STEPS`), and whether a failed step is a reason (`on_step_failure`, true by default). `[schedules]` says what becomes of
times that passed while no control plane ran, where a schedule does not say (`catch_up`: `skip`, `latest`, the default, or
`all`), and how many `all` makes up for (`most_missed`, 100).

`[[failure_rules]]`, in a file only, says which failures of steps are of which class, as `FailureRule` does; those of the
definitions are tried first:

    [[failure_rules]]
    exception = "shop.errors.OutOfStock"
    failure_class = "upstream_data"

`[[locations]]`, in a file only, are the code locations where there are several, in place of `file` and `module`:

    [[locations]]
    name = "sales"
    module = "sales.definitions"        # or `file`, or `package`
    python = "sales/.venv/bin/python"   # an environment of its own, with segue in it; default: this one
    working_directory = "sales"
    environment = { STAGE = "production" }

A location on another machine is named by `host` and `port` in place of its code; see docs/remote.md:

    [[locations]]
    name = "forecasts"
    host = "gpu.internal"
    port = 3001

`[retention]`, in a file only, says for how long what is kept; a number is one of days, `"never"` or 0 is for ever. What is not
written is as here:

    [retention]
    events = "90 days"         # of a run, after its end; with its plan. The latest state of everything is kept for ever
    output = "90 days"         # what its steps wrote to stdout and stderr
    ticks = "7 days"           # of schedules and sensors
    failed_ticks = "30 days"
    evaluations = "30 days"    # of automation conditions

A home from the environment has its own `storage`, `artifacts` and database, whatever a file says. Relative paths in a file are
taken from the file's folder, in the environment from the working directory. `~` is not expanded and the user's home folder is
never touched.
"""

from __future__ import annotations

import difflib
import enum
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from segue.errors import InvalidConfigError, InvalidDefinitionError
from segue.model.claims import PartitionLocks
from segue.model.concurrency import Concurrency
from segue.model.control_stores import Durability
from segue.model.database_url import masked
from segue.model.failure_class import FailureRule
from segue.model.location import LocationTarget
from segue.model.location_table import require_unique
from segue.model.queueing import QueueLimits, RunRetries, ScheduleRules
from segue.model.retention import Retention
from segue.model.settings_file import SettingsFile
from segue.model.step_settings import StepSettings, step_settings
from segue.model.stored_content import ArtifactSettings, artifact_settings

SETTINGS_FILE = "segue.toml"
HOME_FOLDER = ".segue"
Chosen = TypeVar("Chosen", bound=enum.Enum)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings in force, with absolute paths.

    Attributes:
        project: the folder of the settings file; the working directory where there is none.
        source: the settings file; None where there is none.
        home: the folder for everything that Segue records, but for what is in `database`.
        database: the URL of the Postgres database that takes the place of the one in the home; it may hold a password.
        storage_directory: the folder where the default IO manager keeps values.
        file, module, attribute: where the definitions are; all None where nothing says so.
        working_directory: the folder from which user code imports.
        location: the name of the code location that `file` or `module` is, where it has one of its own.
        dagster_compat: whether Segue answers for `dagster` in user code.
        failure_rules: which failures are of which class, after those of the definitions.
        concurrency: what may happen at once.
        retention: for how long what is kept.
        locations: the code locations, where there are several or they have names; else the one that `file` or `module` is.
        api_token: what requests to the API must bear; None where only this machine may ask.
        location_token: what control plane and code locations on other machines both know; None where nothing says so.
        durability: what ticks and payloads survive.
        artifacts: what is kept apart from the event log, and where.
        queue: what bounds the runs in progress.
        retries: how runs that failed are run again.
        schedules: what becomes of times that were missed.
        steps: how steps are run.
    """

    project: Path
    source: Path | None
    home: Path
    database: str | None = None
    storage_directory: Path
    file: str | None = None
    module: str | None = None
    attribute: str | None = None
    working_directory: str
    location: str | None = None
    dagster_compat: bool = False
    failure_rules: tuple[FailureRule, ...] = ()
    concurrency: Concurrency = Concurrency()
    retention: Retention = Retention()
    durability: Durability = Durability.FULL
    artifacts: ArtifactSettings = ArtifactSettings()
    locations: tuple[LocationTarget, ...] = ()
    api_token: str | None = None
    location_token: str | None = None
    queue: QueueLimits = QueueLimits()
    retries: RunRetries = RunRetries()
    schedules: ScheduleRules = ScheduleRules()
    steps: StepSettings = StepSettings()

    @property
    def location_name(self) -> str:
        """The name of the code location that `file` or `module` is."""
        return self.location or (self.module if self.module is not None else Path(self.file or "main").stem)

    def __repr__(self) -> str:
        shown = msgspec.structs.asdict(self) | {"database": None if self.database is None else masked(self.database)}
        for secret in ("api_token", "location_token"):
            shown[secret] = None if shown[secret] is None else "..."
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


class Finding(msgspec.Struct, frozen=True):
    """Something to say about settings.

    Attributes:
        is_error: whether nothing can be run like this; otherwise a warning.
        message: what, where, and what to do.
    """

    is_error: bool
    message: str


def read_settings(directory: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force in a directory.

    Args:
        directory: the working directory; that of the process by default.
        environment: the environment variables; those of the process by default.

    Raises:
        InvalidConfigError: a settings file that cannot be read or says something it must not; names file and key.
    """
    directory = Path.cwd() if directory is None else directory.absolute()
    variables = os.environ if environment is None else environment
    source, written = _nearest(directory)
    project = directory if source is None else source.parent
    from_file = SettingsFile() if source is None else _parse(source, written)

    def setting(key: str) -> str | None:
        return variables.get(f"SEGUE_{key.upper()}") or getattr(from_file, key)

    def path(key: str, default: Path) -> Path:
        text = variables.get(f"SEGUE_{key.upper()}")
        if text:
            return directory / text
        text = getattr(from_file, key)
        return project / text if text else default

    file = path("file", Path()) if setting("file") else None
    home = path("home", project / HOME_FOLDER)
    is_other_home = bool(variables.get("SEGUE_HOME"))
    return Settings(
        project=project,
        source=source,
        home=home,
        database=_database(variables, None if is_other_home else from_file.database),
        storage_directory=(
            home / "storage"
            if is_other_home and not variables.get("SEGUE_STORAGE")
            else path("storage", home / "storage")
        ),
        file=None if file is None else str(file),
        module=setting("module"),
        attribute=setting("attribute"),
        working_directory=str(path("working_directory", project)),
        dagster_compat=_switch("SEGUE_DAGSTER_COMPAT", variables, from_file.dagster_compat),
        failure_rules=from_file.failure_rules,
        queue=from_file.queue,
        retries=from_file.retries,
        schedules=from_file.schedules,
        concurrency=_concurrency(variables, from_file),
        retention=from_file.retention.policy(),
        locations=_located(source, from_file, setting("location_token")),
        api_token=setting("api_token"),
        location_token=setting("location_token"),
        steps=_steps(variables, from_file, None if is_other_home and not variables.get("SEGUE_LOGS") else path),
        durability=_choice("SEGUE_DURABILITY", variables, Durability, from_file.durability),
        artifacts=artifact_settings(
            variables.get("SEGUE_ARTIFACTS") or (None if is_other_home else from_file.artifacts),
            directory if variables.get("SEGUE_ARTIFACTS") else project,
            from_file.metadata_entry_limit,
            from_file.metadata_event_limit,
        ),
    )


def _steps(
    variables: Mapping[str, str], from_file: SettingsFile, path: Callable[[str, Path], Path] | None
) -> StepSettings:
    """How steps are run; `path` finds the folder, None where what the file says of it does not count."""
    written = None if path is None else variables.get("SEGUE_LOGS") or from_file.logs
    url = written if written and "://" in written else None
    folder = path("logs", Path()) if path is not None and written and url is None else None
    limit, grace, runtime = from_file.log_limit, from_file.stop_grace, from_file.max_runtime
    return step_settings(folder, url, variables, limit, grace, runtime)


def _database(variables: Mapping[str, str], from_file: str | None) -> str | None:
    """The URL of the database; None for the one in the home."""
    url = variables.get("SEGUE_DATABASE") or from_file
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        raise InvalidConfigError(
            f"The setting `database` (SEGUE_DATABASE) is {masked(url)!r}: it must be the URL of a Postgres database, "
            "such as postgresql://user@host:5432/name. For SQLite, remove the setting."
        )
    return url


def _located(source: Path | None, from_file: SettingsFile, token: str | None) -> tuple[LocationTarget, ...]:
    """The code locations as they are written, with absolute paths and what holds for all of them."""
    if source is None:
        return ()
    place, rules, compat = str(source), from_file.failure_rules, from_file.dagster_compat
    return require_unique(
        tuple(each.target(source.parent, place, rules, compat, token) for each in from_file.locations), place
    )


def _concurrency(variables: Mapping[str, str], from_file: SettingsFile) -> Concurrency:
    """What may happen at once."""
    locks, limit = from_file.partition_locks, from_file.default_pool_limit
    locks = _choice("SEGUE_PARTITION_LOCKS", variables, PartitionLocks, locks or PartitionLocks.WAIT)
    text = variables.get("SEGUE_DEFAULT_POOL_LIMIT")
    if text:
        if not text.isdecimal():
            raise InvalidConfigError(f"SEGUE_DEFAULT_POOL_LIMIT is {text!r}: it must be an integer, 0 or more.")
        limit = int(text)
    if limit is not None and limit < 0:
        raise InvalidConfigError(f"The setting `default_pool_limit` is {limit}: it must be 0 or more.")
    return Concurrency(locks, limit)


def _choice(variable: str, variables: Mapping[str, str], kind: type[Chosen], default: Chosen) -> Chosen:
    """What an environment variable says where it names one of a few; the default where it is not set."""
    text = variables.get(variable)
    try:
        return kind(text) if text else default
    except ValueError:
        known = ", ".join(each.value for each in kind)
        raise InvalidConfigError(f"{variable} is {text!r}: it must be one of {known}.") from None


def _switch(variable: str, variables: Mapping[str, str], default: bool) -> bool:
    """What an environment variable switches; the default where it is not set."""
    text = variables.get(variable, "").lower()
    if text not in ("", "0", "1", "true", "false"):
        raise InvalidConfigError(f"{variable} is {variables[variable]!r}: it must be true or false.")
    return default if not text else text in ("1", "true")


def check(settings: Settings) -> list[Finding]:
    """What is wrong with the settings, and what is odd about them; looks at the file system and changes nothing."""
    findings: list[Finding] = []

    def say(is_error: bool, message: str) -> None:
        findings.append(Finding(is_error, message))

    where = str(settings.source) if settings.source is not None else "the environment (SEGUE_...)"
    if settings.file is not None and settings.module is not None:
        say(True, f"{where}: both `file` and `module` are set. Keep the one that holds the definitions.")
    if settings.file is None and settings.module is None and settings.attribute is not None:
        say(True, f"{where}: `attribute` is set, but neither `file` nor `module`. Set one of them.")
    if settings.file is not None and not Path(settings.file).is_file():
        say(
            True,
            f"{settings.file}, the file with the definitions, does not exist. Correct --file, or `file` in {where}.",
        )
    if not Path(settings.working_directory).is_dir():
        say(True, f"{settings.working_directory}, the working directory, is not a folder. Correct it in {where}.")
    folders = {"home": settings.home}
    if settings.storage_directory != settings.home / "storage":
        folders["storage"] = settings.storage_directory
    for key, value in (*((key, str(folder)) for key, folder in folders.items()), ("file", settings.file or "")):
        if "~" in Path(value).parts or any(part.startswith("~") for part in Path(value).parts):
            say(True, f"{where}: `{key}` is {value}; `~` is not expanded. Write the whole path.")
    for key, folder in folders.items():
        if folder.exists() and not folder.is_dir():
            say(True, f"{where}: `{key}` is {folder}, which is not a folder. Remove the file or choose another {key}.")
    if settings.source is not None and settings.source.name == SETTINGS_FILE:
        other = settings.source.with_name("pyproject.toml")
        if other.is_file() and _table(other) is not None:
            say(False, f"{other}: [tool.segue] is ignored: {SETTINGS_FILE} is in the same folder. Keep one of them.")
    return findings


def _nearest(directory: Path) -> tuple[Path | None, Mapping[str, object]]:
    """The nearest settings file upwards, with what stands in it."""
    for folder in (directory, *directory.parents):
        for name in (SETTINGS_FILE, "pyproject.toml"):
            file = folder / name
            if os.path.isfile(file):  # unlike Path.is_file, False for a folder that may not be read
                table = _table(file)
                if table is not None:
                    return file, table
    return None, {}


def _table(file: Path) -> Mapping[str, object] | None:
    """The part of a file that is ours; None for a `pyproject.toml` without one."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfigError(f"{file} is not valid TOML: {error}. Correct the file.") from error
    except OSError as error:
        raise InvalidConfigError(f"{file} cannot be read: {error.strerror}. Make it readable.") from error
    if file.name == SETTINGS_FILE:
        return content
    tool: object = content.get("tool", {})
    if not isinstance(tool, dict) or "segue" not in tool:
        return None
    if not isinstance(tool["segue"], dict):
        raise InvalidConfigError(f"{file}: `tool.segue` must be a table. Write [tool.segue] and the keys below it.")
    return cast("Mapping[str, object]", tool["segue"])


def _parse(file: Path, written: Mapping[str, object]) -> SettingsFile:
    place = str(file) if file.name == SETTINGS_FILE else f"{file}: [tool.segue]"
    known = SettingsFile.__struct_fields__
    for key in written:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(known)}."
            raise InvalidConfigError(f"{place}: unknown key `{key}`. {hint}")
    try:
        return msgspec.convert(written, SettingsFile, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidConfigError(f"{place}: {_readable(str(error))}. Correct the value.") from error
    except InvalidDefinitionError as error:
        raise InvalidConfigError(f"{place}: failure_rules: {error}") from error


def _readable(text: str) -> str:
    """`Expected `str`, got `int` - at `$.home`` as `key `home`: expected `str`, got `int``."""
    what, _, path = text.partition(" - at `$.")
    return f"key `{path.rstrip('`')}`: {what[:1].lower()}{what[1:]}" if path else text
