"""Import the library and touch nothing."""

from __future__ import annotations

from library import load, report

report(1, load)
