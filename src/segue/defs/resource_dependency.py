"""`ResourceDependency`: a field of a resource that takes another one, or what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

Value = TypeVar("Value")


class ResourceDependency(Generic[Value]):
    """Annotates a field that takes a resource which gives a `Value`, or a `Value` itself:
    `client: ResourceDependency[Client]`.
    """

    segue_parameter_kind = "resource"

    if TYPE_CHECKING:  # pyright takes the type of the field from these; they are never called

        def __get__(self, obj: Any, owner: Any) -> Value: ...
        def __set__(self, obj: Any, value: Any) -> None: ...

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, str]:
        """The schema of the field: a resource stays as it stands, any other value is what user code gets."""
        del source, handler
        return {"type": "any"}
