"""How e-mail leaves: by Resend's SDK, or into ``outbox/`` in the instance folder where none is configured.

Each e-mail is a pair of templates, ``mail/<name>.txt`` and ``.html``; the first line of the text is the subject.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol

from flask import Flask, current_app

from chat.core import names
from chat.core.threads import at_most
from chat.web.templating import render_fragment

#: Fields of contexts that people choose themselves: nobody may write what they like into a stranger's mailbox.
_CHOSEN = ("name", "invited_by", "room")
#: Seconds the provider may take to answer.
TIMEOUT = 10


@dataclass(frozen=True)
class Mail:
    """One e-mail to one person."""

    to: str
    subject: str
    text: str
    html: str
    #: The same for every try of one e-mail, so that the provider sends it once.
    key: str


class Carrier(Protocol):
    """Takes e-mail away."""

    def send(self, mail: Mail) -> None:
        """Hand an e-mail over; raises when it was not taken."""


class Outbox:
    """Writes each e-mail to a file, to be looked at."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Write the file; a second try writes the same one again."""
        message = EmailMessage()
        # "=?" would begin an encoded word, which could end the line. As it stands, so that links can be copied.
        subject = mail.subject.replace("=?", "= ?")
        message["From"], message["To"], message["Subject"] = self._sender, mail.to, subject
        message.set_content(mail.text, cte="8bit")
        message.add_alternative(mail.html, subtype="html", cte="8bit")
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{mail.key.replace(':', '-')}.eml").write_bytes(bytes(message))


class Resend:
    """Sends through Resend, with its own SDK."""

    def __init__(self, settings: Any) -> None:
        import resend  # here: not where it is not used, and not while somebody waits for it
        from resend.http_client_requests import RequestsClient

        resend.api_key = settings.RESEND_API_KEY
        if settings.RESEND_API_URL:
            resend.api_url = settings.RESEND_API_URL
        resend.default_http_client = RequestsClient(timeout=TIMEOUT)
        self._sender = settings.MAIL_FROM

    def send(self, mail: Mail) -> None:
        """Send, with the key that makes a repeated try harmless."""
        from resend import Emails
        from resend.exceptions import ResendError

        content: Emails.SendParams = {
            "from": self._sender,
            "to": [mail.to],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
        }
        try:
            with at_most(TIMEOUT):
                Emails.send(content, {"idempotency_key": mail.key})
        except ResendError as problem:
            # An earlier try was taken, though its answer was lost; the text is another one by now, as names may be.
            if problem.error_type != "invalid_idempotent_request":
                raise


def init_app(app: Flask) -> None:
    """Choose how e-mail leaves."""
    settings = app.config["SETTINGS"]
    outbox = Outbox(settings.instance / "outbox", settings.MAIL_FROM)
    app.extensions["mail"] = Resend(settings) if settings.RESEND_API_KEY else outbox


def send(name: str, to: str, key: str, context: Any) -> None:
    """Render and send an e-mail.

    :param name: of the pair of templates.
    :param key: unique for this e-mail, the same for every try.
    """
    chosen = {each: names.harmless(getattr(context, each)) for each in _CHOSEN if hasattr(context, each)}
    context = replace(context, **chosen)
    subject, _, text = render_fragment(f"mail/{name}.txt", context).partition("\n")
    html = render_fragment(f"mail/{name}.html", context)
    carrier: Carrier = current_app.extensions["mail"]
    carrier.send(Mail(to, " ".join(subject.split()), text.strip() + "\n", html, key))
