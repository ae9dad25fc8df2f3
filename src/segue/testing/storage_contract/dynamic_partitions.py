"""Rules about the keys of dynamic partitions."""

from __future__ import annotations

from segue.model.stores import Store


def keys_come_in_the_order_in_which_they_were_added(store: Store) -> None:
    store.change_dynamic_partitions("people", ["zoe", "amy"], [], 1.0)
    store.change_dynamic_partitions("people", ["bob", "amy", "zoe"], [], 2.0)
    assert store.dynamic_partitions("people") == ["zoe", "amy", "bob"]
    assert store.has_dynamic_partition("people", "amy")
    assert not store.has_dynamic_partition("people", "eve")


def names_have_keys_of_their_own(store: Store) -> None:
    store.change_dynamic_partitions("people", ["amy"], [], 1.0)
    store.change_dynamic_partitions("places", ["rome", "amy"], [], 1.0)
    store.change_dynamic_partitions("places", [], ["amy"], 2.0)
    assert store.dynamic_partitions("people") == ["amy"]
    assert store.dynamic_partitions("places") == ["rome"]
    assert store.dynamic_partitions("things") == []
    assert not store.has_dynamic_partition("things", "amy")


def removed_keys_are_gone_and_may_come_again_at_the_end(store: Store) -> None:
    store.change_dynamic_partitions("people", ["zoe", "amy", "bob"], [], 1.0)
    store.change_dynamic_partitions("people", [], ["zoe", "nobody"], 2.0)
    assert store.dynamic_partitions("people") == ["amy", "bob"]
    store.change_dynamic_partitions("people", ["zoe"], [], 3.0)
    assert store.dynamic_partitions("people") == ["amy", "bob", "zoe"]


def adding_and_removing_in_one_go_adds_first(store: Store) -> None:
    store.change_dynamic_partitions("people", ["zoe", "amy"], ["zoe"], 1.0)
    assert store.dynamic_partitions("people") == ["amy"]


def many_keys_are_kept(store: Store) -> None:
    keys = [f"customer-{number}" for number in range(36_000)]
    store.change_dynamic_partitions("customers", keys, [], 1.0)
    assert store.dynamic_partitions("customers") == keys
    assert store.has_dynamic_partition("customers", "customer-35999")


def texts_of_keys_are_data(store: Store) -> None:
    keys = ["'; DROP TABLE dynamic_partitions; --", "%", "ü𝄞", '"', "a b", "\n"]
    store.change_dynamic_partitions("'name", keys, [], 1.0)
    assert store.dynamic_partitions("'name") == keys


RULES = (
    keys_come_in_the_order_in_which_they_were_added,
    names_have_keys_of_their_own,
    removed_keys_are_gone_and_may_come_again_at_the_end,
    adding_and_removing_in_one_go_adds_first,
    many_keys_are_kept,
    texts_of_keys_are_data,
)
