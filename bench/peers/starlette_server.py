"""Starlette with sse-starlette on uvicorn: a queue for each client, messages come from Redis."""

import asyncio
import contextlib
import sys

import redis.asyncio
import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

clients: set[asyncio.Queue] = set()


async def events(request):
    mine = asyncio.Queue()
    clients.add(mine)

    async def stream():
        try:
            yield {"event": "hello", "data": ""}
            while True:
                yield {"event": "message.posted", "data": await mine.get()}
        finally:
            clients.discard(mine)

    return EventSourceResponse(stream())


async def index(request):
    return PlainTextResponse("ok")


async def listen():
    pubsub = redis.asyncio.Redis(port=int(sys.argv[2])).pubsub()
    await pubsub.psubscribe("bench:*")
    async for message in pubsub.listen():
        if message["type"] == "pmessage":
            text = message["data"].decode()
            for each in clients:
                each.put_nowait(text)


@contextlib.asynccontextmanager
async def lifespan(app):
    task = asyncio.create_task(listen())
    yield
    task.cancel()


app = Starlette(routes=[Route("/events", events), Route("/", index)], lifespan=lifespan)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), backlog=4096, log_level="error")
