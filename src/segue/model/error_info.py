"""An exception as data, and what user code says of one that it raised on purpose; for events and whoever shows them."""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

from segue.model.metadata import AnyMetadataValue


class ErrorSource(enum.Enum):
    """Whose error it is that a step failed with.

    USER_CODE_ERROR: of user code, which raised it unforeseen.
    FRAMEWORK_ERROR: of Segue, which raised it, or took a `Failure` from user code.
    INTERRUPT: of whoever stopped the run.
    """

    FRAMEWORK_ERROR = "FRAMEWORK_ERROR"
    USER_CODE_ERROR = "USER_CODE_ERROR"
    INTERRUPT = "INTERRUPT"


IOSide = Literal["input", "output"]
"""What an IO manager did: it loaded an input, or stored an output."""


class ErrorInfo(msgspec.Struct, frozen=True):
    """An exception as data.

    Attributes:
        message: the exception's own text, with its class in front.
        cls_name: the name of its class.
        stack: the formatted frames of user code (and of the libraries it called), outermost first.
        cause: the exception it was raised from (`raise ... from`).
        context: the exception that was being handled when it was raised, where `raise ... from` says nothing else.
    """

    message: str
    cls_name: str
    stack: tuple[str, ...] = ()
    cause: ErrorInfo | None = None
    context: ErrorInfo | None = None

    def to_string(self) -> str:
        """The traceback as Python prints it, causes first."""
        before = ""
        if self.cause is not None:
            before = self.cause.to_string() + "\nThe above exception led to the following one:\n\n"
        elif self.context is not None:
            before = (
                self.context.to_string() + "\nWhile the above exception was handled, the following one was raised:\n\n"
            )
        frames = "Traceback (most recent call last):\n" + "".join(self.stack) if self.stack else ""
        return before + frames + self.message


class UserFailureData(msgspec.Struct, frozen=True):
    """What user code says of a failure that it raised on purpose (`Failure`)."""

    description: str | None = None
    metadata: dict[str, AnyMetadataValue] = {}

    @property
    def label(self) -> str:
        """What sort of failure it is: `intentional-failure`."""
        return "intentional-failure"
