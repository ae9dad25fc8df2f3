"""Code that says `import dagster`, run here."""

from __future__ import annotations


def run(code: str) -> dict[str, object]:
    """The names that it defines."""
    namespace: dict[str, object] = {}
    exec(code, namespace)
    return namespace
