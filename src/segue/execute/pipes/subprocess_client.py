"""`PipesSubprocessClient`: external processes on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from segue.defs.context import OpExecutionContext
from segue.errors import PipesExecutionError
from segue.execute.pipes.client import PipesClient, PipesClientCompletedInvocation
from segue.execute.pipes.injectors import PipesContextInjector, PipesTempFileContextInjector
from segue.execute.pipes.protocol import PipesExtras
from segue.execute.pipes.readers import PipesMessageReader, PipesTempFileMessageReader
from segue.execute.pipes.session import open_pipes_session


class PipesSubprocessClient(PipesClient):
    """Starts a process on this machine and waits for it.

    Args:
        env: environment variables for every process, besides those that are there.
        cwd: the working directory of every process.
        context_injector: how the context gets there; a temporary file when None.
        message_reader: how messages get here; a temporary file when None.
        forward_termination: whether the process is terminated when the step is canceled.
        forward_stdio: whether to forward the output of the process; it is discarded otherwise.
        termination_timeout_seconds: how long a process may take to terminate before it is killed.
    """

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        context_injector: PipesContextInjector | None = None,
        message_reader: PipesMessageReader | None = None,
        forward_termination: bool = True,
        forward_stdio: bool = True,
        termination_timeout_seconds: float = 20,
    ) -> None:
        self.env = env
        self.cwd = cwd
        self.context_injector = context_injector or PipesTempFileContextInjector()
        self.message_reader = message_reader or PipesTempFileMessageReader()
        self.forward_termination = forward_termination
        self.forward_stdio = forward_stdio
        self.termination_timeout_seconds = termination_timeout_seconds

    def run(  # pyright: ignore[reportIncompatibleMethodOverride] reason: each client says what it needs to know
        self,
        *,
        context: OpExecutionContext,
        extras: PipesExtras | None = None,
        command: str | Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> PipesClientCompletedInvocation:
        """Starts a process and waits until it has ended.

        Args:
            context: of the step.
            extras: additional plain data for the process.
            command: the program and its arguments; a string is passed to the shell.
            env: environment variables for this process; they win over those of the client.
            cwd: its working directory; that of the client when None.

        Raises:
            PipesExecutionError: it ended with another code than 0, or something it said could not be read.
        """
        injector, reader = self.context_injector, self.message_reader
        with open_pipes_session(context, injector, reader, extras) as session:
            variables = {**os.environ, **session.get_bootstrap_env_vars(), **(self.env or {}), **(env or {})}
            output = None if self.forward_stdio else subprocess.DEVNULL
            process = subprocess.Popen(
                command,
                cwd=cwd or self.cwd,
                env=variables,
                shell=isinstance(command, str),
                stdout=output,
                stderr=output,
            )
            try:
                process.wait()
            except KeyboardInterrupt:
                if self.forward_termination:
                    context.log.warning(f"[pipes] the step was canceled: terminating the process {process.pid}.")
                    self._end(context, process)
                raise
            if process.returncode != 0:
                raise PipesExecutionError(f"The external process {_how_it_ended(process)}: {_shown(command)}")
        return PipesClientCompletedInvocation(session)

    def _end(self, context: OpExecutionContext, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(self.termination_timeout_seconds)
        except subprocess.TimeoutExpired:
            context.log.warning(
                f"[pipes] the process {process.pid} did not end within {self.termination_timeout_seconds} s: killing it."
            )
            process.kill()
            process.wait()


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    if code >= 0:
        return f"ended with code {code}"
    known = {each.value: each.name for each in signal.Signals}
    return f"was terminated by the signal {known.get(-code, -code)}"


def _shown(command: str | Sequence[str]) -> str:
    return command if isinstance(command, str) else " ".join(command)
