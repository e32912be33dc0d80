"""Processes that are started, watched and surely ended."""

import os
import subprocess
import time
import urllib.request
from contextlib import contextmanager

from .places import RUST, Failure

PATIENCE = 30
# The kernel begins to stamp packets a moment after it is asked (net_enable_timestamp defers it).
STAMPS_BEGIN = 0.3


@contextmanager
def running(command, name, **options):
    """The process while the block runs; killed at its end."""
    try:
        child = subprocess.Popen([str(part) for part in command], **options)
    except OSError as error:
        raise Failure(f"cannot start {name}: {error}") from error
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                pipe.close()


class Server:
    """The server that all are measured against."""

    NAME = "fastwebsockets on hyper, one thread (benches/peers/rust/src/bin/server.rs)"

    def __init__(self, child):
        self.port, self.secure_port, self.http2_port = first_line(child, "the server").split()
        self.address = f"127.0.0.1:{self.port}"

    def port_for(self, tool):
        return self.secure_port if tool.secure else self.http2_port if tool.http2 else self.port

    def address_for(self, tool):
        return f"127.0.0.1:{self.port_for(tool)}"

    def counts(self):
        """Connections open now, and Pings so far."""
        with urllib.request.urlopen(f"http://{self.address}/", timeout=PATIENCE) as answer:
            return tuple(int(number) for number in answer.read().split())

    def await_(self, enough, child, name, patience=120):
        """Waits until `enough(connections, pings)`; the client must live on."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if enough(*self.counts()):
                return
            if child.poll() is not None:
                raise Failure(f"{name} ended early, with {child.returncode}: {said(child)}")
            time.sleep(0.05)
        raise Failure(f"{name}: connections and pings are {self.counts()} after {patience} s")


@contextmanager
def server():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with running([RUST / "server"], "the server", **pipes) as child:
        yield Server(child)


class Judge:
    """The capture; `verdicts()` ends it."""

    def __init__(self, child):
        self.child = child
        first_line(child, "the judge")
        time.sleep(STAMPS_BEGIN)

    def verdicts(self):
        """Of each heartbeat, in order: client's port, payload, RTT and RTT from the ping's coming in, in ns."""
        text, _ = self.child.communicate(timeout=2 * PATIENCE)
        *lines, last = text.splitlines() or [""]
        if last != "dropped 0 torn 0":
            raise Failure(f"the capture is not whole: {last or 'it ended early'}")
        rows = (line.split() for line in lines)
        return [(int(port), bytes.fromhex(payload[1:]), int(out), int(in_)) for port, payload, out, in_ in rows]


@contextmanager
def judge(*port):
    """On a port of the server's; with the size of the pings' payloads, on its TLS port; with `h2`, on that for HTTP/2."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with running([RUST / "judge", *port], "the judge", **pipes) as child:
        yield Judge(child)


def first_line(child, name):
    line = child.stdout.readline().strip()
    if not line:
        raise Failure(f"{name} did not start (it ended with {child.wait()})")
    return line


def said(child):
    """The last that an ended process said on stderr, where that is a file."""
    log = getattr(child, "log", None)
    if not log:
        return "(see above)"
    log.seek(0)
    return log.read().strip()[-500:] or "without a word"


def cpu(child):
    """User and system time of a process so far, in seconds, to the nanosecond (clock_getcpuclockid(3))."""
    return time.clock_gettime((~child.pid << 3) | 2)


def memory(child):
    """Resident memory of its own, in bytes."""
    with open(f"/proc/{child.pid}/status") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    raise Failure(f"/proc/{child.pid}/status tells no RssAnon")


def output_of(command):
    """What a program prints, for versions; or why it cannot be had."""
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, text=True).stdout.strip()
    except OSError as error:
        raise Failure(f"cannot run {command[0]}: {error}") from error


ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
