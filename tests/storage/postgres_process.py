"""Processes that use a store on Postgres, run code that a test gives them and do what it says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PRELUDE = """
import os, signal, sys, threading
from segue.model.lease import Fence
from segue.model.stores import EventFilter
from segue.storage.postgres import open_postgres
from segue.testing.storage_contract.builders import add_run, events_of, started, step_events

url, *arguments = sys.argv[1:]
store = open_postgres(url)

def say(word):
    print(word, flush=True)

def wait():
    sys.stdin.readline()
"""


@contextmanager
def running(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-c", PRELUDE + code, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
