"""The URL of a database, as it may be shown."""

from __future__ import annotations

import re

# Up to the last @, so that nothing is shown of a password with an @ or a slash that was not escaped.
_IN_AUTHORITY = re.compile(r"(?<=://)([^:@/?]*):.*(?=@)", re.DOTALL)
_IN_QUERY = re.compile(r"(?i)([?&](?:ssl)?password=)[^&]*")
_HIDDEN = "***"


def masked(url: str) -> str:
    """The URL without its passwords."""
    return _IN_QUERY.sub(rf"\g<1>{_HIDDEN}", _IN_AUTHORITY.sub(rf"\g<1>:{_HIDDEN}", url))
