"""Code locations as the control plane sees them: where user code comes from, and which definitions it last gave."""

from __future__ import annotations

import enum

import msgspec

from segue.model.failure_class import FailureRule

_HIDDEN = "***"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """By what a control plane and a code location on another machine know each other.

    Attributes:
        token: what both know; each proves it without saying it.
        authority: a file with the certificates of who must have signed that of the other side.
        certificate: a file with the certificate of this side.
        key: a file with its private key; None where it stands in `certificate`.
    """

    token: str | None = None
    authority: str | None = None
    certificate: str | None = None
    key: str | None = None

    def __repr__(self) -> str:
        shown = msgspec.structs.asdict(self) | {"token": None if self.token is None else _HIDDEN}
        return f"Credentials({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """Where a code location on another machine is served.

    Attributes:
        host, port: where `segue location serve` listens.
        credentials: by what both sides know each other.
        timeout: after how many seconds without a word the connection counts as lost.
    """

    host: str
    port: int
    credentials: Credentials
    timeout: float = 15.0

    @property
    def place(self) -> str:
        """Host and port as one text."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class LocationTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A code location as it is configured: which code, in which Python environment.

    Attributes:
        name: unique in the deployment.
        file: a Python file with the definitions; or
        module: a module.
        attribute: which variable of it holds them; found by itself when None.
        working_directory: the folder from which user code imports, and in which its processes run.
        python: the interpreter with its packages; that of the control plane when None.
        environment: environment variables, put over those of the control plane.
        dagster_compat: whether Segue answers for `dagster` in it.
        failure_rules: which failures of steps are of which class, after those of the definitions.
        remote: where another machine serves it, which knows all else; None for one on this machine.
    """

    name: str
    file: str | None = None
    module: str | None = None
    attribute: str | None = None
    working_directory: str = "."
    python: str | None = None
    environment: dict[str, str] = {}
    dagster_compat: bool = False
    failure_rules: tuple[FailureRule, ...] = ()
    remote: Remote | None = None

    def __repr__(self) -> str:
        shown = msgspec.structs.asdict(self) | {"environment": dict.fromkeys(self.environment, _HIDDEN)}
        return f"LocationTarget({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


class LocationStatus(enum.Enum):
    """Where a code location stands. BROKEN: its code does not load; the last good definitions go on being served."""

    LOADING = "loading"
    READY = "ready"
    BROKEN = "broken"


class LocationState(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded of a code location.

    Attributes:
        name: unique in the deployment.
        status: where it stands.
        manifest_hash: the last good definitions, by content hash; None before the first.
        error: the traceback of the user's code, for one that is broken.
        updated_at: seconds since 1970, UTC.
    """

    name: str
    status: LocationStatus
    manifest_hash: str | None = None
    error: str | None = None
    updated_at: float = 0.0


class LoopState(msgspec.Struct, frozen=True, kw_only=True):
    """How a loop of the control plane does.

    Attributes:
        name: which.
        holder: the process that runs it.
        heartbeat_at: when it last went round, in seconds since 1970, UTC.
        lag: how late it was at most since it was told of last, in seconds.
        error: what went wrong in that round; None when nothing did.
        last_error: what went wrong last, in any round of the process that runs it; `failed_at` says when.
    """

    name: str
    holder: str
    heartbeat_at: float
    lag: float = 0.0
    error: str | None = None
    last_error: str | None = None
    failed_at: float | None = None
