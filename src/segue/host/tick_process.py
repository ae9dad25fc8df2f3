"""A process that answers for schedules and sensors, one question after the other."""

from __future__ import annotations

import resource
import socket
import sys
import time

from segue.channel import receive, send
from segue.defs.definitions import Definitions
from segue.host.automations import Automations
from segue.host.instances import local_instance
from segue.host.ticks import answer_tick
from segue.model.messages import TickAnswered, TicksTask, decode_ask, encode_message


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
        answer = answer_tick(definitions, instance, asked.task, time.time(), automations)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        memory = peak * (1 if sys.platform == "darwin" else 1024)
        send(channel, encode_message(TickAnswered(answer=answer, memory=memory)))
