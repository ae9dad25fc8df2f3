"""Steps of graphs, flattened: which op runs under which path, and where each of its inputs comes from."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from segue.model.keys import AssetKey
from segue.model.policies import RetryPolicy
from segue.model.step_policy import StepPolicy


class Source(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """Base of the places an input's value may come from."""


class OutputSource(Source, frozen=True, tag="output"):
    """The output of another step; `mapping_key` names one of the values of a dynamic output."""

    step: str
    output: str
    io_manager_key: str = ""
    mapping_key: str | None = None


class CollectSource(Source, frozen=True, tag="collect"):
    """All values of a dynamic output, or of an output of the steps that were made for its values, as a list."""

    step: str
    output: str
    io_manager_key: str = ""


class AssetSource(Source, frozen=True, tag="asset"):
    """The value of an asset that was made before."""

    asset_key: AssetKey
    io_manager_key: str | None = None


class GraphInputSource(Source, frozen=True, tag="graph_input"):
    """An input of a graph that nothing is connected to.

    That of the job (`path` empty) comes from `input_values` or the section `inputs` of the run config, that of a graph
    in it from the section `inputs` of its config; else it is the op's default.
    """

    name: str
    path: str = ""


class OwnSource(Source, frozen=True, tag="own"):
    """Nothing is connected: the run config of the op, its input manager, or its default."""


class FanInSource(Source, frozen=True, tag="fan_in"):
    """A list, one element from each source, in order."""

    sources: tuple[OutputSource | AssetSource | GraphInputSource, ...]


AnySource: TypeAlias = OutputSource | CollectSource | AssetSource | GraphInputSource | OwnSource | FanInSource


class StepInputNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """An input of a step.

    Attributes:
        name: the op's input.
        source: where its value comes from.
        io_manager_key: the resource that loads it, where the op names one.
        has_value: False for an input that only orders steps (`Nothing`).
        has_default: whether the op has a default for it.
    """

    name: str
    source: AnySource
    io_manager_key: str | None = None
    has_value: bool = True
    has_default: bool = False


class StepNode(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One step of a job of ops, or of a graph behind assets.

    Attributes:
        path: the names of the nodes that lead to it, with dots: its key.
        computation: the name of the computation that it runs.
        inputs: what it takes.
        tags: tags on the step, those of the op included.
        retry_policy: how it is retried.
        step_policy: how it is to be run.
        hooks: the names of the hooks that run after it.
    """

    path: str
    computation: str
    inputs: tuple[StepInputNode, ...] = ()
    tags: dict[str, str] = {}
    retry_policy: RetryPolicy | None = None
    step_policy: StepPolicy | None = None
    hooks: tuple[str, ...] = ()


class GraphOutputNode(msgspec.Struct, frozen=True):
    """An output of a graph, and the step output it is."""

    name: str
    step: str
    output: str
