"""Categories of warnings that code filters out. Nothing here is in such a stage, so nothing warns of it."""

from __future__ import annotations


class BetaWarning(Warning):
    """Something is used that may still change a little."""


class PreviewWarning(Warning):
    """Something is used that may still change much, or go."""
