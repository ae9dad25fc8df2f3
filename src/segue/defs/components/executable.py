"""Components with one step: assets and checks, and something that is run for them."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from segue.defs.asset import multi_asset
from segue.defs.asset_check import multi_asset_check
from segue.defs.assets_definition import AssetsDefinition
from segue.defs.components.asset_attributes import ResolvedAssetCheckSpec, ResolvedAssetSpec
from segue.defs.components.component import Component
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolvable import Resolvable
from segue.defs.components.resolver import Model, Resolver
from segue.defs.definitions import Definitions
from segue.errors import InvalidDefinitionError
from segue.model.policies import BackfillPolicy


class SingleRunBackfillPolicyModel(Model):
    """All partitions of a request in one run."""

    type: Literal["single_run"] = "single_run"


class MultiRunBackfillPolicyModel(Model):
    """At most so many partitions in a run."""

    type: Literal["multi_run"] = "multi_run"
    max_partitions_per_run: int = 1


def _resolve_backfill_policy(context: ResolutionContext, model: Any) -> BackfillPolicy | None:
    if model is None:
        return None
    if isinstance(model, SingleRunBackfillPolicyModel):
        return BackfillPolicy.single_run()
    return BackfillPolicy.multi_run(context.resolve_value(model.max_partitions_per_run, as_type=int))


ResolvedBackfillPolicy: TypeAlias = Annotated[
    BackfillPolicy | None,
    Resolver(
        _resolve_backfill_policy,
        model_field_type=SingleRunBackfillPolicyModel | MultiRunBackfillPolicyModel | None,
        description="How a request for many partitions becomes runs.",
        examples=[{"type": "single_run"}, {"type": "multi_run", "max_partitions_per_run": 7}],
    ),
]


class OpSpec(Model, Resolvable):
    """The attributes of the step.

    Attributes:
        name: of the step; what is run gives it when None.
        tags, description, pool: as for `op`.
        backfill_policy: as for `asset`.
    """

    name: str | None = None
    tags: dict[str, Any] | None = None
    description: str | None = None
    pool: str | None = None
    backfill_policy: ResolvedBackfillPolicy = None


class ExecutableComponent(Component, Resolvable, Model, abc.ABC):
    """A component with one step, which makes its assets and runs its checks.

    Attributes:
        assets: what the step makes.
        checks: what the step checks; without assets, the checks are a step of their own.
    """

    assets: list[ResolvedAssetSpec] | None = None
    checks: list[ResolvedAssetCheckSpec] | None = None

    @property
    @abc.abstractmethod
    def op_spec(self) -> OpSpec:
        """The attributes of the step."""

    @property
    def resource_keys(self) -> set[str]:
        """The resources that the step needs."""
        return set()

    @property
    def config_fields(self) -> Mapping[str, Any] | None:
        """The fields of the config that the step takes; None for none."""
        return None

    @abc.abstractmethod
    def invoke_execute_fn(self, context: Any, component_load_context: ComponentLoadContext) -> Iterable[Any]:
        """What the step gives: results of its assets and checks.

        Args:
            context: of the step.
            component_load_context: of the component.
        """

    def step_function(self, component_load_context: ComponentLoadContext) -> Callable[..., Any]:
        """The function that is the step."""

        def step(context: Any) -> Iterable[Any]:
            yield from self.invoke_execute_fn(context, component_load_context)

        return step

    def build_underlying_assets_def(self, component_load_context: ComponentLoadContext) -> AssetsDefinition:
        """The definition of the step.

        Args:
            component_load_context: of the component.

        Raises:
            InvalidDefinitionError: the component has neither assets nor checks, or the step no name.
        """
        spec, function = self.op_spec, self.step_function(component_load_context)
        common: Mapping[str, Any] = {
            "name": spec.name,
            "op_tags": spec.tags,
            "description": spec.description,
            "required_resource_keys": self.resource_keys or None,
            "config_schema": None if "config" in inspect.signature(function).parameters else self.config_fields,
            "pool": spec.pool,
        }
        if self.assets:
            decorate = multi_asset(
                specs=self.assets, check_specs=self.checks or None, backfill_policy=spec.backfill_policy, **common
            )
            return decorate(function)
        if not self.checks:
            raise InvalidDefinitionError(f"{type(self).__name__}: name at least one asset or check.")
        return multi_asset_check(specs=self.checks, **common)(function)

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """The step, as definitions."""
        made = self.build_underlying_assets_def(context)
        return Definitions(assets=[made]) if self.assets else Definitions(asset_checks=[made])


class DefinitionsComponent(Component, Model, Resolvable):
    """The definitions of a Python file beside the `defs.yaml`.

    Attributes:
        path: the file, as seen from the folder; `definitions.py` when None.
    """

    path: str | None = Field(..., description="A Python file, as seen from the folder of the defs.yaml.")

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """The definitions at the top of the file."""
        folder = context.path if context.path.is_dir() else context.path.parent
        return context.build_defs(folder / (self.path or "definitions.py"))
