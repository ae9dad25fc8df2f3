"""A code location that is served over TCP is closed to all who do not show who they are; and who shows it is not fooled."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import Project
from control_plane import DEADLINE
from location_server import NAME, TOKEN, WITH_TOKEN, WITHOUT_TOKEN, between, check, far_project, far_server

from segue.model.handshake import NONCE_BYTES, Side, guard, message_key, proof, transcript_of
from segue.model.messages import (
    Greeting,
    Hello,
    Message,
    Proof,
    Refused,
    StartProcess,
    StepTask,
    decode_greeting,
    encode_message,
)
from segue.version import __version__


class Stranger:
    """A control plane made by hand.

    Args:
        port: of the server.
    """

    def __init__(self, port: int | str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", int(port)), DEADLINE)
        self.key = b""
        self.said = 0

    def say(self, message: Greeting) -> bytes:
        data = encode_message(message)
        self.socket.sendall(len(data).to_bytes(4) + data)
        return data

    def hear(self) -> Greeting:
        return decode_greeting.decode(self.hear_bytes())

    def hear_bytes(self) -> bytes:
        return self._exactly(int.from_bytes(self._exactly(4)))

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            data = self.socket.recv(count - len(found))
            assert data, "the server has closed the connection"
            found += data
        return found

    def is_shut_out(self) -> bool:
        """Waits for the end of the connection; False where something else is heard after a refusal."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True

    def introduce(self, token: str = TOKEN, version: str = __version__, name: str = NAME) -> Greeting:
        """Does what a control plane does; the last that the server says."""
        said = self.say(Hello(segue=version, nonce=bytes(NONCE_BYTES), location=name, has_token=True))
        heard = self.hear_bytes()
        answer = decode_greeting.decode(heard)
        if not isinstance(answer, Hello):
            return answer
        transcript = transcript_of(said, heard)
        self.say(Proof(content=proof(token, Side.CONTROL_PLANE, transcript)))
        self.key = message_key(token, Side.CONTROL_PLANE, transcript)
        return self.hear()

    def send(self, message: Message | bytes) -> None:
        """Sends a message as one does after the handshake."""
        data = message if isinstance(message, bytes) else encode_message(message)
        shown = guard(self.key, self.said, data)
        self.said += 1
        self.socket.sendall((len(data) + len(shown)).to_bytes(4) + data + shown)


@contextmanager
def _stranger(port: int | str) -> Iterator[Stranger]:
    found = Stranger(port)
    with found.socket:
        yield found


def test_who_knows_the_token_is_served_and_who_does_not_is_told(tmp_path: Path) -> None:
    with far_server(tmp_path) as server:
        good = check(tmp_path, server.url)
        assert (good.code, good.out) == (0, f"{NAME}: ready\n")
        wrong = check(tmp_path, server.url, {**WITH_TOKEN, "SEGUE_LOCATION_TOKEN": "another-token-of-good-length"})
        assert wrong.code == 1
        assert "token does not match" in wrong.err
        server.wait_for_line(": its token does not match")
        assert TOKEN not in "".join((good.err, wrong.err, *server.lines))
        own = check(tmp_path, server.url, WITHOUT_TOKEN, token=TOKEN)
        assert own.code == 0


@pytest.mark.parametrize(
    ("environment", "more", "said"),
    [
        (WITHOUT_TOKEN, {}, "SEGUE_LOCATION_TOKEN"),
        ({**WITH_TOKEN, "SEGUE_LOCATION_TOKEN": "short"}, {}, "at least 20"),
        ({"SEGUE_DATABASE": "", "SEGUE_LOCATION_TOKEN": TOKEN}, {}, "SEGUE_DATABASE"),
        (WITH_TOKEN, {"file": "a.py"}, "`file`"),
        (WITH_TOKEN, {"certificate": "a.pem"}, "`authority`"),
    ],
    ids=["no token", "short token", "sqlite", "with code", "half of tls"],
)
def test_a_control_plane_without_what_it_needs_says_so(
    tmp_path: Path, environment: dict[str, str], more: dict[str, str], said: str
) -> None:
    answer = check(tmp_path, 1, environment, **more)
    assert answer.code == 1
    assert said in answer.err
    assert "short" not in answer.err


@pytest.mark.parametrize(
    ("environment", "arguments", "said"),
    [
        (WITHOUT_TOKEN, (), "SEGUE_LOCATION_TOKEN"),
        (WITHOUT_TOKEN, ("--certificate", "far.py"), "SEGUE_LOCATION_TOKEN"),
        ({"SEGUE_DATABASE": "", "SEGUE_LOCATION_TOKEN": TOKEN}, (), "SEGUE_DATABASE"),
        (WITH_TOKEN, ("--certificate", "far.py"), "TLS cannot be set up with far.py"),
        (WITH_TOKEN, ("--authority", "far.py"), "`certificate`"),
        (WITH_TOKEN, ("other",), "other"),
    ],
    ids=["no token", "tls of one side", "sqlite", "no certificate", "half of tls", "no such location"],
)
def test_nothing_is_served_without_what_it_needs(
    tmp_path: Path, environment: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    answer = Project(far_project(tmp_path / "there")).run(
        "location", "serve", "--port", "0", *arguments, environment={**environment}
    )
    assert answer.code == 1
    assert said in answer.err


def _nothing(_stranger: Stranger) -> None:
    """Says nothing, and stays."""


def _garbage(stranger: Stranger) -> None:
    stranger.socket.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")


def _garbage_in_a_frame(stranger: Stranger) -> None:
    stranger.socket.sendall((3).to_bytes(4) + b"abc")


def _oversized(stranger: Stranger) -> None:
    stranger.socket.sendall((1 << 31).to_bytes(4) + bytes(1 << 20))


def _half(stranger: Stranger) -> None:
    stranger.socket.sendall((100).to_bytes(4) + b"half of it")


def _proof_first(stranger: Stranger) -> None:
    stranger.say(Proof(content=bytes(32)))


def _empty_proof(stranger: Stranger) -> None:
    stranger.say(Hello(segue=__version__, nonce=bytes(NONCE_BYTES), location=NAME, has_token=True))
    stranger.hear()
    stranger.say(Proof())


def _says_it_has_no_token(stranger: Stranger) -> None:
    stranger.say(Hello(segue=__version__, nonce=bytes(NONCE_BYTES), location=NAME))


def _proof_of_the_server(stranger: Stranger) -> None:
    """Shows the proof that a location gives, which is none of a control plane."""
    said = stranger.say(Hello(segue=__version__, nonce=bytes(NONCE_BYTES), location=NAME, has_token=True))
    stranger.say(Proof(content=proof(TOKEN, Side.LOCATION, transcript_of(said, stranger.hear_bytes()))))


@pytest.mark.parametrize(
    ("approach", "why"),
    [
        (_nothing, "timed out"),
        (_garbage, "not a Segue handshake"),
        (_garbage_in_a_frame, "not a Segue handshake"),
        (_oversized, "not a Segue handshake"),
        (_half, "timed out"),
        (_proof_first, "does not match this stage"),
        (_empty_proof, "token does not match"),
        (_says_it_has_no_token, "only one side has a token"),
        (_proof_of_the_server, "token does not match"),
    ],
)
def test_strangers_are_shut_out_and_keep_nobody_from_being_served(
    tmp_path: Path, approach: Callable[[Stranger], None], why: str
) -> None:
    with far_server(tmp_path, "--timeout", "1.5") as server, _stranger(server.url) as stranger:
        approach(stranger)
        assert stranger.is_shut_out()
        assert why in server.wait_for_line("Refused a connection")
        assert server.descendants() == []  # nobody had a process started
        with _stranger(server.url) as good:
            assert isinstance(good.introduce(), Proof)


def test_a_handshake_that_was_overheard_is_of_no_use(tmp_path: Path) -> None:
    with far_server(tmp_path) as server, between(server.url) as way:
        assert check(tmp_path, way.port).code == 0
        with _stranger(server.url) as again:
            again.socket.sendall(bytes(way.heard[0]))
            assert again.is_shut_out()
        server.wait_for_line(": its token does not match")


def test_what_is_changed_on_the_way_is_not_taken(tmp_path: Path) -> None:
    def changed(data: bytes) -> bytes:
        return data.replace(b"ready", b"weird")

    with far_server(tmp_path) as server, between(server.url) as way:
        way.changes = changed
        answer = check(tmp_path, way.port)
        assert answer.code == 1
        assert "altered in transit" in answer.err


def _twice(stranger: Stranger) -> None:
    """The same bytes again, which were good once."""
    stranger.send(b"")
    data = guard(stranger.key, 0, b"")
    stranger.socket.sendall(len(data).to_bytes(4) + data)


def _unguarded(stranger: Stranger) -> None:
    data = encode_message(StartProcess(number=1, task=b""))
    stranger.socket.sendall(len(data).to_bytes(4) + data)


def _too_large(stranger: Stranger) -> None:
    stranger.socket.sendall((1 << 30).to_bytes(4))


def _no_message(stranger: Stranger) -> None:
    stranger.send(b"abc")


def _no_task(stranger: Stranger) -> None:
    stranger.send(StartProcess(number=1, task=b"abc"))


def _a_step(stranger: Stranger) -> None:
    stranger.send(StartProcess(number=1, task=encode_message(StepTask(step=b"", attempt=1, token=1))))


@pytest.mark.parametrize(
    ("misdeed", "why"),
    [
        (_twice, "altered in transit"),
        (_unguarded, "altered in transit"),
        (_too_large, "too large"),
        (_no_message, "cannot be understood"),
        (_no_task, "cannot be understood"),
        (_a_step, "a process for a step"),
    ],
)
def test_who_is_known_says_only_what_may_be_said(tmp_path: Path, misdeed: Callable[[Stranger], None], why: str) -> None:
    with far_server(tmp_path) as server, _stranger(server.url) as known:
        assert isinstance(known.introduce(), Proof)
        misdeed(known)
        assert known.is_shut_out()
        assert why in server.wait_for_line("Control plane disconnected")


@pytest.mark.parametrize(
    ("version", "fits"), [("0.0.9", True), ("0.2.0", True), ("0.3.0", False), ("1.1.0", False), ("x", False)]
)
def test_versions_are_compared_first(tmp_path: Path, version: str, fits: bool) -> None:
    with far_server(tmp_path) as server, _stranger(server.url) as other:
        answer = other.introduce(version=version)
        if fits:
            assert isinstance(answer, Proof)
        else:
            assert isinstance(answer, Refused)
            assert version in answer.reason
            assert __version__ in answer.reason


def test_another_location_than_the_one_that_is_wanted_is_told(tmp_path: Path) -> None:
    with far_server(tmp_path) as server, _stranger(server.url) as other:
        answer = other.introduce(name="near")
        assert isinstance(answer, Refused)
        assert "'near'" in answer.reason


def test_a_server_that_does_not_know_the_token_is_not_believed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def pretend() -> None:
            stream, _ = listening.accept()
            with stream:
                stream.recv(1 << 16)
                for each in (
                    Hello(segue=__version__, nonce=bytes(NONCE_BYTES), has_token=True),
                    Proof(content=bytes(32)),
                ):
                    data = encode_message(each)
                    stream.sendall(len(data).to_bytes(4) + data)
                stream.recv(1 << 16)

        pretending = threading.Thread(target=pretend)
        pretending.start()
        answer = check(tmp_path, listening.getsockname()[1])
        pretending.join()
    assert answer.code == 1
    assert "does not know the token" in answer.err
