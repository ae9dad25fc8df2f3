"""What processes that run user code and those that start them say to each other: the whole boundary in one file.

    coordinator -> zygote   LoadCode, then PrepareRun, StartProcess (with descriptors), SignalProcess, Ping, End
    zygote -> coordinator   Ready, then ProcessStarted, ProcessEnded, Pong
    zygote -> its processes the task of StartProcess, in memory (a fork) or in a file (a spawn)
    step process -> coordinator   Happened, AttemptOutcome, Passed, TeardownFailed
    coordinator -> step process   Recorded
    control plane -> tick process   AskTick, AskOpaque
    tick process -> control plane   TickAnswered, OpaqueAnswered
    control plane -> location on another machine   Hello, Proof; then StartProcess, SignalProcess, Carried
    location on another machine -> control plane   Hello, Proof, Refused; then what its zygote says, Carried, ZygoteEnded

The control plane is the first coordinator of the zygote of a code location. Each run that it has started there is another
one: its channel leads to the zygote, which was handed the other end.

Each message has the version of its form; what a reader does not know is refused.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from segue.model.concurrency import Concurrency
from segue.model.error_info import IOSide
from segue.model.event import ErrorInfo, Event, UserFailureData
from segue.model.failure_class import FailureClass, FailureRule
from segue.model.message_coding import MessageDecoder, encode
from segue.model.policies import RetryPolicy
from segue.model.questions import OpaqueAnswer, Question
from segue.model.run import Run
from segue.model.step_settings import StepSettings
from segue.model.stored_content import ArtifactSettings
from segue.model.tick_task import TickAnswer, TickTask
from segue.model.usage import StepUsage


class Message(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True):
    """Base of the messages; `version` is that of its form."""

    version: int = 1


class LoadCode(Message, frozen=True, tag="load_code"):
    """Import user code, and be ready to start processes with it.

    Attributes:
        file, module, attribute, working_directory, dagster_compat: where it is, as `CodeTarget` has it.
        job: a job by the place of its code, as `ReconstructableJob.to_dict` gives it; instead of these.
        import_path: `sys.path` of the process that asks.
        main_file: the script that this process runs, if it runs one.
        start_method: `fork`, or `spawn` for a fresh interpreter for each process.
        preload: modules to import besides.
        failure_rules: which failures are of which class, after those of the definitions.
        is_published: whether the answer is to include the manifest.
    """

    file: str | None = None
    module: str | None = None
    attribute: str | None = None
    working_directory: str = "."
    dagster_compat: bool = False
    job: dict[str, Any] | None = None
    import_path: tuple[str, ...] = ()
    start_method: str = "fork"
    preload: tuple[str, ...] = ()
    failure_rules: tuple[FailureRule, ...] = ()
    is_published: bool = False


class PrepareRun(Message, frozen=True, tag="prepare_run"):
    """The run whose steps the processes started from now on execute.

    Attributes:
        run: it.
        plan: its plan, encoded.
        config: its config as its steps read it, pickled.
        home: the folder of its instance.
        storage_directory: where the default IO manager stores values.
        now: the time at which it looks partitions up, in seconds since 1970, UTC.
        finished_in: the run in which a step ended well that is not done again, by step.
        is_watched: whether the coordinator wants to be told each event.
        within: the runs that it is executed within, itself included, from the outermost in.
        database: the URL of the database where it is not in the home folder.
        concurrency: the settings for what may happen at once, for runs that steps execute.
        artifacts: what is kept apart from the event log, and where.
    """

    run: Run
    plan: bytes
    config: bytes
    home: str
    storage_directory: str
    now: float
    finished_in: dict[str, str] = {}
    is_watched: bool = False
    within: tuple[str, ...] = ()
    database: str | None = None
    concurrency: Concurrency = Concurrency()
    artifacts: ArtifactSettings = ArtifactSettings()


class StartProcess(Message, frozen=True, tag="start_process"):
    """Start a process; its socket, stdout and stderr come along as descriptors, in this order. Where its socket is to lead to
    the zygote, as that of a run worker, the zygote's end is the fourth.
    """

    number: int
    task: bytes


class SignalProcess(Message, frozen=True, tag="signal_process"):
    """Send a signal to a process, or (`to_group`) to it and all that it started."""

    number: int
    signal: int
    to_group: bool = False


class Ping(Message, frozen=True, tag="ping"):
    """Are you there?"""

    number: int


class End(Message, frozen=True, tag="end"):
    """Kill what is left, and exit."""


class Ready(Message, frozen=True, tag="ready"):
    """The code is loaded, or `error` says why not.

    Attributes:
        start_method: how processes are started: `fork` or `spawn`.
        reason: why not by fork, where that was asked for.
        manifest, manifest_hash: the definitions, encoded, and their content hash, where they were asked for.
    """

    start_method: str = "fork"
    reason: str | None = None
    error: ErrorInfo | None = None
    manifest: bytes | None = None
    manifest_hash: str | None = None


class ProcessStarted(Message, frozen=True, tag="process_started"):
    """A process is there; or could not be made (`error`), and no ProcessEnded follows."""

    number: int
    pid: int = 0
    error: str | None = None


class ProcessEnded(Message, frozen=True, tag="process_ended"):
    """A process is gone.

    Attributes:
        number: of the StartProcess that made it.
        exit_code: its exit code; the negative number of the signal that killed it.
        user_seconds, system_seconds: CPU time.
        peak_memory: the most memory it held at once, in bytes.
    """

    number: int
    exit_code: int
    user_seconds: float = 0.0
    system_seconds: float = 0.0
    peak_memory: int = 0


class Pong(Message, frozen=True, tag="pong"):
    """The answer to `Ping`."""

    number: int


class StepTask(Message, frozen=True, tag="step_task"):
    """What a step process is to do.

    Attributes:
        step: the step of the plan, encoded.
        attempt: which attempt.
        token: the fencing token under which it records what happens.
        memory_limit: how many bytes it may take; None for any number.
    """

    step: bytes
    attempt: int
    token: int
    memory_limit: int | None = None


class Records(msgspec.Struct, frozen=True):
    """Where everything is recorded, as a process that is started opens it.

    Attributes:
        home: the home folder.
        storage_directory: where the default IO manager stores values.
        database: the URL of the database where it is not in the home folder.
        concurrency: what may happen at once.
        artifacts: what is kept apart from the event log, and where.
        steps: how steps are run.
    """

    home: str
    storage_directory: str
    database: str | None = None
    concurrency: Concurrency = Concurrency()
    artifacts: ArtifactSettings = ArtifactSettings()
    steps: StepSettings = StepSettings()


class RunTask(Message, frozen=True, tag="run_task"):
    """Execute a recorded run.

    Attributes:
        run_id: which.
        records: where it is recorded; None where who serves the location on another machine puts in its own.
        supervisor: the worker that starts the process, which ends with it; None where the process shows by itself that it lives.
    """

    run_id: str
    records: Records | None = None
    supervisor: str | None = None


class TicksTask(Message, frozen=True, tag="ticks_task"):
    """Answer for schedules and sensors, one question after the other, until nobody asks any more; `records` as in `RunTask`."""

    records: Records | None = None


class AskTick(Message, frozen=True, tag="ask_tick"):
    """A question to a schedule or sensor."""

    task: TickTask


class TickAnswered(Message, frozen=True, tag="tick_answered"):
    """The answer to `AskTick`.

    Attributes:
        answer: what it said.
        memory: how many bytes the process has held at most.
    """

    answer: TickAnswer
    memory: int = 0


class AskOpaque(Message, frozen=True, tag="ask_opaque"):
    """A question about what only the user's code knows; `now` is the moment it is about, in seconds since 1970, UTC."""

    question: Question
    now: float


class OpaqueAnswered(Message, frozen=True, tag="opaque_answered"):
    """The answer to `AskOpaque`; `memory` as of `TickAnswered`."""

    answer: OpaqueAnswer
    memory: int = 0


class Happened(Message, frozen=True, tag="happened"):
    """Events that the step process has recorded, for who watches the run."""

    events: tuple[Event, ...]


class Passed(Message, frozen=True, tag="passed"):
    """Events of hooks, for the coordinator to record: the lease of the attempt has ended with the attempt."""

    events: tuple[Event, ...]


class TeardownFailed(Message, frozen=True, tag="teardown_failed"):
    """A resource that the step had used could not be torn down: the step stays as it is, the run fails.

    Attributes:
        message: what to say of it.
        error: what was raised.
        failure_class: what sort of failure that is.
    """

    message: str
    error: ErrorInfo
    failure_class: FailureClass


class AttemptOutcome(Message, frozen=True, tag="attempt_outcome"):
    """How an attempt ended.

    Attributes:
        outputs, mapping_keys: what it gave, where it ended well.
        error: what it raised, where it did not.
        said: what user code said of it, where it raised `Failure`.
        is_unforeseen: whether user code raised it, and not `Failure` on purpose.
        failure_class: what sort of failure it is.
        usage: what it used, where it failed.
        retryable, requested: whether it may be tried again, and how user code asked for that.
        waits: whether the process waits for `Recorded`, to run hooks.
        io_side: `input` or `output`, where an IO manager raised the error.
    """

    outputs: tuple[str, ...] = ()
    mapping_keys: dict[str, tuple[str, ...]] = {}
    error: ErrorInfo | None = None
    said: UserFailureData | None = None
    is_unforeseen: bool = False
    failure_class: FailureClass | None = None
    usage: StepUsage | None = None
    retryable: bool = True
    requested: RetryPolicy | None = None
    waits: bool = False
    io_side: IOSide | None = None


class Recorded(Message, frozen=True, tag="recorded"):
    """The coordinator has recorded how an attempt ended: as `event` where it failed."""

    event: Event | None = None


class Hello(Message, frozen=True, tag="hello"):
    """The first that a control plane and a code location on another machine say to each other.

    Attributes:
        segue: the version of Segue.
        nonce: bytes that were never said before.
        location: the code location that the control plane wants.
        has_token: whether this side proves that it knows a token, and wants the other to.
        database: a name for the database in which this side records, the same for all who reach it, whatever they call it; None
            where it is not known: it is away, or this side is older.
    """

    segue: str
    nonce: bytes
    location: str = ""
    has_token: bool = False
    database: str | None = None


class Proof(Message, frozen=True, tag="proof"):
    """That this side knows the token; empty where none was agreed on, and TLS says who the other side is."""

    content: bytes = b""


class Refused(Message, frozen=True, tag="refused"):
    """The connection is not taken, and why."""

    reason: str


class Carried(Message, frozen=True, tag="carried"):
    """A message to or from a process whose channel does not reach the other machine; None: the channel is closed."""

    number: int
    content: bytes | None = None


class ZygoteEnded(Message, frozen=True, tag="zygote_ended"):
    """The zygote on the other machine is gone, with all that it had started; `said` is how, and what it printed last."""

    said: str


ToLocation: TypeAlias = StartProcess | SignalProcess | Carried
FromLocation: TypeAlias = Ready | ProcessStarted | ProcessEnded | Carried | ZygoteEnded
Greeting: TypeAlias = Hello | Proof | Refused
ToZygote: TypeAlias = LoadCode | PrepareRun | StartProcess | SignalProcess | Ping | End
FromZygote: TypeAlias = Ready | ProcessStarted | ProcessEnded | Pong
Task: TypeAlias = StepTask | RunTask | TicksTask
ToTicks: TypeAlias = AskTick | AskOpaque
FromTicks: TypeAlias = TickAnswered | OpaqueAnswered
FromStep: TypeAlias = Happened | AttemptOutcome | Passed | TeardownFailed


def encode_message(message: Message) -> bytes:
    """A message as bytes."""
    return encode(message)


# Each raises msgspec.ValidationError where the bytes are none of the messages.
decode_to_zygote = MessageDecoder[ToZygote](ToZygote)
decode_from_zygote = MessageDecoder[FromZygote](FromZygote)
decode_task = MessageDecoder[Task](Task)
decode_ask = MessageDecoder[ToTicks](ToTicks)
decode_answer = MessageDecoder[FromTicks](FromTicks)
decode_to_location = MessageDecoder[ToLocation](ToLocation)
decode_from_location = MessageDecoder[FromLocation](FromLocation)
decode_greeting = MessageDecoder[Greeting](Greeting)
decode_from_step = MessageDecoder[FromStep](FromStep)
decode_recorded = MessageDecoder[Recorded](Recorded)
