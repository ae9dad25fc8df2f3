"""A process that answers for schedules and sensors, one question after the other."""

from __future__ import annotations

import resource
import socket
import sys
import time

import msgspec

from segue.channel import receive, send
from segue.defs.definitions import Definitions
from segue.host.answer import answer_question
from segue.host.automations import Automations
from segue.host.instances import local_instance
from segue.host.ticks import answer_tick
from segue.model.error_info import ErrorInfo
from segue.model.messages import (
    AskOpaque,
    FromTicks,
    OpaqueAnswered,
    TickAnswered,
    TicksTask,
    decode_ask,
    encode_message,
)
from segue.model.questions import OpaqueAnswer
from segue.model.tick_task import TickAnswer

_NO_TEXT = ErrorInfo(
    "The result contains text with lone surrogates (perhaps a file name that is not UTF-8), which cannot be stored. "
    "Convert it first, for example with name.encode('utf-8', 'backslashreplace').decode().",
    "UnicodeEncodeError",
)


def answer_ticks(definitions: Definitions, task: TicksTask, channel: socket.socket) -> None:
    """Answers until nobody asks any more.

    Raises:
        ChannelClosedError: nobody does.
    """
    records = task.records
    assert records is not None  # who serves a location puts them in
    instance = local_instance(
        records.home, records.storage_directory, records.concurrency, records.database, records.artifacts
    )
    automations = Automations()
    while True:
        asked = decode_ask.decode(receive(channel)[0])
        if isinstance(asked, AskOpaque):
            opaque = answer_question(definitions, instance, asked.question, asked.now)
            failed = OpaqueAnswer(error=_NO_TEXT)
            said: FromTicks = OpaqueAnswered(answer=opaque, memory=_memory())
        else:
            answer = answer_tick(definitions, instance, asked.task, time.time(), automations)
            failed = TickAnswer(error=_NO_TEXT)
            said = TickAnswered(answer=answer, memory=_memory())
        try:
            data = encode_message(said)
        except UnicodeEncodeError:
            data = encode_message(msgspec.structs.replace(said, answer=failed))
        send(channel, data)


def _memory() -> int:
    """How many bytes the process has held at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)
