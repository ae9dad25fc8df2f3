"""What config an op takes, as its function or its decorator says."""

from __future__ import annotations

from segue.defs.bindings import bound
from segue.defs.config_schema.declared import DefinitionConfigSchema, declared_schema
from segue.defs.config_schema.place import NO_VALUE
from segue.defs.config_schema.shapes import Field
from segue.defs.signature import FunctionShape
from segue.errors import WrongDeclarationError


def declared_config(config_schema: object, shape: FunctionShape, name: str) -> DefinitionConfigSchema | None:
    """What config the function takes, as its `config` parameter says, or its `config_schema`.

    Raises:
        InvalidDefinitionError: both say so, or the schema is none.
    """
    if isinstance(config_schema, DefinitionConfigSchema) or (config_schema is None and shape.config is None):
        return config_schema
    what = f"{name!r} ({shape.source})"
    if shape.config is None:
        return declared_schema(config_schema, what)
    if config_schema is not None:
        raise WrongDeclarationError(
            f"{what}: both a `config` parameter and config_schema= were provided. Remove config_schema."
        )
    if getattr(shape.config, "segue_parameter_kind", None) == "config":
        return declared_schema(shape.config, what)
    kind = bound("config_type_of")(shape.config, f"the parameter 'config' of {what}")
    return DefinitionConfigSchema(Field(kind, default_value=shape.defaults.get("config", NO_VALUE)))
