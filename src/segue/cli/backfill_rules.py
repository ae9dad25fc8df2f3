"""The limits on the runs of a backfill: parsed from options, and written for people."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import click

from segue.cli.output import count, duration
from segue.decide.backfills.advance import is_open
from segue.model.backfill import Backfill, OffPeak
from segue.model.partitions.zones import zone_named

_SECONDS = {"s": 1, "m": 60, "h": 3600}


def hours_of(text: str) -> OffPeak:
    """Hours as typed: `22-6` or `22-6@Europe/Berlin`."""
    hours, _, zone = text.partition("@")
    start, _, end = hours.partition("-")
    if not (start.isdecimal() and end.isdecimal() and int(start) <= 24 and int(end) <= 24 and start != end):
        raise click.UsageError(
            f"--off-peak {text!r} is not valid: use two hours from 0 to 24, such as 22-6 or 22-6@Europe/Berlin."
        )
    if zone:
        zone_named(zone)
    return OffPeak(int(start), int(end), zone or "UTC")


def apart_of(text: str) -> float:
    """A time between two runs as typed, in seconds: `30s`, `10m`, `1h`, or a number of seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    try:
        seconds = float(number) * _SECONDS[unit]
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise click.UsageError(
            f"--stagger {text!r} is not valid: use a positive length of time, such as 30s, 10m or 1h."
        )
    return seconds


def rules_of(made: Backfill) -> list[str]:
    """How its runs are held back, as people read it."""
    found: list[str] = []
    if made.max_concurrent is not None:
        found.append(f"{count(made.max_concurrent, 'run')} at once")
    if made.off_peak is not None:
        hours = f"{made.off_peak.start}-{made.off_peak.end} {made.off_peak.timezone}"
        held = "" if made.status.has_ended or is_open(made.off_peak, datetime.now(UTC)) else " (not now)"
        found.append(f"runs start at {hours}{held}")
    if made.stagger is not None:
        found.append(f"{duration(made.stagger)} between runs")
    if made.retries:
        found.append(f"{count(made.retries, 'retry', 'retries')} of a failed run")
    return found
