"""Flask-SocketIO on gevent, messages come from Redis."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
import threading  # noqa: E402

import redis  # noqa: E402
from flask import Flask, request  # noqa: E402
from flask_socketio import SocketIO, join_room  # noqa: E402

app = Flask(__name__)
sockets = SocketIO(app, async_mode="gevent", cors_allowed_origins="*")


@app.get("/")
def index() -> str:
    return "ok"


@sockets.on("connect")
def connect() -> None:
    join_room(request.args["room"])


def listen() -> None:
    pubsub = redis.Redis(port=int(sys.argv[2]), socket_timeout=None).pubsub()
    pubsub.psubscribe("bench:*")
    for message in pubsub.listen():
        if message["type"] == "pmessage":
            sockets.emit("m", message["data"].decode(), to=message["channel"].decode()[6:])


threading.Thread(target=listen, daemon=True).start()
sockets.run(app, host="127.0.0.1", port=int(sys.argv[1]))
