"""How a process died, in words."""

from __future__ import annotations

import signal
from pathlib import Path

import msgspec

from segue.model.failure_class import FailureClass
from segue.model.messages import ProcessEnded

_CGROUP_OF_PROCESS = Path("/proc/self/cgroup")
_CGROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))


def oom_kills() -> int | None:
    """How many processes of this control group the kernel has killed so far for want of memory; None where it does not say."""
    try:
        lines = _CGROUP_OF_PROCESS.read_text(encoding="utf-8").splitlines()
        path = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
        if path is None:
            return None
        for root in _CGROUPS:
            events = root / path.lstrip("/") / "memory.events"
            if events.exists():
                found = dict(line.split() for line in events.read_text(encoding="utf-8").splitlines())
                return int(found.get("oom_kill", 0))
    except OSError:
        return None  # not Linux, or not for us to read
    return None


class Death(msgspec.Struct, frozen=True):
    """How a process ended that should have told of its end.

    Attributes:
        how: the rest of a sentence that begins with the process.
        failure_class: what sort of failure that is.
    """

    how: str
    failure_class: FailureClass


def death_of(report: ProcessEnded, oom_kills_before: int | None) -> Death:
    """How a process ended, from what is known of it.

    Args:
        report: its end.
        oom_kills_before: what `oom_kills` said before it was started.
    """
    code = report.exit_code
    if code >= 0:
        return Death(
            f"exited with exit code {code} in the middle of the step. Check for os._exit, or for a library that "
            "terminates the process.",
            FailureClass.USER_CODE,
        )
    name = signal.Signals(-code).name if -code in {each.value for each in signal.Signals} else f"signal {-code}"
    if -code != signal.SIGKILL:
        return Death(f"was killed by {name}. Its stderr may say more.", FailureClass.KILLED)
    peak = f" Its memory peaked at {report.peak_memory / 2**20:.0f} MiB." if report.peak_memory else ""
    now = oom_kills()
    if now is None or oom_kills_before is None:
        how = f"was killed by {name}, by a user or by the kernel when memory was exhausted.{peak}"
        return Death(how, FailureClass.KILLED)
    if now > oom_kills_before:
        how = (
            f"was killed by {name}, most likely because it ran out of memory: the kernel reported an out-of-memory "
            f"kill.{peak}"
        )
        return Death(how, FailureClass.OUT_OF_MEMORY)
    return Death(
        f"was killed by {name} from outside: the kernel did not report an out-of-memory kill.{peak}",
        FailureClass.KILLED,
    )
