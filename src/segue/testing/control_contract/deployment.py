"""Rules about code locations and loops."""

from __future__ import annotations

from segue.model.content_hash import content_hash
from segue.model.location import LocationState, LocationStatus, LoopState
from segue.testing.control_contract.builders import Stores

MANIFEST = b'{"version":1}'


def locations_are_known_by_name(stores: Stores) -> None:
    ready = LocationState(name="b", status=LocationStatus.READY, manifest_hash=content_hash(MANIFEST), updated_at=1.0)
    stores.control.put_location(ready, MANIFEST)
    stores.control.put_location(LocationState(name="a", status=LocationStatus.LOADING))
    assert [each.name for each in stores.control.location_states()] == ["a", "b"]
    broken = LocationState(
        name="b", status=LocationStatus.BROKEN, manifest_hash=ready.manifest_hash, error="Traceback", updated_at=2.0
    )
    stores.control.put_location(broken, MANIFEST)
    assert stores.control.location_states()[1] == broken
    stores.control.remove_location("a")
    assert [each.name for each in stores.control.location_states()] == ["b"]


def loops_say_how_they_do(stores: Stores) -> None:
    stores.control.put_loop(LoopState(name="schedules", holder="1-a", heartbeat_at=1.0))
    late = LoopState(name="schedules", holder="2-b", heartbeat_at=2.0, lag=0.5, error="no space left")
    stores.control.put_loop(late)
    assert stores.control.loop_states() == [late]


RULES = (locations_are_known_by_name, loops_say_how_they_do)
