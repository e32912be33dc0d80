"""Echoes over HTTP/1.1 and over HTTP/2 without TLS by hypercorn. Prints "PORT n"; ends when its standard input does."""

import asyncio
import socket
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config


async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.errorlog = None
    print(f"PORT {listener.getsockname()[1]}", flush=True)

    async def stdin_ended():
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    await serve(app, config, shutdown_trigger=stdin_ended)


asyncio.run(main())
