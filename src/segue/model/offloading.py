"""Which metadata of an event is too large for the log, and the event with references in its place. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from segue.model import codec
from segue.model.event import AnyPayload, Event, LogMessageData
from segue.model.metadata import AnyMetadataValue
from segue.model.metadata_values import StoredMetadataValue
from segue.model.stored_content import ArtifactSettings

_HOLDERS = ("materialization", "asset_observation", "evaluation", "user_failure_data")
"""The fields of payloads whose value has metadata; others have it themselves."""

_INFO = 20  # as the library logging calls it

Keep = Callable[[AnyMetadataValue, bytes], StoredMetadataValue]
"""Keeps a value, whose JSON comes with it, elsewhere."""


def offloaded(event: Event, settings: ArtifactSettings, keep: Keep) -> list[Event]:
    """An event whose metadata fits into the log, after the notes that say what does not.

    Args:
        event: what happened.
        settings: how large it may be.
        keep: called for each value that is too large.

    Returns:
        The event itself where all of it fits; it is the last one.
    """
    metadata = _metadata_of(event.payload)
    sizes = {key: codec.encode(value) for key, value in metadata.items() if not isinstance(value, StoredMetadataValue)}
    chosen = {key for key, data in sizes.items() if len(data) > settings.entry_limit}
    left = len(codec.encode(event.payload)) - sum(len(sizes[key]) for key in chosen)
    for key in sorted(sizes.keys() - chosen, key=lambda each: -len(sizes[each])):
        if left <= settings.event_limit:
            break
        chosen.add(key)
        left -= len(sizes[key])
    if not chosen:
        return [event]
    kept = {key: keep(metadata[key], sizes[key]) for key in metadata if key in chosen}
    payload = _with_metadata(event.payload, {**metadata, **kept})
    notes = [_note(event, key, value) for key, value in kept.items()]
    return [*notes, Event(event.timestamp, payload, event.step_key, event.run_id, event.job_name)]


def _note(event: Event, key: str, value: StoredMetadataValue) -> Event:
    text = f"The metadata {key!r} ({value.size:,} bytes) is too large for the event log: it was stored in {value.path}."
    return Event(event.timestamp, LogMessageData(_INFO, text), event.step_key, event.run_id, event.job_name)


def _holder(payload: AnyPayload) -> tuple[str | None, Any]:
    for field in _HOLDERS:
        held = getattr(payload, field, None)
        if held is not None:
            return field, held
    return None, payload


def _metadata_of(payload: AnyPayload) -> Mapping[str, AnyMetadataValue]:
    _, held = _holder(payload)
    return cast("Mapping[str, AnyMetadataValue]", getattr(held, "metadata", None) or {})


def _with_metadata(payload: AnyPayload, metadata: Mapping[str, AnyMetadataValue]) -> AnyPayload:
    field, held = _holder(payload)
    if field is None:
        return msgspec.structs.replace(payload, metadata=dict(metadata))
    changed = (
        held.with_metadata(metadata)
        if hasattr(held, "with_metadata")
        else msgspec.structs.replace(held, metadata=metadata)
    )
    return msgspec.structs.replace(payload, **{field: changed})
