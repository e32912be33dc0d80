"""A small server over the `websockets` library: Pings are answered by the library, app pings here.

Prints "PORT n" when it listens; ends when its standard input does. An argument is the interval of its own Pings in
seconds, and the time that it waits for each Pong. Another is JSON of how it compresses.
"""

import asyncio
import json
import sys

from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory


def answer_to(message):
    """The pong of an app ping; anything else comes back as it is."""
    try:
        fields = json.loads(message)
    except ValueError:
        return message
    if isinstance(fields, dict) and fields.get("type") == "ping":
        return json.dumps({**fields, "type": "pong"})
    return message


async def answer(socket):
    async for message in socket:
        await socket.send(answer_to(message))


async def main():
    keepalive = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    options = {"ping_interval": keepalive, "ping_timeout": keepalive}
    if len(sys.argv) > 2:
        options["extensions"] = [ServerPerMessageDeflateFactory(**json.loads(sys.argv[2]))]
    async with serve(answer, "127.0.0.1", 0, **options) as server:
        print(f"PORT {server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
