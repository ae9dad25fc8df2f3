"""Which failure is of which class: the built-in table, rules of the user before it, and how a process ended."""

from __future__ import annotations

import json
import pickle
import socket
import sqlite3
import ssl
import subprocess
import urllib.error
from collections.abc import Mapping
from email.message import Message
from types import SimpleNamespace
from typing import Any

import pydantic
import pytest

from segue.errors import InvalidDefinitionError, StorageUnavailableError
from segue.execute.failure_facts import failure_class
from segue.model.failure_class import ExitFacts, FailureClass, FailureRule, class_of_exit


def named(name: str, *bases: type[BaseException], **attributes: object) -> type[BaseException]:
    """A class with the name that one of a library has, without the library."""
    module, _, own = name.rpartition(".")
    return type(own, bases or (Exception,), {"__module__": module, **attributes})


def reply(status: int, base: str = "requests.exceptions.HTTPError") -> BaseException:
    """What a client raises at a reply of this status."""
    error = named(base, OSError)(f"{status} Client Error")
    vars(error)["response"] = SimpleNamespace(status_code=status)
    return error


def cloud(code: str, status: int = 400) -> BaseException:
    """What the client of a cloud raises, its answer as a mapping."""
    error = named("botocore.exceptions.ClientError")(f"An error occurred ({code})")
    answer: Mapping[str, Any] = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    vars(error)["response"] = answer
    return error


def database(state: str, name: str = "psycopg.OperationalError") -> BaseException:
    return named(name, sqlstate=state)("it did not work")


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def of_sqlite(statement: str) -> BaseException:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
    with pytest.raises(sqlite3.Error) as raised:
        connection.execute(statement)
    connection.close()
    return raised.value


def of_pydantic() -> BaseException:
    class Model(pydantic.BaseModel):
        rows: int

    with pytest.raises(pydantic.ValidationError) as raised:
        Model.model_validate({"rows": "many"})
    return raised.value


def of_json() -> BaseException:
    with pytest.raises(json.JSONDecodeError) as raised:
        json.loads("{")
    return raised.value


def of_http(status: int) -> BaseException:
    return urllib.error.HTTPError("http://there", status, "no", Message(), None)


OF = FailureClass
TABLE: list[tuple[str, BaseException, FailureClass]] = [
    ("plain", ValueError("no"), OF.USER_CODE),
    ("assertion", AssertionError(), OF.USER_CODE),
    ("exit", SystemExit(404), OF.USER_CODE),
    ("memory", MemoryError(), OF.OUT_OF_MEMORY),
    ("numpy memory", named("numpy._core._exceptions._ArrayMemoryError", MemoryError)("8 EiB"), OF.OUT_OF_MEMORY),
    ("cuda", named("torch.OutOfMemoryError", RuntimeError)("CUDA out of memory."), OF.OUT_OF_MEMORY),
    ("fork without memory", OSError(12, "Cannot allocate memory"), OF.OUT_OF_MEMORY),
    ("interrupt", KeyboardInterrupt(), OF.KILLED),
    ("killed child", subprocess.CalledProcessError(-9, "make"), OF.KILLED),
    ("killed child of a shell", subprocess.CalledProcessError(137, "make"), OF.KILLED),
    ("failed child", subprocess.CalledProcessError(1, "make"), OF.USER_CODE),
    ("slow child", subprocess.TimeoutExpired("make", 3), OF.TIMEOUT),
    ("asyncio", TimeoutError(), OF.TIMEOUT),
    ("socket", TimeoutError("timed out"), OF.TIMEOUT),
    ("urllib too slow", urllib.error.URLError(TimeoutError("timed out")), OF.TIMEOUT),
    ("requests too slow", named("requests.exceptions.ReadTimeout", named("requests.exceptions.Timeout"))(), OF.TIMEOUT),
    ("httpx too slow", named("httpx.ReadTimeout", named("httpx.TimeoutException"))(), OF.TIMEOUT),
    ("statement canceled", database("57014"), OF.TIMEOUT),
    ("gateway", reply(504), OF.TIMEOUT),
    ("unauthorized", reply(401), OF.CREDENTIALS),
    ("forbidden", reply(403, "httpx.HTTPStatusError"), OF.CREDENTIALS),
    ("urllib forbidden", of_http(403), OF.CREDENTIALS),
    ("expired", cloud("ExpiredToken"), OF.CREDENTIALS),
    ("denied", cloud("AccessDenied", 403), OF.CREDENTIALS),
    ("no credentials", named("botocore.exceptions.NoCredentialsError")(), OF.CREDENTIALS),
    ("wrong password", database("28P01"), OF.CREDENTIALS),
    (
        "wrong password in words",
        named("psycopg.OperationalError")('connection failed: password authentication failed for user "x"'),
        OF.CREDENTIALS,
    ),
    ("said in words", RuntimeError("The token has expired, sign in again"), OF.CREDENTIALS),
    ("too many", reply(429), OF.RATE_LIMIT),
    ("urllib too many", of_http(429), OF.RATE_LIMIT),
    ("throttled", cloud("ThrottlingException"), OF.RATE_LIMIT),
    ("slow down", cloud("SlowDown", 503), OF.RATE_LIMIT),
    ("model", named("openai.RateLimitError", status_code=429)(), OF.RATE_LIMIT),
    ("refused", ConnectionRefusedError(111, "Connection refused"), OF.NETWORK),
    ("pipe", BrokenPipeError(32, "Broken pipe"), OF.NETWORK),
    ("name", socket.gaierror(-2, "Name or service not known"), OF.NETWORK),
    ("certificate", ssl.SSLCertVerificationError("self-signed"), OF.NETWORK),
    ("urllib", urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")), OF.NETWORK),
    ("requests", named("requests.exceptions.ConnectionError", OSError)("Max retries exceeded"), OF.NETWORK),
    ("httpx", named("httpx.ConnectError", named("httpx.TransportError"))(), OF.NETWORK),
    ("bad gateway", reply(502), OF.NETWORK),
    ("server gone", database("08006"), OF.NETWORK),
    ("no server", named("psycopg.OperationalError")("connection to server at x failed"), OF.NETWORK),
    ("pydantic", of_pydantic(), OF.VALIDATION),
    ("pandera", named("pandera.errors.SchemaError")("column missing"), OF.VALIDATION),
    ("unique", of_sqlite("INSERT INTO t VALUES (1)"), OF.VALIDATION),
    ("unique in postgres", database("23505", "psycopg.errors.UniqueViolation"), OF.VALIDATION),
    ("json", of_json(), OF.UPSTREAM_DATA),
    ("file", FileNotFoundError(2, "No such file"), OF.UPSTREAM_DATA),
    ("object", cloud("NoSuchKey", 404), OF.UPSTREAM_DATA),
    ("not found", reply(404), OF.UPSTREAM_DATA),
    ("pickle", pickle.UnpicklingError("invalid load key"), OF.UPSTREAM_DATA),
    ("no table", database("42P01"), OF.UPSTREAM_DATA),
    ("syntax of sql", of_sqlite("SELEC 1"), OF.USER_CODE),
    ("disk", OSError(28, "No space left on device"), OF.PLATFORM),
    ("store", StorageUnavailableError("it is read-only"), OF.PLATFORM),
    ("threads", RuntimeError("can't start new thread"), OF.PLATFORM),
    ("busy", named("segue.errors.ResourceBusyError")(), OF.RATE_LIMIT),
    ("out of order", named("segue.errors.CircuitOpenError", named("segue.errors.ResourceBusyError"))(), OF.NETWORK),
    ("cause", caused(RuntimeError("the report is missing"), reply(401)), OF.CREDENTIALS),
    ("outer wins", caused(MemoryError(), reply(401)), OF.OUT_OF_MEMORY),
    ("group", ExceptionGroup("two failed", [ValueError("no"), ConnectionResetError(104, "reset")]), OF.NETWORK),
]


@pytest.mark.parametrize(("error", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_class_of_a_failure(error: BaseException, expected: FailureClass) -> None:
    assert failure_class(error, ()) is expected


def test_what_an_exception_hides_behind_a_property_that_raises_is_not_asked_twice() -> None:
    def boom(_self: object) -> object:
        raise RuntimeError("not here")

    error = named("shop.errors.Odd", status_code=property(boom), response=property(boom), __str__=boom)()
    assert failure_class(error, ()) is FailureClass.USER_CODE


CLIENT = cloud("ValidationException")


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (FailureRule(exception="botocore.exceptions.ClientError", failure_class="platform"), True),
        (FailureRule(exception="ClientError", failure_class="platform"), True),
        (FailureRule(exception="exceptions.ClientError", failure_class="platform"), False),
        (FailureRule(exception="builtins.Exception", failure_class="platform"), True),
        (FailureRule(exception="ClientError", message="an error .*validation", failure_class="platform"), True),
        (FailureRule(exception="ClientError", message="^nothing", failure_class="platform"), False),
        (FailureRule(code="Validation.*", failure_class=FailureClass.PLATFORM), True),
        (FailureRule(code="Validation", failure_class=FailureClass.PLATFORM), False),
        (FailureRule(status=400, failure_class="platform"), True),
        (FailureRule(status=(401, 499), failure_class="platform"), False),
    ],
)
def test_rules_of_the_user(rule: FailureRule, fits: bool) -> None:
    assert (failure_class(CLIENT, (rule,)) is FailureClass.PLATFORM) is fits


def test_the_first_rule_that_fits_counts_and_comes_before_the_built_in_ones() -> None:
    first = FailureRule(status=(400, 499), failure_class="validation")
    second = FailureRule(status=401, failure_class="platform")
    assert failure_class(reply(401), (first, second)) is FailureClass.VALIDATION
    assert failure_class(caused(MemoryError(), reply(401)), (second,)) is FailureClass.PLATFORM


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"failure_class": "nope", "exception": "X"}, "'nope' is not a failure class"),
        ({"failure_class": "network"}, "set exception, message, status or code"),
        ({"failure_class": "network", "message": "("}, "not a valid regular expression"),
        ({"failure_class": "network", "exception": ValueError}, "exception must be a string"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidDefinitionError, match=said):
        FailureRule(**given)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ExitFacts(signal=9), FailureClass.KILLED),
        (ExitFacts(exit_code=137), FailureClass.KILLED),
        (ExitFacts(signal=9, is_out_of_memory=True), FailureClass.OUT_OF_MEMORY),
        (ExitFacts(exit_code=1), FailureClass.USER_CODE),
    ],
)
def test_the_class_of_a_process_that_ended(facts: ExitFacts, expected: FailureClass) -> None:
    assert class_of_exit(facts) is expected
