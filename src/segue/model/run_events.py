"""What the events say that are about a run as a whole, and the base of all payloads: frozen structs, tagged with the event type.

A class may be renamed and stored events still be read.
"""

from __future__ import annotations

import msgspec

from segue.model.approval import ApprovalWanted
from segue.model.error_info import ErrorInfo
from segue.model.event_type import EventType
from segue.model.failure_class import FailureClass
from segue.model.metadata import AnyMetadataValue
from segue.model.run import FailureReason


class Payload(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """Base of the payloads; the tag of each is its event type."""

    @property
    def type(self) -> EventType:
        """The event type."""
        return EventType(self.__struct_config__.tag)


class EngineEventData(Payload, frozen=True, tag="ENGINE_EVENT"):
    """Segue, or code that works for it (a launcher, an executor), says what it does.

    Attributes:
        is_waiting: whether it says what the run or the step waits for before it can go on.
    """

    message: str = ""
    metadata: dict[str, AnyMetadataValue] = {}
    error: ErrorInfo | None = None
    is_waiting: bool = False


class RunEnqueuedData(Payload, frozen=True, tag="RUN_ENQUEUED"):
    """The run waits in the queue."""


class RunStartingData(Payload, frozen=True, tag="RUN_STARTING"):
    """A process for the run is being started."""


class RunCancelingData(Payload, frozen=True, tag="RUN_CANCELING"):
    """Somebody asked for the run to be stopped."""

    message: str = ""


class RunSuspendedData(Payload, frozen=True, tag="RUN_SUSPENDED"):
    """Nothing of the run can go on before a person has said whether these steps may start; no process works on it."""

    steps: tuple[ApprovalWanted, ...]


class ApprovalGivenData(Payload, frozen=True, tag="APPROVAL_GIVEN"):
    """A person lets these steps start, or, without any, the run; `text` is what they said about it."""

    by: str
    steps: tuple[str, ...] = ()
    text: str = ""


class ApprovalRefusedData(Payload, frozen=True, tag="APPROVAL_REFUSED"):
    """A person lets these steps, or, without any, the run, not start; `text` is why."""

    by: str
    steps: tuple[str, ...] = ()
    text: str = ""


class RunStartData(Payload, frozen=True, tag="RUN_START"):
    """The run began to execute."""

    worker: str | None = None


class RunSuccessData(Payload, frozen=True, tag="RUN_SUCCESS"):
    """Every step of the run ended well or was skipped."""


class RunFailureData(Payload, frozen=True, tag="RUN_FAILURE"):
    """The run failed; `error` is the exception of the first step that did, or what else ended it, `failure_class` its class."""

    reason: FailureReason
    message: str
    failed_steps: tuple[str, ...] = ()
    error: ErrorInfo | None = None
    failure_class: FailureClass | None = None

    @property
    def failure_reason(self) -> FailureReason:
        """The same as `reason`."""
        return self.reason


class RunCanceledData(Payload, frozen=True, tag="RUN_CANCELED"):
    """The run was stopped on request."""

    message: str = ""
    error: ErrorInfo | None = None


class ResourceInitStartedData(Payload, frozen=True, tag="RESOURCE_INIT_STARTED"):
    """Resources are being set up."""

    resource_keys: tuple[str, ...]


class ResourceInitSuccessData(Payload, frozen=True, tag="RESOURCE_INIT_SUCCESS"):
    """Resources are ready."""

    resource_keys: tuple[str, ...]


class ResourceInitFailureData(Payload, frozen=True, tag="RESOURCE_INIT_FAILURE"):
    """A resource could not be set up."""

    resource_keys: tuple[str, ...]
    error: ErrorInfo
