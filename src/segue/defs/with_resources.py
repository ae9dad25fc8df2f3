"""`with_resources`: definitions with the resources that they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from segue.defs.assets_definition import AssetsDefinition
from segue.defs.config_schema.place import ROOT
from segue.defs.resource_checks import missing_resource
from segue.defs.resource_definition import ResourceDefinition
from segue.defs.resource_order import needed_keys_of, resource_order, with_needs
from segue.defs.source_asset import SourceAsset
from segue.errors import InvalidDefinitionError, InvalidInvocationError, WrongArgumentError
from segue.model.arguments import require_kind
from segue.model.keys import DEFAULT_IO_MANAGER_KEY

T = TypeVar("T")


def with_resources(
    definitions: Iterable[T],
    resource_defs: Mapping[str, object],
    resource_config_by_key: Mapping[str, Any] | None = None,
) -> Sequence[T]:
    """Copies of asset definitions with the resources that they need, and those that these require.
    `Definitions(resources=...)` gives them to all at once.

    Args:
        definitions: assets, and external assets.
        resource_defs: the resources by key.
        resource_config_by_key: config of some of them: `{"db": {"config": {...}}}`.

    Raises:
        InvalidDefinitionError: a required resource that was not provided.
        InvariantViolationError: resources that depend on each other in a circle.
        InvalidInvocationError: a definition already has a different resource with the same key; or invalid config.
        InvalidConfigError: the config is invalid.
    """
    require_kind("with_resources", "resource_defs", resource_defs, Mapping)
    given = {key: _configured(key, value, resource_config_by_key or {}) for key, value in resource_defs.items()}
    return [_with(each, given) for each in definitions]


def _configured(key: str, value: object, configs: Mapping[str, Any]) -> object:
    """A resource with its config given, where there is any."""
    if key not in configs:
        return value
    entry: object = configs[key]
    if not isinstance(entry, Mapping) or "config" not in entry:
        raise WrongArgumentError(f"resource_config_by_key[{key!r}] must be {{'config': ...}}, got {entry!r}.")
    config = cast("Mapping[str, Any]", entry)["config"]
    resource: Any = value
    if isinstance(value, ResourceDefinition):
        value.resolve_config({"config": config}, ROOT.field(key), f"Invalid config for the resource {key!r}:")
        return value.configured(config)
    if hasattr(resource, "with_values"):
        return resource.with_values(config, f"{key}:config")
    raise InvalidInvocationError(
        f"resource_config_by_key: the resource {key!r} is a {type(value).__name__}, which does not accept config."
    )


def _with(definition: Any, given: Mapping[str, object]) -> Any:
    if not isinstance(definition, (AssetsDefinition, SourceAsset)):
        raise WrongArgumentError(f"with_resources: definitions must be asset definitions, got {definition!r}.")
    own: Mapping[str, object] = definition.resource_defs
    again = sorted(own.keys() & given.keys())
    if again:
        raise InvalidInvocationError(
            f"{definition!r} already has the resource {', '.join(map(repr, again))}, and with_resources was given the same key: "
            "remove or rename one."
        )
    everything = {**given, **own}
    wanted = with_needs([*_needs(definition), *own], everything)
    for key in sorted(wanted - everything.keys() - {DEFAULT_IO_MANAGER_KEY}):
        raise InvalidDefinitionError(missing_resource(key, _user(key, definition, everything), everything))
    keys = resource_order(wanted & everything.keys(), everything)
    return definition.bringing({**own, **{key: everything[key] for key in keys}})


def _needs(definition: AssetsDefinition | SourceAsset) -> set[str]:
    """The resources and IO managers that a definition uses itself."""
    if isinstance(definition, SourceAsset):
        return set(definition.required_resource_keys)
    managers = {definition.io_manager_key_of(name) for name in definition.specs_by_output}
    return {*definition.resource_keys, *managers, *definition.input_manager_keys.values()}


def _user(key: str, definition: object, everything: Mapping[str, object]) -> str:
    """Who needs a resource: the definition, or another resource."""
    for other, value in everything.items():
        if key in needed_keys_of(value, {}):
            return f"The resource {other!r}, which belongs to {definition!r},"
    return repr(definition)
