"""What the figures are to come to, and whether they do. Nothing is asserted: machines differ."""

from .figures import difference, percentile, ratios, spread

OURS = "wscheck"
OVER_HTTP2 = "wscheck over HTTP/2"


def aims(result):
    """Rows of aim, finding and judgement; only of what was measured."""
    return [[aim, *judged(found, most, unit)] for aim, found, most, unit in findings(result) if found is not None]


def judged(found, most, unit):
    """`most` is the bound: from above, or from below where it is negative."""
    met = found <= most if most >= 0 else found >= -most
    far = f"{abs(found - abs(most)):.2f} {unit}".strip()
    return [f"{found:.2f} {unit}".strip(), "met" if met else f"**not met: by {far}**"]


def findings(result):
    single, many = result.get("single"), result.get("many", {})
    if single:
        yield "median RTT error at one connection, at most 10 µs", middle(single[OURS], 50), 10, "µs"
        yield "its p99, at most 25 µs", middle(single[OURS], 99), 25, "µs"
        if OVER_HTTP2 in single:
            apart = abs(difference(medians(single[OVER_HTTP2]), medians(single[OURS])))
            yield "median RTT errors over HTTP/2 and HTTP/1.1, apart by at most 10 µs", apart, 10, "µs"
    if "each" in many:
        beats = many["connections"]
        yield f"median RTT error with {beats} connections and {beats} heartbeats a second, at most 20 µs", middle(
            many["each"], 50
        ), 20, "µs"
    if "weight" in result:
        yield from weights(result)
    if result.get("flood"):
        minimal, ours = result["flood"].values()
        yield "adaptive: at least 0.9 of the minimal client", ratios(ours, minimal)[0], -0.9, ""
    if "start" in result:
        more = difference(result["start"]["wscheck --version"], result["start"]["a trivial program"])
        yield "start-up: at most 3 ms more than a trivial program", more, 3, "ms"
        yield "binary: at most 8 MB", result["binary_bytes"] / 1e6, 8, "MB"


def medians(rounds):
    """Of each round the median error, in µs."""
    return [percentile(one["error_ns"], 50) / 1000 for one in rounds]


def middle(rounds, part):
    """The median over the rounds of a percentile of the errors' size, in µs."""
    return spread([percentile([abs(error) for error in one["error_ns"]], part) / 1000 for one in rounds])[0]


def weights(result):
    size = str(max(result["options"]["sizes"]))
    of = {name: sizes[size] for name, sizes in result["weight"].items()}
    column = lambda name, key: [one[key] for one in of[name]]  # noqa: E731
    memory = lambda name: spread(column(name, "memory_each"))[0] / 1024  # noqa: E731
    yield f"memory of a plain connection, of {size}: at most 4 KiB", memory(OURS), 4, "KiB"
    yield f"memory of a TLS connection, of {size}: at most 24 KiB", memory("wscheck over TLS"), 24, "KiB"
    peers = [name for name in of if not name.startswith(OURS)]
    best = min(peers, key=lambda name: spread(column(name, "cpu_ms_per_1000"))[0])
    ratio = ratios(column(OURS, "cpu_ms_per_1000"), column(best, "cpu_ms_per_1000"))[0]
    yield f"CPU of a heartbeat, of {size} connections: at most 0.8 of the best peer ({best})", ratio, 0.8, ""
