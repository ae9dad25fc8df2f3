"""Payloads: JSON values that people and programs send to a sensor, which is asked at once and finds them in its context."""

from __future__ import annotations

import msgspec

from segue.errors import InvalidInvocationError

MOST_BYTES = 1 << 20
"""How long one payload may be."""
MOST_WAITING = 10_000
"""How many payloads may wait for one sensor."""


class Payload(msgspec.Struct, frozen=True):
    """A payload that waits.

    Attributes:
        number: its place in the order of arrival.
        sent_at: when it was sent, in seconds since 1970, UTC.
        text: the value, as JSON.
    """

    number: int
    sent_at: float
    text: str


def payload_text(given: str | bytes) -> str:
    """A payload as it is kept: one JSON value, without the space around its parts.

    Raises:
        InvalidInvocationError: the payload is not valid JSON, or exceeds the maximum size.
    """
    size = len(given)
    if size > MOST_BYTES:
        raise InvalidInvocationError(
            f"The payload has {size:,} bytes, more than the maximum of {MOST_BYTES:,}. Store the data elsewhere and send "
            "its location."
        )
    try:
        value = msgspec.json.decode(given)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidInvocationError(
            f"The payload is not valid JSON: {error}. Strings must be in double quotes."
        ) from error
    return msgspec.json.encode(value).decode()


def payload_value(text: str) -> object:
    """The value of a payload that is kept."""
    return msgspec.json.decode(text)
