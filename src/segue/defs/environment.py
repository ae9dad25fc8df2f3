"""Values that stand in the environment and are read when a run needs them."""

from __future__ import annotations

import os

from segue.errors import (
    ConfigErrorReason,
    ConfigViolation,
    InvalidConfigError,
    InvalidVariableError,
    UnresolvedVariableError,
)


class EnvVar(str):
    """The name of an environment variable, to be used as a config value of type str.

    It is read when a run needs it; the name, never the value, is shown and stored.
    """

    __slots__ = ()

    def __str__(self) -> str:
        raise _used_too_early(self, "used as text")

    def __format__(self, format_spec: str) -> str:
        raise _used_too_early(self, "used as text")

    @staticmethod
    def int(name: str) -> IntEnvVar:
        """The name of a variable that holds a whole number."""
        return IntEnvVar(name)

    @property
    def env_var_name(self) -> str:
        """The name of the variable."""
        return str.__str__(self)

    def get_value(self, default: str | None = None) -> str | None:
        """The variable's value now, or the default where it is not set."""
        return os.getenv(self.env_var_name, default)

    def read(self, where: str) -> str:
        """The variable's value.

        Raises:
            InvalidConfigError: it is not set.
        """
        value = os.environ.get(self.env_var_name)
        if value is None:
            missing = f"{where}: the environment variable {self.env_var_name} is not set. Set it and run again."
            raise InvalidConfigError("A variable cannot be read:", [_unreadable(missing, where)])
        return value

    def __repr__(self) -> str:
        return f"EnvVar({str.__repr__(self)})"


class IntEnvVar(int):
    """The name of an environment variable that holds a whole number, to be used as a config value of type int.

    Like `EnvVar`, it is read when a run needs it. Two of them are equal if they name the same variable.
    """

    name: str

    def __new__(cls, name: str) -> IntEnvVar:
        instance = super().__new__(cls, 0)
        instance.__dict__["name"] = name
        return instance

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"IntEnvVar is immutable: {name!r} cannot be set.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntEnvVar) and self.name == other.name

    def __hash__(self) -> int:
        return hash((IntEnvVar, self.name))

    def __reduce__(self) -> tuple[type[IntEnvVar], tuple[str]]:
        return (IntEnvVar, (self.name,))

    def __str__(self) -> str:
        raise _used_too_early(self, "used as text")

    def __format__(self, format_spec: str) -> str:
        raise _used_too_early(self, "used as text")

    def __int__(self) -> int:
        raise _used_too_early(self, "used as a number")

    @property
    def env_var_name(self) -> str:
        """The name of the variable."""
        return self.name

    def get_value(self, default: int | None = None) -> int | None:
        """The variable's value now, or the default where it is not set.

        Raises:
            InvalidVariableError: it is set, but not to an integer.
        """
        return default if os.getenv(self.name) is None else self.read("EnvVar.int(...).get_value()")

    def read(self, where: str) -> int:
        """The variable's value.

        Raises:
            InvalidConfigError: it is not set; an InvalidVariableError, also a ValueError, where its value is not an integer.
        """
        text = EnvVar(self.name).read(where)
        try:
            return int(text)
        except ValueError:
            wrong = (
                f"{where}: the value of the environment variable {self.name} is not an integer."  # it may be a secret
            )
            raise InvalidVariableError("A variable cannot be read:", [_unreadable(wrong, where)]) from None

    def __repr__(self) -> str:
        return f"EnvVar.int({self.name!r})"


def _unreadable(message: str, where: str) -> ConfigViolation:
    return ConfigViolation(message, ConfigErrorReason.FAILED_POST_PROCESSING, where.split(":"))


def _used_too_early(variable: EnvVar | IntEnvVar, used: str) -> UnresolvedVariableError:
    """The error for an f-string, `str()` or arithmetic, which would take a stand-in for the value."""
    return UnresolvedVariableError(
        f"{variable!r} is resolved at run time, but was {used} before that. Pass it to a field of a Config or "
        "resource as it is, call get_value() for the current value, or use env_var_name for the name."
    )
