"""The emulators as tests use them: started on a free port, told to fail, and asked what arrived."""

from __future__ import annotations

import sys
from typing import Any

import requests

from tests.services import ROOT, Process, free_port, wait_for

CLOUDINARY_URL = "cloudinary://874837483274837:a676b67565c6767a6767d6767f676fe1@skerry"
CLOUDINARY_AUTH_KEY = "00112233ff99112233ff99"
RESEND_API_KEY = "re_c1tpEyD8_NKFusih9vKVQknRAQfmFcWCv"
MAIL_FROM = "Skerry Light <hello@skerry.example>"


def settings(url: str) -> dict[str, str]:
    """Return the settings with which Confab uses the emulators at an address."""
    return {
        "CLOUDINARY_URL": CLOUDINARY_URL,
        "CLOUDINARY_UPLOAD_PREFIX": url,
        "RESEND_API_KEY": RESEND_API_KEY,
        "RESEND_API_URL": url,
        "MAIL_FROM": MAIL_FROM,
    }


class Emulators:
    """The process and what it knows."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "tests.emulators", "--port", str(self.port)]
        self.process = Process(command, cwd=ROOT)
        wait_for(self._answers, what="the emulators")

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/_outbox", timeout=1).ok
        except requests.RequestException:
            return False

    @property
    def cloudinary(self) -> dict[str, str]:
        """The settings for pictures."""
        return {name: value for name, value in settings(self.url).items() if name.startswith("CLOUDINARY")}

    @property
    def resend(self) -> dict[str, str]:
        """The settings for e-mail."""
        return {name: value for name, value in settings(self.url).items() if not name.startswith("CLOUDINARY")}

    def fail(self, service: str, kind: str, times: int = 1, seconds: float = 30.0) -> None:
        """Let the next requests to ``cloudinary`` or ``resend`` fail; the kinds are in ``faults``."""
        fault = {"service": service, "kind": kind, "times": times, "seconds": seconds}
        requests.post(f"{self.url}/_faults", json=fault, timeout=5).raise_for_status()

    def assets(self) -> list[dict[str, Any]]:
        """The pictures that Cloudinary keeps."""
        return self._ask("_assets")

    def outbox(self) -> list[dict[str, Any]]:
        """The e-mails that Resend has accepted."""
        return self._ask("_outbox")

    def requests(self, service: str) -> list[dict[str, Any]]:
        """What a service was asked."""
        return [each for each in self._ask("_requests") if each["service"] == service]

    def _ask(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(f"{self.url}/{path}", timeout=5).json()
        return found

    def reset(self) -> None:
        """Forget everything, as between two tests."""
        requests.post(f"{self.url}/_reset", timeout=5).raise_for_status()

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
