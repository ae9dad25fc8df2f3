"""`apply_freshness_policy`: a freshness policy for assets that are declared elsewhere."""

from __future__ import annotations

from segue.errors import WrongDeclarationError
from segue.model.assets import AssetSpec
from segue.model.freshness import FreshnessPolicy


def apply_freshness_policy(spec: AssetSpec, policy: FreshnessPolicy, overwrite_existing: bool = True) -> AssetSpec:
    """A copy of a spec with a freshness policy; for use with `Definitions.map_asset_specs`.

    Args:
        spec: the asset.
        policy: how old it may get.
        overwrite_existing: whether it takes the place of a policy that the spec has already.

    Raises:
        WrongDeclarationError: `policy` is none.
    """
    if not isinstance(policy, FreshnessPolicy):  # pyright: ignore[reportUnnecessaryIsInstance] reason: door to user code
        raise WrongDeclarationError(f"apply_freshness_policy: policy must be a FreshnessPolicy, got {policy!r}.")
    if spec.freshness_policy is not None and not overwrite_existing:
        return spec
    return spec.replace_attributes(freshness_policy=policy)
