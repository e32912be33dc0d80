"""What many heartbeats cost: CPU for each thousand, memory for each connection."""

import subprocess
import sys
import tempfile
import time

from .places import Failure
from .process import cpu, memory, running, server
from .tools import UNTIL_KILLED, all_of, as_document

INTERVAL = 1000


def weigh(wscheck, rounds, sizes, settle, window):
    """For each tool and number of connections, a round's figures after another's. The most connections are held for
    `settle` and watched for `window` seconds, fewer for a third of it."""
    tools = [tool for tool in all_of(wscheck) if not tool.single]
    found = {tool.name: {str(size): [] for size in sizes} for tool in tools}
    for number in range(rounds):
        for tool in tools:
            alone = None
            for size in [1, *sizes]:
                print(f"weight, round {number + 1} of {rounds}: {tool.name}, {size}", file=sys.stderr)
                part = 1 if size == max(sizes) else 3
                figures = hold(tool, size, *((2, 0) if size == 1 else (settle / part, window / part)))
                alone = alone or figures["memory"]
                if size > 1:
                    figures["memory_each"] = (figures["memory"] - alone) / (size - 1)
                    found[tool.name][str(size)].append(figures)
    return found


def hold(tool, connections, settle, window):
    """Lets all connections beat for `settle` seconds, then watches for `window` seconds."""
    with server() as peer, tempfile.TemporaryFile("w+") as log:
        command = tool.command(peer.address_for(tool), connections, INTERVAL, UNTIL_KILLED)
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": log}
        with running(as_document(command), tool.name, env=tool.env(), **options) as child:
            child.log = log
            peer.await_(lambda opened, pings: opened == connections and pings >= connections, child, tool.name)
            time.sleep(settle)
            before, used, start = peer.counts(), cpu(child), time.monotonic()
            time.sleep(window)
            after, used, span = peer.counts(), cpu(child) - used, time.monotonic() - start
            figures = {"memory": memory(child)}
        if after[0] != connections:
            raise Failure(f"{tool.name}: {after[0]} of {connections} connections are left")
    if window:
        beats = after[1] - before[1]
        kept = beats / (connections * span)
        figures |= {"beats": beats, "kept": kept, "cpu_s": used, "cpu_ms_per_1000": used * 1e6 / beats}
    return figures
