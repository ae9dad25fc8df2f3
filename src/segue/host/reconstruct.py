"""Jobs by the place of their code: `reconstructable` makes of a job something that another process can load again."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from segue.defs.bindings import bound
from segue.defs.graph import GraphDefinition
from segue.defs.job_definition import JobDefinition
from segue.errors import InvariantViolationError
from segue.model.keys import AssetCheckKey, AssetKey


class CodePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job, or the function that makes it, stands in the user's code.

    Attributes:
        attribute: its name there.
        module: the module; or
        file: the file.
        working_directory: put on the import path, and the start of a relative `file`.
        args, kwargs: what the function is called with.
    """

    attribute: str
    module: str | None = None
    file: str | None = None
    working_directory: str | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}

    def load(self) -> JobDefinition:
        """The job.

        Raises:
            LoadError: the code cannot be imported.
            InvariantViolationError: there is no job of this name.
        """
        directory = os.path.abspath(self.working_directory or os.curdir)
        if self.working_directory is not None and directory not in sys.path:
            sys.path.insert(0, directory)
        if self.file is not None:
            path, main = Path(directory, self.file), sys.modules["__main__"]
            running = getattr(main, "__file__", None)
            # a script that is running is not run a second time
            module = main if running is not None and Path(running).absolute() == path else bound("imported_file")(path)
        else:
            module = bound("imported_module")(self.module, directory)
        found = getattr(module, self.attribute, None)
        if found is None:
            raise InvariantViolationError(f"{self} was not found: {self.attribute!r} must be a name at module scope.")
        return _job_of(found, self)

    def __str__(self) -> str:
        return f"{self.file or self.module}:{self.attribute}"


class ReconstructableJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that can be loaded again from its code. Made by `reconstructable`.

    Attributes:
        place: where its code stands.
        job_name: its name.
        op_selection, asset_selection, asset_check_selection: the part of it that is meant; all of it when None.
    """

    place: CodePlace
    job_name: str
    op_selection: frozenset[str] | None = None
    asset_selection: frozenset[AssetKey] | None = None
    asset_check_selection: frozenset[AssetCheckKey] | None = None

    def get_definition(self) -> JobDefinition:
        """The job, loaded; the part of it that is meant.

        Raises:
            LoadError, InvariantViolationError: its code cannot be imported, or has it no more.
            InvalidSubsetError: it has no such part.
        """
        job = self.place.load()
        if self.op_selection is None and self.asset_selection is None and self.asset_check_selection is None:
            return job
        return job.get_subset(
            op_selection=self.op_selection,
            asset_selection=self.asset_selection,
            asset_check_selection=self.asset_check_selection,
        )

    def get_subset(
        self,
        *,
        op_selection: Iterable[str] | None = None,
        asset_selection: Iterable[AssetKey] | None = None,
        asset_check_selection: Iterable[AssetCheckKey] | None = None,
    ) -> ReconstructableJob:
        """A part of the job.

        Args:
            op_selection: which steps, of a job of ops.
            asset_selection, asset_check_selection: which assets and checks, of a job of assets.

        Raises:
            InvariantViolationError: steps and assets together.
        """
        if op_selection is not None and (asset_selection is not None or asset_check_selection is not None):
            raise InvariantViolationError("Both op_selection and asset_selection were provided; keep one.")
        return msgspec.structs.replace(
            self,
            op_selection=None if op_selection is None else frozenset(op_selection),
            asset_selection=None if asset_selection is None else frozenset(asset_selection),
            asset_check_selection=None if asset_check_selection is None else frozenset(asset_check_selection),
        )

    def get_module(self) -> str | None:
        """The module it stands in; None where it is known by its file."""
        return self.place.module

    def describe(self) -> str:
        """Its name and the place of its code, for people."""
        return f'"{self.job_name}" in {self.place}'

    @staticmethod
    def for_file(python_file: str, fn_name: str) -> ReconstructableJob:
        """The job of this name in a Python file.

        Raises:
            As `get_definition`.
        """
        return _at(CodePlace(file=python_file, attribute=fn_name, working_directory=os.getcwd()))

    @staticmethod
    def for_module(module: str, fn_name: str) -> ReconstructableJob:
        """The job of this name in a module.

        Raises:
            As `get_definition`.
        """
        return _at(CodePlace(module=module, attribute=fn_name, working_directory=os.getcwd()))

    def to_dict(self) -> Mapping[str, object]:
        """It as a mapping that survives JSON."""
        return cast("Mapping[str, object]", msgspec.to_builtins(self, enc_hook=_to_text))

    @staticmethod
    def from_dict(val: Mapping[str, Any]) -> ReconstructableJob:
        """What `to_dict` gave.

        Raises:
            InvariantViolationError: the mapping is none of those.
        """
        try:
            return msgspec.convert(dict(val), ReconstructableJob, dec_hook=_from_text)
        except msgspec.ValidationError as error:
            raise InvariantViolationError(f"The value was not made by ReconstructableJob.to_dict: {error}.") from error


def reconstructable(target: Callable[..., JobDefinition]) -> ReconstructableJob:
    """A job that other processes can load again, by the place of its code.

    Args:
        target: a function in a module that takes nothing and returns a job; or a job that `@job` made there.

    Raises:
        InvariantViolationError: something that cannot be found again: a lambda, a function with parameters, what was
            made inside of a function or in an interactive session, a job that no decorated function made.
    """
    function = target.declared_by if isinstance(target, JobDefinition) else target
    if not inspect.isfunction(function):
        raise InvariantViolationError(
            f"reconstructable cannot load {target!r} in another process. Pass a function that returns the job, or a "
            "job declared with @job. For any other job, write a function without parameters that creates and returns "
            "it."
        )
    name = function.__name__
    if name == "<lambda>":
        raise InvariantViolationError("reconstructable does not accept a lambda. Use a named function.")
    if function is target and inspect.signature(function).parameters:
        raise InvariantViolationError(
            f"reconstructable({name}): the function must not require arguments. To pass arguments, use "
            f"build_reconstructable_job({function.__module__!r}, {name!r}, args, kwargs)."
        )
    module = inspect.getmodule(function)
    file = getattr(module, "__file__", None)
    if module is None or (module.__name__ == "__main__" and file is None):
        raise InvariantViolationError(
            f"reconstructable({name}): a function from an interactive session cannot be loaded in another process. "
            "Move it to a module and import it."
        )
    if getattr(module, name, None) is not target:
        raise InvariantViolationError(
            f"reconstructable({name}): the module {module.__name__!r} has no {name!r} at module scope that is this "
            "function. Define it at module scope, or use build_reconstructable_job with a function that creates the "
            "job."
        )
    if module.__name__ == "__main__":
        return _at(CodePlace(file=file, attribute=name, working_directory=os.getcwd()), target)
    return _at(CodePlace(module=module.__name__, attribute=name, working_directory=os.getcwd()), target)


def build_reconstructable_job(
    reconstructor_module_name: str,
    reconstructor_function_name: str,
    reconstructable_args: Sequence[object] | None = None,
    reconstructable_kwargs: Mapping[str, object] | None = None,
    reconstructor_working_directory: str | None = None,
) -> ReconstructableJob:
    """A job that other processes can load again, by calling a function with arguments.

    Args:
        reconstructor_module_name: the module of the function.
        reconstructor_function_name: the function; it returns the job.
        reconstructable_args, reconstructable_kwargs: what it is called with; they must survive JSON to reach another
            process.
        reconstructor_working_directory: put on the import path before the module is imported.

    Raises:
        LoadError, InvariantViolationError: there is no such function, or it gives no job.
    """
    return _at(
        CodePlace(
            module=reconstructor_module_name,
            attribute=reconstructor_function_name,
            working_directory=reconstructor_working_directory,
            args=tuple(reconstructable_args or ()),
            kwargs=dict(reconstructable_kwargs or {}),
        )
    )


def _at(place: CodePlace, target: object = None) -> ReconstructableJob:
    job = place.load() if target is None else _job_of(target, place)
    return ReconstructableJob(place=place, job_name=job.name)


def _job_of(found: object, place: CodePlace) -> JobDefinition:
    """The job that stands there, or that the function there makes."""
    made: object = found
    if callable(found) and not isinstance(found, (JobDefinition, GraphDefinition)):
        made = found(*place.args, **place.kwargs)
    if isinstance(made, GraphDefinition):
        made = made.to_job()
    if not isinstance(made, JobDefinition):
        raise InvariantViolationError(
            f"{place} must be a job or a function that returns one, got {made!r}. To get a job from "
            "definitions, use Definitions.resolve_job_def."
        )
    return made


def _to_text(value: object) -> object:
    if isinstance(value, AssetKey):
        return value.to_user_string()
    if isinstance(value, AssetCheckKey):
        return [value.asset_key.to_user_string(), value.name]
    raise NotImplementedError(f"{value!r} cannot be converted to JSON")


def _from_text(kind: type, value: Any) -> object:
    if kind is AssetKey:
        return AssetKey.from_user_string(value)
    if kind is AssetCheckKey:
        return AssetCheckKey(AssetKey.from_user_string(value[0]), value[1])
    raise NotImplementedError(f"{kind} cannot be read from JSON")
