"""Asset keys: their written and stored forms lead back to the same key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue as sg
from segue.model.keys import AssetJobKey, entity_key_from_db_string

PARTS = st.lists(st.text(alphabet='ab/\\"_ ', max_size=4), min_size=1, max_size=4)


@given(PARTS)
def test_every_written_form_is_read_back(parts: list[str]) -> None:
    key = sg.AssetKey(parts)
    assert sg.AssetKey.from_escaped_user_string(key.to_escaped_user_string()) == key
    assert sg.AssetKey.from_db_string(key.to_db_string()) == key
    assert sg.AssetKey.from_graphql_input(key.to_graphql_input()) == key


@given(PARTS, PARTS)
def test_different_keys_never_read_alike(first: list[str], second: list[str]) -> None:
    same = sg.AssetKey(first).to_escaped_user_string() == sg.AssetKey(second).to_escaped_user_string()
    assert same == (first == second)


@pytest.mark.parametrize(
    "key",
    [
        sg.AssetKey(["shop", "orders"]),
        sg.AssetCheckKey(sg.AssetKey(["shop", 'ord"ers']), "no:nulls"),
        AssetJobKey("nightly"),
    ],
)
def test_stored_forms_say_what_they_name(key: sg.AssetKey | sg.AssetCheckKey | AssetJobKey) -> None:
    assert entity_key_from_db_string(key.to_db_string()) == key


def test_the_stored_form_begins_with_that_of_its_prefix() -> None:
    assert sg.AssetKey(["shop", "eu", "orders"]).to_db_string().startswith(sg.AssetKey.get_db_prefix(["shop", "eu"]))


@pytest.mark.parametrize(("stored", "parts"), [("orders", ["orders"]), ("shop.orders", ["shop", "orders"])])
def test_old_stored_forms_are_understood(stored: str, parts: list[str]) -> None:
    assert sg.AssetKey.from_db_string(stored) == sg.AssetKey(parts)
    assert sg.AssetKey.from_db_string("") is None


def test_a_key_is_one_name_and_no_list() -> None:
    with pytest.raises(TypeError, match="Iteration is not allowed"):
        list(sg.AssetKey("orders"))
    with pytest.raises(TypeError, match="Index access is not allowed"):
        sg.AssetKey("orders")[0]


def test_a_definition_stands_for_its_key() -> None:
    spec = sg.AssetSpec(["shop", "orders"])
    assert sg.AssetKey.from_coercible_or_definition(spec) == spec.key
    assert sg.AssetKey.from_coercible_or_definition("shop/orders") == spec.key
