"""The keys that the decorators of assets give."""

from __future__ import annotations

from segue.errors import InvalidDefinitionError
from segue.model.keys import (
    AssetKey,
    CoercibleToAssetKey,
    CoercibleToAssetKeyPrefix,
    is_name,
    require_name,
    require_text,
)


def asset_key_of(
    own_name: str,
    key: CoercibleToAssetKey | None,
    prefix: CoercibleToAssetKeyPrefix | None,
    name: str | None,
    decorator: str = "asset",
) -> AssetKey:
    """The key that a decorator's arguments mean.

    Args:
        own_name: the name that was given, or the function's.
        key, prefix, name: as the user gave them.
        decorator: how errors name it.

    Raises:
        InvalidDefinitionError: a key together with parts of one, or an invalid name.
    """
    if key:
        if name is not None or prefix is not None:
            raise InvalidDefinitionError(
                f"{decorator} {own_name!r}: key cannot be combined with name or key_prefix; keep one."
            )
        return AssetKey.from_coercible(key)
    require_text(own_name, "an asset", decorator)
    found = AssetKey.from_user_string(own_name) if "/" not in own_name else AssetKey(own_name)
    is_possible = is_name(own_name.replace(".", "_").replace("-", "_"))  # as the step's name has it
    require_name(found.to_python_identifier() if is_possible else own_name, "an asset", decorator)
    return found.with_prefix(prefix) if prefix else found
