"""JSON on the wire: the same for the same value, and clear about what it does not know."""

from __future__ import annotations

import msgspec
import pytest

from segue.model import codec
from segue.model.keys import AssetCheckKey, AssetKey
from segue.model.metadata import AnyMetadataValue, MetadataValue


class Frame:
    """A class without a wire form."""


def test_the_order_that_users_wrote_is_kept() -> None:
    value = MetadataValue.json({"b": 1, "a": 2})
    assert codec.encode(value) == codec.encode(MetadataValue.json({"b": 1, "a": 2}))
    decoded = codec.decoder(AnyMetadataValue).decode(codec.encode(value))
    assert list(decoded.value) == ["b", "a"]


def test_an_asset_key_is_its_parts_on_the_wire() -> None:
    check = AssetCheckKey(AssetKey(["a", "b"]), "c")
    assert codec.encode(check) == b'[["a","b"],"c"]'
    assert codec.decoder(AssetCheckKey).decode(codec.encode(check)) == check
    assert codec.decoder(AssetKey) is codec.decoder(AssetKey)


def test_what_the_codec_does_not_know_is_named() -> None:
    with pytest.raises(NotImplementedError, match="Frame"):
        codec.encode(Frame())
    with pytest.raises(NotImplementedError, match="Frame"):
        codec.decoder(Frame).decode(b"1")
    with pytest.raises(msgspec.ValidationError):
        codec.decoder(AnyMetadataValue).decode(b'{"type":"unknown"}')
