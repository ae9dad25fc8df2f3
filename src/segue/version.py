"""The version of Segue, written once: packaging, the command line and stored messages read it from here."""

from __future__ import annotations

__version__ = "0.1.0"
