"""Firefox and WebKit, driven by the commands that both know: WebDriver, over Firefox's own socket and WebKit's HTTP.

Playwright drives neither of those that Debian ships. https://www.w3.org/TR/webdriver2/ names the commands,
https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html how Firefox takes them.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.people import Person
from tests.services import Process, free_port, wait_for

ENTER, ESCAPE, UP, SHIFT = "\ue007", "\ue00c", "\ue013", "\ue008"
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
#: Seconds that a page may take to become what a test expects.
PATIENCE = 20.0
#: Preferences of a Firefox that asks nobody anything and believes that it has a mouse (a headless one has none).
_FIREFOX = {
    "app.normandy.enabled": "false",
    "browser.aboutwelcome.enabled": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "network.captive-portal-service.enabled": "false",
    "ui.allPointerCapabilities": "6",
    "ui.primaryPointerCapabilities": "6",
}


class Browser(ABC):
    """One window of a browser in which somebody is signed in."""

    @abstractmethod
    def tell(self, command: str, path: str, **given: Any) -> Any:
        """Send a command, by its name for Firefox and its path for WebKit, and return its value."""

    @abstractmethod
    def stop(self) -> None:
        """End the browser."""

    def sign_in(self, person: Person) -> None:
        """Have the cookies of a person and of nobody else."""
        self.go(f"{person.url}/healthz")
        self.tell("WebDriver:DeleteAllCookies", "DELETE cookie")
        for each in person.http.cookies:
            cookie = {"name": each.name, "value": each.value, "path": "/"}
            self.tell("WebDriver:AddCookie", "POST cookie", cookie=cookie)

    def go(self, address: str) -> None:
        """Open an address; once it is loaded."""
        self.tell("WebDriver:Navigate", "POST url", url=address)

    def reload(self) -> None:
        """Load the page again."""
        self.tell("WebDriver:Refresh", "POST refresh")

    def ask(self, expression: str, *given: Any) -> Any:
        """Return the value of an expression in the page; what is given is ``arguments``."""
        return self.tell(
            "WebDriver:ExecuteScript", "POST execute/sync", script=f"return {expression}", args=list(given)
        )

    def until(self, expression: str, *given: Any) -> Any:
        """Wait until an expression is true in the page, and return its value."""
        return wait_for(lambda: self.ask(expression, *given), PATIENCE, expression)

    def shows(self, selector: str, text: str = "") -> None:
        """Wait until something of a selector with a text can be seen."""
        self.until(
            "[...document.querySelectorAll(arguments[0])].some((each) => each.checkVisibility()"
            " && each.textContent.includes(arguments[1]))",
            selector,
            text,
        )

    def press(self, *keys: str) -> None:
        """Press keys one after the other; several in one text are held together, as Shift and Enter."""
        steps: list[dict[str, str]] = []
        for chord in keys:
            steps += [{"type": "keyDown", "value": key} for key in chord]
            steps += [{"type": "keyUp", "value": key} for key in reversed(chord)]
        self._act({"type": "key", "id": "keys", "actions": steps})

    def write(self, text: str) -> None:
        """Type a text."""
        self.press(*text)

    def point(self, selector: str, click: bool = False) -> None:
        """Move the pointer onto the middle of what a selector finds first; from outside, for a pointer at rest is not told."""
        x, y = self.until(
            "(() => { const found = [...document.querySelectorAll(arguments[0])].find((each) => each.checkVisibility());"
            " if (!found) return null; found.scrollIntoView({ block: 'nearest' });"
            " const box = found.getBoundingClientRect();"
            " return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]; })()",
            selector,
        )
        self.move(x, y, click)

    def move(self, x: int, y: int, click: bool = False) -> None:
        """Move the pointer in one jump."""
        buttons = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}] if click else []
        move = {"type": "pointerMove", "x": x, "y": y, "duration": 0, "origin": "viewport"}
        self._act(
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [move, *buttons]}
        )

    def choose(self, selector: str, file: Path) -> None:
        """Choose a file, as in the dialog of a file field."""
        found = self.tell("WebDriver:FindElement", "POST element", using="css selector", value=selector)
        element = found.get("value", found)[_ELEMENT] if isinstance(found.get("value"), dict) else found[_ELEMENT]
        self.tell("WebDriver:ElementSendKeys", f"POST element/{element}/value", id=element, text=str(file))

    def resize(self, width: int, height: int) -> None:
        """Give the window a size, in CSS pixels."""
        self.tell("WebDriver:SetWindowRect", "POST window/rect", width=width, height=height)

    def _act(self, *sources: dict[str, Any]) -> None:
        self.tell("WebDriver:PerformActions", "POST actions", actions=list(sources))


class Firefox(Browser):
    """Firefox without a screen, over Marionette: each message is its length, a colon, and JSON."""

    def __init__(self) -> None:
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        assert program, "Firefox is not installed: apt-get install firefox-esr"
        self._folder = tempfile.TemporaryDirectory(prefix="confab-firefox-")
        port = free_port()
        lines = [
            f'user_pref("{name}", {value});\n' for name, value in (_FIREFOX | {"marionette.port": str(port)}).items()
        ]
        (Path(self._folder.name) / "user.js").write_text("".join(lines))
        command = [program, "--headless", "--no-remote", "--marionette", "--profile", self._folder.name]
        self._process = Process(command, log=Path(self._folder.name) / "log")
        self._socket = wait_for(lambda: _connected(port), 60, "Firefox")
        self._count = 0
        self._read()
        self.tell("WebDriver:NewSession", "", capabilities={})

    def tell(self, command: str, path: str, **given: Any) -> Any:
        self._count += 1
        data = json.dumps([0, self._count, command, given]).encode()
        self._socket.sendall(f"{len(data)}:".encode() + data)
        _, _, error, result = self._read()
        assert error is None, f"{command}: {error}"
        return result.get("value") if isinstance(result, dict) and set(result) == {"value"} else result

    def stop(self) -> None:
        self._socket.close()
        self._process.kill()
        self._folder.cleanup()

    def _read(self) -> Any:
        length = b""
        while (byte := self._socket.recv(1)) != b":":
            assert byte, "Firefox has ended"
            length += byte
        data = b""
        while len(data) < int(length):
            data += self._socket.recv(int(length) - len(data))
        return json.loads(data)


class WebKit(Browser):
    """WebKit's MiniBrowser on a screen that nobody sees, over its driver's HTTP."""

    def __init__(self) -> None:
        driver, screen = shutil.which("WebKitWebDriver"), shutil.which("xvfb-run")
        assert driver, "WebKit is not installed: apt-get install webkit2gtk-driver"
        assert screen, "WebKit needs a screen: apt-get install xvfb xauth"
        mini = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
        port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="confab-webkit-")
        command = [screen, "-a", "-s", "-screen 0 1600x1200x24", driver, f"--port={port}"]
        self._process = Process(command, log=Path(self._folder.name) / "log")
        self._base = f"http://127.0.0.1:{port}/session"
        wait_for(lambda: _connected(port), 60, "WebKit's driver").close()
        options = {"binary": str(mini[-1]), "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        made = requests.post(self._base, json=wanted, timeout=60).json()["value"]
        self._base += f"/{made['sessionId']}"

    def tell(self, command: str, path: str, **given: Any) -> Any:
        method, _, rest = path.partition(" ")
        body = given if method == "POST" else None
        answer = requests.request(method, f"{self._base}/{rest}", json=body, timeout=60)
        value = answer.json()["value"]
        assert answer.ok, f"{command}: {value}"
        return value

    def stop(self) -> None:
        try:
            requests.delete(self._base, timeout=10)
        except requests.RequestException:
            pass  # it ends with its screen
        self._process.send(signal.SIGTERM)  # to all of them, so that the screen takes its lock away
        self._process.stop()
        self._folder.cleanup()


ENGINES: dict[str, Callable[[], Browser]] = {"firefox": Firefox, "webkit": WebKit}


def _connected(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=60)
    except OSError:
        return None
