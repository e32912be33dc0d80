"""How long it takes to start, and how large the binary is."""

import os
import sys
import time

from .places import RUST, WEBSOCAT, Failure


def start(wscheck, times):
    """Milliseconds from the start of a process to its end, interleaved; a trivial program is the measure."""
    print(f"start-up, {times} times", file=sys.stderr)
    programs = {"wscheck --version": wscheck, "a trivial program": RUST / "trivial", "websocat --version": WEBSOCAT}
    found = {name: [] for name in programs}
    with open(os.devnull, "w") as null:
        silent = [(os.POSIX_SPAWN_DUP2, null.fileno(), 1)]
        for number in range(times):
            # There and back, so that none is always after the same.
            for name, path in list(programs.items())[:: -1 if number % 2 else 1]:
                found[name].append(once(str(path), silent))
    return found


def once(path, silent):
    begin = time.perf_counter_ns()
    pid = os.posix_spawn(path, [path, "--version"], os.environ, file_actions=silent)
    _, status = os.waitpid(pid, 0)
    if status:
        raise Failure(f"{path} --version ended with {os.waitstatus_to_exitcode(status)}")
    return (time.perf_counter_ns() - begin) / 1e6


def size(wscheck):
    """The binary's bytes, and whether its symbols were stripped from it."""
    binary = wscheck.read_bytes()
    return {"binary_bytes": len(binary), "binary_stripped": b"\0.symtab\0" not in binary}
