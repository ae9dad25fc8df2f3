"""Mail for runs that failed, received by a server of this test's own."""

from __future__ import annotations

from typing import Any

import pytest

import segue as dg
from segue.errors import InvalidDefinitionError
from segue.host import mail


class Server:
    """What `smtplib` is asked for, without a network."""

    sent: list[Any] = []

    def __init__(self, host: str, port: int, context: Any = None) -> None:
        self.said: list[Any] = [(host, port, "encrypted" if context else "plain")]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        Server.sent.append(self.said)

    def starttls(self, context: Any) -> None:
        self.said.append("starttls" if context else "no context")

    def login(self, user: str, password: str) -> None:
        self.said.append((user, password))

    def send_message(self, message: Any) -> None:
        self.said.append((message["From"], message["To"], message["Subject"], message.get_content().strip()))


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> type[Server]:
    Server.sent = []
    monkeypatch.setattr(mail.smtplib, "SMTP_SSL", Server)
    monkeypatch.setattr(mail.smtplib, "SMTP", Server)
    return Server


def failed(sensor: Any) -> dg.ExecuteInProcessResult:
    """A run that failed, told to the sensor."""

    @dg.op
    def breaks() -> None:
        raise ValueError("no <data>")

    @dg.job
    def nightly() -> None:
        breaks()

    instance = dg.Instance.ephemeral()
    result = nightly.execute_in_process(instance=instance, raise_on_error=False)
    (event,) = [each for each in result.all_events if each.event_type_value == "RUN_FAILURE"]
    sensor(dg.build_run_status_sensor_context("mail", event, instance, instance.get_run_by_id(result.run_id)))
    return result


def test_a_failed_run_is_told() -> None:
    sensor = dg.make_email_on_run_failure_sensor(
        "a@example.com", "secret", ["b@example.com", "c@example.com"], webserver_base_url="http://pages/"
    )
    result = failed(sensor)
    ((place, login, (sender, receivers, subject, body)),) = Server.sent
    assert place == ("smtp.gmail.com", 465, "encrypted")
    assert login == ("a@example.com", "secret")
    assert (sender, receivers, subject) == ("a@example.com", "b@example.com, c@example.com", "Run of nightly failed")
    assert "Steps that failed: breaks." in body
    assert f'href="http://pages/runs/{result.run_id}"' in body


def test_own_words_and_another_server() -> None:
    sensor = dg.make_email_on_run_failure_sensor(
        "a@example.com",
        "secret",
        ["b@example.com"],
        email_body_fn=lambda context: f"<b>{context.dagster_run.job_name}</b>",
        email_subject_fn=lambda context: "Oh no",
        smtp_host="mail.example.com",
        smtp_type="STARTTLS",
        smtp_user="robot",
        name="tell",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    assert (sensor.name, sensor.default_status) == ("tell", dg.DefaultSensorStatus.RUNNING)
    failed(sensor)
    assert Server.sent == [
        [
            ("mail.example.com", 587, "plain"),
            "starttls",
            ("robot", "secret"),
            ("a@example.com", "b@example.com", "Oh no", "<b>nightly</b>"),
        ]
    ]


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(InvalidDefinitionError, match="at least one address"):
        dg.make_email_on_run_failure_sensor("a@example.com", "secret", [])
    with pytest.raises(InvalidDefinitionError, match="SSL or STARTTLS"):
        dg.make_email_on_run_failure_sensor("a@example.com", "secret", ["b@example.com"], smtp_type="NONE")
