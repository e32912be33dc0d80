"""How fast can one connection go: the next ping when the pong came."""

import subprocess
import sys
import tempfile
import time

from .places import RUST
from .process import running, server
from .tools import UNTIL_KILLED, knows

WARM = 200


def flood(wscheck, rounds, seconds):
    """Heartbeats a second, as the server counts them, of the minimal blocking client and of `wscheck ping --adaptive`;
    None where this wscheck does not know it."""
    if not knows(wscheck, "--adaptive"):
        return None
    found = {"minimal blocking client": [], "wscheck ping --adaptive": []}
    for number in range(rounds):
        print(f"adaptive, round {number + 1} of {rounds}", file=sys.stderr)
        for name, command in {
            "minimal blocking client": lambda address: [RUST / "floor", address, 1, 0, UNTIL_KILLED, "flood"],
            "wscheck ping --adaptive": lambda address: [
                wscheck, "ping", "--adaptive", "-o", "json", f"ws://{address}/",
            ],
        }.items():
            found[name].append(rate(name, command, seconds))
    return found


def rate(name, command, seconds):
    with server() as peer, tempfile.TemporaryFile("w+") as log:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": log}
        with running(command(peer.address), name, **options) as child:
            child.log = log
            peer.await_(lambda _, pings: pings >= WARM, child, name)
            before, start = peer.counts()[1], time.monotonic()
            time.sleep(seconds)
            after, span = peer.counts()[1], time.monotonic() - start
    return (after - before) / span
