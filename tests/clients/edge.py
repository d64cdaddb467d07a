"""A proxy between clients and Confab: it signs them in, cuts them off, holds them up, and takes what they heard."""

from __future__ import annotations

import json
import socket
import threading
from collections import defaultdict
from typing import Any

from tests.people import Person

#: What a browser opens: its own EventSource for each stream, and nothing of ours.
PAGE = """<!doctype html><meta charset="utf-8"><title>EventSource</title><script>
const [, client] = location.pathname.split("/").filter(Boolean);
let told = Promise.resolve();
for (const [stream, path] of new URLSearchParams(location.search)) {
  const source = new EventSource(path);
  for (const name of ["hello", "reset", "bye", "message.posted", "message.edited", "message.deleted", "member.left"])
    source.addEventListener(name, ({ data, lastEventId }) => {
      const body = JSON.stringify({ event: name, data, id: lastEventId });
      told = told.then(() => fetch(`/heard/${client}/${stream}`, { method: "POST", body })).catch(() => {});
    });
}
</script>"""


class Edge:
    """A proxy on a port of its own; ``/events`` goes to Confab as ``person``."""

    def __init__(self, person: Person, port: int) -> None:
        self._person, self._port = person, port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heard: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self._up = threading.Event()
        self._up.set()
        self._streams: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Drop every stream, and let nobody in until ``let_in``; they wait at the door."""
        self._up.clear()
        for each in tuple(self._streams):
            _end(each)

    def let_in(self) -> None:
        self._up.set()

    def close(self) -> None:
        self.cut()
        _end(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        data = b""
        with client:
            try:
                while True:
                    while b"\r\n\r\n" not in data:
                        piece = client.recv(65536)
                        if not piece:
                            return
                        data += piece
                    head, _, data = data.partition(b"\r\n\r\n")
                    line, *headers = head.decode().split("\r\n")
                    fields = {
                        name.lower(): value.strip() for name, _, value in (each.partition(":") for each in headers)
                    }
                    path = line.split(" ")[1]
                    if path.startswith("/events"):
                        self._relay(client, path, fields)
                        return
                    while len(data) < int(fields.get("content-length", 0)):
                        data += client.recv(65536)
                    body, data = (
                        data[: int(fields.get("content-length", 0))],
                        data[int(fields.get("content-length", 0)) :],
                    )
                    client.sendall(self._answer(path, body))
            except OSError:
                return

    def _answer(self, path: str, body: bytes) -> bytes:
        if path.startswith("/heard/"):
            _, _, client, stream = path.split("/")
            self.heard[client, stream].append(json.loads(body))
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        page = PAGE.encode() if path.startswith("/page/") else b""
        status = b"200 OK" if page else b"404 Not Found"
        return b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (status, len(page), page)

    def _relay(self, client: socket.socket, path: str, fields: dict[str, str]) -> None:
        self._up.wait()
        cookies = "; ".join(f"{each.name}={each.value}" for each in self._person.http.cookies)
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Cookie: {cookies}"]
        lines += [f"{name}: {fields[name]}" for name in ("accept", "last-event-id") if name in fields]
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as server:
            server.settimeout(None)
            self._streams |= {client, server}
            try:
                server.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
                while piece := server.recv(65536):
                    client.sendall(piece)
            finally:
                self._streams -= {client, server}


def _end(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
