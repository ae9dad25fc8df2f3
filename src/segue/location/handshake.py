"""The first words of a connection between a control plane and a code location on another machine; see `model/handshake`."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
import time
from typing import TypeVar

import msgspec

from segue.location.connection import Connection, ConnectionLostError, Keys
from segue.model.handshake import NONCE_BYTES, Side, is_same, message_key, proof, transcript_of, versions_fit
from segue.model.location import Credentials, Remote
from segue.model.messages import Greeting, Hello, Proof, Refused, decode_greeting, encode_message
from segue.version import __version__

_LARGEST_GREETING = 4096  # bytes
_LENGTH = 4
_Kind = TypeVar("_Kind", Hello, Proof)


def connect(name: str, remote: Remote, database: str | None) -> Connection:
    """Makes a connection to a code location, whose name and credentials are as expected.

    Args:
        name: of the code location.
        remote: where it is served.
        database: a name for the database in which this side records; see `Hello`.

    Raises:
        ConnectionLostError: it cannot be made, one side does not know the other, or they record in different databases.
    """
    deadline = time.monotonic() + remote.timeout
    stream: socket.socket | None = None
    try:
        stream = socket.create_connection((remote.host, remote.port), remote.timeout)
        context = client_context(remote.credentials)
        if context is not None:
            _limit(stream, deadline)
            stream = context.wrap_socket(stream, server_hostname=remote.host)
        keys = _introduce(_Talk(stream, deadline), name, remote.credentials, database)
        return Connection(stream, keys, remote.timeout)
    except (OSError, ValueError, ConnectionLostError) as error:  # ValueError: a host that is none
        if stream is not None:
            stream.close()
        raise ConnectionLostError(str(error)) from error


def welcome(
    stream: socket.socket, name: str, credentials: Credentials, timeout: float, database: str | None
) -> Connection:
    """Makes a connection of one that a control plane has opened, if that knows what it must.

    Args:
        stream: the socket as it was accepted; closed where the connection is not made.
        name: of the code location that is served here.
        credentials: by what both sides know each other.
        timeout: after how many seconds without a word the connection counts as lost; so long may the handshake take.
        database: a name for the database in which this side records; see `Hello`.

    Raises:
        ConnectionLostError: the other side did not show that it may, in time, or it records in another database.
    """
    deadline = time.monotonic() + timeout
    try:
        context = server_context(credentials)
        if context is not None:
            _limit(stream, deadline)
            stream = context.wrap_socket(stream, server_side=True)
        keys = _receive_guest(_Talk(stream, deadline), name, credentials, database)
        return Connection(stream, keys, timeout)
    except (OSError, ConnectionLostError) as error:
        stream.close()
        raise ConnectionLostError(str(error)) from error


def client_context(credentials: Credentials) -> ssl.SSLContext | None:
    """TLS as a control plane speaks it; None without an authority.

    Raises:
        OSError: a file cannot be read, or holds no certificate or key.
    """
    if credentials.authority is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which checks certificate and host
    return _with_files(context, credentials)


def server_context(credentials: Credentials) -> ssl.SSLContext | None:
    """TLS as a code location speaks it; None without a certificate.

    Raises:
        OSError: a file cannot be read, or holds no certificate or key.
    """
    if credentials.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if credentials.authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return _with_files(context, credentials)


def _with_files(context: ssl.SSLContext, credentials: Credentials) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if credentials.authority is not None:
        context.load_verify_locations(credentials.authority)
    if credentials.certificate is not None:
        context.load_cert_chain(credentials.certificate, credentials.key)
    return context


def _introduce(talk: _Talk, name: str, credentials: Credentials, database: str | None) -> Keys | None:
    """The side of the control plane."""
    has_token = credentials.token is not None
    said = talk.say(Hello(segue=__version__, nonce=_nonce(), location=name, has_token=has_token, database=database))
    heard, hello = talk.hear(Hello)
    _require_fitting(hello, credentials)
    transcript = transcript_of(said, heard)
    talk.say(_proof(credentials, Side.CONTROL_PLANE, transcript))
    _, shown = talk.hear(Proof)
    if not is_same(shown.content, _proof(credentials, Side.LOCATION, transcript).content):
        raise ConnectionLostError("the server does not know the token, so it is not this code location")
    return _keys(credentials, Side.CONTROL_PLANE, Side.LOCATION, transcript)


def _receive_guest(talk: _Talk, name: str, credentials: Credentials, database: str | None) -> Keys | None:
    """The side of the code location."""
    try:
        heard, hello = talk.hear(Hello)
        _require_fitting(hello, credentials)
        has_token = credentials.token is not None
        said = talk.say(Hello(segue=__version__, nonce=_nonce(), has_token=has_token, database=database))
        transcript = transcript_of(heard, said)
        _, shown = talk.hear(Proof)
        if not is_same(shown.content, _proof(credentials, Side.CONTROL_PLANE, transcript).content):
            raise ConnectionLostError("its token does not match that of this code location")
        if hello.location != name:
            raise ConnectionLostError(f"this server provides the code location {name!r}, not {hello.location!r}")
        if None not in (database, hello.database) and hello.database != database:
            raise ConnectionLostError(
                "it uses another database than the code location, and would never see its runs. Set `database` "
                "(SEGUE_DATABASE) to the same Postgres database on both machines"
            )
    except ConnectionLostError as error:
        with contextlib.suppress(OSError):  # it may be gone
            talk.say(Refused(reason=str(error)))
        raise
    talk.say(_proof(credentials, Side.LOCATION, transcript))
    return _keys(credentials, Side.LOCATION, Side.CONTROL_PLANE, transcript)


def _require_fitting(hello: Hello, credentials: Credentials) -> None:
    """Refuses another version, and who has a token where none is known, or the other way round."""
    if not versions_fit(hello.segue, __version__):
        raise ConnectionLostError(
            f"one side runs segue {hello.segue[:40]} and the other {__version__}; they must not differ by more "
            "than one minor version"
        )
    if hello.has_token != (credentials.token is not None):
        raise ConnectionLostError("only one side has a token: use the same token on both sides, or TLS without a token")


def _nonce() -> bytes:
    return secrets.token_bytes(NONCE_BYTES)


def _proof(credentials: Credentials, side: Side, transcript: bytes) -> Proof:
    token = credentials.token
    return Proof(content=b"" if token is None else proof(token, side, transcript))


def _keys(credentials: Credentials, own: Side, other: Side, transcript: bytes) -> Keys | None:
    token = credentials.token
    return None if token is None else Keys(message_key(token, own, transcript), message_key(token, other, transcript))


def _limit(stream: socket.socket, deadline: float) -> None:
    """Has the next operation end by then."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise ConnectionLostError("the handshake timed out")
    stream.settimeout(left)


class _Talk:
    """Messages one after the other, each small, all before a deadline."""

    def __init__(self, stream: socket.socket, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def say(self, greeting: Greeting) -> bytes:
        """Sends a message; gives back its bytes."""
        message = encode_message(greeting)
        _limit(self._stream, self._deadline)
        self._stream.sendall(len(message).to_bytes(_LENGTH) + message)
        return message

    def hear(self, kind: type[_Kind]) -> tuple[bytes, _Kind]:
        """Waits for a message of this kind; gives its bytes, too.

        Raises:
            ConnectionLostError: it says something else, or why it refuses.
        """
        size = int.from_bytes(self._exactly(_LENGTH))
        if size > _LARGEST_GREETING:
            raise ConnectionLostError("the message is not a Segue handshake")
        message = self._exactly(size)
        try:
            found: Greeting = decode_greeting.decode(message)
        except msgspec.DecodeError as error:
            raise ConnectionLostError("the message is not a Segue handshake") from error
        if isinstance(found, Refused):
            raise ConnectionLostError(f"the other side refused the connection: {found.reason}")
        if not isinstance(found, kind):
            raise ConnectionLostError("the message does not match this stage of the handshake")
        return message, found

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            _limit(self._stream, self._deadline)
            data = self._stream.recv(count - len(found))
            if not data:
                raise ConnectionLostError("the other side closed the connection during the handshake")
            found += data
        return found
