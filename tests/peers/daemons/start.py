"""Starts a server that is a program of its own, in the foreground, on a free port of 127.0.0.1: start.py NAME [VALUE...].

  mosquitto                     MQTT over WebSocket
  nats [ping-interval-seconds]  NATS over WebSocket
  prosody [quiet-seconds]       XMPP over WebSocket, at /xmpp-websocket
  workerd                       a Durable Object that answers "ping" by setWebSocketAutoResponse

Prints "PORT n" when it listens; ends, and the server with it, when its standard input does, or when it is killed.
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

PEERS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

NATS = """
listen: "127.0.0.1:-1"
websocket { host: "127.0.0.1", port: -1, no_tls: true }
ping_interval: "%ss"
"""

MOSQUITTO = """
listener %(port)d 127.0.0.1
protocol websockets
# By itself the one above is not counted, and mosquitto 2.0.11 ends for want of listeners.
listener 0 %(folder)s/socket
user root
allow_anonymous true
log_dest stderr
"""

PROSODY = """
daemonize = false
run_as_root = true
pidfile = "%(folder)s/prosody.pid"
data_path = "%(folder)s"
log = { { levels = { min = "info" }, to = "console" } }
modules_enabled = { "saslauth", "websocket", "ping", "disco" }
modules_disabled = { "s2s" }
c2s_ports = {}
http_ports = { %(port)d }
http_interfaces = { "127.0.0.1" }
https_ports = {}
c2s_require_encryption = false
consider_websocket_secure = true
authentication = "anonymous"
network_settings = { read_timeout = %(timeout)s }
VirtualHost "localhost"
"""


def nats(folder, _port, seconds="120"):
    path = written(folder, NATS % seconds)
    return ["nats-server", "-c", path], rb"websocket clients on ws://127.0.0.1:(\d+)"


def mosquitto(folder, port):
    path = written(folder, MOSQUITTO % {"folder": folder, "port": port})
    return ["mosquitto", "-c", path], rb"mosquitto version .* running"


def prosody(folder, port, timeout="840"):
    path = written(folder, PROSODY % {"folder": folder, "port": port, "timeout": timeout})
    return ["prosody", "--config", path], rb"Activated service 'http' on (?!no)"


def workerd(_folder, _port):
    program = os.path.join(PEERS, "node/node_modules/@cloudflare/workerd-linux-64/bin/workerd")
    config = os.path.join(PEERS, "workerd/auto_response.capnp")
    return [program, "serve", config, "--control-fd=1"], rb'"event":"listen".*"port":(\d+)'


SERVERS = {"nats": nats, "mosquitto": mosquitto, "prosody": prosody, "workerd": workerd}


def written(folder, text):
    path = os.path.join(folder, "config.lua")
    with open(path, "w") as file:
        file.write(text)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def drain(stream):
    """Lets the server write on, though nobody listens."""
    null = open(os.devnull, "wb")
    threading.Thread(target=shutil.copyfileobj, args=(stream, null), daemon=True).start()


def start(name, folder, values):
    """The process and its port; nothing when it ended first: somebody else may have taken the port."""
    port = free_port()
    command, ready = SERVERS[name](folder, port, *values)
    command[0] = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with_parent
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if b"service 'http' on no ports" in line:
            process.kill()
        elif found := re.search(ready, line):
            drain(process.stdout)
            return process, int(found.group(1)) if found.groups() else port
    process.wait()
    sys.stderr.buffer.writelines(said)
    return None


def main():
    name, *values = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        started = next(filter(None, (start(name, folder, values) for _ in range(5))), None)
        if started is None:
            sys.exit(f"{name} does not start")
        process, port = started
        print(f"PORT {port}", flush=True)
        sys.stdin.read()
        process.kill()


main()
