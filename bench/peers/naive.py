"""The Flask view of the tutorials: a generator and a queue for each client, on gevent's WSGI server."""

from gevent import monkey

monkey.patch_all()

import queue  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402

import redis  # noqa: E402
from flask import Flask, Response  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402

app = Flask(__name__)
clients: set[queue.Queue] = set()


@app.get("/events")
def events() -> Response:
    mine = queue.Queue()
    clients.add(mine)

    def stream():
        try:
            yield "event: hello\ndata:\n\n"
            while True:
                yield f"event: message.posted\ndata: {mine.get()}\n\n"
        finally:
            clients.discard(mine)

    return Response(stream(), mimetype="text/event-stream")


@app.get("/")
def index() -> str:
    return "ok"


def listen() -> None:
    pubsub = redis.Redis(port=int(sys.argv[2]), socket_timeout=None).pubsub()
    pubsub.psubscribe("bench:*")
    for message in pubsub.listen():
        if message["type"] == "pmessage":
            text = message["data"].decode()
            for each in tuple(clients):
                each.put(text)


threading.Thread(target=listen, daemon=True).start()
WSGIServer(("127.0.0.1", int(sys.argv[1])), app, log=None, backlog=4096).serve_forever()
