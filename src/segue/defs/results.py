"""What user code gives back: outputs, results, and the exceptions with which it steers a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Generic, TypeVar

from segue.errors import InvariantViolationError
from segue.model.arguments import require_kind, require_list
from segue.model.asset_words import require_event_tags
from segue.model.checks import AssetCheckResult
from segue.model.failure_class import failure_class_of
from segue.model.keys import AssetKey, CoercibleToAssetKey, require_name
from segue.model.materialization import DataVersion
from segue.model.metadata import AnyMetadataValue, normalize_metadata
from segue.model.named_fields import NamedFields

T = TypeVar("T")


class NoValue:
    """Marks a result that carries no value, as apart from one that carries None."""

    def __repr__(self) -> str:
        return "NO_VALUE"

    def __reduce__(self) -> str:
        return "NO_VALUE"  # the name of the one that there is: a copy would pass for a value


NO_VALUE: Final = NoValue()


class Output(Generic[T]):
    """A value for an output, with metadata.

    Args:
        value: the value for the IO manager to store.
        output_name: the output; needed only if there are several.
        metadata: facts about the value.
        data_version: the version of the data, if user code knows it.
        tags: tags of the materialization.
    """

    __slots__ = ("data_version", "metadata", "output_name", "tags", "value")

    def __init__(
        self,
        value: T,
        output_name: str = "result",
        metadata: Mapping[str, object] | None = None,
        data_version: DataVersion | None = None,
        *,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        require_kind("Output", "output_name", output_name, str)
        require_kind("Output", "data_version", data_version, DataVersion)
        self.value: T = value
        self.output_name = output_name
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)
        self.data_version = data_version
        self.tags: Mapping[str, str] = require_event_tags(tags, "Output")

    def with_metadata(self, metadata: Mapping[str, object]) -> Output[T]:
        """The same output with other metadata."""
        return Output(self.value, self.output_name, metadata, self.data_version, tags=self.tags)

    def named(self, output_name: str) -> Output[T]:
        """The same output under another name."""
        return Output(self.value, output_name, self.metadata, self.data_version, tags=self.tags)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Output) and all(
            getattr(self, name) == getattr(other, name)  # pyright: ignore[reportUnknownArgumentType] reason: values are the user's
            for name in self.__slots__
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds the user's value, which may not be hashable

    def __repr__(self) -> str:
        return f"Output(value={self.value!r}, output_name={self.output_name!r})"


class DynamicOutput(Generic[T]):
    """One value of a dynamic output.

    Args:
        value: the value for the IO manager to store.
        mapping_key: names the value among those of the output: letters, digits and underscores.
        output_name: the output; needed only if there are several.
        metadata: facts about the value.

    Raises:
        InvalidDefinitionError: a mapping key of other characters.
    """

    __slots__ = ("mapping_key", "metadata", "output_name", "value")

    def __init__(
        self,
        value: T,
        mapping_key: str,
        output_name: str | None = "result",
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        self.value: T = value
        self.mapping_key = require_name(mapping_key, "a mapping key", "DynamicOutput")
        require_kind("DynamicOutput", "output_name", output_name, str)
        self.output_name = output_name or "result"
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DynamicOutput) and all(
            getattr(self, name) == getattr(other, name)  # pyright: ignore[reportUnknownArgumentType] reason: values are the user's
            for name in self.__slots__
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds the user's value, which may not be hashable

    def __repr__(self) -> str:
        return (
            f"DynamicOutput(value={self.value!r}, mapping_key={self.mapping_key!r}, output_name={self.output_name!r})"
        )


class MaterializeResult(NamedFields, Generic[T]):
    """The result of a function that has materialized its asset, with metadata.

    Args:
        asset_key: the asset; needed only if the function has several.
        metadata: facts about the materialization.
        check_results: results of checks that the function carries.
        data_version: the version of the data, if user code knows it.
        tags: tags of the materialization.
        value: a value for the IO manager; left out if the function stores the asset itself.
    """

    __slots__ = ("asset_key", "check_results", "data_version", "metadata", "tags", "value")

    def __init__(
        self,
        asset_key: CoercibleToAssetKey | None = None,
        metadata: Mapping[str, object] | None = None,
        check_results: Sequence[AssetCheckResult] | None = None,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
        value: T | NoValue = NO_VALUE,
    ) -> None:
        self.asset_key = None if asset_key is None else AssetKey.from_coercible(asset_key)
        _require_facts("MaterializeResult", metadata, check_results, data_version, tags)
        self.metadata = metadata
        self.check_results: Sequence[AssetCheckResult] = list(check_results or ())
        self.data_version = data_version
        self.tags = None if tags is None else require_event_tags(tags, "MaterializeResult")
        self.value: T | NoValue = value

    def check_result_named(self, check_name: str) -> AssetCheckResult:
        """The result of the check of this name.

        Raises:
            InvariantViolationError: there is none.
        """
        return _check_result_named(self.check_results, check_name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MaterializeResult) and all(
            getattr(self, name) == getattr(other, name)  # pyright: ignore[reportUnknownArgumentType] reason: values are the user's
            for name in self.__slots__
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds the user's value, which may not be hashable

    def __repr__(self) -> str:
        return f"MaterializeResult(asset_key={self.asset_key!r}, metadata={self.metadata!r})"


class ObserveResult(NamedFields):
    """The result of a function that has observed its asset, with metadata.

    Args:
        asset_key: the asset; needed only if the function observes several.
        metadata: facts about the observation.
        check_results: results of checks that the function carries.
        data_version: the version of the content.
        tags: tags of the observation.
    """

    __slots__ = ("asset_key", "check_results", "data_version", "metadata", "tags")

    def __init__(
        self,
        asset_key: CoercibleToAssetKey | None = None,
        metadata: Mapping[str, object] | None = None,
        check_results: Sequence[AssetCheckResult] | None = None,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.asset_key = None if asset_key is None else AssetKey.from_coercible(asset_key)
        _require_facts("ObserveResult", metadata, check_results, data_version, tags)
        self.metadata = metadata
        self.check_results: Sequence[AssetCheckResult] = list(check_results or ())
        self.data_version = data_version
        self.tags = None if tags is None else require_event_tags(tags, "ObserveResult")

    def check_result_named(self, check_name: str) -> AssetCheckResult:
        """The result of the check of this name.

        Raises:
            InvariantViolationError: there is none.
        """
        return _check_result_named(self.check_results, check_name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObserveResult) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType] reason: holds metadata, which may not be hashable

    def __repr__(self) -> str:
        return f"ObserveResult(asset_key={self.asset_key!r}, metadata={self.metadata!r})"


def _require_facts(
    where: str, metadata: object, check_results: Sequence[object] | None, data_version: object, tags: object
) -> None:
    """Refuses what a result cannot say of its asset: the log would show it to nobody.

    Raises:
        WrongDeclarationError: an argument of a wrong type.
    """
    require_kind(where, "metadata", metadata, Mapping)
    require_kind(where, "data_version", data_version, DataVersion)
    require_kind(where, "tags", tags, Mapping)
    for each in require_list(where, "check_results", check_results or ()):
        require_kind(where, "check_results", each, AssetCheckResult)


def _check_result_named(results: Sequence[AssetCheckResult], check_name: str) -> AssetCheckResult:
    for result in results:
        if result.check_name == check_name:
            return result
    raise InvariantViolationError(f"This result has no check result named {check_name!r}.")


class Failure(Exception):
    """Raised by user code to fail a step on purpose.

    Args:
        description: what is wrong.
        metadata: facts that show why; recorded with the failure.
        allow_retries: whether the retry policy applies; None means yes.
        failure_class: what sort of failure it is, a `FailureClass` or its value; None leaves that to the rules.

    Raises:
        InvalidDefinitionError: there is no such failure class.
    """

    def __init__(
        self,
        description: str | None = None,
        metadata: Mapping[str, object] | None = None,
        allow_retries: bool | None = None,
        *,
        failure_class: str | None = None,
    ) -> None:
        require_kind("Failure", "description", description, str)
        require_kind("Failure", "allow_retries", allow_retries, bool)
        super().__init__(description)
        self.description = description
        self.metadata: Mapping[str, AnyMetadataValue] = normalize_metadata(metadata)
        self.allow_retries = True if allow_retries is None else allow_retries
        self.failure_class = None if failure_class is None else failure_class_of(failure_class, "Failure")

    def __str__(self) -> str:
        return self.description or ""


class RetryRequested(Exception):
    """Raised by user code to have the step tried again, whatever its retry policy.

    Args:
        max_retries: retries after the first attempt.
        seconds_to_wait: delay before the next attempt.
    """

    def __init__(self, max_retries: int | None = 1, seconds_to_wait: float | int | None = None) -> None:
        require_kind("RetryRequested", "max_retries", max_retries, int)
        require_kind("RetryRequested", "seconds_to_wait", seconds_to_wait, (int, float))
        super().__init__()
        self.max_retries = 1 if max_retries is None else max_retries
        self.seconds_to_wait = seconds_to_wait
