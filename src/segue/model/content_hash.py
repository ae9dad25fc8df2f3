"""The name of stored content. Apart from what is named so: loading hash functions is a part of what importing Segue costs."""

from __future__ import annotations

import hashlib


def content_hash(data: bytes) -> str:
    """The name of stored content: the first 32 hex digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:32]
