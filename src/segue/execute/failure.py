"""Exceptions as data, with the user's frames and without ours."""

from __future__ import annotations

import traceback
from pathlib import Path
from textwrap import indent
from types import TracebackType

import msgspec

from segue.defs.results import Failure, RetryRequested
from segue.errors import RedactedUserCodeError, SegueError
from segue.execute.hidden_errors import bears_its_message, hidden_error_id, hides_errors
from segue.model import codec
from segue.model.codec import storable_text
from segue.model.error_info import IOSide
from segue.model.event import ErrorInfo, UserFailureData
from segue.model.failure_class import FailureClass

_OWN_FOLDER = str(Path(__file__).parent.parent) + "/"
_MOST_CAUSES = 20
_MOST_FRAMES = 100


class FailedAttempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an attempt of a step failed, as data that can come from another process.

    Attributes:
        error: the exception.
        said: what user code said, where it raised `Failure`.
        is_unforeseen: whether user code raised it, and not `Failure` on purpose; not told of a hidden error.
        failure_class: what sort of failure it is.
        io_side: `input` or `output`, where an IO manager raised it.
    """

    error: ErrorInfo
    said: UserFailureData | None = None
    is_unforeseen: bool = False
    failure_class: FailureClass | None = None
    io_side: IOSide | None = None


def failed_attempt(
    error: BaseException, failure_class: FailureClass | None = None, io_side: IOSide | None = None
) -> FailedAttempt:
    """What an attempt raised, as data, of which class that is, and what an IO manager did there, if it was one."""
    said = _said(error) if isinstance(error, Failure) else None
    is_unforeseen = not (hides_errors() or isinstance(error, (Failure, RetryRequested, SegueError)))
    return FailedAttempt(error_info(error), said, is_unforeseen, failure_class, io_side)


def _said(failure: Failure) -> UserFailureData:
    said = UserFailureData(failure.description, dict(failure.metadata))
    try:
        codec.encode(said)
    except UnicodeEncodeError:
        return codec.storable(said, UserFailureData)
    return said


def error_info(error: BaseException) -> ErrorInfo:
    """The exception, its causes, and for each the frames outside of Segue.

    Frames of libraries that user code called are kept; they often say what went wrong. Where every frame is ours the
    stack is empty: the message alone has to say it. Endless chains and recursions are cut, and say so. Where errors of user
    code are to be hidden, an id stands for what it raised, and there are no frames.
    """
    if hides_errors():
        return _hidden(error)
    chain = cause_chain(error)
    info: ErrorInfo | None = None
    if len(chain) > _MOST_CAUSES:
        info = ErrorInfo(f"({len(chain) - _MOST_CAUSES} earlier causes are omitted)", "")
    for each in reversed(chain[:_MOST_CAUSES]):
        cause, context = (info, None) if each.__cause__ is not None else (None, info)
        info = ErrorInfo(_message(each), type(each).__name__, tuple(user_frames(each.__traceback__)), cause, context)
    assert info is not None  # the chain holds at least the error itself
    return info


def shown_text(error: BaseException) -> str:
    """The text of an error; where errors of user code are to be hidden, what stands for it."""
    return _hidden(error).message if hides_errors() else str(error)


def _hidden(error: BaseException) -> ErrorInfo:
    place = f"The process log has it under the error id {hidden_error_id(error)}."
    if bears_its_message(error):
        return ErrorInfo(f"{_message(error)}\nThe stack trace is hidden. {place}", type(error).__name__)
    name = RedactedUserCodeError.__name__
    return ErrorInfo(f"{name}: The error raised by user code is hidden. {place}", name)


def cause_chain(error: BaseException) -> list[BaseException]:
    """The exception, what it was raised from, and so on back."""
    chain: list[BaseException] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        chain.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def _message(error: BaseException) -> str:
    """What Python prints below the traceback; for a group also what each exception in it has to say."""
    text = "".join(traceback.format_exception_only(type(error), error)).rstrip("\n")
    if isinstance(error, BaseExceptionGroup):
        members: tuple[BaseException, ...] = error.exceptions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] reason: of what, nobody knows here
        for number, member in enumerate(members[:_MOST_CAUSES], start=1):
            text += f"\n  {number}. " + indent(error_info(member).to_string(), "     ").lstrip()
    return storable_text(text)


def user_frames(trace: TracebackType | None) -> list[str]:
    """The formatted frames of a traceback, without Segue's own."""
    frames = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith(_OWN_FOLDER)]
    lines = [storable_text(line) for line in traceback.format_list(frames)]
    half = _MOST_FRAMES // 2
    if len(lines) > _MOST_FRAMES:
        return [*lines[:half], f"  ({len(lines) - 2 * half} frames are omitted)\n", *lines[-half:]]
    return lines
