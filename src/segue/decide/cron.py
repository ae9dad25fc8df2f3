"""Which ticks of a cron schedule have passed."""

from __future__ import annotations

from datetime import datetime

from segue.model.cron_times import last_fire


def tick_between(line: str, timezone: str, after: datetime, until: datetime) -> bool:
    """Whether a cron schedule fires after one moment and at or before another."""
    last = last_fire(line, timezone, until)
    return last is not None and last.timestamp() > after.timestamp()
