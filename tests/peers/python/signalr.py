"""A SignalR hub at /hub, by aiosignalr: signalr.py [keep-alive client-timeout], in seconds.

Prints "PORT n" when it listens; ends when its standard input does.
"""

import asyncio
import sys

from aiohttp import web
from aiosignalr.server import Hub, ServerOptions, SignalRServer

TIMES = dict(zip(("keep_alive_interval", "client_timeout_interval"), map(float, sys.argv[1:])))


class Room(Hub):
    async def echo(self, text: str) -> str:
        return text


async def main():
    server = SignalRServer(Room, options=ServerOptions(**TIMES))
    runner = web.AppRunner(server.create_application(path="/hub"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"PORT {runner.addresses[0][1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
