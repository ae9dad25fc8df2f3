"""`ComponentFormConfig`: how a form shows a component, or one of its fields; written into the JSON schema."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec


class FormWidget(Enum):
    """What a value is entered with."""

    CRON = "cron"
    DATE = "date"
    SECRET = "secret"


class ComponentFormConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a form shows a component, or one of its fields.

    Attributes:
        label: what it is called.
        editable: whether a form may make and change components of the class.
        hidden: whether the field is left out.
        placeholder: what stands in the field while it is empty.
        multiline: whether the field has several lines.
        widget: what the value is entered with.
        advanced: whether the field is shown only when asked for.
        id_source: whether the value names the component.
    """

    label: str | None = None
    editable: bool = False
    hidden: bool | None = None
    placeholder: str | None = None
    multiline: bool | None = None
    widget: FormWidget | None = None
    advanced: bool | None = None
    id_source: bool | None = None

    def to_component_json_schema_extra(self) -> dict[str, Any]:
        """What the JSON schema of a component says of it besides."""
        said = {"x-app-managed": self.editable or None, "title": self.label}
        return {key: value for key, value in said.items() if value is not None}

    def to_field_json_schema_extra(self) -> dict[str, Any]:
        """What the JSON schema of a field says of it besides."""
        widget = None if self.widget is None else self.widget.value
        if self.hidden:
            widget = "hidden"
        elif widget is None and self.multiline:
            widget = "textarea"
        said = {
            "title": self.label,
            "ui:widget": widget,
            "ui:placeholder": self.placeholder,
            "ui:advanced": self.advanced or None,
            "x-app-id-source": self.id_source or None,
        }
        return {key: value for key, value in said.items() if value is not None}
