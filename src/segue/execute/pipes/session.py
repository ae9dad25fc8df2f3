"""`open_pipes_session`: a step and an external process, for as long as they talk."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from segue.defs.context import OpExecutionContext
from segue.defs.results import MaterializeResult
from segue.errors import InvariantViolationError, PipesExecutionError
from segue.execute.pipes.handler import PipesExecutionResult, PipesLaunchedData, PipesMessageHandler
from segue.execute.pipes.injectors import PipesContextInjector
from segue.execute.pipes.protocol import (
    COMPOSITE_WRITERS_KEY,
    CONTEXT_ARGUMENT,
    CONTEXT_VARIABLE,
    MESSAGES_ARGUMENT,
    MESSAGES_VARIABLE,
    PipesContextData,
    PipesExtras,
    PipesParams,
    encode_param,
)
from segue.execute.pipes.readers import PipesMessageReader
from segue.model.assets import AssetSpec
from segue.model.keys import AssetKey
from segue.model.metadata import AnyMetadataValue


@dataclass
class PipesSession:
    """One talk between a step and an external process.

    Attributes:
        context_data: the data about the step for the process.
        message_handler: what takes its messages.
        context_injector_params, message_reader_params: what leads the process to the context, and to where it writes.
        context: of the step.
        created_at: when the session began.
    """

    context_data: PipesContextData
    message_handler: PipesMessageHandler
    context_injector_params: PipesParams
    message_reader_params: PipesParams
    context: OpExecutionContext
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def get_bootstrap_params(self) -> Mapping[str, Any]:
        """What the process must know, by the names of environment variables, not yet packed."""
        return {CONTEXT_VARIABLE: self.context_injector_params, MESSAGES_VARIABLE: self.message_reader_params}

    def get_bootstrap_env_vars(self) -> Mapping[str, str]:
        """What the process must find in its environment."""
        return {name: encode_param(value) for name, value in self.get_bootstrap_params().items()}

    def get_bootstrap_cli_arguments(self) -> Mapping[str, str]:
        """What the process must find in its arguments, where it has no environment."""
        return _as_arguments(self.get_bootstrap_env_vars())

    def get_per_writer_bootstrap_env_vars(self) -> Sequence[Mapping[str, str]]:
        """What each of several processes must find in its environment."""
        writers = self.message_reader_params.get(COMPOSITE_WRITERS_KEY) or [self.message_reader_params]
        context = encode_param(self.context_injector_params)
        return [{CONTEXT_VARIABLE: context, MESSAGES_VARIABLE: encode_param(each)} for each in writers]

    def get_per_writer_bootstrap_cli_arguments(self) -> Sequence[Mapping[str, str]]:
        """What each of several processes must find in its arguments."""
        return [_as_arguments(each) for each in self.get_per_writer_bootstrap_env_vars()]

    @property
    def default_remote_invocation_info(self) -> Mapping[str, str]:
        """What to note on a process far away, so that one finds from it to its run."""
        return {"dagster/run-id": self.context.run_id, "dagster/job": self.context.job_name}

    def report_launched(self, launched_payload: PipesLaunchedData) -> None:
        """Tells the reader of messages what is known of the process since it was started."""
        self.message_handler.on_launched(launched_payload)

    def get_results(
        self, *, implicit_materializations: bool = True, metadata: Mapping[str, AnyMetadataValue] | None = None
    ) -> Sequence[PipesExecutionResult]:
        """The results that the process reported, for the step to return.

        Args:
            implicit_materializations: whether assets of the step count as materialized if the process did not
                report on them.
            metadata: what to add to each materialization.
        """
        found = list(self.get_reported_results())
        if implicit_materializations:
            told = {each.asset_key for each in found if isinstance(each, MaterializeResult)}
            own = sorted(self.context.selected_asset_keys)
            if None in told and len(own) == 1:
                told.add(own[0])
            found.extend(MaterializeResult(asset_key=key) for key in own if key not in told)
        return [_with_metadata(each, metadata) for each in found]

    def get_reported_results(self) -> Sequence[PipesExecutionResult]:
        """The results that the process has reported so far."""
        return self.message_handler.get_reported_results()

    def get_custom_messages(self) -> Sequence[Any]:
        """The messages of the process by `report_custom_message` so far."""
        return self.message_handler.get_custom_messages()


def _as_arguments(variables: Mapping[str, str]) -> Mapping[str, str]:
    return {CONTEXT_ARGUMENT: variables[CONTEXT_VARIABLE], MESSAGES_ARGUMENT: variables[MESSAGES_VARIABLE]}


def _with_metadata(
    result: PipesExecutionResult, metadata: Mapping[str, AnyMetadataValue] | None
) -> PipesExecutionResult:
    if not metadata or not isinstance(result, MaterializeResult):
        return result
    return MaterializeResult(
        asset_key=result.asset_key,
        metadata={**(result.metadata or {}), **metadata},
        check_results=result.check_results,
        data_version=result.data_version,
        tags=result.tags,
    )


@contextmanager
def open_pipes_session(
    context: OpExecutionContext,
    context_injector: PipesContextInjector,
    message_reader: PipesMessageReader,
    extras: PipesExtras | None = None,
) -> Generator[PipesSession]:
    """A talk with an external process that you start yourself, for as long as this is open.

    Args:
        context: of the step.
        context_injector: how the context gets there.
        message_reader: how messages get here.
        extras: additional plain data for the process.

    Raises:
        PipesExecutionError: in the end, when something the process said could not be read.
    """
    handler = PipesMessageHandler(context, message_reader)
    data = build_external_execution_context_data(context, extras)
    try:
        with context_injector.inject_context(data) as injected, handler.handle_messages() as reading:
            yield PipesSession(
                context_data=data,
                message_handler=handler,
                context_injector_params=injected,
                message_reader_params=reading,
                context=context,
            )
    finally:
        _tell_of_silence(context, handler, context_injector, message_reader)
    if handler.problems:
        told = "".join(f"\n  {each}" for each in handler.problems)
        raise PipesExecutionError(f"Not all messages of the external process could be read:{told}")


def _tell_of_silence(
    context: OpExecutionContext,
    handler: PipesMessageHandler,
    injector: PipesContextInjector,
    reader: PipesMessageReader,
) -> None:
    if not handler.received_opened_message:
        context.log.warning(
            "[pipes] no message was received from the external process. Check its "
            f"output.\n{injector.no_messages_debug_text()}\n{reader.no_messages_debug_text()}"
        )
    elif not handler.received_closed_message:
        context.log.warning(
            "[pipes] the external process opened the pipe but did not close it: its last messages may be lost."
        )


def build_external_execution_context_data(
    context: OpExecutionContext, extras: PipesExtras | None = None
) -> PipesContextData:
    """What an external process is told of a step, as the protocol has it."""
    keys = sorted(context.selected_asset_keys)
    names = [key.to_user_string() for key in keys]
    return {
        "asset_keys": names or None,
        "code_version_by_asset_key": _code_versions(context, keys) or None,
        "provenance_by_asset_key": {key.to_user_string(): _provenance(context, key) for key in keys} or None,
        **(_partitions(context) if keys else _NO_PARTITIONS),
        "run_id": context.run_id,
        "job_name": context.job_name,
        "retry_number": context.retry_number,
        "extras": dict(extras or {}),
    }


def _code_versions(context: OpExecutionContext, keys: Sequence[AssetKey]) -> Mapping[str, str | None]:
    if not keys:
        return {}
    specs: Mapping[AssetKey, AssetSpec] = context.assets_def.specs_by_key
    return {key.to_user_string(): specs[key].code_version for key in keys}


def _provenance(context: OpExecutionContext, key: AssetKey) -> Mapping[str, Any] | None:
    """What the latest materialization of an asset was made from."""
    found = context.get_asset_provenance(key)
    if found is None:
        return None
    versions = {each.to_user_string(): version.value for each, version in found.input_data_versions.items()}
    return {
        "code_version": found.code_version,
        "input_data_versions": versions,
        "is_user_provided": found.is_user_provided,
    }


_NO_PARTITIONS: Mapping[str, Any] = dict.fromkeys(("partition_key", "partition_key_range", "partition_time_window"))


def _partitions(context: OpExecutionContext) -> Mapping[str, Any]:
    found = dict(_NO_PARTITIONS)
    if not (context.has_partition_key or context.has_partition_key_range):
        return found
    span = context.partition_key_range
    found["partition_key_range"] = {"start": span.start, "end": span.end}
    if context.has_partition_key:
        found["partition_key"] = context.partition_key
    try:
        window = context.partition_time_window
    except InvariantViolationError:  # partitions of another kind have none
        return found
    found["partition_time_window"] = {"start": window.start.isoformat(), "end": window.end.isoformat()}
    return found
