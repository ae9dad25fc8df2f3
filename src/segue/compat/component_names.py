"""Names below `dagster.components`, in whatever module there, that `dagster` does not export -> where they stand here."""

from __future__ import annotations

from collections.abc import Mapping

COMPONENT_NAMES: Mapping[str, str] = {
    "ResolutionException": "segue.errors:ResolutionError",
    "SourcePosition": "segue.defs.components.positions:SourcePosition",
    "SourcePositionTree": "segue.defs.components.positions:SourcePositionTree",
}
