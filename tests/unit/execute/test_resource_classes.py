"""Resources as classes: fields, nesting, values from runs and from the environment, life cycle, use outside of runs."""

from __future__ import annotations

import enum
from collections.abc import Generator
from typing import Any

import pydantic
import pytest

import segue as sg

MADE: list[str] = []


class Mood(enum.Enum):
    CALM = 1
    WILD = 2


class Credentials(sg.ConfigurableResource):
    user: str
    token: str = "none"


class Store(sg.ConfigurableResource):
    credentials: Credentials
    bucket: str = "main"

    def label(self) -> str:
        return f"{self.credentials.user}/{self.credentials.token}@{self.bucket}"


@sg.asset
def labelled(store: Store) -> str:
    return store.label()


def label_with(resources: dict[str, object], config: dict[str, Any] | None = None) -> str:
    run_config = {"resources": {key: {"config": values} for key, values in (config or {}).items()}}
    return sg.materialize([labelled], resources=resources, run_config=run_config).asset_value("labelled")


def test_fields_of_a_run_are_given_at_launch() -> None:
    later = Credentials.configure_at_launch()
    assert (
        label_with(
            {"store": Store(credentials=later), "credentials": later}, {"credentials": {"user": "ann", "token": "t"}}
        )
        == "ann/t@main"
    )
    half = Store.configure_at_launch(credentials=Credentials(user="bob"))
    assert label_with({"store": half}, {"store": {"bucket": "side"}}) == "bob/none@side"
    assert label_with({"store": half}) == "bob/none@main"
    with pytest.raises(sg.InvalidConfigError, match=r"'credentials': {'config': {'user'"):
        label_with({"store": Store(credentials=later), "credentials": later})
    with pytest.raises(sg.InvalidConfigError, match="resources:store:config:credentials"):
        label_with({"store": Store.configure_at_launch()})


class Counted(sg.ConfigurableResource):
    name: str

    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        MADE.append(self.name)


class Two(sg.ConfigurableResource):
    one: Counted
    other: Counted


def test_a_nested_resource_of_a_key_of_its_own_is_set_up_once() -> None:
    MADE.clear()

    counted = Counted(name="shared")

    @sg.asset
    def uses(two: Two, counted: Counted) -> bool:
        return two.one is two.other is counted

    assert sg.materialize(
        [uses],
        resources={"two": Two(one=counted, other=counted), "counted": counted},
        run_config={"resources": {"counted": {"config": {"name": "changed"}}}},
    ).asset_value("uses")
    assert MADE == ["changed"]


class Many(sg.ConfigurableResource):
    several: list[Credentials] = []
    named: dict[str, Credentials] = {}
    maybe: Credentials | None = None
    mood: Mood = Mood.CALM

    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        MADE.append(str(context.resource_config))


def test_resources_in_lists_and_dicts_are_set_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    MADE.clear()
    monkeypatch.setenv("SEGUE_TEST_NAME", "known later")
    user = Credentials(user=sg.EnvVar("SEGUE_TEST_NAME"))

    @sg.asset
    def users(many: Many) -> list[str]:
        assert many.maybe is not None
        return [each.user for each in (*many.several, *many.named.values(), many.maybe)]

    given = Many(several=[Credentials(user="a"), user], named={"x": user}, maybe=user)
    made = sg.materialize([users], resources={"many": given}).asset_value("users")
    assert made == ["a", "known later", "known later", "known later"]
    assert MADE == ["{'mood': 1}"]
    changed = {"resources": {"many": {"config": {"mood": "WILD"}}}}
    sg.materialize([users], resources={"many": given}, run_config=changed)
    assert MADE[1:] == ["{'mood': 2}"]


class Greeter(sg.ConfigurableResourceFactory[str]):
    word: str

    def create_resource(self, context: sg.InitResourceContext) -> str:
        return f"{self.word}!"


class Uses(sg.ConfigurableResource):
    greeting: sg.ResourceDependency[str]


@sg.resource
def hello(_context: sg.InitResourceContext) -> Generator[str]:
    yield "hello from a function"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        (Greeter(word="made"), "made!"),
        (hello, "hello from a function"),
        (sg.ResourceDefinition.hardcoded_resource("fixed"), "fixed"),
    ],
)
def test_a_dependency_takes_a_value_or_what_gives_one(given: Any, expected: str) -> None:
    @sg.asset
    def said(uses: Uses) -> str:
        return uses.greeting

    assert sg.materialize([said], resources={"uses": Uses(greeting=given)}).asset_value("said") == expected


class Opens(sg.ConfigurableResourceFactory[int]):
    number: int

    def create_resource(self, context: sg.InitResourceContext) -> Generator[int]:
        MADE.append(f"+{self.number}")
        yield self.number
        MADE.append(f"-{self.number}")


class Gives(sg.ConfigurableResourceFactory[int]): ...


def test_a_factory_may_tear_down_what_it_gives() -> None:
    MADE.clear()

    @sg.asset
    def taken(a: sg.ResourceParam[int], b: sg.ResourceParam[int]) -> None:
        MADE.append(f"{a}{b}")

    sg.materialize([taken], resources={"a": Opens(number=1), "b": Opens(number=2)})
    assert MADE == ["+1", "+2", "12", "-2", "-1"]

    with pytest.raises(TypeError, match="create_resource"):
        Gives()  # pyright: ignore[reportAbstractUsage] reason: wrong on purpose


class Client: ...


class ClientResource(sg.ConfigurableResource, sg.IAttachDifferentObjectToOpContext):
    def get_object_to_set_on_execution_context(self) -> Client:
        return Client()


def test_the_context_shows_another_object_where_the_resource_says_so() -> None:
    @sg.asset
    def uses(context: sg.AssetExecutionContext, client: ClientResource) -> None:
        assert isinstance(client, ClientResource)
        assert isinstance(context.resources.client, Client)
        assert context.resources.client is context.resources.client

    sg.materialize([uses], resources={"client": ClientResource()})


class Folder(sg.ConfigurableResource):
    name: str | None = None

    def path(self) -> str:
        context = self.get_resource_context()
        assert context.instance is not None
        return self.name or context.instance.storage_directory()


def test_schedules_and_sensors_see_the_other_object_too() -> None:
    @sg.sensor(job_name="any")
    def watch(context: sg.SensorEvaluationContext, client: ClientResource) -> sg.SkipReason:
        assert isinstance(client, ClientResource)
        assert isinstance(context.resources.client, Client)
        assert context.resources.client is context.resources.client
        return sg.SkipReason("seen")

    with sg.build_sensor_context(resources={"client": ClientResource()}) as context:
        assert watch(context) == sg.SkipReason("seen")


def test_fields_that_are_resources_stand_in_no_config() -> None:
    assert list(Uses.to_config_schema().config_type.fields) == []  # pyright: ignore[reportAttributeAccessIssue] reason: a shape
    assert list(Store.to_fields_dict()) == ["bucket"]


def test_it_knows_the_context_it_was_set_up_with() -> None:
    @sg.asset
    def where(folder: Folder) -> str:
        return folder.path()

    with sg.Instance.ephemeral() as instance:
        folder = instance.storage_directory()
        result = sg.materialize([where], resources={"folder": Folder()}, instance=instance)
        assert result.asset_value("where") == folder
        context = sg.build_init_resource_context(instance=instance)
        assert Folder().with_replaced_resource_context(context).path() == folder
        assert Folder().with_resource_context(context).path() == folder
    with pytest.raises(sg.InvariantViolationError, match="has no context because it has not been initialized"):
        Folder().path()


class Held(sg.ConfigurableResource):
    name: str
    _open: bool = pydantic.PrivateAttr(default=False)

    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        assert context.resource_config == {"name": self.name}
        self._open = True

    @property
    def is_open(self) -> bool:
        return self._open


class Closed(Held):
    def teardown_after_execution(self, context: sg.InitResourceContext) -> None:
        self._open = False


def test_outside_of_runs_it_is_set_up_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_TEST_NAME", "from outside")
    held = Held(name=sg.EnvVar("SEGUE_TEST_NAME"))
    ready: Held = held.process_config_and_initialize()
    assert (ready.name, ready.is_open, held.is_open) == ("from outside", True, False)
    closed = Closed(name="x")
    with closed.process_config_and_initialize_cm() as opened:
        assert opened.is_open
    assert not opened.is_open
    with pytest.raises(sg.InvariantViolationError, match="process_config_and_initialize_cm"):
        closed.process_config_and_initialize()
    monkeypatch.delenv("SEGUE_TEST_NAME")
    with pytest.raises(sg.InvalidConfigError, match="SEGUE_TEST_NAME is not set"):
        held.process_config_and_initialize()


def test_a_function_that_moves_to_a_class() -> None:
    context = sg.build_init_resource_context(config={"name": "n"})
    assert Held.from_resource_context(context).name == "n"
    with Closed.from_resource_context_cm(context) as closed:
        assert closed.is_open
    with pytest.raises(sg.InvariantViolationError, match="from_resource_context_cm"):
        Closed.from_resource_context(context)
    store = Store.from_resource_context(
        sg.build_init_resource_context(config={"bucket": "b"}), {"credentials": Credentials(user="u")}
    )
    assert store.label() == "u/none@b"
    definition = Held(name="d").get_resource_definition()
    with sg.build_resources({"held": definition}, resource_config={"held": {"config": {"name": "e"}}}) as opened:
        assert (opened.held.name, opened.held.is_open) == ("e", True)


class Aliased(sg.ConfigurableResource):
    schema_: str = pydantic.Field(alias="schema")
    rest: int = 1


def test_fields_with_another_name_in_config() -> None:
    @sg.asset
    def shown(aliased: Aliased) -> str:
        return f"{aliased.schema_}{aliased.rest}"

    def show(given: object, config: dict[str, object]) -> str:
        run_config = {"resources": {"aliased": {"config": config}}}
        return sg.materialize([shown], resources={"aliased": given}, run_config=run_config).asset_value("shown")

    assert show(Aliased(schema="a"), {"rest": 2}) == "a2"
    assert show(Aliased(schema="a"), {"schema": "b"}) == "b1"
    assert show(Aliased.configure_at_launch(), {"schema": "c"}) == "c1"


def test_objects_are_values() -> None:
    one, same, other = Credentials(user="a"), Credentials(user="a"), Credentials(user="b")
    assert one == same != other
    assert hash(one) == hash(same)
    assert one.process_config_and_initialize().user == "a"
    for name in ("user", "new"):
        with pytest.raises(sg.InvalidInvocationError, match=r"cannot be set: a resource is immutable"):
            setattr(one, name, "c")
    with pytest.raises(pydantic.ValidationError, match="credentials"):
        Store(credentials="nobody")  # pyright: ignore[reportArgumentType] reason: wrong on purpose
    with pytest.raises(pydantic.ValidationError, match="credentials"):
        Store()  # pyright: ignore[reportCallIssue] reason: wrong on purpose


async def answer() -> int:
    return 42


class Asked(sg.ConfigurableResource):
    def setup_for_execution(self, context: sg.InitResourceContext) -> None:
        self._loop = context.event_loop
        assert self._loop.run_until_complete(answer()) == 42

    def teardown_after_execution(self, context: sg.InitResourceContext) -> None:
        assert context.event_loop.run_until_complete(answer()) == 42

    @property
    def loop(self) -> Any:
        return self._loop


def test_the_resources_of_a_run_share_an_event_loop() -> None:
    seen: list[Any] = []

    @sg.asset
    def asking(one: Asked, two: Asked) -> None:
        assert one.loop is two.loop
        seen.append(one.loop)

    assert sg.materialize([asking], resources={"one": Asked(), "two": Asked()}).success
    assert seen[0].is_closed()
