"""How a control plane and a code location on another machine prove to each other who they are. Pure: nonces are arguments.

Each side says hello with a nonce of its own. What both have said is the transcript: a proof over it shows that one knows the
token, and is of no use in any other conversation. The control plane proves first, so that nobody gets anything out of a
location that it could try guesses on. The keys that both then have guard each message that follows.
"""

from __future__ import annotations

import enum
import hmac

NONCE_BYTES = 32
PROOF_BYTES = 32
SHORTEST_TOKEN = 20
"""Characters: shorter ones could be guessed by who has heard a handshake."""


class Side(enum.Enum):
    """Who says something; a proof of one is none of the other."""

    CONTROL_PLANE = b"control plane"
    LOCATION = b"code location"


def transcript_of(control_plane: bytes, location: bytes) -> bytes:
    """What both have said, as one text that no other two could be."""
    return b"".join(len(hello).to_bytes(4) + hello for hello in (control_plane, location))


def proof(token: str, side: Side, transcript: bytes) -> bytes:
    """What shows that a side knows the token."""
    return _digest(token.encode(), b"segue proof of the " + side.value, transcript)


def message_key(token: str, side: Side, transcript: bytes) -> bytes:
    """The key that guards what a side says after the handshake."""
    return _digest(token.encode(), b"segue messages of the " + side.value, transcript)


def guard(key: bytes, number: int, message: bytes) -> bytes:
    """What shows that the message with this number, counted from 0, is of who has the key."""
    return _digest(key, number.to_bytes(8), message)


def is_same(one: bytes, other: bytes) -> bool:
    """Whether two proofs are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)


def versions_fit(one: str, other: str) -> bool:
    """Whether two versions of Segue understand each other: at most one minor version lies between them."""
    parts = [version.split(".")[:2] for version in (one, other)]
    if not all(len(each) == 2 and all(part.isdecimal() for part in each) for each in parts):
        return False
    (major, minor), (other_major, other_minor) = ((int(first), int(second)) for first, second in parts)
    return major == other_major and abs(minor - other_minor) <= 1


def _digest(key: bytes, label: bytes, content: bytes) -> bytes:
    return hmac.digest(key, len(label).to_bytes(4) + label + content, "sha256")
