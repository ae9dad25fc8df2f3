"""Public values as text and back: for user code that keeps them in a file, a tag or a cursor.

A value is written as JSON. Text, numbers, lists and dicts with text as keys stand for themselves; everything else is
an object with the kind of the value and its form on the wire. The kinds are names of their own and never those of
classes, so that a class may be renamed and what was written before still be read.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence, Set
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, cast, overload

import msgspec

from segue.errors import InvalidDefinitionError, InvalidInvocationError
from segue.model import codec, serialized_classes
from segue.model.checks import AssetCheckEvaluation, AssetCheckSeverity
from segue.model.condition.base import AutomationCondition
from segue.model.condition.dagster_form import CLASS_FIELD, condition_from_dagster, is_dagster_condition
from segue.model.event import ErrorInfo, Event, EventType
from segue.model.event_log import EventLogEntry
from segue.model.freshness import AnyFreshnessPolicy, FreshnessPolicy
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.materialization import AssetMaterialization, AssetObservation, DataVersion, ExpectationResult
from segue.model.metadata import AnyMetadataValue, MetadataValue
from segue.model.partitions.base import PartitionsDefinition
from segue.model.partitions.dynamic import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from segue.model.partitions.key_range import PartitionKeyRange
from segue.model.partitions.mapping_base import PartitionMapping
from segue.model.partitions.multi_key import MultiPartitionKey
from segue.model.policies import BackfillPolicy, RetryPolicy
from segue.model.request import RunRequest
from segue.model.run import FailureReason, Run, RunStatus
from segue.model.run_records import RunsFilter
from segue.model.selection import AssetSelection
from segue.model.selection_wire import selection_from_wire, selection_to_wire
from segue.model.selectors import CodeLocationSelector, JobSelector, RepositorySelector
from segue.model.serialized_classes import ENUM_FIELD
from segue.model.table import TableColumn, TableColumnLineage, TableRecord, TableSchema
from segue.model.tick import DefaultScheduleStatus, DefaultSensorStatus, SkipReason

Kind = TypeVar("Kind")
_TAG, _VALUE = "__segue__", "value"


class _Form(NamedTuple):
    """How values of a class are written: the class, what the codec reads in its place, and the steps between."""

    kind: type | tuple[type, ...]
    wire: Any
    to_wire: Callable[[Any], object] = lambda value: value
    from_wire: Callable[[Any], object] = lambda value: value


class _RunRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `RunRequest`, as it is written."""

    run_key: str | None = None
    run_config: dict[str, Any] = {}
    tags: dict[str, str] = {}
    job_name: str | None = None
    asset_selection: list[AssetKey] | None = None
    stale_assets_only: bool = False
    partition_key: str | None = None
    asset_check_keys: list[AssetCheckKey] | None = None

    @classmethod
    def of(cls, request: RunRequest) -> _RunRequest:
        """What is written of a request."""
        return cls(*(getattr(request, name) for name in cls.__struct_fields__))

    def request(self) -> RunRequest:
        """The request that was written."""
        return RunRequest(*msgspec.structs.astuple(self))


_FORMS: Mapping[str, _Form] = {
    "asset_key": _Form(AssetKey, AssetKey),
    "asset_check_key": _Form(AssetCheckKey, AssetCheckKey),
    "asset_materialization": _Form(AssetMaterialization, AssetMaterialization),
    "asset_observation": _Form(AssetObservation, AssetObservation),
    "asset_check_evaluation": _Form(AssetCheckEvaluation, AssetCheckEvaluation),
    "asset_check_severity": _Form(AssetCheckSeverity, AssetCheckSeverity),
    "automation_condition": _Form(AutomationCondition, AutomationCondition),
    "backfill_policy": _Form(BackfillPolicy, BackfillPolicy),
    "asset_selection": _Form(AssetSelection, dict[str, Any], selection_to_wire, selection_from_wire),
    "multi_partition_key": _Form(MultiPartitionKey, dict[str, str], attrgetter("keys_by_dimension"), MultiPartitionKey),
    "partition_key_range": _Form(PartitionKeyRange, PartitionKeyRange),
    "data_version": _Form(DataVersion, str, attrgetter("value"), DataVersion),
    "error": _Form(ErrorInfo, ErrorInfo),
    "event": _Form(Event, Event),
    "event_log_entry": _Form(EventLogEntry, Event, attrgetter("event"), EventLogEntry.of),
    "event_type": _Form(EventType, EventType),
    "expectation_result": _Form(ExpectationResult, ExpectationResult),
    "failure_reason": _Form(FailureReason, FailureReason),
    "metadata": _Form(MetadataValue, AnyMetadataValue),
    "partition_mapping": _Form(PartitionMapping, PartitionMapping),
    "partitions_definition": _Form(PartitionsDefinition, PartitionsDefinition),
    "retry_policy": _Form(RetryPolicy, RetryPolicy),
    "code_location_selector": _Form(CodeLocationSelector, CodeLocationSelector),
    "dynamic_partitions_request": _Form(
        (AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest),
        AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest,
    ),
    "freshness_policy": _Form(FreshnessPolicy, AnyFreshnessPolicy),
    "job_selector": _Form(JobSelector, JobSelector),
    "repository_selector": _Form(RepositorySelector, RepositorySelector),
    "run_request": _Form(RunRequest, _RunRequest, _RunRequest.of, _RunRequest.request),
    "schedule_status": _Form(DefaultScheduleStatus, DefaultScheduleStatus),
    "sensor_status": _Form(DefaultSensorStatus, DefaultSensorStatus),
    "skip_reason": _Form(SkipReason, SkipReason),
    "table_column": _Form(TableColumn, TableColumn),
    "table_column_lineage": _Form(TableColumnLineage, TableColumnLineage),
    "table_record": _Form(TableRecord, TableRecord),
    "table_schema": _Form(TableSchema, TableSchema),
    "run": _Form(Run, Run),
    "run_status": _Form(RunStatus, RunStatus),
    "runs_filter": _Form(RunsFilter, RunsFilter),
}
# What readers of a wire form raise at something else: the text may come from anywhere.
_NOT_THE_FORM = (msgspec.DecodeError, TypeError, ValueError, LookupError, AttributeError, InvalidDefinitionError)


def serialize_value(val: object) -> str:
    """A value as text, for `deserialize_value`.

    Args:
        val: a public value (a key, a materialization, metadata, a run, an event, a condition, a run request, ...); text,
            numbers, None; or lists, tuples, sets and dicts of such.

    Raises:
        InvalidInvocationError: a value of another class is in it.
    """
    return msgspec.json.encode(_packed(val)).decode()


@overload
def deserialize_value(val: str, as_type: type[Kind] | tuple[type[Kind], ...]) -> Kind: ...
@overload
def deserialize_value(val: str, as_type: None = None) -> Any: ...
def deserialize_value(val: str, as_type: type[Kind] | tuple[type[Kind], ...] | None = None) -> Any:
    """The value that `serialize_value` wrote; also an automation condition that Dagster serialized.

    Args:
        val: the text.
        as_type: what it must be: a class, or one of several.

    Raises:
        InvalidInvocationError: the text is something else, or the value is not of this class.
    """
    try:
        found = _unpacked(msgspec.json.decode(val))
    except _NOT_THE_FORM as error:
        raise InvalidInvocationError(f"The text was not written by serialize_value: {error!r}.") from error
    if as_type is not None and not isinstance(found, as_type):
        raise InvalidInvocationError(
            f"Expected a value of type {as_type!r}, got {found!r} of type {type(found).__qualname__}."
        )
    return found


def _packed(value: Any) -> object:
    own = serialized_classes.of_value(value)
    if own is not None:
        if isinstance(value, enum.Enum):
            return {ENUM_FIELD: f"{own.name}.{value.name}"}
        return {CLASS_FIELD: own.name, **{name: _packed(each) for name, each in own.fields(value).items()}}
    for tag, form in _FORMS.items():
        if isinstance(value, form.kind):
            return {_TAG: tag, _VALUE: _plain(form.to_wire(value))}
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, tuple):
        return {_TAG: "tuple", _VALUE: [_packed(each) for each in cast("Sequence[object]", value)]}
    if isinstance(value, Set):
        return {_TAG: "set", _VALUE: [_packed(each) for each in cast("Set[object]", value)]}
    if isinstance(value, list):
        return [_packed(each) for each in cast("Sequence[object]", value)]
    if isinstance(value, dict):
        pairs = cast("Mapping[object, object]", value)
        if not {_TAG, CLASS_FIELD, ENUM_FIELD} & pairs.keys() and all(type(key) is str for key in pairs):
            return {cast("str", key): _packed(each) for key, each in pairs.items()}
        return {_TAG: "dict", _VALUE: [[_packed(key), _packed(each)] for key, each in pairs.items()]}
    raise InvalidInvocationError(
        f"serialize_value cannot serialize {value!r} of type {type(value).__qualname__}: expected a public value of "
        "Segue, a string, a number, None, a list, tuple, set or dict of these, or a value of a class decorated with "
        "@whitelist_for_serdes."
    )


def _plain(value: object) -> object:
    if isinstance(value, enum.Enum):
        return value.name
    return msgspec.json.decode(codec.encode(value))


def _unpacked(data: Any) -> Any:
    if isinstance(data, list):
        return [_unpacked(each) for each in cast("Sequence[object]", data)]
    if not isinstance(data, dict):
        return data
    fields = cast("Mapping[str, Any]", data)
    if is_dagster_condition(fields):
        return condition_from_dagster(fields)
    if CLASS_FIELD in fields:
        own = serialized_classes.named(fields[CLASS_FIELD])
        return own.value({key: _unpacked(each) for key, each in fields.items()})
    if ENUM_FIELD in fields:
        return serialized_classes.member(fields[ENUM_FIELD])
    if _TAG not in fields:
        return {key: _unpacked(each) for key, each in fields.items()}
    tag: Any = fields[_TAG]
    value: Any = fields.get(_VALUE)
    if tag in ("tuple", "set"):
        return (tuple if tag == "tuple" else frozenset)(_unpacked(each) for each in value)
    if tag == "dict":
        return {_unpacked(key): _unpacked(each) for key, each in value}
    form = _FORMS.get(tag)
    if form is None:
        raise InvalidInvocationError(
            f"Unknown kind of value {tag!r}. It was most likely written by a newer version of Segue: upgrade Segue."
        )
    if isinstance(form.kind, type) and issubclass(form.kind, enum.Enum):
        return form.kind[value]
    return form.from_wire(codec.decoder(form.wire).decode(msgspec.json.encode(value)))
