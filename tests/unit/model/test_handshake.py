"""What control plane and code location show each other is of one side, one conversation and one token."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.model.handshake import (
    PROOF_BYTES,
    Side,
    guard,
    is_same,
    message_key,
    proof,
    transcript_of,
    versions_fit,
)


def test_a_proof_is_of_one_side_one_conversation_and_one_token() -> None:
    made = [
        make(token, side, transcript)
        for make in (proof, message_key)
        for token in ("one", "other")
        for side in Side
        for transcript in (b"x", b"y")
    ]
    assert len(set(made)) == 16
    assert {len(each) for each in made} == {PROOF_BYTES}
    assert proof("one", Side.LOCATION, b"x") == proof("one", Side.LOCATION, b"x")


@given(st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=6)), min_size=2, unique=True))
def test_no_two_conversations_have_one_transcript(conversations: list[tuple[bytes, bytes]]) -> None:
    assert len({transcript_of(*each) for each in conversations}) == len(conversations)


def test_a_message_is_guarded_in_its_place() -> None:
    made = [guard(*each) for each in itertools.product((b"k", b"l"), (0, 1, 1 << 40), (b"", b"m"))]
    assert len(set(made)) == 12
    assert is_same(guard(b"k", 0, b"m"), guard(b"k", 0, b"m"))
    assert not is_same(guard(b"k", 0, b"m"), guard(b"k", 1, b"m"))


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ("1.4.0", "1.4.9", True),
        ("1.4.0", "1.5.0", True),
        ("1.4.2", "1.3.7", True),
        ("1.4.0", "1.6.0", False),
        ("1.4.0", "1.2.9", False),
        ("1.0.0", "0.0.0", False),
        ("2.4.0", "1.4.0", False),
        ("1.10.0", "1.9.0", True),
        ("1.5.0rc1", "1.4.0", True),
        ("1", "1", False),
        ("", "1.0.0", False),
        ("1.x.0", "1.0.0", False),
    ],
)
def test_versions_fit_that_are_one_minor_version_apart(one: str, other: str, fits: bool) -> None:
    assert versions_fit(one, other) is fits
    assert versions_fit(other, one) is fits
