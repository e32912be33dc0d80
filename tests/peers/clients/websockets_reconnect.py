"""Reconnects as the documentation of websockets recommends: `async for` over `connect()`. The library sends Pings by itself
and fails a connection whose pong does not come in time; here both times are short."""

import asyncio
import sys

import websockets
from websockets.asyncio.client import connect


async def main():
    async for websocket in connect(sys.argv[1], ping_interval=1, ping_timeout=1, close_timeout=1):
        try:
            async for _ in websocket:
                pass
        except websockets.ConnectionClosed:
            continue


asyncio.run(main())
