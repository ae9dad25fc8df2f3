"""What other versions of Segue send and have stored is understood; what is none of ours is refused.

`recorded/messages.json` and `recorded/stored.json` hold each message and each stored value as it was written when its form was
released, every field filled in. What stands there is never changed, only added to: a line for each new form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from segue.model import codec, messages
from segue.model.backfill import Backfill
from segue.model.condition_record import ConditionRecord
from segue.model.event import AnyPayload, Event
from segue.model.location import LocationState, LoopState
from segue.model.message_coding import MessageDecoder
from segue.model.run import Run
from segue.model.tick_record import Tick
from segue.model.tick_task import RequestedRun, TickAnswer

FOLDER = Path(__file__).with_name("recorded")
DECODERS: dict[str, tuple[object, MessageDecoder[Any]]] = {
    "ToZygote": (messages.ToZygote, messages.decode_to_zygote),
    "FromZygote": (messages.FromZygote, messages.decode_from_zygote),
    "Greeting": (messages.Greeting, messages.decode_greeting),
    "ToLocation": (messages.ToLocation, messages.decode_to_location),
    "FromLocation": (messages.FromLocation, messages.decode_from_location),
    "Task": (messages.Task, messages.decode_task),
    "ToTicks": (messages.ToTicks, messages.decode_ask),
    "FromTicks": (messages.FromTicks, messages.decode_answer),
    "FromStep": (messages.FromStep, messages.decode_from_step),
    "Recorded": (messages.Recorded, messages.decode_recorded),
}
STORED = {kind.__name__: kind for kind in (Event, Tick, Backfill, LocationState, LoopState, Run, ConditionRecord)}
NEWER = [{}, {"something_newer": [1, {"a": None}]}]


def recorded(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What stands in a file: the group that it is of, and the document."""
    groups = json.loads((FOLDER / name).read_text(encoding="utf-8"), object_hook=_bytes)
    for group, documents in groups.items():
        for document in documents:
            yield group, document


def _bytes(document: dict[str, Any]) -> object:
    """JSON has no bytes: they stand there as `{"$bytes": TEXT}`."""
    return document["$bytes"].encode() if set(document) == {"$bytes"} else document


def require_kept(before: object, after: object, place: str = "") -> None:
    """That all which a document says is still said, at the same place, after it was read and written."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            assert name in after, f"{place}.{name} is lost"
            require_kept(value, after[name], f"{place}.{name}")
    elif isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        assert len(before) == len(after), place
        for number, (one, two) in enumerate(zip(before, after, strict=True)):
            require_kept(one, two, f"{place}[{number}]")
    else:
        assert before == after, place


def _id(value: object) -> str:
    if isinstance(value, dict):
        payload = value.get("payload")
        return str(value.get("kind") or (payload["type"] if isinstance(payload, dict) else ""))
    return str(value)


@pytest.mark.parametrize(("group", "document"), list(recorded("messages.json")), ids=_id)
@pytest.mark.parametrize("more", NEWER, ids=["as recorded", "with more"])
def test_a_message_of_another_version_is_understood(
    group: str, document: dict[str, Any], more: dict[str, object]
) -> None:
    _, decoder = DECODERS[group]
    found = decoder.decode(msgspec.msgpack.encode({**document, **more}))
    require_kept(document, msgspec.msgpack.decode(messages.encode_message(found)))


@pytest.mark.parametrize(("group", "document"), list(recorded("stored.json")), ids=_id)
@pytest.mark.parametrize("more", NEWER, ids=["as recorded", "with more"])
def test_what_another_version_has_stored_is_read(group: str, document: dict[str, Any], more: dict[str, object]) -> None:
    written = {**document, **more}
    if "payload" in document:
        written["payload"] = {**document["payload"], **more}
    found = codec.decoder(STORED[group]).decode(json.dumps(written))
    require_kept(document, json.loads(codec.encode(found)))


def _tag(kind: Any) -> object:
    return kind.__struct_config__.tag


def test_every_message_and_every_kind_of_event_is_recorded() -> None:
    seen = {(group, document["kind"]) for group, document in recorded("messages.json")}
    kinds = {(name, kind) for name, (union, _) in DECODERS.items() for kind in get_args(union) or (union,)}
    assert seen == {(name, _tag(kind)) for name, kind in kinds}
    assert {kind for _, kind in kinds} == set(messages.Message.__subclasses__())
    events = {document["payload"]["type"] for group, document in recorded("stored.json") if group == "Event"}
    assert events == {_tag(kind) for kind in get_args(AnyPayload)}
    assert {group for group, _ in recorded("stored.json")} == set(STORED)


@pytest.mark.parametrize("document", [{}, {"kind": "nothing_like_it"}, {"kind": "ready", "start_method": 3}, []])
def test_what_is_no_message_is_refused(document: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        messages.decode_from_zygote.decode(msgspec.msgpack.encode(document))


def test_whole_numbers_of_any_size_pass_between_processes() -> None:
    request = RequestedRun(job_name="job", run_config={"ops": {"count": [2**64, -(2**200), 1]}})
    said = messages.TickAnswered(answer=TickAnswer(requests=(request,)), memory=1)
    assert messages.decode_answer.decode(messages.encode_message(said)) == said
