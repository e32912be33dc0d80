"""The `websockets` library with a ping every 2 s, which must be answered within 1 s.

Prints "PORT n" when it listens; ends when its standard input does.
"""

import asyncio
import contextlib
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def hear(socket):
    with contextlib.suppress(ConnectionClosed):
        async for _ in socket:
            pass


async def main():
    beats = {"ping_interval": 2, "ping_timeout": 1, "close_timeout": 1}
    async with serve(hear, "127.0.0.1", 0, **beats) as server:
        print(f"PORT {server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
