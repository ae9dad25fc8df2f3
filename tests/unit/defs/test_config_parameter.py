"""The parameter that takes the config of a function, and the variables that stand in config."""

from __future__ import annotations

import pytest

import segue as sg


class Cat(sg.Config):
    meows: int = 0


def test_a_variable_that_holds_no_integer_is_also_a_value_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SIZE", "large")
    with pytest.raises(ValueError, match="A_SIZE is not an integer") as caught:
        sg.EnvVar.int("A_SIZE").get_value()
    assert isinstance(caught.value, sg.InvalidConfigError)


def test_a_config_parameter_has_no_default_value() -> None:
    def sized(config: Cat = Cat(meows=2)) -> int:  # noqa: B008 reason: what is refused
        return config.meows

    for decorate in (sg.op, sg.asset, sg.asset_check(asset="orders")):
        with pytest.raises(sg.InvalidDefinitionError, match="Config class Cat and cannot have a default value"):
            decorate(sized)

    @sg.op
    def plain(config: int = 3) -> int:
        return config

    assert plain() == 3
