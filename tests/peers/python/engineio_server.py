"""Engine.IO 4 by python-engineio over Tornado: engineio_server.py [interval timeout], in seconds.

Prints "PORT n" when it listens; ends when its standard input does.
"""

import asyncio
import sys

import engineio
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

BEATS = dict(zip(("ping_interval", "ping_timeout"), map(float, sys.argv[1:])))


async def main():
    engine = engineio.AsyncServer(async_mode="tornado", **BEATS)
    application = Application([("/engine.io/", engineio.get_tornado_handler(engine))])
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(application).add_sockets(sockets)
    print(f"PORT {sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
