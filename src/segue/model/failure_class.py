"""What sort of failure it is: a class for each, found by a table of rules over what is known of the failure. Pure.

A rule speaks of one exception of the chain (an exception, what it was raised from, and so on back). The outermost
exception that any rule fits decides, and of the rules that fit it the first. What no rule fits is the user's code.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import msgspec

from segue.errors import InvalidDefinitionError, WrongDeclarationError


class FailureClass(enum.StrEnum):
    """What sort of failure it is.

    USER_CODE: the code itself, and whatever no rule knows.
    UPSTREAM_DATA: input data is missing or unreadable.
    VALIDATION: a value is not as it was declared that it must be.
    CREDENTIALS: the other side does not know or allow the caller (401, 403), or the credentials have expired.
    RATE_LIMIT: the other side refuses so many requests (429).
    NETWORK: the other side cannot be reached, or is failing (5xx).
    TIMEOUT: something took longer than it may.
    OUT_OF_MEMORY: there is not enough memory left.
    KILLED: a signal ended the process, or a person interrupted it.
    PLATFORM: what Segue itself depends on: its store, the disk, the machine.
    """

    USER_CODE = "user_code"
    UPSTREAM_DATA = "upstream_data"
    VALIDATION = "validation"
    CREDENTIALS = "credentials"
    RATE_LIMIT = "rate_limit"
    NETWORK = "network"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED = "killed"
    PLATFORM = "platform"


def failure_class_of(value: str, where: str) -> FailureClass:
    """A failure class, or the value of one as users write it.

    Raises:
        InvalidDefinitionError: unknown failure class.
    """
    try:
        return FailureClass(value)
    except ValueError as error:
        known = ", ".join(each.value for each in FailureClass)
        raise InvalidDefinitionError(f"{where}: {value!r} is not a failure class; expected one of: {known}.") from error


class RaisedError(msgspec.Struct, frozen=True):
    """One exception of a chain, as far as rules look at it.

    Attributes:
        classes: the names of its class and of the bases of that, each with its module, the class itself first.
        message: its own text, without the class.
        status: the status of a reply over HTTP that it stands for, 400 to 599.
        codes: other names that it goes by: of an error of the operating system (`ECONNRESET`), of a database
            (an SQLSTATE, `SQLITE_BUSY`), of a cloud (`ThrottlingException`), of a signal (`SIGKILL`).
    """

    classes: tuple[str, ...]
    message: str = ""
    status: int | None = None
    codes: tuple[str, ...] = ()


class ExitFacts(msgspec.Struct, frozen=True):
    """How a process ended that should have gone on.

    Attributes:
        exit_code: what it returned; None where a signal ended it.
        signal: the number of that signal.
        is_out_of_memory: whether it is known that it was ended for the memory it took.
    """

    exit_code: int | None = None
    signal: int | None = None
    is_out_of_memory: bool = False


class FailureRule(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Failures of this sort are of that class. All that a rule says must hold of one exception.

    Attributes:
        failure_class: the class: a `FailureClass`, or its value (`"credentials"`).
        exception: the class of the exception or one of its bases: `"package.module.Name"`, or the name alone.
        message: a regular expression that its text must contain.
        status: the first and last status of a reply that it may stand for, both inclusive; or a single one.
        code: a regular expression that one of its codes must be: `"ECONNRESET"`, `"28..."`, `"Throttling.*"`.

    Raises:
        InvalidDefinitionError: unknown failure class, invalid regular expression, or a rule that matches nothing.
    """

    failure_class: str
    exception: str | None = None
    message: str | None = None
    status: tuple[int, int] | int | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "failure_class", failure_class_of(self.failure_class, "FailureRule"))
        if self.exception is None and self.message is None and self.status is None and self.code is None:
            raise InvalidDefinitionError(
                "FailureRule: the rule matches no failure; set exception, message, status or code."
            )
        for name, text in (("exception", self.exception), ("message", self.message), ("code", self.code)):
            if text is not None and not isinstance(cast("Any", text), str):
                raise WrongDeclarationError(f"FailureRule: {name} must be a string, got {text!r}.")
        for name, pattern in (("message", self.message), ("code", self.code)):
            try:
                re.compile(pattern or "")
            except re.error as error:
                raise InvalidDefinitionError(
                    f"FailureRule: {name}={pattern!r} is not a valid regular expression: {error}. Escape literal "
                    "characters with a backslash."
                ) from error

    def fits(self, raised: RaisedError) -> bool:
        """Whether an exception is of this sort."""
        if self.exception is not None and not _is_named(self.exception, raised.classes):
            return False
        if self.status is not None and not _is_within(self.status, raised.status):
            return False
        if self.code is not None and not any(_expression(self.code).fullmatch(each) for each in raised.codes):
            return False
        return self.message is None or _expression(self.message).search(raised.message) is not None


def classify(chain: Sequence[RaisedError], rules: Sequence[FailureRule]) -> FailureClass | None:
    """The class of a failure by some rules; None where no rule fits.

    Args:
        chain: the exception, then what it was raised from, and so on back.
        rules: the first that fits an exception counts.
    """
    for raised in chain:
        for rule in rules:
            if rule.fits(raised):
                return FailureClass(rule.failure_class)
    return None


def class_of_exit(facts: ExitFacts) -> FailureClass:
    """The class of a failure that ended a process before it could say anything."""
    if facts.is_out_of_memory:
        return FailureClass.OUT_OF_MEMORY
    if facts.signal is not None or (facts.exit_code is not None and facts.exit_code > _SIGNAL_CODES):
        return FailureClass.KILLED
    return FailureClass.USER_CODE


_SIGNAL_CODES = 128  # a shell returns this much more than the number of the signal that ended its child


def _is_named(name: str, classes: Sequence[str]) -> bool:
    if "." in name:
        return name in classes
    return any(each.rpartition(".")[2] == name for each in classes)


def _is_within(bounds: tuple[int, int] | int, status: int | None) -> bool:
    if status is None:
        return False
    first, last = bounds if isinstance(bounds, tuple) else (bounds, bounds)
    return first <= status <= last


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
