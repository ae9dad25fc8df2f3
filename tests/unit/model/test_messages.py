"""Messages of processes whose Segue is a little older or newer are understood; what is none of ours is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from segue.model.messages import (
    LoadCode,
    ProcessEnded,
    ProcessStarted,
    Ready,
    RunTask,
    StartProcess,
    TickAnswered,
    TicksTask,
    decode_answer,
    decode_from_zygote,
    decode_task,
    decode_to_zygote,
)

# As they were sent when they were first released: what stands here is never changed, only added to.
RECORDED: tuple[tuple[msgspec.msgpack.Decoder[Any], dict[str, object], type], ...] = (
    (decode_to_zygote, {"kind": "load_code", "version": 1, "file": "a.py", "is_published": True}, LoadCode),
    (decode_to_zygote, {"kind": "start_process", "version": 1, "number": 1, "task": b"x"}, StartProcess),
    (decode_from_zygote, {"kind": "ready", "version": 1, "manifest": b"{}", "manifest_hash": "0" * 32}, Ready),
    (decode_from_zygote, {"kind": "process_started", "version": 1, "number": 1, "pid": 5}, ProcessStarted),
    (decode_from_zygote, {"kind": "process_ended", "version": 1, "number": 1, "exit_code": -9}, ProcessEnded),
    (
        decode_task,
        {"kind": "run_task", "version": 1, "run_id": "r", "records": {"home": "/h", "storage_directory": "/h/s"}},
        RunTask,
    ),
    (
        decode_task,
        {"kind": "ticks_task", "version": 1, "records": {"home": "/h", "storage_directory": "/s"}},
        TicksTask,
    ),
    (decode_answer, {"kind": "tick_answered", "version": 1, "answer": {"skip_reason": "no"}}, TickAnswered),
)


@pytest.mark.parametrize(("decoder", "document", "kind"), RECORDED, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("more", [{}, {"something_newer": [1, {"a": None}]}], ids=["as recorded", "with more"])
def test_messages_of_other_versions_are_understood(
    decoder: msgspec.msgpack.Decoder[Any], document: dict[str, object], kind: type, more: dict[str, object]
) -> None:
    found = decoder.decode(msgspec.msgpack.encode({**document, **more}))
    assert type(found) is kind
    for name, value in document.items():
        if isinstance(value, (str, int, bytes)) and name != "kind":
            assert getattr(found, name) == value


@pytest.mark.parametrize("document", [{}, {"kind": "nothing_like_it"}, {"kind": "ready", "start_method": 3}, []])
def test_what_is_no_message_is_refused(document: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_from_zygote.decode(msgspec.msgpack.encode(document))
