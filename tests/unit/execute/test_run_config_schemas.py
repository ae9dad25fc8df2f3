"""What `job.run_config_schema` shows, and what a validated run config says of resources and loggers."""

from __future__ import annotations

from typing import Any

import pytest

import segue as sg


class Server(sg.ConfigurableResource):
    host: str
    port: int = 80


@sg.resource(config_schema={"retries": sg.Field(int, default_value=4)})
def client(context: sg.InitResourceContext) -> int:
    return int(context.resource_config["retries"])


@sg.op(config_schema=sg.Field(str, default_value="x"), required_resource_keys={"server", "client", "later"})
def call(number: int) -> None: ...


@sg.job(
    resource_defs={
        "server": Server(host=sg.EnvVar("HOST_OF_SERVER")),
        "client": client,
        "later": Server.configure_at_launch(port=8),
        "unused": client,
    }
)
def calls() -> None:
    call()


def test_the_schema_has_a_field_for_each_entry() -> None:
    schema: Any = calls.run_config_schema
    assert list(schema.config_type.fields) == ["ops", "resources", "execution", "loggers"]
    assert [name for name, each in schema.config_type.fields.items() if each.is_required] == ["ops", "resources"]
    entries = schema.run_config_schema_type.fields["ops"].config_type.fields["call"].config_type.fields
    assert {name: each.is_required for name, each in entries.items()} == {"inputs": True, "config": False}
    assert entries["config"].default_value == "x"
    resources = schema.config_type.fields["resources"].config_type.fields
    assert resources["client"].default_value == {"config": {"retries": 4}}
    later = resources["later"].config_type.fields["config"].config_type
    assert {name: each.is_required for name, each in later.fields.items()} == {"host": True, "port": False}
    assert schema.has_config_type("Int")
    assert not schema.has_config_type("Float")


def test_a_validated_run_config_has_what_resources_and_loggers_are_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_OF_SERVER", "h")
    found = sg.validate_run_config(
        calls,
        {
            "ops": {"call": {"inputs": {"number": 1}}},
            "resources": {"later": {"config": {"host": "l"}}},
            "loggers": {"console": {"config": {"log_level": "DEBUG"}}},
        },
    )
    assert found["resources"] == {
        "io_manager": {"config": None},
        "server": {"config": {"host": "h", "port": 80}},
        "client": {"config": {"retries": 4}},
        "later": {"config": {"host": "l", "port": 8}},
    }
    assert found["loggers"] == {"console": {"config": {"log_level": "DEBUG", "name": "segue"}}}
    with pytest.raises(sg.InvalidConfigError) as caught:
        calls.execute_in_process({"loggers": {"console": {"config": {"level": "DEBUG"}}}})
    assert ("loggers", "console", "config") in [each.path for each in caught.value.errors]
