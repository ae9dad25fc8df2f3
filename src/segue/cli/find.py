"""Finding what people name: a run by a part of its id, an asset by its key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from segue.errors import InvalidSubsetError, RunNotFoundError
from segue.model.keys import AssetKey
from segue.model.run import Run
from segue.model.run_records import RunsFilter
from segue.model.stores import RunHistory, Store

PAGE = 500
SHORTEST_PREFIX = 4


def find_run(store: Store, text: str) -> Run:
    """The run with this id, or the only one whose id begins like this.

    Raises:
        RunNotFoundError: none, or several.
    """
    run = store.get_run(text)
    if run is not None:
        return run
    if len(text) < SHORTEST_PREFIX:
        raise RunNotFoundError(
            (
                f"There is no run {text!r}. Give its id, or at least the first {SHORTEST_PREFIX} characters of it; "
                "see 'segue runs'."
            ),
            text,
        )
    found = [run for run in every_run(store, RunsFilter()) if run.run_id.startswith(text)]
    if not found:
        raise RunNotFoundError(f"There is no run {text!r}. 'segue runs' lists them.", text)
    if len(found) > 1:
        ids = ", ".join(run.run_id for run in found[:3]) + (", ..." if len(found) > 3 else "")
        raise RunNotFoundError(f"{len(found)} runs match {text!r}: {ids}. Give more of the id.", text)
    return found[0]


def every_run(store: RunHistory, which: RunsFilter) -> Iterator[Run]:
    """All these runs, newest first, read page by page."""
    before: str | None = None
    while True:
        page = store.list_runs(which, PAGE, before)
        yield from page
        if len(page) < PAGE:
            return
        before = page[-1].run_id


def find_asset(text: str, keys: Iterable[AssetKey], where: str) -> AssetKey:
    """The asset with this name.

    Args:
        text: its key, written `a/b`.
        keys: the assets there are.
        where: what these are, for the message.

    Raises:
        InvalidSubsetError: there is none; names those that are written alike.
    """
    wanted = AssetKey.from_user_string(text)
    known = {key.to_user_string(): key for key in keys}
    if wanted.to_user_string() in known:
        return known[wanted.to_user_string()]
    near = difflib.get_close_matches(text, known, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "'segue list' lists the assets."
    raise InvalidSubsetError(f"There is no asset {text!r} {where}. {hint}")
