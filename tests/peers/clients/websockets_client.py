"""Connects to the URL given and listens until the end; websockets answers pings by itself."""

import asyncio
import sys

import websockets


async def main():
    async with websockets.connect(sys.argv[1], ping_interval=None) as connection:
        try:
            async for _ in connection:
                pass
        except websockets.ConnectionClosed as error:
            print("ended:", error)


asyncio.run(main())
