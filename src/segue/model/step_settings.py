"""What is set for how steps are run: where what they write is kept, how much of it, how long they may take, and take to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath

import msgspec

from segue.errors import InvalidConfigError

LOG_LIMIT = 10 * 1024 * 1024
"""How many bytes are kept of each stream of each attempt, unless something else is set."""
STOP_GRACE = 20.0
"""For how many seconds a step that is asked to stop may tidy up, unless something else is set."""
_LOGS_FOLDER = "logs"


class StepSettings(msgspec.Struct, frozen=True):
    """The settings of a deployment for all steps.

    Attributes:
        logs: the folder in which each run has one for what its steps write; None for `logs` in the home.
        log_limit: how many bytes are kept of each stream of each attempt.
        stop_grace: for how many seconds one that is asked to stop may tidy up, before it is killed or left alone.
        max_runtime: for how many seconds a run may take that says nothing itself; None for as long as it takes.
        logs_url: where what they write is copied, below a name for each run; None for nowhere.
    """

    logs: str | None = None
    log_limit: int = LOG_LIMIT
    stop_grace: float = STOP_GRACE
    max_runtime: float | None = None
    logs_url: str | None = None

    def logs_of(self, home: PurePath | str, run_id: str | None = None) -> str:
        """The folder for what steps write, with this home; that of one run, where its id is given."""
        folder = PurePath(home, _LOGS_FOLDER) if self.logs is None else PurePath(self.logs)
        return str(folder if run_id is None else folder / run_id)

    def logs_url_of(self, run_id: str) -> str | None:
        """Where what the steps of a run write is copied; None for nowhere."""
        return None if self.logs_url is None else f"{self.logs_url.rstrip('/')}/{run_id}"


def step_settings(
    logs: PurePath | None,
    logs_url: str | None,
    variables: Mapping[str, str],
    log_limit: float,
    stop_grace: float,
    max_runtime: float | None = None,
) -> StepSettings:
    """The settings as they are written, looked at.

    Args:
        logs: the folder, as a whole path; None for that in the home.
        logs_url: where copies go; None for nowhere.
        variables: the environment, whose SEGUE_LOG_LIMIT, SEGUE_STOP_GRACE and SEGUE_MAX_RUNTIME win.
        log_limit: bytes, 0 or more.
        stop_grace: seconds, 0 or more.
        max_runtime: seconds, more than 0; None for no limit.

    Raises:
        InvalidConfigError: a number that is none of these.
    """
    log_limit = _number("SEGUE_LOG_LIMIT", variables, log_limit)
    stop_grace = _number("SEGUE_STOP_GRACE", variables, stop_grace)
    if not 0 <= log_limit < math.inf or int(log_limit) != log_limit:
        raise InvalidConfigError(f"The setting `log_limit` must be a number of bytes, 0 or more, got {log_limit:g}.")
    if not 0 <= stop_grace < math.inf:
        raise InvalidConfigError(
            f"The setting `stop_grace` must be a number of seconds, 0 or more, got {stop_grace:g}."
        )
    if max_runtime is not None or variables.get("SEGUE_MAX_RUNTIME"):
        max_runtime = _number("SEGUE_MAX_RUNTIME", variables, max_runtime or 0.0)
        if not 0 < max_runtime < math.inf:
            raise InvalidConfigError(
                f"The setting `max_runtime` must be a number of seconds greater than 0, got {max_runtime:g}."
            )
    folder = None if logs is None else str(logs)
    return StepSettings(folder, int(log_limit), float(stop_grace), max_runtime, logs_url)


def _number(variable: str, variables: Mapping[str, str], default: float) -> float:
    """The number in an environment variable; the default where it is not set."""
    text = variables.get(variable)
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise InvalidConfigError(f"{variable} must be a number, 0 or more, got {text!r}.") from None
