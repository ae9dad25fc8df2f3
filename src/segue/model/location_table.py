"""A code location as it is written in a settings file. Pure: it touches no files."""

from __future__ import annotations

from pathlib import PurePath

import msgspec

from segue.errors import InvalidConfigError
from segue.model.failure_class import FailureRule
from segue.model.location import LocationTarget


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

    def target(
        self, folder: PurePath, place: str, failure_rules: tuple[FailureRule, ...], dagster_compat: bool
    ) -> LocationTarget:
        """The code location, with absolute paths.

        Args:
            folder: that of the settings file.
            place: that file, for errors.
            failure_rules: those of the file.
            dagster_compat: what the file says for all.

        Raises:
            InvalidConfigError: it says not where its code is, or says so twice.
        """
        given = [each for each in (self.file, self.module, self.package) if each is not None]
        if len(given) != 1:
            what = f"the code location {self.name!r}" if self.name else "a code location"
            raise InvalidConfigError(
                f"{place}: {what} needs one of `file`, `module` and `package`, and has {len(given)}."
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
            f"{place}: several code locations are named {doubled[0]!r}. Give each a `name` of its own."
        )
    return targets
