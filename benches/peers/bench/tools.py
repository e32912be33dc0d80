"""What is measured: each tool's command lines, and how its words become RTTs."""

import json
import re
from dataclasses import dataclass, field
from typing import Callable

from .places import NODE_MODULES, PEERS, PYTHON, RUST, WEBSOCAT, Failure
from .process import ENVIRONMENT, output_of

UNTIL_KILLED = 10**9
WSCHECK_CODES = (0, 4)
WSCHECK_PAYLOAD = 16
#: WebSockets on a connection of HTTP/2 that they share.
STREAMS = 100


@dataclass(frozen=True)
class Tool:
    name: str
    #: (address, connections, interval in ms, count for each connection) -> command line
    command: Callable
    #: stdout and stderr -> {(port, number): RTT in ns}, or a list in the order of the pings
    parse: Callable
    #: it takes whole seconds only
    whole_seconds: bool = False
    #: it holds one connection, and is no tool for many
    single: bool = False
    #: it holds many connections, and is no tool for one
    many: bool = False
    #: it goes to the server's TLS port, with pings of so many bytes of payload
    secure: int | None = None
    #: it goes to the server's port for HTTP/2
    http2: bool = False
    #: the exit codes of a run that measured; wscheck's 4 says that it does not vouch for it
    codes: tuple = (0,)
    environment: dict = field(default_factory=dict)

    def env(self):
        return ENVIRONMENT | self.environment


def all_of(wscheck):
    """The tools; the first is wscheck, with its defaults."""
    return [
        *wschecks(wscheck),
        Tool("floor, kernel stamps", simple(RUST / "floor", "kernel"), lines, single=True),
        Tool("floor, user stamps", simple(RUST / "floor", "user"), lines, single=True),
        Tool("websocat", websocat, websocat_lines, whole_seconds=True, single=True),
        Tool("tokio-tungstenite", simple(RUST / "tungstenite", 128 << 10), lines),
        Tool("tokio-tungstenite, 4 KiB buffer", simple(RUST / "tungstenite", 4 << 10), lines, many=True),
        Tool("fastwebsockets", simple(RUST / "fastws"), lines),
        Tool("Node ws", node, lines, environment={"NODE_PATH": str(NODE_MODULES)}),
        Tool("Python websockets", python, lines),
    ]


def versions(wscheck):
    lock = (PEERS / "rust" / "Cargo.lock").read_text()
    locked = {name: version for name, version in re.findall(r'name = "(\S+)"\nversion = "(\S+)"', lock)}
    return {
        "wscheck": output_of([wscheck, "--version"]),
        "websocat": output_of([WEBSOCAT, "--version"]),
        "tokio-tungstenite": locked["tokio-tungstenite"],
        "fastwebsockets": locked["fastwebsockets"],
        "Node": output_of(["node", "--version"]),
        "ws": json.loads((NODE_MODULES / "ws" / "package.json").read_text())["version"],
        "Python": output_of([PYTHON, "--version"]),
        "websockets": output_of([PYTHON, "-c", "import websockets; print(websockets.__version__)"]),
    }


def knows(wscheck, flag):
    return flag in output_of([wscheck, "ping", "--help"])


def wschecks(binary):
    """wscheck as it is, and without the kernel's stamps where that can be chosen."""

    def ping(*more, scheme="ws"):
        def command(address, connections, interval, count):
            shape = ["-n", connections, "-i", f"{interval}ms", "-c", count]
            return [binary, "ping", "-o", "ndjson", *shape, *more, f"{scheme}://{address}/"]

        return command

    tools = [
        Tool("wscheck", ping(), ndjson, codes=WSCHECK_CODES),
        Tool("wscheck over TLS", ping("-k", scheme="wss"), ndjson, secure=WSCHECK_PAYLOAD, codes=WSCHECK_CODES),
    ]
    if knows(binary, "--http"):
        over = ["--http", "2"]
        shared = [*over, "--streams-per-connection", STREAMS]
        http2 = {"http2": True, "codes": WSCHECK_CODES}
        tools.append(Tool("wscheck over HTTP/2", ping(*over), ndjson, **http2))
        tools.append(Tool(f"wscheck, {STREAMS} streams a connection", ping(*shared), ndjson, many=True, **http2))
    if knows(binary, "--timestamps"):
        tools.append(Tool("wscheck --timestamps user", ping("--timestamps", "user"), ndjson, codes=WSCHECK_CODES))
    return tools


def simple(program, *more):
    return lambda address, connections, interval, count: [program, address, connections, interval, count, *more]


def websocat(address, _connections, interval, _count):
    return [WEBSOCAT, "--ping-interval", interval // 1000, "--print-ping-rtts", f"ws://{address}/"]


def node(address, *numbers):
    return ["node", PEERS / "clients" / "ws_client.cjs", address, *numbers]


def python(address, *numbers):
    return [PYTHON, PEERS / "clients" / "websockets_client.py", address, *numbers]


def lines(stdout, _stderr):
    rows = (line.split() for line in stdout.splitlines())
    return {(int(port), int(seq)): int(rtt) for port, seq, rtt in rows}


def websocat_lines(_stdout, stderr):
    return [round(float(rtt) * 1e9) for rtt in re.findall(r"RTT (\d+\.\d+) s", stderr)]


def ndjson(stdout, _stderr):
    ports, rtts = {}, {}
    for line in map(json.loads, stdout.splitlines()):
        connection = line.get("connection") or {}
        key = (connection.get("target"), connection.get("index"))
        if line.get("event") == "opened":
            ports[key] = int(line["local"].rsplit(":", 1)[1])
        elif line.get("event") == "heartbeat" and line["rtt_ms"] is not None:
            rtts[ports[key], line["seq"]] = round(line["rtt_ms"] * 1e6)
    if not rtts:
        raise Failure("wscheck printed no heartbeat")
    return rtts


def as_document(command):
    """wscheck with one document at the end instead of a line for each heartbeat."""
    return ["json" if part == "ndjson" else part for part in command]
