"""A code location as it is written in a settings file. Pure: it touches no files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

import msgspec

from segue.errors import InvalidConfigError
from segue.model.failure_class import FailureRule
from segue.model.handshake import SHORTEST_TOKEN
from segue.model.location import Credentials, LocationTarget, Remote


class LocationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of `[[locations]]`. Paths are taken from the folder of the settings file.

    Attributes:
        name: unique; that of the file, the module or the package when left out.
        file, module, package: where the definitions are; exactly one of them. `file` is taken from `working_directory`.
        attribute: which variable holds them.
        working_directory: the folder from which it imports.
        python: the interpreter of its environment.
        environment: environment variables.
        dagster_compat: whether Segue answers for `dagster` in it.
        failure_rules: which failures of steps are of which class, before those of the settings file.
        host, port: where `segue location serve` serves it on another machine, whose own settings say all of the above.
        token: what both sides know; default: `location_token` of the settings file.
        authority, certificate, key: files of TLS: who signed the certificate of the other side, and that of this side.
        timeout: after how many seconds without a word the connection counts as lost.
    """

    name: str | None = None
    file: str | None = None
    module: str | None = None
    package: str | None = None
    attribute: str | None = None
    working_directory: str = "."
    python: str | None = None
    environment: dict[str, str] = {}
    dagster_compat: bool | None = None
    failure_rules: tuple[FailureRule, ...] = ()
    host: str | None = None
    port: int | None = None
    token: str | None = None
    authority: str | None = None
    certificate: str | None = None
    key: str | None = None
    timeout: float | None = None

    def target(
        self,
        folder: PurePath,
        place: str,
        failure_rules: tuple[FailureRule, ...],
        dagster_compat: bool,
        token: str | None = None,
    ) -> LocationTarget:
        """The code location, with absolute paths.

        Args:
            folder: that of the settings file.
            place: that file, for errors.
            failure_rules: those of the file.
            dagster_compat: what the file says for all.
            token: what locations on other machines know that have no token of their own.

        Raises:
            InvalidConfigError: it says not where its code is, or says so twice.
        """
        if self.host is not None:
            return self._remote_target(self.host, folder, place, token)
        astray = [each for each in _OF_REMOTE if getattr(self, each) is not None]
        if astray:
            raise InvalidConfigError(
                f"{place}: `{astray[0]}` only applies to a code location on another machine: set `host` and `port`."
            )
        given = [each for each in (self.file, self.module, self.package) if each is not None]
        if len(given) != 1:
            what = f"the code location {self.name!r}" if self.name else "a code location"
            raise InvalidConfigError(
                f"{place}: {what} must have exactly one of `file`, `module` and `package`, got {len(given)}."
            )
        directory = folder / self.working_directory
        return LocationTarget(
            name=self.name or (PurePath(given[0]).stem if self.file is not None else given[0]),
            file=None if self.file is None else str(directory / self.file),
            module=self.module or self.package,
            attribute=self.attribute,
            working_directory=str(directory),
            python=None if self.python is None else interpreter(folder, self.python),
            environment=self.environment,
            dagster_compat=dagster_compat if self.dagster_compat is None else self.dagster_compat,
            failure_rules=(*self.failure_rules, *failure_rules),
        )

    def _remote_target(self, host: str, folder: PurePath, place: str, token: str | None) -> LocationTarget:
        """A code location on another machine."""
        what = f"{place}: the code location {self.name!r}" if self.name else f"{place}: the code location at {host}"
        if self.name is None or self.port is None:
            raise InvalidConfigError(f"{what} is on another machine and must have `name` and `port`.")
        astray = [name for name, left_out in _OF_CODE.items() if getattr(self, name) != left_out]
        if astray:
            raise InvalidConfigError(
                f"{what} is on another machine: set `{astray[0]}` there, in the settings that `segue location serve` "
                "reads."
            )
        credentials = Credentials(
            token=self.token or token,
            authority=_path(folder, self.authority),
            certificate=_path(folder, self.certificate),
            key=_path(folder, self.key),
        )
        timeout = 15.0 if self.timeout is None else self.timeout
        if timeout <= 0 or not 0 < self.port <= _LAST_PORT:
            raise InvalidConfigError(
                f"{what}: `timeout` must be greater than 0 seconds, and `port` must be between 1 and {_LAST_PORT}."
            )
        return LocationTarget(
            name=self.name, remote=Remote(host=host, port=self.port, credentials=credentials, timeout=timeout)
        )


_LAST_PORT = 65535
_OF_REMOTE = ("port", "token", "authority", "certificate", "key", "timeout")
_OF_CODE: Mapping[str, object] = {
    "file": None,
    "module": None,
    "package": None,
    "attribute": None,
    "working_directory": ".",
    "python": None,
    "environment": {},
    "dagster_compat": None,
    "failure_rules": (),
}


def require_mutual(credentials: Credentials, what: str, *, is_location: bool) -> None:
    """Refuses credentials by which not both sides would know each other.

    Args:
        credentials: those of one side.
        what: whose they are, for errors.
        is_location: whether they are those of the code location, and not of the control plane.

    Raises:
        InvalidConfigError: they are too few, or the token could be guessed.
    """
    token, has_files = credentials.token, credentials.authority is not None and credentials.certificate is not None
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise InvalidConfigError(
            f"{what}: the token has {len(token)} characters and could be guessed: use at least {SHORTEST_TOKEN}, as "
            'generated by `python -c "import secrets; print(secrets.token_urlsafe(32))"`.'
        )
    if token is None and not has_files:
        raise InvalidConfigError(
            f"{what}: both sides must authenticate each other, with a token (SEGUE_LOCATION_TOKEN, or `location_token` in "
            "segue.toml) or with TLS (`authority`, `certificate` and `key`)."
        )
    if credentials.key is not None and credentials.certificate is None:
        raise InvalidConfigError(f"{what}: `key` was provided without its `certificate`.")
    lone, needed = ("authority", "certificate") if is_location else ("certificate", "authority")
    if getattr(credentials, lone) is not None and getattr(credentials, needed) is None:
        raise InvalidConfigError(f"{what}: `{lone}` is a TLS setting, and TLS also needs `{needed}` on this side.")


def _path(folder: PurePath, written: str | None) -> str | None:
    return None if written is None else str(folder / written)


def interpreter(folder: PurePath, python: str) -> str:
    """An interpreter as it is written: the name of a command stays, a path is taken from the folder."""
    return str(folder / python) if PurePath(python).name != python else python


def require_unique(targets: tuple[LocationTarget, ...], place: str) -> tuple[LocationTarget, ...]:
    """The code locations, as no two have the same name.

    Raises:
        InvalidConfigError: two have.
    """
    names = [target.name for target in targets]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InvalidConfigError(
            f"{place}: duplicate code location name {doubled[0]!r}. Give each code location its own `name`."
        )
    return targets
