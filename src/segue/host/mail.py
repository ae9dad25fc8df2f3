"""Mail, sent over a connection that is always encrypted."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage


def send_mail(
    *,
    host: str,
    port: int,
    starts_plain: bool,
    user: str,
    password: str,
    sender: str,
    receivers: Sequence[str],
    subject: str,
    body: str,
) -> None:
    """Sends one mail.

    Args:
        host, port: the server.
        starts_plain: whether the connection is encrypted by STARTTLS rather than from its beginning.
        user, password: who logs in.
        sender, receivers: addresses.
        subject, body: the body in HTML.

    Raises:
        smtplib.SMTPException: the server refused.
        OSError: it cannot be reached.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(receivers), subject
    message.set_content(body, subtype="html")
    encryption = ssl.create_default_context()
    if starts_plain:
        with smtplib.SMTP(host, port) as server:
            server.starttls(context=encryption)
            server.login(user, password)
            server.send_message(message)
    else:
        with smtplib.SMTP_SSL(host, port, context=encryption) as server:
            server.login(user, password)
            server.send_message(message)
