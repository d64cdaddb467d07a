"""Behind proxies that let through what they should not: a malformed request has its own answers at most, and no other client,
on connections to Confab that are shared and kept, ever gets a byte of them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conftest import _expect_calm
from tests.server.malformed import MALFORMED, Malformed
from tests.services import NGINX, Process, Site, free_port, wait_for

HAPROXY = shutil.which("haproxy") or "/usr/sbin/haproxy"
CADDY = shutil.which("caddy") or "/usr/bin/caddy"
#: What a proxy must take for the body of the request before it, however it reads the rest.
IN_A_BODY = {"name", "value", "single", "expect", "size"}


@dataclass
class Proxy:
    """A proxy in front of the site."""

    name: str
    port: int
    site: Site


def nginx(folder: Path, port: int, behind: int) -> list[str]:
    """As lenient as it gets: names that are none, underscores, bodies passed on as they come."""
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = folder / "nginx.conf"
    conf.write_text(f"""
        {"user root;" if os.geteuid() == 0 else ""}
        daemon off; pid {folder}/nginx.pid; worker_processes 1; error_log {folder}/error.log;
        events {{ worker_connections 512; }}
        http {{
            {temporary}
            access_log off; ignore_invalid_headers off; underscores_in_headers on; merge_slashes off;
            large_client_header_buffers 8 64k;
            upstream confab {{ server 127.0.0.1:{behind}; keepalive 4; }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://confab; proxy_http_version 1.1; proxy_request_buffering off;
                    proxy_set_header Connection ""; proxy_set_header Host $http_host;
                    proxy_set_header X-Forwarded-For $remote_addr;
                }}
            }}
        }}""")
    return [NGINX, "-p", str(folder), "-c", str(conf)]


def haproxy(folder: Path, port: int, behind: int) -> list[str]:
    """With the option that takes what is no HTTP, whose name was changed in 3.0."""
    said = subprocess.run([HAPROXY, "-v"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)", said)
    assert found
    invalid = "accept-unsafe-violations-in-http" if int(found[1]) >= 3 else "accept-invalid-http"
    conf = folder / "haproxy.cfg"
    conf.write_text(f"""
global
  maxconn 400
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  option {invalid}-request
  option {invalid}-response
  option forwardfor
  http-reuse always
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server confab 127.0.0.1:{behind} pool-max-conn 4
""")
    return [HAPROXY, "-db", "-f", str(conf)]


def caddy(folder: Path, port: int, behind: int) -> list[str]:
    """As it comes: there is nothing to loosen."""
    conf = folder / "Caddyfile"
    conf.write_text(f"""{{
    admin off
    auto_https off
}}
:{port} {{
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:{behind}
}}
""")
    return [CADDY, "run", "--adapter", "caddyfile", "--config", str(conf)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), TRUSTED_PROXIES="1")
    yield site
    site.stop()
    _expect_calm(site)


@pytest.fixture(scope="module", params=[nginx, haproxy, caddy], ids=lambda each: each.__name__)
def proxy(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    configure: Callable[[Path, int, int], list[str]] = request.param
    folder, port = tmp_path_factory.mktemp(configure.__name__), free_port()
    folder.chmod(0o755)
    env = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    process = Process(configure(folder, port, site.port), env=env, log=folder / "log")
    try:
        wait_for(lambda: healthy(port), 30, what=f"{configure.__name__}: {(folder / 'log').read_text()}")
        yield Proxy(configure.__name__, port, site)
    finally:
        process.stop()


def healthy(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def test_no_answer_too_many_and_none_for_another(proxy: Proxy):
    over = threading.Event()
    with ThreadPoolExecutor(12) as pool:
        others = [pool.submit(look_on, proxy.port, over) for _ in range(2)]
        said = [(number, each, with_number(each, number)) for number, each in enumerate(MALFORMED)]
        answers = list(pool.map(lambda each: exchange(proxy.port, each[2]), said))
        over.set()
        seen = [line for other in others for line in other.result()]
    log = proxy.site.output()
    for (number, each, data), found in zip(said, answers, strict=True):
        finals = re.findall(rb"HTTP/1\.[01] ([2-9]\d\d) ", found)
        requests_said = 1 + data.count(b"GET /hid")
        assert len(finals) <= requests_said, (each.name, found[:500])
        if each.name.partition(":")[0] in IN_A_BODY:
            assert len(finals) <= 1, (each.name, found[:500])
            assert f'"GET /hid{number:03}"' not in log, each.name
    assert len(seen) > 10
    assert set(seen) <= {"200 ok\n", "502", "503"}, (
        "a proxy's own answer at most, where the connection that it kept has ended"
    )
    assert seen.count("200 ok\n") > len(seen) / 2
    assert healthy(proxy.port)
    assert healthy(proxy.site.port)


def with_number(each: Malformed, number: int) -> bytes:
    """Return the request with the hidden one made known by a number of the same length."""
    return each.data.replace(b"/hidden", b"/hid%03d" % number)


def exchange(port: int, said: bytes) -> bytes:
    """Return what comes until the other side closes, or says nothing more."""
    data = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        try:
            sock.sendall(said)
            sock.settimeout(3)
            while piece := sock.recv(65536):
                data += piece
                sock.settimeout(0.5)
        except OSError:
            pass
    return data


def look_on(port: int, over: threading.Event) -> list[str]:
    """Ask for one's own page again and again on a kept connection; return what was answered."""
    seen: list[str] = []
    with requests.Session() as browser:
        while not over.is_set():
            answer = browser.get(f"http://127.0.0.1:{port}/healthz", timeout=30)
            own = "x-request-id" in answer.headers
            seen.append(f"{answer.status_code} {answer.text}" if own else str(answer.status_code))
    return seen
