"""Behind the nginx.conf of docs/deploying: TLS and HTTP/2 towards browsers, one process of Confab at the back."""

from __future__ import annotations

import os
import re
import selectors
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import _expect_calm
from tests.people import PASSWORD
from tests.services import NGINX, ROOT, Process, Site, free_port, wait_for

NAME = "chat.example.org"


@dataclass
class Front:
    """nginx, the site behind it, and what is needed to reach them."""

    site: Site
    folder: Path
    port: int
    plain_port: int

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"


@dataclass
class Answer:
    """What came back, by which version of HTTP."""

    version: str
    status: int
    headers: dict[str, str]
    text: str


class Browser:
    """curl, with cookies that it keeps as browsers do: the prefix ``__Host-`` means something to it."""

    def __init__(self, front: Front, name: str) -> None:
        self.front = front
        self.jar = front.folder / f"{name}.cookies"
        self.token = ""

    def command(self, path: str, *options: str) -> list[str]:
        return [
            "curl", "--silent", "--show-error", "--include", "--http2", "--max-time", "20",
            "--cacert", str(self.front.folder / "certificate.pem"), "--resolve", f"{NAME}:{self.front.port}:127.0.0.1",
            "--cookie", str(self.jar), "--cookie-jar", str(self.jar), *options, self.front.url + path,
        ]  # fmt: skip

    def get(self, path: str, *options: str) -> Answer:
        done = subprocess.run(self.command(path, *options), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        version, status, *_ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        found = re.search(r'name="csrf-token" content="([^"]+)"', body)
        self.token = found[1] if found else self.token
        return Answer(version, int(status), headers, unescape(body))

    def post(self, path: str, origin: str = "", **fields: str) -> Answer:
        sent = [f"csrf_token={self.token}", *(f"{name}={value}" for name, value in fields.items())]
        options = [part for each in sent for part in ("--data-urlencode", each)]
        return self.get(path, "--header", f"Origin: {origin or self.front.url}", *options)

    def sign_in(self) -> Browser:
        self.get("/sign-in")
        assert self.post("/sign-in", email="ada@example.org", password=PASSWORD).status == 303
        return self

    def cookies(self) -> dict[str, bool]:
        """Return the names of cookies, and whether each is for TLS only."""
        rows = [line.removeprefix("#HttpOnly_").split("\t") for line in self.jar.read_text().splitlines()]
        return {row[5]: row[3] == "TRUE" for row in rows if len(row) == 7}


def configured(folder: Path, port: int, plain_port: int, app_port: int) -> str:
    """Return the nginx.conf of the documentation, changed where an operator has to change it, and to need no rights."""
    text = (ROOT / "docs/deploying/nginx.conf").read_text()
    own = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    for shown, here in {
        "user www-data;": "user root;" if os.geteuid() == 0 else "",
        "pid /run/nginx.pid;": f"pid {folder}/nginx.pid; daemon off;",
        "http {\n": f"http {{\n{own}\n",
        "/var/log/nginx/": f"{folder}/",
        "/etc/nginx/certificates/fullchain.pem": f"{folder}/certificate.pem",
        "/etc/nginx/certificates/privkey.pem": f"{folder}/key.pem",
        "server app-1:8000 ": f"server 127.0.0.1:{app_port} ",
        "server app-2:8000 ": "# ",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen [::]:80;": "",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "listen [::]:443 ": "# ",
    }.items():
        assert shown in text, shown
        text = text.replace(shown, here)
    return text


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    port, plain_port = free_port(), free_port()
    certificate = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem"), "-days", "2", "-nodes"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run(["openssl", "req", "-x509", *curve, *certificate, *names], check=True, capture_output=True)
    site = Site(folder / "site", BASE_URL=f"https://{NAME}:{port}", TRUSTED_PROXIES="1")
    conf = folder / "nginx.conf"
    conf.write_text(configured(folder, port, plain_port, site.port))
    tried = subprocess.run(
        [NGINX, "-t", "-p", str(folder), "-c", str(conf)], capture_output=True, text=True, check=False
    )
    assert tried.returncode == 0, tried.stderr
    nginx = Process([NGINX, "-p", str(folder), "-c", str(conf)], log=folder / "log")
    try:
        wait_for(lambda: accepts(port), what=f"nginx: {(folder / 'log').read_text()}")
        made = Front(site, folder, port, plain_port)
        set_up(made)
        yield made
    finally:
        nginx.stop()
        site.stop()
    _expect_calm(site)


def accepts(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def set_up(front: Front) -> None:
    """Make the first account by the link that the site has printed."""
    link = urlsplit(front.site.setup_link)
    assert f"{link.scheme}://{link.netloc}" == front.url
    browser = Browser(front, "first")
    browser.get(f"{link.path}?{link.query}")
    secret = link.query.partition("=")[2]
    made = browser.post("/setup", token=secret, name="Ada Lindqvist", email="ada@example.org", password=PASSWORD)
    assert made.status == 303, made.text


def test_a_page_comes_over_http_2(front: Front):
    answer = Browser(front, "reader").get("/sign-in")
    assert (answer.version, answer.status) == ("HTTP/2", 200)
    assert "strict-transport-security" in answer.headers


def test_plain_http_leads_to_https(front: Front):
    address = f"http://{NAME}:{front.plain_port}/rooms?search=a"
    resolve = ["--resolve", f"{NAME}:{front.plain_port}:127.0.0.1"]
    done = subprocess.run(["curl", "-sSi", *resolve, address], capture_output=True, text=True, check=True)
    assert "301 Moved Permanently" in done.stdout
    assert f"Location: https://{NAME}/rooms?search=a" in done.stdout


def test_people_sign_in_with_cookies_of_this_very_host(front: Front):
    ada = Browser(front, "signing in").sign_in()
    assert ada.cookies()["__Host-session"] is True
    assert ada.get("/rooms").status == 200


def test_a_form_of_another_site_is_refused(front: Front):
    other = Browser(front, "lured")
    other.get("/sign-in")
    for origin in ("https://evil.example", f"https://{NAME}.evil.example:{front.port}", "null"):
        assert other.post("/sign-in", origin, email="ada@example.org", password=PASSWORD).status == 403, origin
    assert "__Host-session" not in other.cookies()


def test_an_address_that_a_client_makes_up_is_not_believed(front: Front):
    ada = Browser(front, "elsewhere")
    ada.get("/sign-in")
    claims = ["--header", "X-Forwarded-For: 203.0.113.7", "--header", "X-Real-IP: 203.0.113.7"]
    fields = ["--data-urlencode", f"csrf_token={ada.token}", "--data", "email=ada@example.org"]
    ada.get("/sign-in", *claims, *fields, "--data-urlencode", f"password={PASSWORD}")
    page = ada.get("/devices")
    assert page.status == 200
    assert "127.0.0.1" in page.text
    assert "203.0.113.7" not in page.text


def test_a_stream_is_not_held_back(front: Front):
    """The hello, and then a message, come while the answer goes on. A proxy that gathers would have kept both for ever."""
    ada = Browser(front, "listener").sign_in()
    ada.get("/rooms")
    room = ada.post("/rooms", name="lamp-room", kind="group").headers["location"].rsplit("/", 1)[1]
    cursor = re.search(r'data-cursor="([^"]+)"', ada.get(f"/rooms/{room}").text)
    assert cursor
    with Listening(ada.command(f"/events?room={room}&after={cursor[1]}", "--no-buffer")) as stream:
        stream.until("event: hello")
        assert stream.text.startswith("HTTP/2 200")
        assert ada.post(f"/rooms/{room}/messages", body="lens and clockwork", client_id="client-1").status == 303
        stream.until("event: message.posted")
        stream.until("lens and clockwork")


class Listening:
    """A stream that curl reads."""

    def __init__(self, command: list[str]) -> None:
        self.text = ""
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def __enter__(self) -> Listening:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def until(self, words: str, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        assert self._process.stdout
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            while words not in self.text:
                rest = end - time.monotonic()
                assert rest > 0, f"no {words!r} within {seconds} s: {self.text}"
                if ready.select(rest):
                    piece = os.read(self._process.stdout.fileno(), 65536)
                    assert piece, f"ended without {words!r}: {self.text}"
                    self.text += piece.decode()


def test_a_line_of_its_log_leads_to_ours_and_holds_no_secret(front: Front):
    answer = Browser(front, "logged").get("/sign-in?next=/rooms")
    name = answer.headers["x-request-id"]
    log = front.folder / "access.log"
    line = wait_for(lambda: next((line for line in log.read_text().splitlines() if line.endswith(f" {name}")), ""))
    assert '"GET /sign-in" 200' in line
    assert "token=" not in log.read_text(), "the link of the first account was opened through nginx"
    wait_for(lambda: f"request={name} " in front.site.output())


def test_metrics_are_not_for_everybody(front: Front):
    answer = Browser(front, "curious").get("/metrics")
    assert answer.status == 404
    assert "x-request-id" not in answer.headers, "it did not get to us"
