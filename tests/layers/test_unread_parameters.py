"""What a public function accepts has an effect."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import segue
import unread
from unread import Unread, unread_of

# (owner, parameter) -> why it may be accepted and do nothing. docs/migration.md lists each for users.
WITHOUT_EFFECT: Mapping[tuple[str, str], str] = {
    ("build_resources", "event_loop"): "async functions have a loop of their own",
    ("UPathIOManager.get_metadata", "context"): "for subclasses, which say what there is to say",
    ("UPathIOManager.get_metadata", "obj"): "for subclasses, which say what there is to say",
    ("UPathIOManager.get_path_for_partition", "context"): "for subclasses, which lay paths out otherwise",
    ("build_asset_context", "event_loop"): "async functions run in the loop in which they are awaited",
    ("build_op_context", "event_loop"): "async functions run in the loop in which they are awaited",
    ("LogManager.create", "instance"): "what is logged outside of a step belongs to no run of an instance",
    ("default_system_loggers", "instance"): "the loggers are the same for each instance",
    ("SegueType.__init__", "is_builtin"): "an attribute that says where a type comes from",
    ("instance_for_test", "synchronous_run_coordinator"): "runs of a test are executed in its process anyway",
    ("instance_for_test", "synchronous_run_launcher"): "runs of a test are executed in its process anyway",
}


def test_each_parameter_has_an_effect() -> None:
    found = {each for name in segue.__all__ for each in unread_of(name, getattr(segue, name))}
    offences = sorted(each for each in found if (each.owner, each.parameter) not in WITHOUT_EFFECT)
    assert not offences, "\n".join(f"{each.owner}({each.parameter}): {each.fate}" for each in offences)


def test_the_list_of_exceptions_holds_nothing_more() -> None:
    found = {each for name in segue.__all__ for each in unread_of(name, getattr(segue, name))}
    assert set(WITHOUT_EFFECT) <= {(each.owner, each.parameter) for each in found}


def planted(read: int, ignored: int, deleted: int, _unused: int = 0) -> int:
    del deleted
    return read


class Planted:
    def __init__(self, shown: int, hidden: int) -> None:
        self.shown = shown
        self._planted_and_never_read = hidden

    def hook(self, context: object) -> None:
        """Left to subclasses."""

    def method(self, used: int, useless: int) -> int:
        return self.shown + used


def test_planted_parameters_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "SOURCE", unread.SOURCE.parent.parent)
    monkeypatch.setattr(Planted, "__module__", "segue.planted")
    monkeypatch.setattr(unread, "attributes_read", lambda: frozenset({"shown"}))
    assert {(each.owner, each.parameter) for each in unread_of("planted", planted)} == {
        ("planted", "ignored"),
        ("planted", "deleted"),
    }
    assert {(each.owner, each.parameter) for each in unread_of("Planted", Planted)} == {
        ("Planted.__init__", "hidden"),
        ("Planted.method", "useless"),
    }
    assert Unread("Planted.__init__", "hidden", "is kept in _planted_and_never_read, which nothing reads") in set(
        unread_of("Planted", Planted)
    )
