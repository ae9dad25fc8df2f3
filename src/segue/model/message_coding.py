"""How messages are written: packed, or as JSON where they hold numbers that have no packed form."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from segue.model import codec

Said = TypeVar("Said")
_PACK = msgspec.msgpack.Encoder(enc_hook=codec.enc_hook).encode
_BRACE = b"{"  # no packed message begins so


def encode(message: object) -> bytes:
    """A message as bytes."""
    try:
        return _PACK(message)
    except OverflowError:  # a whole number of more than 64 bits, which user code may put into metadata or config
        return codec.encode(message)


class MessageDecoder(Generic[Said]):
    """Reads messages of a kind.

    Args:
        kind: the class of the messages, or the union of their classes.
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._unpack = msgspec.msgpack.Decoder(kind, dec_hook=codec.dec_hook).decode

    def decode(self, data: bytes) -> Said:
        """One message.

        Raises:
            msgspec.ValidationError: the bytes are none of these messages.
        """
        return codec.decoder(self._kind).decode(data) if data[:1] == _BRACE else self._unpack(data)
