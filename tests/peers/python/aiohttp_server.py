"""aiohttp with a heartbeat of 2 s: counted from the last frame that came, and any frame answers it within 1 s.

Prints "PORT n" when it listens; ends when its standard input does.
"""

import asyncio
import sys

from aiohttp import web


async def hear(request):
    socket = web.WebSocketResponse(heartbeat=2.0)
    await socket.prepare(request)
    async for _ in socket:
        pass
    return socket


async def main():
    application = web.Application()
    application.router.add_get("/", hear)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"PORT {runner.addresses[0][1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
