"""IO managers with typed fields, as functions, and those that load inputs only."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import segue as sg


class Configured(sg.ConfigurableIOManager):
    folder: str

    def handle_output(self, context: sg.OutputContext, obj: Any) -> None:
        Path(self.folder, "-".join(context.get_asset_identifier())).write_text(str(obj))

    def load_input(self, context: sg.InputContext) -> Any:
        return Path(self.folder, "-".join(context.get_asset_identifier())).read_text()


def test_one_with_fields_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEGUE_TEST_VALUES", str(tmp_path))
    store = Configured(folder=sg.EnvVar("SEGUE_TEST_VALUES"))

    @sg.asset(key_prefix="p")
    def a() -> int:
        return 7

    @sg.asset
    def b(a: str) -> str:
        return a + "!"

    assert sg.materialize([a, b], resources={"io_manager": store}).asset_value("b") == "7!"
    assert (tmp_path / "p-a").read_text() == "7"


class Shelf(sg.IOManager):
    """Keeps values under their names, with a mark."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.kept: dict[str, object] = {}

    def handle_output(self, context: sg.OutputContext, obj: Any) -> None:
        self.kept[context.name if not context.has_asset_key else context.asset_key.to_user_string()] = obj
        context.add_output_metadata({"mark": self.mark})

    def load_input(self, context: sg.InputContext) -> Any:
        assert context.upstream_output is not None
        return f"{next(iter(self.kept.values()))}{self.mark}"


@sg.io_manager(config_schema={"mark": str})
def shelf(context: sg.InitResourceContext) -> Shelf:
    return Shelf(context.resource_config["mark"])


class ShelfFactory(sg.ConfigurableIOManagerFactory[Shelf]):
    mark: str

    def create_io_manager(self, context: sg.InitResourceContext) -> Shelf:
        return Shelf(self.mark)


class ShelfAdapter(sg.ConfigurableLegacyIOManagerAdapter):
    mark: str

    @property
    def wrapped_io_manager(self) -> sg.IOManagerDefinition:
        return shelf


@sg.asset
def first() -> str:
    return "value"


@sg.asset
def second(first: str) -> str:
    return first


@pytest.mark.parametrize(
    ("manager", "config"),
    [
        (shelf, {"mark": "!"}),
        (ShelfFactory(mark="!"), None),
        (ShelfFactory.configure_at_launch(), {"mark": "!"}),
        (ShelfFactory(mark="!").get_resource_definition(), None),
        (ShelfAdapter(mark="!"), None),
        (sg.IOManagerDefinition.hardcoded_io_manager(Shelf("!")), None),
        (Shelf("!"), None),
    ],
)
def test_many_ways_to_declare_one(manager: object, config: Any) -> None:
    run_config = None if config is None else {"resources": {"io_manager": {"config": config}}}
    result = sg.materialize([first, second], resources={"io_manager": manager}, run_config=run_config)
    assert result.asset_value("second") == "value!"
    [made] = result.asset_materializations_for_node("first")
    assert made.metadata["mark"] == sg.MetadataValue.text("!")


@sg.input_manager(config_schema={"base": str}, input_config_schema={"name": str}, required_resource_keys={"suffix"})
def reader(context: sg.InputContext) -> str:
    """Reads a file that another program wrote."""
    assert context.resource_config is not None
    return f"{context.resource_config['base']}/{context.config['name']}{context.resources.suffix}"


@sg.input_manager
def nothing_to_know() -> int:
    return 3


@sg.op(ins={"path": sg.In(input_manager_key="reader"), "number": sg.In(input_manager_key="other")})
def shown(path: str, number: int) -> str:
    return f"{path} {number}"


def test_an_input_manager_loads_what_no_step_gives() -> None:
    @sg.job(resource_defs={"reader": reader, "suffix": ".csv", "other": nothing_to_know})
    def shows() -> None:
        shown()

    config = {
        "resources": {"reader": {"config": {"base": "/data"}}},
        "ops": {"shown": {"inputs": {"path": {"name": "people"}}}},
    }
    assert shows.execute_in_process(run_config=config).output_for_node("shown") == "/data/people.csv 3"


def test_outputs_and_inputs_have_config_of_their_own() -> None:
    seen: list[Any] = []

    class Noting(sg.IOManager):
        def handle_output(self, context: sg.OutputContext, obj: Any) -> None:
            seen.append(context.config)

        def load_input(self, context: sg.InputContext) -> Any:
            assert context.upstream_output is not None
            seen.append((context.upstream_output.config, context.config))
            return 1

    @sg.io_manager(output_config_schema={"table": str}, input_config_schema={"limit": int})
    def noting() -> Noting:
        return Noting()

    @sg.op
    def gives() -> int:
        return 1

    @sg.op
    def takes(number: int) -> int:
        return number

    @sg.job(resource_defs={"io_manager": noting})
    def both() -> None:
        takes(gives())

    config: dict[str, Any] = {
        "ops": {
            "gives": {"outputs": {"result": {"table": "a"}}},
            "takes": {"inputs": {"number": {"limit": 5}}, "outputs": {"result": {"table": "b"}}},
        }
    }
    both.execute_in_process(run_config=config)
    assert seen == [{"table": "a"}, ({"table": "a"}, {"limit": 5}), {"table": "b"}]
    del config["ops"]["takes"]["inputs"]
    with pytest.raises(sg.InvalidConfigError, match='Missing required entry "inputs" at path root:ops:takes'):
        both.execute_in_process(run_config=config)
    config["ops"]["gives"]["outputs"]["result"]["table"] = 3
    with pytest.raises(sg.InvalidConfigError) as caught:
        sg.validate_run_config(both, config)
    assert [(each.reason.name, each.path) for each in caught.value.errors] == [
        ("RUNTIME_TYPE_MISMATCH", ("ops", "gives", "outputs", "result", "table")),
        ("MISSING_REQUIRED_FIELD", ("ops", "takes")),
    ]


class Yields(sg.IOManager):
    def __init__(self, given: list[Any]) -> None:
        self.given = given

    def handle_output(self, context: sg.OutputContext, obj: Any) -> Generator[Any]:
        context.log_event(sg.AssetObservation("logged"))
        yield from self.given

    def load_input(self, context: sg.InputContext) -> Any:
        context.add_input_metadata({"rows": 3}, description="read")
        return "value"


def test_what_is_yielded_is_recorded() -> None:
    manager = Yields([sg.AssetMaterialization("side"), {"rows": 2}, {"bytes": 9}])
    result = sg.materialize([first, second], resources={"io_manager": manager})
    side, made = result.asset_materializations_for_node("first")
    assert side.asset_key == sg.AssetKey("side")
    assert dict(made.metadata) == {"rows": sg.MetadataValue.int(2), "bytes": sg.MetadataValue.int(9)}
    assert [each.asset_key.to_user_string() for each in result.asset_observations_for_node("second")] == [
        "first",
        "logged",
    ]
    observed = result.asset_observations_for_node("second")[0]
    assert (observed.description, dict(observed.metadata)) == ("read", {"rows": sg.MetadataValue.int(3)})


WRONG: list[tuple[str, object, type[Exception], str]] = [
    ("yields something else", Yields([5]), sg.InvariantViolationError, "returned or yielded 5. It must return nothing"),
    (
        "metadata twice",
        Yields([{"a": 1}, {"a": 2}]),
        sg.InvariantViolationError,
        "'a' were already added to this output",
    ),
    (
        "makes none",
        sg.IOManagerDefinition.hardcoded_io_manager("text"),
        sg.InvariantViolationError,
        "'io_manager' is used as an IO manager, but it is a str, which has no handle_output",
    ),
    (
        "a resource",
        sg.ResourceDefinition.hardcoded_resource(1),
        sg.InvalidDefinitionError,
        "does not create an IO manager",
    ),
    ("an object", 5, sg.InvalidDefinitionError, "uses the resource 'io_manager' as its IO manager, but that is a int"),
    ("loads only", reader, sg.InvalidDefinitionError, "an IO manager must have handle_output and load_input"),
]


@pytest.mark.parametrize(("manager", "error", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_no_io_manager_is_refused(manager: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        sg.materialize([first], resources={"io_manager": manager})


PARTS = sg.StaticPartitionsDefinition(["a", "b", "c"])


def test_contexts_made_by_hand() -> None:
    output = sg.build_output_context(
        step_key="s",
        name="o",
        run_id="r",
        asset_key="t",
        partition_key="b",
        asset_partitions_def=PARTS,
        definition_metadata={"m": 1},
        output_metadata={"n": 2},
        config={"c": 1},
        resource_config={"d": 1},
        resources={"e": 5},
        dagster_type=int,
        version="v1",
    )
    assert (output.step_key, output.name, output.version, output.config) == ("s", "o", "v1", {"c": 1})
    assert list(output.get_identifier()) == list(output.get_run_scoped_output_identifier()) == ["r", "s", "o"]
    assert list(output.get_asset_identifier()) == list(output.get_asset_output_identifier()) == ["t", "b"]
    assert (output.partition_key, output.asset_partition_key) == ("b", "b")
    assert output.definition_metadata == {"m": 1}
    with pytest.warns(DeprecationWarning, match="read definition_metadata"):
        assert output.metadata == {"m": 1}
    assert output.output_metadata == {"n": sg.MetadataValue.int(2)}
    assert (output.resource_config, output.resources.e) == ({"d": 1}, 5)
    assert output.dagster_type.display_name == "Int"
    output.add_output_metadata({"x": 1})
    output.log_event(sg.AssetMaterialization("y"))
    assert list(output.get_logged_metadata()) == list(output.consume_logged_metadata()) == ["x"]
    assert list(output.get_logged_events()) == list(output.consume_events()) == [sg.AssetMaterialization("y")]
    assert (output.get_logged_metadata(), output.get_logged_events()) == ({}, [])
    taken = sg.build_input_context(name="i", upstream_output=output, asset_key="t")
    assert list(taken.get_identifier()) == ["r", "s", "o"]
    assert (taken.has_input_name, taken.has_asset_partitions) == (True, False)
    taken.add_input_metadata({"rows": 1}, description="d")
    assert [each.description for each in taken.get_observations()] == ["d"]
    several = sg.build_input_context(
        asset_key="t", asset_partition_key_range=sg.PartitionKeyRange("a", "b"), asset_partitions_def=PARTS
    )
    assert (list(several.asset_partition_keys), several.has_partition_key) == (["a", "b"], False)
    alone = sg.build_output_context(asset_key="t", partition_key="z")
    assert (alone.asset_partition_key, alone.asset_partition_key_range) == ("z", sg.PartitionKeyRange("z", "z"))
    dynamic = sg.build_output_context(step_key="s", name="o", mapping_key="k")
    assert list(dynamic.get_identifier()) == ["__EPHEMERAL_RUN_ID", "s", "o", "k"]
    spec = sg.build_output_context(asset_spec=sg.AssetSpec("q"))
    assert (spec.asset_key, spec.asset_spec) == (sg.AssetKey("q"), sg.AssetSpec("q"))


@pytest.mark.parametrize(
    "name", ["name", "step_key", "job_name", "op_def", "dagster_type", "step_context", "asset_key", "asset_spec"]
)
def test_what_a_context_was_not_given_is_named(name: str) -> None:
    with pytest.raises(sg.InvariantViolationError, match=rf"without {name}|no {name}"):
        getattr(sg.build_output_context(), name)


def test_resources_of_a_context_made_by_hand_are_set_up_and_torn_down() -> None:
    trace: list[str] = []

    @sg.resource
    def connection(context: sg.InitResourceContext) -> Iterator[int]:
        trace.append("open")
        yield 7
        trace.append("closed")

    for build in (sg.build_output_context, sg.build_input_context):
        with build(resources={"connection": connection, "plain": 1}) as context:
            assert (context.resources.connection, context.resources.plain) == (7, 1)
            assert trace == ["open"]
        assert trace == ["open", "closed"]
        trace.clear()
        with pytest.raises(sg.InvariantViolationError, match="needs teardown"):
            _ = build(resources={"connection": connection}).resources
        trace.clear()


def test_what_a_context_cannot_be() -> None:
    keys = sg.PartitionKeyRange("a", "b")
    with pytest.raises(sg.InvalidInvocationError, match="keep one"):
        sg.build_input_context(partition_key="a", asset_partition_key_range=keys)
    with pytest.raises(sg.InvalidInvocationError, match="requires asset_partitions_def"):
        sg.build_input_context(asset_partition_key_range=keys)
    with pytest.raises(sg.InvariantViolationError, match="does not come from a step"):
        sg.build_input_context(name="i").get_identifier()
    with pytest.raises(sg.InvariantViolationError, match="has no instance"):
        _ = sg.build_input_context().instance
