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
        label: its label.
        editable: whether a form may create and change components of the class.
        hidden: whether the field is left out.
        placeholder: the text shown while the field is empty.
        multiline: whether the field has several lines.
        widget: the input element for the value.
        advanced: whether the field is shown only on request.
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
        """Additional information in the JSON schema of a component."""
        said = {"x-app-managed": self.editable or None, "title": self.label}
        return {key: value for key, value in said.items() if value is not None}

    def to_field_json_schema_extra(self) -> dict[str, Any]:
        """Additional information in the JSON schema of a field."""
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
