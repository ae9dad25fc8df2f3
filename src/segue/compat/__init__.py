"""Dagster's own names, for code that was written for it: renamed, superseded and private ones, translated at the door."""
