"""Resend: ``POST /emails``, with the errors of https://resend.com/docs/api-reference/errors and its idempotency keys."""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request

from tests.emulators import faults

#: ``name@domain.tld`` or ``Name <name@domain.tld>``, on one line.
_ADDRESS = re.compile(r"(?:[^<>\r\n]*<)?[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+>?")
_STATUSES = {
    "missing_api_key": 401,
    "invalid_api_key": 403,
    "invalid_idempotency_key": 400,
    "invalid_idempotent_request": 409,
    "concurrent_idempotent_requests": 409,
    "missing_required_field": 422,
    "validation_error": 422,
    "rate_limit_exceeded": 429,
    "application_error": 500,
}

blueprint = Blueprint("resend", __name__)


@dataclass(frozen=True)
class Accepted:
    """An e-mail that was accepted."""

    id: str
    key: str | None
    mail: dict[str, Any]


class Account:
    """One account: its key, and what it sent."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget every e-mail."""
        self.sent: list[Accepted] = []


def init_app(app: Flask, key: str) -> Account:
    """Open an account with one key."""
    made = app.extensions["resend"] = Account(key)
    return made


def refusal(status: int) -> Response:
    """Return the API's answer of a status, for faults."""
    if status == 429:
        return _refuse("rate_limit_exceeded", "Too many requests. You can only make 2 requests per second.")
    return _refuse("application_error", "An unexpected error occurred.")


@blueprint.post("/emails")
def send() -> Response:
    """Accept an e-mail; the same key with the same e-mail is answered again and sends nothing."""
    account: Account = current_app.extensions["resend"]
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not given:
        return _refuse("missing_api_key", "Missing API key in the authorization header.")
    if given != account.key:
        return _refuse("invalid_api_key", "API key is invalid.")
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 256:
        return _refuse("invalid_idempotency_key", "The key must be between 1-256 chars.")
    mail = request.get_json()
    problem = _problem(mail)
    if problem is not None:
        return problem
    with account.lock:
        before = next((each for each in account.sent if key is not None and each.key == key), None)
        if before is None:
            before = Accepted(str(uuid.uuid4()), key, mail)
            account.sent.append(before)
        elif before.mail != mail:
            return _refuse("invalid_idempotent_request", "Same idempotency key used with a different request payload.")
    return jsonify(id=before.id)


def _problem(mail: dict[str, Any]) -> Response | None:
    for name in ("from", "to", "subject"):
        if not mail.get(name):
            return _refuse("missing_required_field", f"Missing `{name}` field.")
    if not mail.get("html") and not mail.get("text"):
        return _refuse("missing_required_field", "Missing `html` or `text` field.")
    recipients = mail["to"] if isinstance(mail["to"], list) else [mail["to"]]
    for name, addresses in (("from", [mail["from"]]), ("to", recipients)):
        if len(addresses) > 50 or not all(_ADDRESS.fullmatch(each) for each in addresses):
            return _refuse(
                "validation_error",
                f"Invalid `{name}` field. The email address needs to follow the `email@example.com` or "
                "`Name <email@example.com>` format.",
            )
    if re.search(r"[\r\n]", mail["subject"]):
        return _refuse("validation_error", "The `\\n` is not allowed in the `subject` field.")
    return None


@blueprint.get("/_outbox")
def outbox() -> Response:
    """Show what was sent, oldest first."""
    account: Account = current_app.extensions["resend"]
    return jsonify([asdict(each) for each in account.sent])


@blueprint.get("/_outbox/<mail_id>")
def look(mail_id: str) -> Response:
    """Show an e-mail as its reader sees it."""
    account: Account = current_app.extensions["resend"]
    found = next((each for each in account.sent if each.id == mail_id), None) or abort(404)
    return Response(found.mail.get("html") or found.mail["text"])


def _refuse(name: str, message: str) -> Response:
    response = jsonify(statusCode=_STATUSES[name], name=name, message=message)
    response.status_code = _STATUSES[name]
    if name == "rate_limit_exceeded":
        response.headers["Retry-After"] = "1"
    return response


faults.watch(blueprint, refusal)
