"""Jupyter Server with one kernel, at /api/kernels/00000000-0000-0000-0000-000000000000/channels?token=wscheck.

jupyter.py [ms between its Pings [ms it waits for a Pong]]. Prints "PORT n" when it listens and the kernel is started; ends
when its standard input does.
"""

import asyncio
import os
import subprocess
import sys
import tempfile

from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

PINGS = dict(zip(("ws_ping_interval", "ws_ping_timeout"), map(int, sys.argv[1:])))


class Kernels(AsyncMappingKernelManager):
    def new_kernel_id(self, **_):
        return "00000000-0000-0000-0000-000000000000"


def configured(folder):
    settings = {"tornado_settings": PINGS, "kernel_manager_class": Kernels, "log_level": "ERROR"}
    app = ServerApp(allow_root=True, root_dir=folder, **settings)
    app.config.IdentityProvider.token = "wscheck"
    app.initialize([], find_extensions=False, new_httpserver=False)
    return app


async def serve(app):
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app.web_app)
    server.add_sockets(sockets)
    await app.kernel_manager.start_kernel(stderr=subprocess.DEVNULL)
    print(f"PORT {sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await app.kernel_manager.shutdown_all(now=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(JUPYTER_CONFIG_DIR=folder, JUPYTER_DATA_DIR=folder, JUPYTER_RUNTIME_DIR=folder, IPYTHONDIR=folder)
        asyncio.run(serve(configured(folder)))


main()
