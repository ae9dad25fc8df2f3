"""What the rules for failure classes look at, read off an exception and what it was raised from."""

from __future__ import annotations

import errno
import signal
from collections.abc import Mapping, Sequence
from typing import Any, cast

from segue.defs.results import Failure
from segue.execute.failure import cause_chain
from segue.model.failure_class import FailureClass, FailureRule, RaisedError
from segue.model.failure_table import class_of_failure

_STATUS_NAMES = ("status_code", "status", "http_status", "code")
_CODE_NAMES = ("sqlstate", "pgcode", "sqlite_errorname", "error_code", "code", "errno")
_SIGNAL_CODES = 128  # a shell returns this much more than the number of the signal that ended its child
_MOST_CAUSES = 20


def failure_class(error: BaseException, rules: Sequence[FailureRule]) -> FailureClass:
    """The class of a failure: what user code said of it (`Failure`), or what the rules say of it and its causes."""
    chain = cause_chain(error)[:_MOST_CAUSES]
    for each in chain:
        if isinstance(each, Failure) and each.failure_class is not None:
            return each.failure_class
    return class_of_failure([facts for each in chain for facts in _with_members(each)], rules)


def _with_members(error: BaseException) -> list[RaisedError]:
    """The exception; of a group, then each exception in it."""
    found = [_raised(error)]
    if isinstance(error, BaseExceptionGroup):
        members: tuple[BaseException, ...] = error.exceptions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] reason: of what, nobody knows here
        for member in members[:_MOST_CAUSES]:
            found.extend(facts for each in cause_chain(member)[:_MOST_CAUSES] for facts in _with_members(each))
    return found


def _raised(error: BaseException) -> RaisedError:
    classes = tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__ if kind is not object)
    try:
        message = str(error)
    except Exception as mistake:  # noqa: BLE001 reason: the exception is the user's, and so is how it shows itself
        message = f"(its text is not available: {mistake!r})"
    return RaisedError(classes, message, _status(error), tuple(_codes(error)))


def _status(error: BaseException) -> int | None:
    """The status of the reply over HTTP that an exception stands for."""
    response = _attribute(error, "response")
    if isinstance(response, Mapping):  # of the clients of Amazon's services
        about = cast("Mapping[str, Any]", response).get("ResponseMetadata")
        found: object = cast("Mapping[str, Any]", about).get("HTTPStatusCode") if isinstance(about, Mapping) else None
        return _status_of(found)
    for holder in (error, response, _attribute(error, "resp")):
        for name in () if holder is None or isinstance(error, SystemExit) else _STATUS_NAMES:
            status = _status_of(_attribute(holder, name))
            if status is not None:
                return status
    return None


def _status_of(value: object) -> int | None:
    """What may be the status of a reply, as a number; None for anything else."""
    return int(value) if isinstance(value, int) and 400 <= value <= 599 else None


def _codes(error: BaseException) -> list[str]:
    """The other names that an exception goes by."""
    found: list[str] = []
    if isinstance(error, OSError) and error.errno is not None:
        found.append(errno.errorcode.get(error.errno, ""))
    response = _attribute(error, "response")
    if isinstance(response, Mapping):
        about = cast("Mapping[str, Any]", response).get("Error")
        if isinstance(about, Mapping):
            found.append(str(cast("Mapping[str, Any]", about).get("Code", "")))
    for name in () if isinstance(error, OSError) else _CODE_NAMES:
        value = _attribute(error, name)
        if name == "code" and callable(value) and _is_of(error, "grpc"):
            value = _attribute(value(), "name")
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            found.append(str(value))
    number = _attribute(error, "returncode")
    if isinstance(number, int):
        found.extend(_signals(number))
    return [each for each in found if each]


def _signals(returncode: int) -> list[str]:
    """The name of the signal that ended a process which returned this."""
    number = -returncode if returncode < 0 else returncode - _SIGNAL_CODES
    known = {each.value: each.name for each in signal.Signals}
    return [known[number]] if number in known else []


def _is_of(error: BaseException, package: str) -> bool:
    return any(kind.__module__.partition(".")[0] == package for kind in type(error).__mro__)


def _attribute(holder: object, name: str) -> Any:
    """An attribute; None where there is none, or where asking for it raises."""
    try:
        return getattr(holder, name, None)
    except Exception:  # noqa: BLE001 reason: properties of other people's exceptions; one that raises says nothing
        return None
