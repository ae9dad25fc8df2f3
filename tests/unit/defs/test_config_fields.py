from __future__ import annotations

import pytest
from config_in_ops import received

import segue as sg


class Window(sg.Config):
    size: int = 3
    step: int | None = None


class Unfrozen(sg.Config, frozen=False):
    size: int = 3


class Holder(sg.Config):
    window: Window
    limits: dict  # type: ignore[type-arg]


def test_a_config_that_is_not_frozen_is_changed() -> None:
    config = Unfrozen()
    config.size = 4
    assert config.size == 4
    with pytest.raises(sg.InvalidInvocationError, match=r"Window\.sise cannot be set"):
        Window().sise = 4  # type: ignore[attr-defined]


def test_a_nested_class_whose_fields_have_defaults_may_be_left_out_of_the_run_config() -> None:
    fields = Holder.to_fields_dict()
    assert (fields["window"].is_required, fields["limits"].is_required) == (False, True)
    config, values = received(Holder, {"limits": {"a": 1}})
    assert config == Holder(window=Window(), limits={"a": 1})
    assert values["window"] == Window().model_dump()
    with pytest.raises(sg.InvalidConfigError, match='Missing required entry "limits"'):
        received(Holder, {"window": {}})
