"""Files beside the user's code: paths, and run config written in YAML."""

from __future__ import annotations

import os


def file_relative_path(dunderfile: str, relative_path: str) -> str:
    """A path beside a Python file, made absolute.

    Args:
        dunderfile: the `__file__` of the calling module.
        relative_path: the path, as seen from its folder.
    """
    return os.path.abspath(os.path.join(os.path.dirname(dunderfile), relative_path))
