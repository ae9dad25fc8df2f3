"""`FunctionComponent`: assets and checks that a Python function makes, which a file names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias, cast

from segue.defs.bindings import bound
from segue.defs.components.context import ComponentLoadContext
from segue.defs.components.executable import ExecutableComponent, OpSpec
from segue.defs.components.resolution_context import ResolutionContext
from segue.defs.components.resolver import Resolver
from segue.defs.config import Config
from segue.defs.signature import FunctionShape, function_name, read_function
from segue.errors import InvalidInvocationError


def resolve_callable(context: ResolutionContext, name: Any) -> Callable[..., Any]:
    """The function of a name: `package.module.function`, or `.module.function` from the folder above the file's on."""
    if callable(name):
        return name
    module_name, _, attribute = _full_name(context, str(name)).rpartition(".")
    if not module_name:
        raise context.error(f"{name!r} is not the full name of a function: write the module before it.")
    try:
        module = bound("module_named")(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise context.error(f"module {error.name!r} of {name!r} not found.") from error
    found = getattr(module, attribute, None)
    if not callable(found):
        raise context.error(f"the module {module_name} has no function {attribute!r}.")
    return found


def _full_name(context: ResolutionContext, name: str) -> str:
    if not name.startswith("."):
        return name
    here = ComponentLoadContext.from_resolution_context(context)
    own = f"{here.defs_relative_module_name(here.path)}{name}"
    folder, _, rest = name[1:].partition(".")
    # `.folder.module.function` may begin with the folder of the file itself
    return f"{here.defs_relative_module_name(here.path.parent)}.{folder}.{rest}" if folder == here.path.name else own


ResolvableCallable: TypeAlias = Annotated[
    Callable[..., Any],
    Resolver(
        resolve_callable,
        model_field_type=str,
        description="The full name of a Python function; with a dot before it, as seen from the folder.",
        examples=["my_package.steps.load_orders"],
    ),
]


class FunctionSpec(OpSpec):
    """A step that is a function.

    Attributes:
        fn: the function; it takes a context, config and resources as an asset's does.
    """

    type: Literal["function"] = "function"
    fn: ResolvableCallable


class FunctionComponent(ExecutableComponent):
    """Assets and checks computed by a Python function.

    Attributes:
        assets, checks: the assets and checks of the function.
        execution: the function, or what else there is to say of the step.
    """

    execution: FunctionSpec | ResolvableCallable

    @property
    def op_spec(self) -> OpSpec:
        """The attributes of the step; its name is that of the function."""
        if isinstance(self.execution, FunctionSpec):
            named = self.execution.name or function_name(self.execution.fn, "FunctionComponent")
            return self.execution.model_copy(update={"name": named})
        return OpSpec(name=function_name(self.execution, "FunctionComponent"))

    @property
    def function(self) -> Callable[..., Any]:
        """The function."""
        return self.execution.fn if isinstance(self.execution, FunctionSpec) else self.execution

    @property
    def execute_fn_metadata(self) -> FunctionShape:
        """The parameters of the function."""
        return read_function(self.function, f"function {function_name(self.function, 'FunctionComponent')!r}")

    @property
    def config_cls(self) -> type[Config] | None:
        """The Config class of the function."""
        found = self.execute_fn_metadata.config
        return found if isinstance(found, type) and issubclass(found, Config) else None

    @property
    def resource_keys(self) -> set[str]:
        """The resources that the function takes."""
        return set(self.execute_fn_metadata.resources)

    @property
    def config_fields(self) -> Mapping[str, Any] | None:
        """The fields of the config that the function takes."""
        return None if self.config_cls is None else self.config_cls.to_fields_dict()

    def step_function(self, component_load_context: ComponentLoadContext) -> Callable[..., Any]:
        """The function itself."""
        del component_load_context
        return self.function

    def invoke_execute_fn(self, context: Any, component_load_context: ComponentLoadContext) -> Iterable[Any]:
        """The result of the function, called directly.

        Raises:
            InvalidInvocationError: the function takes config, and the context has none.
        """
        del component_load_context
        shape = self.execute_fn_metadata
        given: dict[str, Any] = {key: getattr(context.resources, key) for key in shape.resources}
        given.update(self.get_config_param_dict(context))
        made = self.function(*([context] if shape.context else []), **given)
        return cast("Iterable[Any]", made) if isinstance(made, Iterable) else [made]

    def get_config_param_dict(self, context: Any) -> dict[str, Any]:
        """The config of the step as the argument of the function; empty where it takes none.

        Raises:
            InvalidInvocationError: the function takes config, and the context has none.
        """
        if self.config_cls is None:
            return {}
        said = context.op_config
        if not isinstance(said, Mapping):
            raise InvalidInvocationError(
                f"{function_name(self.function, 'FunctionComponent')}() requires config, but none was provided."
            )
        return {"config": self.config_cls(**cast("Mapping[str, Any]", said))}
