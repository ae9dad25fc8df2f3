"""What a file says of assets and of checks on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, Field

from segue.defs.components.partitions_attributes import ResolvedPartitionsDefinition
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolvable import Resolvable, resolve_fields
from segue.defs.components.resolver import Model, Resolver
from segue.model.assets import AssetSpec
from segue.model.checks import AssetCheckSpec
from segue.model.condition.base import AnyCondition
from segue.model.freshness import FreshnessPolicy
from segue.model.keys import AssetKey


def resolve_asset_key(context: ResolutionContext, key: Any) -> AssetKey:
    """The key of an asset, written `prefix/name`."""
    found = context.resolve_value(key, as_type=str)
    return AssetKey.from_user_string(found) if isinstance(found, str) else AssetKey.from_coercible(found)


def _resolve_key_prefix(context: ResolutionContext, prefix: Any) -> Sequence[str] | None:
    found = context.resolve_value(prefix)
    return AssetKey.from_user_string(found).path if isinstance(found, str) else found


def _resolve_tags(context: ResolutionContext, tags: Any) -> Mapping[str, str]:
    """Tags are text; numbers and truths of a file are written out."""
    return {str(key): str(value) for key, value in context.resolve_value(tags).items()}


def _given_by_template(context: ResolutionContext, value: Any) -> Any:
    """What only a template can give."""
    if isinstance(value, str):
        raise context.error(
            f"a template that gives the object is expected here, such as '{{{{ ... }}}}'; got {value!r}."
        )
    return value


ResolvedAssetKey: TypeAlias = Annotated[AssetKey, Resolver(resolve_asset_key, model_field_type=str)]
"""The key of an asset, which a file writes `prefix/name`."""

_Key: TypeAlias = Annotated[
    AssetKey,
    Resolver(
        resolve_asset_key,
        model_field_type=str,
        description="The name of the asset; parts are separated by '/'.",
        examples=["orders", "sales/orders"],
    ),
]
_Condition: TypeAlias = Annotated[
    AnyCondition | None,
    Resolver(
        _given_by_template,
        model_field_type=str | None,
        description="When to request it: a template that gives a condition.",
        examples=["{{ dg.AutomationCondition.eager() }}"],
    ),
]
_Described = Annotated[str | None, Resolver.default(description="What it is, for people.", examples=["Paid orders."])]
_Metadata: TypeAlias = Annotated[
    Mapping[str, Any], Resolver.default(description="Facts about it.", examples=[{"owner_team": "sales"}])
]


class SharedAssetKwargs(Resolvable, Model):
    """What a file can say of one asset or of many: everything but the key."""

    deps: Annotated[
        list[Any] | None,
        Resolver.default(
            model_field_type=list[str] | None, description="The assets it is made from.", examples=[["raw/orders"]]
        ),
    ] = None
    description: _Described = None
    metadata: _Metadata = Field({})
    group_name: Annotated[str | None, Resolver.default(description="The group it is shown in.", examples=["sales"])] = (
        None
    )
    skippable: Annotated[
        bool | None, Resolver.default(description="Whether its computation may leave it out.", examples=[True])
    ] = None
    code_version: Annotated[
        str | None, Resolver.default(description="Changes when the meaning of the code changes.", examples=["3"])
    ] = None
    owners: Annotated[
        Sequence[str] | None,
        Resolver.default(description="E-mail addresses or `team:name`.", examples=[["team:sales"]]),
    ] = None
    tags: Annotated[
        Mapping[str, str],
        Resolver(
            _resolve_tags,
            model_field_type=Mapping[str, str | int | float | bool],
            description="Short words to search and select by.",
            examples=[{"tier": "1"}],
        ),
    ] = Field({})
    kinds: Annotated[
        Sequence[str], Resolver.default(description="What it is made of.", examples=[["python", "parquet"]])
    ] = []
    automation_condition: _Condition = None
    partitions_def: ResolvedPartitionsDefinition = None
    freshness_policy: Annotated[
        FreshnessPolicy | None,
        Resolver(
            _given_by_template,
            model_field_type=str | None,
            description="How old it may get: a template that gives a policy.",
            examples=["{{ dg.FreshnessPolicy.cron('0 9 * * *', datetime.timedelta(hours=3)) }}"],
        ),
    ] = None


class AssetSpecKwargs(SharedAssetKwargs):
    """What a file can say of one asset."""

    key: _Key


class AssetAttributes(SharedAssetKwargs):
    """The attributes that a file can set on assets that are named elsewhere."""

    key: Annotated[
        AssetKey | None,
        Resolver(
            resolve_asset_key, model_field_type=str | None, description="The name of the asset, in place of its own."
        ),
    ] = None
    key_prefix: Annotated[
        Sequence[str] | None,
        Resolver(
            _resolve_key_prefix,
            model_field_type=str | Sequence[str] | None,
            description="Parts before the name of the asset.",
            examples=["sales", ["raw", "sales"]],
        ),
    ] = None


AssetAttributesModel = AssetAttributes.model()
AssetSpecModel = AssetSpecKwargs.model()


def resolve_asset_attributes(context: ResolutionContext, model: Any) -> Mapping[str, Any]:
    """The attributes that a file gives, by name, as `AssetSpec` takes them."""
    return resolve_fields(model, AssetAttributes, context)


def resolve_asset_spec(context: ResolutionContext, model: BaseModel) -> AssetSpec:
    """The spec that a file gives."""
    return AssetSpec(**resolve_fields(model, AssetSpecKwargs, context))


ResolvedAssetAttributes: TypeAlias = Annotated[
    Mapping[str, Any], Resolver(resolve_asset_attributes, model_field_type=AssetAttributesModel)
]
"""Attributes of assets, by name, as `AssetSpec` takes them."""

ResolvedAssetSpec: TypeAlias = Annotated[AssetSpec, Resolver(resolve_asset_spec, model_field_type=AssetSpecModel)]
"""An asset, described attribute by attribute."""


class AssetCheckSpecKwargs(Resolvable, Model):
    """What a file can say of one check."""

    name: Annotated[str, Resolver.default(description="The name of the check.", examples=["not_empty"])]
    asset: _Key
    additional_deps: Annotated[
        list[Any] | None,
        Resolver.default(model_field_type=list[str] | None, description="Other assets it reads.", examples=[["rates"]]),
    ] = None
    description: _Described = None
    blocking: Annotated[
        bool, Resolver.default(description="Whether its failure stops what is downstream.", examples=[True])
    ] = False
    metadata: _Metadata = Field({})
    automation_condition: _Condition = None


def resolve_asset_check_spec(context: ResolutionContext, model: BaseModel) -> AssetCheckSpec:
    """The spec of a check that a file gives."""
    return AssetCheckSpec(**resolve_fields(model, AssetCheckSpecKwargs, context))


ResolvedAssetCheckSpec: TypeAlias = Annotated[
    AssetCheckSpec, Resolver(resolve_asset_check_spec, model_field_type=AssetCheckSpecKwargs.model())
]
"""A check, described attribute by attribute."""
