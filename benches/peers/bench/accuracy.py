"""RTT error: what each tool reports less what the capture saw."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace

from .figures import percentile
from .places import Failure
from .process import PATIENCE, judge, running, server
from .tools import all_of, as_document

SINGLE_INTERVAL = 100


def single(wscheck, rounds, seconds, whole_seconds):
    """Ten heartbeats a second on one connection (or one a second, where a tool can do no more)."""
    tools = [tool for tool in all_of(wscheck) if not tool.many]
    found = {tool.name: [] for tool in tools}
    for number in range(rounds):
        for tool in tools:
            say("RTT error", number, rounds, tool.name)
            interval, span = (1000, whole_seconds) if tool.whole_seconds else (SINGLE_INTERVAL, seconds)
            reported, seen, _ = measure(tool, 1, interval, span * 1000 // interval)
            found[tool.name].append(errors(tool.name, reported, seen))
    return found


def many(wscheck, rounds, connections, settle, seconds):
    """A heartbeat a second on each of many connections, wscheck alone: each heartbeat's error, once all have beaten for
    `settle` seconds."""
    tool = all_of(wscheck)[0]
    found = []
    for number in range(rounds):
        say(f"RTT error of {connections} connections", number, rounds, tool.name)
        reported, seen, document = measure(tool, connections, 1000, settle + seconds)
        settled = {key: rtt for key, rtt in reported.items() if key[1] >= settle}
        found.append(errors(tool.name, settled, seen) | vouched(document))
    return found


def many_summed(wscheck, rounds, connections, seconds):
    """The same with one document at the end: the report's percentiles less the capture's, the opening included."""
    tool = replace(all_of(wscheck)[0], parse=lambda *_: None)
    tool = replace(tool, command=lambda *order: as_document(all_of(wscheck)[0].command(*order)))
    found = []
    for number in range(rounds):
        say(f"RTT report of {connections} connections", number, rounds, tool.name)
        _, seen, document = measure(tool, connections, 1000, seconds)
        rtts = [row[3] / 1000 for row in seen]
        if len(rtts) != document["rtt"]["count"]:
            raise Failure(f"wscheck counted {document['rtt']['count']} answers, the capture {len(rtts)}")
        found.append({
            "heartbeats": len(rtts),
            "p50_us": document["rtt"]["p50_ms"] * 1000 - percentile(rtts, 50),
            "p99_us": document["rtt"]["p99_ms"] * 1000 - percentile(rtts, 99),
            "wire_p50_us": percentile(rtts, 50),
            "wire_p99_us": percentile(rtts, 99),
        } | vouched(document))
    return found


def vouched(document):
    """What wscheck itself thinks of the run."""
    keys = ("exit_code", "reasons", "measurement", "measurement_reason", "host_lag", "timestamps")
    return {"report": {key: document.get(key) for key in keys}}


def say(what, number, rounds, name):
    print(f"{what}, round {number + 1} of {rounds}: {name}", file=sys.stderr)


def measure(tool, connections, interval, count):
    """What the tool reported, what was seen, and wscheck's document."""
    with server() as peer, judge(*port(peer, tool)) as capture:
        command = tool.command(peer.address_for(tool), connections, interval, count)
        stdout, stderr = run(command, tool, count * interval / 1000)
        return tool.parse(stdout, stderr), capture.verdicts(), document_of(stdout)


def port(peer, tool):
    how = [str(tool.secure)] if tool.secure else ["h2"] if tool.http2 else []
    return [peer.port_for(tool), *how]


def run(command, tool, seconds):
    """A client to its end; one that has no end of its own is ended. Its words go to files: nobody reads beside it."""
    endless = tool.whole_seconds
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        options = {"stdin": subprocess.PIPE, "stdout": out, "stderr": err}
        with running(command, tool.name, env=tool.env(), **options) as child:
            try:
                code = child.wait(seconds + 0.5 if endless else seconds + 4 * PATIENCE)
            except subprocess.TimeoutExpired:
                code = 0 if endless else "no end in time"
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read(), err.read()
    if code not in tool.codes:
        reasons = "; ".join(document_of(stdout).get("reasons", []))
        raise Failure(f"{tool.name} ended with {code}: {reasons or stderr.strip()[-500:] or 'without a word'}")
    return stdout, stderr


def document_of(stdout):
    """wscheck's document: all that it printed, or the last of its lines; nothing of another tool."""
    if not stdout.startswith("{"):
        return {}
    lines = stdout.splitlines()
    return json.loads(lines[-1] if lines[-1].startswith("{") else stdout)


def errors(name, reported, seen):
    """Reported less seen, of each heartbeat, in ns: from the ping's coming in, and from its going out."""
    if isinstance(reported, list):
        # What the tool tells without a number is in the order of its pings; the last may lack its line.
        if not 0 <= len(seen) - len(reported) <= 1:
            raise Failure(f"{name} reported {len(reported)} RTTs, the capture has {len(seen)}")
        pairs = list(zip(reported, seen))
    else:
        wire = {(port, int.from_bytes(payload[-8:], "big")): (out, in_) for port, payload, out, in_ in seen}
        absent = reported.keys() - wire.keys()
        if absent or len(wire) != len(seen):
            raise Failure(f"{name} reported {len(absent)} heartbeats that the capture has not")
        pairs = [(rtt, (None, None, *wire[key])) for key, rtt in reported.items()]
    if not pairs:
        raise Failure(f"{name} reported nothing")
    return {
        "error_ns": [rtt - row[3] for rtt, row in pairs],
        "error_from_out_ns": [rtt - row[2] for rtt, row in pairs],
        "wire_ns": [row[3] for _, row in pairs],
    }
