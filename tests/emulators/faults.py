"""Failing on demand: ``POST /_faults`` with ``{"service": "resend", "kind": "hang", "times": 1, "seconds": 30}``.

===============  ==================================================================
``slow``         answer as usual, but only after so many seconds
``hang``         take the request and say nothing for so many seconds
``error``        500, in the form of the provider
``limited``      429, in the form of the provider
``unavailable``  503 with a page of HTML, as from a proxy in front of the provider
``garbage``      200 with JSON that ends in the middle
``cut``          end the connection without an answer
``lost``         do the work, then end the connection without an answer
===============  ==================================================================
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

#: Builds the provider's own answer for a status.
Refusal = Callable[[int], Response]

KINDS = ("slow", "hang", "error", "limited", "unavailable", "garbage", "cut", "lost")

blueprint = Blueprint("faults", __name__)


@dataclass
class Fault:
    """What happens to the next requests to a service."""

    service: str
    kind: str
    times: int = 1
    seconds: float = 30.0


class Faults:
    """The faults that are still to happen, and what was asked so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: list[Fault] = []
        self.requests: list[dict[str, object]] = []

    def reset(self) -> None:
        """Fail no more, and forget what was asked, also what is not answered yet."""
        with self._lock:
            self._due = []
            self.requests = []

    def add(self, fault: Fault) -> None:
        """Let a service fail."""
        with self._lock:
            self._due.append(fault)

    def take(self, service: str) -> Fault | None:
        """Return what happens to this request, and count it."""
        with self._lock:
            for fault in self._due:
                if fault.service == service and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None


def init_app(app: Flask) -> Faults:
    """Set up without faults."""
    made = app.extensions["faults"] = Faults()
    return made


def here() -> Faults:
    """Return the faults of this process."""
    found: Faults = current_app.extensions["faults"]
    return found


@blueprint.post("/_faults")
def add() -> tuple[Response, int] | Response:
    """Let a service fail."""
    fault = Fault(**request.get_json())
    if fault.kind not in KINDS:
        return jsonify(error=f"There is no fault {fault.kind!r}, only {', '.join(KINDS)}."), 422
    here().add(fault)
    return jsonify(asdict(fault))


@blueprint.get("/_requests")
def requests() -> Response:
    """Show what was asked, oldest first."""
    return jsonify(here().requests)


def watch(service: Blueprint, refusal: Refusal) -> None:
    """Apply faults to the requests of a service and note each. What begins with ``/_`` is for tests and never fails."""

    @service.before_request
    def fail() -> Response | None:
        if request.path.startswith("/_"):
            return None
        g.requests = here().requests
        fault = g.fault = here().take(service.name)
        if fault is None or fault.kind == "lost":
            return None
        if fault.kind in {"slow", "hang"}:
            time.sleep(fault.seconds)
        answers = {
            "error": lambda: refusal(500),
            "limited": lambda: refusal(429),
            "unavailable": lambda: Response("<!doctype html><title>503</title>", 503, mimetype="text/html"),
            "garbage": lambda: Response('{"id": "49a3999c-', 200, mimetype="application/json"),
        }
        if fault.kind in answers:
            return answers[fault.kind]()
        if fault.kind in {"hang", "cut"}:
            _cut()
            return Response(status=500)
        return None

    @service.after_request
    def note(response: Response) -> Response:
        if not request.path.startswith("/_"):
            fault = g.get("fault")
            g.requests.append(
                {
                    "service": service.name,
                    "method": request.method,
                    "path": request.path,
                    "key": request.headers.get("Idempotency-Key"),
                    "fault": fault.kind if fault else None,
                    "status": response.status_code,
                }
            )
            if fault is not None and fault.kind == "lost":
                _cut()
        return response


def _cut() -> None:
    """End the connection under the server's feet, without an answer."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the client has gone already
