"""The tables, in Markdown."""

import re

from .aims import aims, medians
from .figures import difference, percentile, ratios, spread

OURS = "wscheck"
TRIVIAL = "a trivial program"


def render(result):
    parts = [head(result)]
    for key, write in (("single", single), ("many", many), ("weight", weight), ("flood", flood), ("start", start)):
        if key in result:
            parts.append(write(result))
    parts.append(table("The aims", ["aim", "found", ""], aims(result)))
    return "\n\n".join(parts) + "\n"


def head(result):
    machine, options = result["machine"], result["options"]
    versions = ", ".join(f"{name} {number(version)}" for name, version in result["versions"].items())
    quick = "**A smoke run: too short for its figures to be trusted.** " if options["quick"] else ""
    return (
        f"{quick}{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB, {machine['kernel']}; load "
        f"{machine['load_before']:.2f} before the run. Server: {result['server']}. {versions}. "
        f"Medians of {options['rounds']} interleaved rounds, least to greatest in brackets."
    )


def number(version):
    """The number in what a program says of its version."""
    return re.search(r"\d+(\.\d+)+", version)[0]


def single(result):
    """Errors in µs: of each round its median and p99, of these the median over the rounds."""
    rows = []
    ours = medians(result["single"][OURS])
    for name, rounds in result["single"].items():
        p99 = [percentile(one["error_ns"], 99) / 1000 for one in rounds]
        out = [percentile(one["error_from_out_ns"], 50) / 1000 for one in rounds]
        beats = sum(len(one["error_ns"]) for one in rounds)
        sizes = [[abs(median) for median in of] for of in (ours, medians(rounds))]
        ratio = "" if name.startswith(OURS) else times(ratios(*sizes))
        rows.append([name, str(beats), signed(medians(rounds)), signed(p99), signed(out), ratio])
    title = "RTT error at one connection, 10 pings a second (websocat: one), in µs: reported less captured"
    header = ["tool", "heartbeats", "median", "p99", "median, from going out", "wscheck to it"]
    return table(title, header, rows)


def many(result):
    found = result["many"]
    if "error" in found:
        return f"RTT error with many connections: **not measured**: {found['error']}"
    rows = []
    each, summed = found["each"], found["summed"]
    rows.append([
        "each heartbeat, once all beat (-o ndjson)",
        str(sum(len(one["error_ns"]) for one in each)),
        signed(medians(each)),
        signed([percentile(one["error_ns"], 99) / 1000 for one in each]),
        plain([percentile(one["wire_ns"], 50) / 1000 for one in each]),
    ])
    rows.append([
        "the report's p50 and p99, opening included (-o json)",
        str(sum(one["heartbeats"] for one in summed)),
        signed([one["p50_us"] for one in summed]),
        signed([one["p99_us"] for one in summed]),
        plain([one["wire_p50_us"] for one in summed]),
    ])
    title = f"wscheck's RTT error with {found['connections']} connections, one ping a second each, in µs"
    text = table(title, ["error of", "heartbeats", "median", "p99", "captured p50"], rows)
    doubts = {one["report"]["measurement_reason"] for one in each + summed} - {None}
    return text + "".join(f"\n\nwscheck called a run suspect: {doubt}." for doubt in sorted(doubts))


def weight(result):
    parts = []
    for size in result["options"]["sizes"]:
        of = {name: sizes[str(size)] for name, sizes in result["weight"].items()}
        ours = of[OURS]
        rows = []
        for name, rounds in of.items():
            cost, each = column(rounds, "cpu_ms_per_1000"), column(rounds, "memory_each")
            compared = ["", ""]
            if not name.startswith(OURS):
                compared = [
                    times(ratios(column(ours, "cpu_ms_per_1000"), cost)),
                    times(ratios(column(ours, "memory_each"), each)),
                ]
            kept = f"{100 * spread(column(rounds, 'kept'))[0]:.0f} %"
            rows.append([name, plain(cost), compared[0], plain([one / 1024 for one in each]), compared[1], kept])
        title = f"{size} connections, one ping a second each"
        cost, each = "CPU ms per 1,000 heartbeats", "KiB a connection"
        header = ["tool", cost, "wscheck to it", each, "wscheck to it", "rate kept"]
        parts.append(table(title, header, rows))
    return "\n\n".join(parts)


def column(rounds, key):
    return [one[key] for one in rounds]


def flood(result):
    if result["flood"] is None:
        return "Adaptive: **not measured**: this wscheck has no --adaptive."
    floor = result["flood"]["minimal blocking client"]
    rows = [[name, plain(rates, 0), times(ratios(rates, floor))] for name, rates in result["flood"].items()]
    header = ["client", "heartbeats a second", "to the first"]
    return table("The next ping when the pong came, one connection", header, rows)


def start(result):
    rows = []
    trivial = result["start"][TRIVIAL]
    for name, spans in result["start"].items():
        middle, least, greatest = spread(spans)
        more = "" if name == TRIVIAL else f"{difference(spans, trivial):+.2f}"
        rows.append([name, f"{middle:.2f} ({least:.2f} to {greatest:.2f})", more])
    text = table("Start to end, in ms", ["program", "median", "more than the trivial one"], rows)
    stripped = "stripped" if result["binary_stripped"] else "**not stripped**"
    return f"{text}\n\nThe binary: {result['binary_bytes'] / 1e6:.2f} MB, {stripped}."


def signed(values):
    middle, least, greatest = spread(values)
    return f"{middle:+.1f} ({least:+.1f} to {greatest:+.1f})"


def plain(values, digits=1):
    middle, least, greatest = spread(values)
    return f"{middle:.{digits}f} ({least:.{digits}f} to {greatest:.{digits}f})"


def times(three):
    return "{:.2f} ({:.2f} to {:.2f})".format(*three)


def table(title, header, rows):
    rule = ["---"] + ["---:"] * (len(header) - 1)
    lines = ["| " + " | ".join(row) + " |" for row in [header, rule, *rows]]
    return f"{title}:\n\n" + "\n".join(lines)
