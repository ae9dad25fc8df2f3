"""Errors as answers: one form for all of them, and the status that fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from segue.errors import (
    BackfillNotFoundError,
    InvalidConfigError,
    InvalidInvocationError,
    InvalidSubsetError,
    InvariantViolationError,
    LocationUnavailableError,
    RunNotFoundError,
    SegueError,
    StorageError,
    UnknownPartitionError,
)

_STATUS: tuple[tuple[type[SegueError], int], ...] = (
    (RunNotFoundError, 404),
    (BackfillNotFoundError, 404),
    (UnknownPartitionError, 422),
    (InvalidSubsetError, 422),
    (InvalidConfigError, 422),
    (InvalidInvocationError, 422),
    (InvariantViolationError, 409),
    (StorageError, 503),
    (LocationUnavailableError, 503),
)


class Problem(msgspec.Struct, frozen=True):
    """What went wrong, for a program and for a person."""

    error: str
    message: str


def _answer(status: int, error: str, message: str) -> Response[Problem]:
    return Response(Problem(error, message), status_code=status, media_type="application/json")


def _segue_error(_request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return _answer(status, type(error).__name__, str(error))


def _http_error(_request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    assert isinstance(error, HTTPException)  # the only errors that this handler is given
    extra: Any = error.extra
    details = f": {extra}" if extra else ""
    return _answer(error.status_code, type(error).__name__, f"{error.detail}{details}")


Handler: TypeAlias = Callable[[Request[Any, Any, Any], Exception], Response[Problem]]
EXCEPTION_HANDLERS: dict[int | type[Exception], Handler] = {SegueError: _segue_error, HTTPException: _http_error}
