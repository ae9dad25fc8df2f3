"""IO managers: who stores what steps give and loads what steps take."""

from __future__ import annotations

import abc
from typing import Any, ClassVar, Final

from segue.defs.io_contexts import InputContext, OutputContext

STORES_AND_LOADS: Final = "io manager"
LOADS: Final = "input manager"


class InputManager(abc.ABC):
    """Loads inputs. Implement `load_input`."""

    segue_manager_role: ClassVar[str | None] = LOADS

    @abc.abstractmethod
    def load_input(self, context: InputContext) -> Any:
        """Loads the value of an input."""


class IOManager(InputManager):
    """Stores outputs and loads inputs. Implement both methods; the contexts say of what."""

    segue_manager_role: ClassVar[str | None] = STORES_AND_LOADS

    @abc.abstractmethod
    def handle_output(self, context: OutputContext, obj: Any) -> Any:
        """Stores a value.

        Where it is a generator, it may yield `AssetMaterialization`s, which are recorded, and mappings of metadata, which
        are added to the materialization of the output.
        """

    @abc.abstractmethod
    def load_input(self, context: InputContext) -> Any:
        """Loads a value that `handle_output` stored."""


def manager_role(value: object) -> str | None:
    """What a resource is among IO managers: one that stores and loads, one that loads only, or none."""
    if isinstance(value, type):
        return None
    role = getattr(value, "segue_manager_role", None)
    if role is None and hasattr(value, "load_input"):  # an object of the user's with the right methods
        return STORES_AND_LOADS if hasattr(value, "handle_output") else LOADS
    return role
